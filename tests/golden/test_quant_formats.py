"""Packed bytes and dequantized values against compressed-tensors; 16-bit floats against numpy and ml_dtypes."""
import os
import pathlib
import subprocess

import ml_dtypes
import numpy as np
import pytest
import torch
from compressed_tensors.compressors.pack_quantized import PackedQuantizationCompressor, pack_to_int32
from compressed_tensors.quantization import QuantizationArgs, QuantizationScheme

PROBE = pathlib.Path(os.environ["HEROQ_BIN"]) / "quant_probe"
BITS = range(2, 9)
SHAPES = [(1, 1), (3, 7), (2, 32), (5, 33), (4, 95), (16, 576), (33, 64)]


def probe(dtype, data, *arguments):
    out = subprocess.run([PROBE, *map(str, arguments)], input=data, check=True, capture_output=True).stdout
    return np.frombuffer(out, dtype=dtype)


def random_codes(rows, columns, bits):
    return np.random.default_rng(rows * columns + bits).integers(0, 1 << bits, (rows, columns), dtype=np.uint8)


def signed(codes, bits):
    return torch.from_numpy(codes.astype(np.int16) - (1 << (bits - 1))).to(torch.int8)


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("rows, columns", SHAPES)
@pytest.mark.parametrize("direction, dimension", [("rows", 1), ("columns", 0)])
def test_packed_words_equal_those_of_compressed_tensors(bits, rows, columns, direction, dimension):
    codes = random_codes(rows, columns, bits)
    theirs = pack_to_int32(signed(codes, bits), bits, packed_dim=dimension).contiguous().numpy()
    ours = probe(np.int32, codes.tobytes(), f"pack-{direction}", rows, columns, bits)
    np.testing.assert_array_equal(ours.reshape(theirs.shape), theirs)
    back = probe(np.uint8, theirs.tobytes(), f"unpack-{direction}", rows, columns, bits)
    np.testing.assert_array_equal(back.reshape(codes.shape), codes)


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("group_size", [-1, 8, 32])
@pytest.mark.parametrize("scale_type", ["bf16", "f16"])
@pytest.mark.parametrize("symmetric", [True, False])
def test_dequantized_values_equal_those_of_compressed_tensors(bits, group_size, scale_type, symmetric):
    rows, columns = 37, 96
    groups = 1 if group_size == -1 else columns // group_size
    generator = torch.Generator().manual_seed(bits)
    dtype = {"bf16": torch.bfloat16, "f16": torch.float16}[scale_type]
    scales = (torch.rand(rows, groups, generator=generator) * 0.1 + 1e-3).to(dtype)
    codes = random_codes(rows, columns, bits)
    zeros = random_codes(rows, groups, bits)
    packed = pack_to_int32(signed(codes, bits), bits)
    state = {"weight_packed": packed, "weight_scale": scales, "weight_shape": torch.tensor([rows, columns])}
    data = packed.numpy().tobytes() + scales.view(torch.int16).numpy().tobytes()
    if not symmetric:
        state["weight_zero_point"] = pack_to_int32(signed(zeros, bits), bits, packed_dim=0).contiguous()
        data += zeros.tobytes()
    weights = QuantizationArgs(num_bits=bits, type="int", symmetric=symmetric,
                               strategy="channel" if group_size == -1 else "group",
                               group_size=None if group_size == -1 else group_size)
    scheme = QuantizationScheme(targets=["Linear"], weights=weights)
    theirs = PackedQuantizationCompressor.decompress(state, scheme)["weight"]
    ours = probe(np.float32, data, "dequantize", rows, columns, bits, group_size, scale_type,
                 "symmetric" if symmetric else "asymmetric").reshape(rows, columns)
    # They round to the scale's type; ours are exact, so rounding them once must give the same.
    assert theirs.dtype == dtype
    assert torch.equal(torch.from_numpy(ours.copy()).to(dtype), theirs)


def random_floats():
    """Floats of every exponent, the neighbours of every tie between two bf16 or f16 values among them."""
    bits = np.random.default_rng(3).integers(0, 1 << 32, 400_000, dtype=np.uint64).astype(np.uint32)
    patterns = np.arange(1 << 16, dtype=np.uint32) << 16
    halves = np.arange(1 << 16, dtype=np.uint16).view(np.float16).astype(np.float32).view(np.uint32)
    near = [base + np.uint32(offset) for base in (patterns + 0x8000, halves + 0x1000, halves, patterns)
            for offset in (0, 1, 0xFFFFFFFF)]
    return np.concatenate([bits, *near]).view(np.float32)


def assert_same_patterns(ours, theirs, nan):
    np.testing.assert_array_equal(nan(ours), nan(theirs))
    numbers = ~nan(theirs)
    np.testing.assert_array_equal(ours[numbers], theirs[numbers])


@pytest.mark.parametrize("name, dtype", [("bf16", ml_dtypes.bfloat16), ("f16", np.float16)])
def test_floats_round_as_numpy_rounds_them(name, dtype):
    values = random_floats()
    with np.errstate(over="ignore", invalid="ignore"):
        theirs = values.astype(dtype).view(np.uint16)
    limit = 0x7F80 if name == "bf16" else 0x7C00
    assert_same_patterns(probe(np.uint16, values.tobytes(), f"to-{name}"), theirs, lambda x: (x & 0x7FFF) > limit)


@pytest.mark.parametrize("name, dtype", [("bf16", torch.bfloat16), ("f16", torch.float16)])
def test_floats_round_as_torch_rounds_them(name, dtype):
    values = random_floats()
    theirs = torch.from_numpy(values).to(dtype).view(torch.int16).numpy().view(np.uint16)
    limit = 0x7F80 if name == "bf16" else 0x7C00
    assert_same_patterns(probe(np.uint16, values.tobytes(), f"to-{name}"), theirs, lambda x: (x & 0x7FFF) > limit)


@pytest.mark.parametrize("name, dtype", [("bf16", ml_dtypes.bfloat16), ("f16", np.float16)])
def test_every_pattern_widens_as_numpy_widens_it(name, dtype):
    patterns = np.arange(1 << 16, dtype=np.uint16)
    theirs = patterns.view(dtype).astype(np.float32).view(np.uint32)
    ours = probe(np.uint32, patterns.tobytes(), f"from-{name}")
    assert_same_patterns(ours, theirs, lambda x: (x & 0x7FFFFFFF) > 0x7F800000)
