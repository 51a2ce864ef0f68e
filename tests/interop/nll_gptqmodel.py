#!/usr/bin/env python3
"""Mean negative log-likelihood of a GPTQ checkpoint over given token ids, by GPTQModel on CPU.

    nll_gptqmodel.py CHECKPOINT PROMPTS_JSON
"""
import json
import os
import sys

os.environ.update(HF_HUB_OFFLINE="1", GPTQMODEL_CPU_WORKERS="2", TORCHDYNAMO_DISABLE="1")

import torch
from gptqmodel import BACKEND, GPTQModel


@torch.no_grad()
def main(checkpoint, prompts_path):
    with open(prompts_path, encoding="utf-8") as file:
        ids = torch.tensor(json.load(file))
    model = GPTQModel.load(checkpoint, device="cpu", dtype=torch.bfloat16, backend=BACKEND.GPTQ_TORCH)
    scores = model.model(ids).logits[:, :-1].float().log_softmax(-1)
    print(f"mean_nll {-scores.gather(-1, ids[:, 1:, None]).mean().item():.6f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
