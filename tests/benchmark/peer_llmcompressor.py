#!/usr/bin/env python3
"""llm-compressor's GPTQ on the model, text, bits and groups of the benchmark, on CPU.

    peer_llmcompressor.py MODEL OUT --text FILE [--group 64 --samples 64 --length 512 --threads 2] [--asymmetric]

Prints the wall time of oneshot() alone; the caller times the whole process.
"""
import argparse
import os
import time

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
from compressed_tensors.quantization import QuantizationArgs, QuantizationScheme
from datasets import Dataset
from llmcompressor import oneshot
from llmcompressor.modifiers.quantization import GPTQModifier
from transformers import AutoModelForCausalLM, AutoTokenizer


def calibration_rows(tokenizer, path, samples, length):
    with open(path, encoding="utf-8", errors="ignore") as file:
        # Eight characters a token are more than enough and spare tokenizing the whole text.
        ids = tokenizer(file.read(samples * length * 8), add_special_tokens=False)["input_ids"]
    rows = [ids[i * length:(i + 1) * length] for i in range(samples)]
    assert all(len(row) == length for row in rows), "the text is too short"
    return Dataset.from_dict({"input_ids": rows, "attention_mask": [[1] * length] * samples})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("out")
    parser.add_argument("--text", required=True)
    for name, default in (("bits", 4), ("group", 64), ("samples", 64), ("length", 512), ("threads", 2)):
        parser.add_argument("--" + name, type=int, default=default)
    parser.add_argument("--asymmetric", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)

    tokenizer = AutoTokenizer.from_pretrained(arguments.model)
    model = AutoModelForCausalLM.from_pretrained(arguments.model, dtype=torch.bfloat16)
    weights = QuantizationArgs(num_bits=arguments.bits, type="int", symmetric=not arguments.asymmetric,
                               strategy="group", group_size=arguments.group)
    recipe = GPTQModifier(config_groups={"group_0": QuantizationScheme(targets=["Linear"], weights=weights)},
                          ignore=["lm_head"], dampening_frac=0.01)
    start = time.monotonic()
    oneshot(model=model, dataset=calibration_rows(tokenizer, arguments.text, arguments.samples, arguments.length),
            recipe=recipe, max_seq_length=arguments.length, num_calibration_samples=arguments.samples,
            pipeline="sequential")
    print(f"oneshot_seconds {time.monotonic() - start:.1f}", flush=True)
    model.save_pretrained(arguments.out, save_compressed=True)
    tokenizer.save_pretrained(arguments.out)


if __name__ == "__main__":
    main()
