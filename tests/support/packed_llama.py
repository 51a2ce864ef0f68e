"""Tiny llamas quantized by round-to-nearest and stored as compressed-tensors pack-quantized, by that library's own packer."""
import json
import pathlib
import shutil

import torch
from compressed_tensors.compressors.pack_quantized.helpers import pack_to_int32
from safetensors.torch import load_file, save_file


def quantize(weight, bits, group_size, symmetric):
    """Codes, scales and zero points in compressed-tensors' signed convention: [-2^(b-1), 2^(b-1) - 1]."""
    rows, columns = weight.shape
    length = columns if group_size == -1 else group_size
    groups = weight.float().reshape(rows, columns // length, length)
    low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    if symmetric:
        scale = (groups.abs().amax(-1, keepdim=True) / (-low - 0.5)).bfloat16().float()
        zero = torch.zeros_like(scale)
    else:
        least, most = groups.amin(-1, keepdim=True).clamp(max=0), groups.amax(-1, keepdim=True).clamp(min=0)
        scale = ((most - least) / (high - low)).bfloat16().float()
        zero = (low - (least / scale).round()).clamp(low, high)
    codes = ((groups / scale).round() + zero).clamp(low, high)
    return (codes.reshape(rows, columns).to(torch.int8), scale.squeeze(-1).bfloat16(),
            None if symmetric else zero.squeeze(-1).to(torch.int8))


def group_config(targets, bits, group_size, symmetric):
    return {"targets": targets, "format": "pack-quantized", "input_activations": None, "output_activations": None,
            "weights": {"num_bits": bits, "type": "int", "symmetric": symmetric, "dynamic": False, "actorder": None,
                        "strategy": "channel" if group_size == -1 else "group",
                        "group_size": None if group_size == -1 else group_size}}


def write_packed(source, directory, scheme_of, groups):
    """`scheme_of(name)` gives (bits, group_size, symmetric) or None for a linear that stays dense; `groups` is config_groups."""
    source, directory = pathlib.Path(source), pathlib.Path(directory)
    shutil.copytree(source, directory)
    tensors = load_file(source / "model.safetensors")
    dense = ["lm_head"]
    for key in [k for k in tensors if k.endswith("_proj.weight")]:
        name = key.removesuffix(".weight")
        scheme = scheme_of(name)
        if scheme is None:
            dense.append(name)
            continue
        weight = tensors.pop(key)
        codes, scale, zero = quantize(weight, *scheme)
        tensors[f"{name}.weight_packed"] = pack_to_int32(codes, scheme[0])
        tensors[f"{name}.weight_scale"] = scale
        tensors[f"{name}.weight_shape"] = torch.tensor(weight.shape)
        if zero is not None:
            tensors[f"{name}.weight_zero_point"] = pack_to_int32(zero, scheme[0], packed_dim=0).contiguous()
    save_file(tensors, directory / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((directory / "config.json").read_text())
    config["quantization_config"] = {
        "quant_method": "compressed-tensors", "format": "pack-quantized", "quantization_status": "compressed", "ignore": dense,
        "kv_cache_scheme": None, "global_compression_ratio": None, "sparsity_config": {}, "transform_config": {},
        "version": "0.19.0", "config_groups": groups}
    (directory / "config.json").write_text(json.dumps(config))
    return directory
