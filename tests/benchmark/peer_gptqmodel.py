#!/usr/bin/env python3
"""GPTQModel's GPTQ on the model, text, bits and groups of the benchmark, on CPU.

    peer_gptqmodel.py MODEL OUT --text FILE [--bits 4 --group 64 --samples 64 --length 512 --threads 2] [--asymmetric]

Columns go in order of decreasing importance within groups that are fixed before, and damping is 1 %, as in heroq. Publishes
GPTQ's tensors and prints the wall time of quantizing alone.
"""
import os
import time

import peer_inputs

# It refuses to work with less than two workers.
os.environ.update(GPTQMODEL_CPU_WORKERS="2", TORCHDYNAMO_DISABLE="1")

import torch
from gptqmodel import GPTQModel, QuantizeConfig
from transformers import AutoTokenizer


def main():
    arguments = peer_inputs.arguments(__doc__)
    model_directory, text, out = (os.path.abspath(path) for path in (arguments.model, arguments.text, arguments.out))
    # It writes logs of its own below where it runs.
    os.chdir(os.path.dirname(out))
    rows = peer_inputs.token_rows(AutoTokenizer.from_pretrained(model_directory), text, arguments.samples, arguments.length)
    grid = QuantizeConfig(bits=arguments.bits, group_size=arguments.group, sym=not arguments.asymmetric,
                          format="gptq_v2" if arguments.asymmetric else "gptq", desc_act=True, static_groups=True,
                          act_group_aware=False, damp_percent=0.01)
    model = GPTQModel.load(model_directory, grid, device="cpu", dtype=torch.bfloat16)
    start = time.monotonic()
    model.quantize([{"input_ids": row, "attention_mask": [1] * arguments.length} for row in rows])
    print(f"quantize_seconds {time.monotonic() - start:.1f}", flush=True)
    model.save(out)


if __name__ == "__main__":
    main()
