#!/usr/bin/env python3
"""Independent judge of checkpoints: perplexity, and KL divergence per token against the original model.

    judge.py REFERENCE_DIR CHECKPOINT_DIR... --text FILE [--sequences 32 --length 512] [--json]

Everything is loaded by stock transformers (compressed-tensors checkpoints decompress on load), on CPU, with bfloat16
compute. Nothing of heroq is used.
"""
import argparse
import json
import os

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TQDM_DISABLE", "1")

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

BATCH = 4


def load(directory, dtype=torch.bfloat16):
    return AutoModelForCausalLM.from_pretrained(directory, dtype=dtype).eval()


def spread_windows(stream, sequences, length):
    """First and last token included, evenly spaced: the windows of heroq's own evaluation."""
    count = min(sequences, len(stream) // length)
    begins = [i * (len(stream) - length) // max(1, count - 1) for i in range(count)]
    return torch.tensor([stream[begin:begin + length] for begin in begins])


def read_windows(directory, text, sequences, length):
    tokenizer = AutoTokenizer.from_pretrained(directory)
    with open(text, encoding="utf-8", errors="ignore") as file:
        stream = tokenizer(file.read(), add_special_tokens=False)["input_ids"]
    return spread_windows(stream, sequences, length)


@torch.no_grad()
def logits(model, ids):
    """Of every position, [sequences, length, vocabulary] in the model's type."""
    return torch.cat([model(batch).logits for batch in ids.split(BATCH)])


def kl(original, candidate):
    """Mean over predicted tokens, from logits."""
    total = tokens = 0
    for ours, theirs in zip(original.split(1), candidate.split(1)):
        expected = ours[:, :-1].float().log_softmax(-1)
        total += (expected.exp() * (expected - theirs[:, :-1].float().log_softmax(-1))).sum().item()
        tokens += expected.shape[1]
    return total / tokens


@torch.no_grad()
def log_probabilities(model, batch):
    return model(batch).logits[:, :-1].float().log_softmax(-1)


def score(reference, model, ids):
    """Means per predicted token; `model` None scores the reference itself."""
    nll = kl = tokens = 0
    for batch in ids.split(BATCH):
        original = log_probabilities(reference, batch)
        candidate = original if model is None else log_probabilities(model, batch)
        target = batch[:, 1:, None]
        nll -= candidate.gather(-1, target).sum().item()
        kl += (original.exp() * (original - candidate)).sum().item()
        tokens += target.numel()
    return {"perplexity": float(torch.tensor(nll / tokens).exp()), "kl": kl / tokens, "tokens": tokens}


def judge(reference_directory, checkpoints, text, sequences=32, length=512, dtype=torch.bfloat16, load=load):
    """Scores by directory; `load` makes a model of a directory and a type."""
    ids = read_windows(reference_directory, text, sequences, length)
    reference = load(reference_directory, dtype)
    scores = {reference_directory: score(reference, None, ids)}
    for directory in checkpoints:
        scores[directory] = score(reference, load(directory, dtype), ids)
    return scores


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reference")
    parser.add_argument("checkpoints", nargs="*")
    parser.add_argument("--text", required=True)
    parser.add_argument("--sequences", type=int, default=32)
    parser.add_argument("--length", type=int, default=512)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    scores = judge(arguments.reference, arguments.checkpoints, arguments.text, arguments.sequences, arguments.length)
    if arguments.json:
        print(json.dumps(scores, indent=2))
    else:
        for directory, result in scores.items():
            print(f"{result['perplexity']:10.4f} {result['kl']:9.5f}  {directory}")


if __name__ == "__main__":
    main()
