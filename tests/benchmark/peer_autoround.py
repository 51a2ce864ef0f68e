#!/usr/bin/env python3
"""AutoRound on the model, text, bits and groups of the benchmark, on CPU.

    peer_autoround.py MODEL OUT --text FILE --iterations N [--bits 4 --group 64 --samples 64 --length 512 --threads 2]
        [--asymmetric]

Publishes the dequantized weights, which every loader takes, and prints the wall time of quantizing alone.
"""
import time

import peer_inputs

import torch
from auto_round import AutoRound
from transformers import AutoModelForCausalLM, AutoTokenizer

BATCH = 8  # AutoRound's own default


def main():
    arguments = peer_inputs.arguments(__doc__, "iterations")
    tokenizer = AutoTokenizer.from_pretrained(arguments.model)
    rows = peer_inputs.token_rows(tokenizer, arguments.text, arguments.samples, arguments.length)
    batch = min(BATCH, arguments.samples)
    model = AutoModelForCausalLM.from_pretrained(arguments.model, dtype=torch.bfloat16)
    quantizer = AutoRound(model, tokenizer, bits=arguments.bits, group_size=arguments.group, sym=not arguments.asymmetric,
                          iters=arguments.iterations, nsamples=arguments.samples, seqlen=arguments.length, batch_size=batch,
                          dataset=list(torch.tensor(rows).split(batch)))
    start = time.monotonic()
    quantizer.quantize()
    print(f"quantize_seconds {time.monotonic() - start:.1f}", flush=True)
    quantizer.save_quantized(arguments.out, format="fake", inplace=True)
    tokenizer.save_pretrained(arguments.out)


if __name__ == "__main__":
    main()
