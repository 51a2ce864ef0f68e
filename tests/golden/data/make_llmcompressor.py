"""Checkpoints of llm-compressor: make_llmcompressor.py SOURCE OUTPUT_PARENT [NAME...].

The environment is deploy/requirements/peer.txt."""
import os
import pathlib
import sys

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
from compressed_tensors.quantization import QuantizationArgs, QuantizationScheme
from datasets import Dataset
from llmcompressor import oneshot
from llmcompressor.modifiers.quantization import GPTQModifier, QuantizationModifier
from transformers import AutoModelForCausalLM

LENGTH, SAMPLES = 64, 8


def rows():
    ids = torch.randint(0, 320, (SAMPLES, LENGTH), generator=torch.Generator().manual_seed(3)).tolist()
    return Dataset.from_dict({"input_ids": ids, "attention_mask": [[1] * LENGTH] * SAMPLES})


def gptq(bits, group, symmetric=True):
    strategy = {"strategy": "channel"} if group is None else {"strategy": "group", "group_size": group}
    weights = QuantizationArgs(num_bits=bits, type="int", symmetric=symmetric, **strategy)
    scheme = QuantizationScheme(targets=["Linear"], weights=weights)
    return GPTQModifier(config_groups={"group_0": scheme}, ignore=["lm_head"])


def make(source, out, recipe):
    model = AutoModelForCausalLM.from_pretrained(source, dtype=torch.bfloat16)
    oneshot(model=model, dataset=rows(), recipe=recipe, max_seq_length=LENGTH, num_calibration_samples=SAMPLES)
    model.save_pretrained(out, save_compressed=True)


CHECKPOINTS = {
    "llmcompressor-w4-group": lambda: gptq(4, 32),
    "llmcompressor-w4-asymmetric": lambda: gptq(4, 32, symmetric=False),
    "llmcompressor-w4-channel": lambda: gptq(4, None),
    "llmcompressor-w3-asymmetric": lambda: gptq(3, 64, symmetric=False),
    "llmcompressor-w8a8": lambda: QuantizationModifier(targets=["Linear"], scheme="W8A8", ignore=["lm_head"]),
}


def main():
    source, parent = sys.argv[1], pathlib.Path(sys.argv[2])
    for name in sys.argv[3:] or CHECKPOINTS:
        make(source, parent / name, CHECKPOINTS[name]())


main()
