"""What the peers of the benchmark have in common: their command line and the tokens they calibrate on."""
import argparse
import os

# Before anything imports a Hugging Face library.
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch


def arguments(description, *required):
    """Of a peer's command; `required` are names of numbers that it needs besides. Torch gets the threads that are asked for."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("out")
    parser.add_argument("--text", required=True)
    for name, default in (("bits", 4), ("group", 64), ("samples", 64), ("length", 512), ("threads", 2)):
        parser.add_argument("--" + name, type=int, default=default)
    for name in required:
        parser.add_argument("--" + name, type=int, required=True)
    parser.add_argument("--asymmetric", action="store_true")
    found = parser.parse_args()
    torch.set_num_threads(found.threads)
    return found


def token_rows(tokenizer, path, samples, length):
    """`samples` lists of `length` tokens, the beginning of the text."""
    with open(path, encoding="utf-8", errors="ignore") as file:
        # Eight characters a token are more than enough and spare tokenizing the whole text.
        ids = tokenizer(file.read(samples * length * 8), add_special_tokens=False)["input_ids"]
    assert len(ids) >= samples * length, "the text is too short"
    return [ids[i * length:(i + 1) * length] for i in range(samples)]
