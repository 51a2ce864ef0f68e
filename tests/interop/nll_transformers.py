#!/usr/bin/env python3
"""Mean negative log-likelihood of a checkpoint over a few prompts, by transformers; writes the prompts' token ids so that
another engine scores exactly the same tokens.

    nll_transformers.py CHECKPOINT TEXT PROMPTS_JSON
"""
import json
import os
import pathlib
import re
import sys

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
from transformers import AutoTokenizer

PROMPTS, LENGTH = 16, 128


def load(checkpoint):
    """As the model card says, in bfloat16: rotations of linear inputs are attached where the checkpoint has them."""
    lines = re.search(r"```python\n(.*?)```", (pathlib.Path(checkpoint) / "README.md").read_text(), re.S).group(1)
    names = {"torch": torch}
    exec(lines.replace("PATH", checkpoint).replace('dtype="auto"', "dtype=torch.bfloat16"), names)
    return names["model"].eval()


@torch.no_grad()
def main(checkpoint, text, out):
    tokenizer = AutoTokenizer.from_pretrained(checkpoint)
    with open(text, encoding="utf-8") as file:
        stream = tokenizer(file.read(PROMPTS * LENGTH * 8), add_special_tokens=False)["input_ids"]
    prompts = [stream[i * LENGTH:(i + 1) * LENGTH] for i in range(PROMPTS)]
    assert len(prompts[-1]) == LENGTH
    with open(out, "w", encoding="utf-8") as file:
        json.dump(prompts, file)
    model = load(checkpoint)
    ids = torch.tensor(prompts)
    scores = model(ids).logits[:, :-1].float().log_softmax(-1)
    print(f"mean_nll {-scores.gather(-1, ids[:, 1:, None]).mean().item():.6f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
