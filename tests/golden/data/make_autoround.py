"""Checkpoints of AutoRound: make_autoround.py SOURCE OUTPUT_PARENT (environment: deploy/requirements/peer.txt)."""
import os
import pathlib
import sys

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
from auto_round import AutoRound
from transformers import AutoModelForCausalLM, AutoTokenizer

LENGTH, SAMPLES = 64, 8


def rows():
    ids = torch.randint(0, 320, (SAMPLES, LENGTH), generator=torch.Generator().manual_seed(3))
    return [row[None] for row in ids]


def make(source, out, form, **scheme):
    model = AutoModelForCausalLM.from_pretrained(source, dtype=torch.bfloat16)
    tokenizer = AutoTokenizer.from_pretrained(source)
    AutoRound(model, tokenizer, dataset=rows(), seqlen=LENGTH, nsamples=SAMPLES, iters=4, batch_size=2, device_map="cpu",
              **scheme).quantize_and_save(str(out), format=form)


def main():
    source, parent = sys.argv[1], pathlib.Path(sys.argv[2])
    make(source, parent / "autoround-w4", "auto_round:auto_gptq", bits=4, group_size=32, sym=True)
    make(source, parent / "autoround-w4-gptq", "auto_gptq", bits=4, group_size=32, sym=True)
    make(source, parent / "autoround-w2-gptq-asymmetric", "auto_gptq", bits=2, group_size=32, sym=False)
    make(source, parent / "autoround-w3-mixed", "auto_round:auto_gptq", bits=3, group_size=64, sym=True,
         layer_config={"model.layers.0.mlp.down_proj": {"bits": 8, "group_size": 32},
                       "model.layers.0.self_attn.k_proj": {"bits": 16}})


main()
