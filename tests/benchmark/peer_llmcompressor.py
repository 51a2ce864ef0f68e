#!/usr/bin/env python3
"""llm-compressor's GPTQ on the model, text, bits and groups of the benchmark, on CPU.

    peer_llmcompressor.py MODEL OUT --text FILE [--bits 4 --group 64 --samples 64 --length 512 --threads 2] [--asymmetric]

Prints the wall time of oneshot() alone; the caller times the whole process.
"""
import time

import peer_inputs

import torch
from compressed_tensors.quantization import QuantizationArgs, QuantizationScheme
from datasets import Dataset
from llmcompressor import oneshot
from llmcompressor.modifiers.quantization import GPTQModifier
from transformers import AutoModelForCausalLM, AutoTokenizer


def main():
    arguments = peer_inputs.arguments(__doc__)
    tokenizer = AutoTokenizer.from_pretrained(arguments.model)
    rows = peer_inputs.token_rows(tokenizer, arguments.text, arguments.samples, arguments.length)
    model = AutoModelForCausalLM.from_pretrained(arguments.model, dtype=torch.bfloat16)
    weights = QuantizationArgs(num_bits=arguments.bits, type="int", symmetric=not arguments.asymmetric,
                               strategy="group", group_size=arguments.group)
    recipe = GPTQModifier(config_groups={"group_0": QuantizationScheme(targets=["Linear"], weights=weights)},
                          ignore=["lm_head"], dampening_frac=0.01)
    dataset = Dataset.from_dict({"input_ids": rows, "attention_mask": [[1] * arguments.length] * arguments.samples})
    start = time.monotonic()
    oneshot(model=model, dataset=dataset, recipe=recipe, max_seq_length=arguments.length,
            num_calibration_samples=arguments.samples, pipeline="sequential")
    print(f"quantize_seconds {time.monotonic() - start:.1f}", flush=True)
    model.save_pretrained(arguments.out, save_compressed=True)
    tokenizer.save_pretrained(arguments.out)


if __name__ == "__main__":
    main()
