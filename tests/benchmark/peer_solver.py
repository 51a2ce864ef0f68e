#!/usr/bin/env python3
"""Milliseconds that llm-compressor's GPTQ takes for the linears of one block of SmolLM2-135M, second moments and scales
given, on two threads. Run by scaling.py in the peer's environment."""
import time

import torch
from compressed_tensors.quantization import QuantizationArgs
from llmcompressor.modifiers.gptq.gptq_quantize import quantize_weight

SHAPES = ((576, 576), (192, 576), (192, 576), (576, 576), (1536, 576), (1536, 576), (576, 1536))  # q k v o gate up down
GROUP = 64

torch.set_num_threads(2)
torch.manual_seed(0)
arguments = QuantizationArgs(num_bits=4, type="int", symmetric=True, strategy="group", group_size=GROUP, actorder="static")
layers = []
for rows, columns in SHAPES:
    x = torch.randn(2 * columns, columns) * torch.randn(columns).exp()
    weight = torch.randn(rows, columns)
    scale = weight.view(rows, -1, GROUP).abs().amax(-1) / 7.5
    layers.append((weight, x.T @ x, scale))
seconds = []
for _ in range(4):
    start = time.monotonic()
    for weight, moments, scale in layers:
        quantize_weight(weight.clone()[None], moments.clone()[None], scale[None], torch.zeros_like(scale)[None], None, arguments)
    seconds.append(time.monotonic() - start)
print(1e3 * sorted(seconds[1:])[1])
