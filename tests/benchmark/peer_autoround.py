#!/usr/bin/env python3
"""AutoRound on the model, text, bits and groups of the benchmark, on CPU.

    peer_autoround.py MODEL OUT --text FILE --iterations N [--bits 4 --group 64 --samples 64 --length 512 --threads 2]
        [--asymmetric]

Publishes the dequantized weights, which every loader takes, and prints the wall time of quantizing alone.
"""
import argparse
import os
import time

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
from auto_round import AutoRound
from transformers import AutoModelForCausalLM, AutoTokenizer

BATCH = 8  # AutoRound's own default


def calibration_batches(tokenizer, path, samples, length):
    with open(path, encoding="utf-8", errors="ignore") as file:
        # Eight characters a token are more than enough and spare tokenizing the whole text.
        ids = tokenizer(file.read(samples * length * 8), add_special_tokens=False)["input_ids"]
    assert len(ids) >= samples * length, "the text is too short"
    return list(torch.tensor(ids[:samples * length]).view(-1, min(BATCH, samples), length))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("out")
    parser.add_argument("--text", required=True)
    for name, default in (("iterations", None), ("bits", 4), ("group", 64), ("samples", 64), ("length", 512), ("threads", 2)):
        parser.add_argument("--" + name, type=int, default=default, required=default is None)
    parser.add_argument("--asymmetric", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)

    tokenizer = AutoTokenizer.from_pretrained(arguments.model)
    model = AutoModelForCausalLM.from_pretrained(arguments.model, dtype=torch.bfloat16)
    quantizer = AutoRound(model, tokenizer, bits=arguments.bits, group_size=arguments.group, sym=not arguments.asymmetric,
                          iters=arguments.iterations, nsamples=arguments.samples, seqlen=arguments.length, batch_size=BATCH,
                          dataset=calibration_batches(tokenizer, arguments.text, arguments.samples, arguments.length))
    start = time.monotonic()
    quantizer.quantize()
    print(f"quantize_seconds {time.monotonic() - start:.1f}", flush=True)
    quantizer.save_quantized(arguments.out, format="fake", inplace=True)
    tokenizer.save_pretrained(arguments.out)


if __name__ == "__main__":
    main()
