#!/usr/bin/env python3
"""Mean negative log-likelihood of a checkpoint over given token ids, by vLLM on CPU.

    nll_vllm.py CHECKPOINT PROMPTS_JSON
"""
import json
import os
import sys

os.environ.update(HF_HUB_OFFLINE="1", VLLM_CPU_KVCACHE_SPACE="1", VLLM_ENABLE_V1_MULTIPROCESSING="0")

import torch
from vllm import LLM, SamplingParams
from vllm.model_executor.layers.quantization.compressed_tensors.transform.module import HadamardTransform

# vLLM's product of inputs and rotations asks the layer for a CPU kernel, which only its linears have.
HadamardTransform.cpu_linear = staticmethod(torch.nn.functional.linear)


def main(checkpoint, prompts_path):
    with open(prompts_path, encoding="utf-8") as file:
        prompts = json.load(file)
    engine = LLM(checkpoint, enforce_eager=True, max_model_len=256, max_num_seqs=4, dtype="bfloat16",
                 distributed_executor_backend="uni")
    parameters = SamplingParams(temperature=0, max_tokens=1, prompt_logprobs=0)
    total = count = 0
    for output in engine.generate([{"prompt_token_ids": ids} for ids in prompts], parameters):
        for token, candidates in zip(output.prompt_token_ids[1:], output.prompt_logprobs[1:]):
            total -= candidates[token].logprob
            count += 1
    print(f"mean_nll {total / count:.6f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
