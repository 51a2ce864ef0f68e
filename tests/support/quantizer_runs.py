"""Runs the quantization methods on one linear through quantizer_probe, and makes layers to run them on."""
import os
import pathlib
import subprocess
import types

import numpy as np
import torch

PROBE = pathlib.Path(os.environ["HEROQ_BIN"]) / "quantizer_probe"


def run(method, weight, bits, group, symmetric, scale_type="bf16", search=True, act_order=True, damping=0.01,
        moments=None, tokens=0):
    rows, columns = weight.shape
    data = weight.astype(np.float32).tobytes() + (b"" if moments is None else moments.astype(np.float32).tobytes())
    arguments = [method, rows, columns, bits, group, scale_type, "symmetric" if symmetric else "asymmetric",
                 "search" if search else "minmax", "act-order" if act_order else "in-order", damping, tokens]
    out = subprocess.run([PROBE, *map(str, arguments)], input=data, check=True, capture_output=True).stdout
    groups = 1 if group == -1 else columns // group

    def take(dtype, *shape):
        nonlocal out
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        values, out = np.frombuffer(out[:size], dtype).reshape(shape), out[size:]
        return values

    result = types.SimpleNamespace(dequantized=take(np.float32, rows, columns))
    if "-offset" in method:  # dense: no stored form
        assert not out
        return result
    result.scales = take(np.float32, rows, groups)
    result.zeros = np.full((rows, groups), 1 << (bits - 1), np.uint8) if symmetric else take(np.uint8, rows, groups)
    result.codes = take(np.uint8, rows, columns)
    result.loss = take(np.float64, 1)[0] if method == "gptq" else None
    assert not out
    return result


def long_tailed_weight(rows, columns, seed):
    """Values of bfloat16, as models have them: halves between two codes are common."""
    generator = np.random.default_rng(seed)
    weight = torch.from_numpy(generator.standard_t(4, (rows, columns)) * 0.03).bfloat16().float().numpy()
    weight[0] = 0
    weight[1] = np.abs(weight[1])
    weight[2] = -np.abs(weight[2])
    return weight


def layer(rows, columns, tokens, seed):
    """A weight and second moments with channel scales over two decades, correlated, one input dead."""
    generator = np.random.default_rng(seed)
    inputs = generator.standard_normal((tokens, columns)) * np.exp(generator.standard_normal(columns))
    inputs += generator.standard_normal((tokens, 4)) @ generator.standard_normal((4, columns))
    inputs[:, 7] = 0
    return long_tailed_weight(rows, columns, seed), (inputs.T @ inputs).astype(np.float32)


def expand(per_group, columns):
    return np.repeat(per_group, columns // per_group.shape[1], axis=1)


def output_error(weight, moments, scales, zeros, codes):
    columns = weight.shape[1]
    error = expand(scales.astype(np.float64), columns) * (codes - expand(zeros, columns).astype(float)) - weight
    return np.einsum("ri,ij,rj->", error, moments.astype(np.float64), error)
