"""Checkpoints of GPTQModel: make_gptqmodel.py SOURCE OUTPUT_PARENT [NAME...]."""
import os
import pathlib
import sys

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TORCHDYNAMO_DISABLE", "1")
os.environ.setdefault("GPTQMODEL_CPU_WORKERS", "2")

import torch
from gptqmodel import GPTQModel, QuantizeConfig

LENGTH, SAMPLES = 64, 16


def rows():
    ids = torch.randint(0, 320, (SAMPLES, LENGTH), generator=torch.Generator().manual_seed(3))
    return [{"input_ids": row.tolist(), "attention_mask": [1] * LENGTH} for row in ids]


def make(source, out, **config):
    model = GPTQModel.load(source, QuantizeConfig(**config), device="cpu")
    model.quantize(rows(), batch_size=1)
    model.save(str(out))


def grid(bits, group_size, sym, version, **more):
    return dict(bits=bits, group_size=group_size, sym=sym, format=version, desc_act=False) | more


CHECKPOINTS = {
    "gptqmodel-w4-v1": grid(4, 32, True, "gptq"),
    "gptqmodel-w4-desc-act": grid(4, 32, True, "gptq", desc_act=True),
    "gptqmodel-w4-v2-asymmetric": grid(4, 32, False, "gptq_v2"),
    "gptqmodel-w3-v1": grid(3, 32, True, "gptq"),
    "gptqmodel-w2-v2-asymmetric": grid(2, 32, False, "gptq_v2", desc_act=True, act_group_aware=False),
    "gptqmodel-w8-channel": grid(8, -1, True, "gptq", act_group_aware=False),
    "gptqmodel-w4-dynamic": grid(4, 32, True, "gptq", dynamic={r"+:.*\.down_proj": {"bits": 8, "group_size": 64},
                                                               r"-:.*\.k_proj": {}}),
}


def main():
    source, parent = sys.argv[1], pathlib.Path(sys.argv[2])
    for name in sys.argv[3:] or CHECKPOINTS:
        make(source, parent / name, **CHECKPOINTS[name])


main()
