"""Checkpoints that other tools made (data/README.md) hold for `heroq verify`, with the weights those tools mean by them."""
import json
import os
import pathlib

import numpy
import pytest
import torch
from compressed_tensors.compressors.pack_quantized.helpers import pack_to_int32, unpack_from_int32
from safetensors.torch import load_file, save_file

from damage import Checkpoint
from heroq_cli import heroq
from verification import verify

DATA = pathlib.Path(os.environ["HEROQ_SOURCE"]) / "tests/golden/data"
SOURCE = DATA / "source"
CHECKPOINTS = sorted(path.parent for path in DATA.glob("*/model.safetensors") if path.parent != SOURCE)
METHODS = {"llmcompressor": "compressed-tensors", "gptqmodel": "gptq", "autoround": "auto-round"}


def bits_of(words, bits):
    """[rows, columns] int32 words as one bit stream a row, least significant first, cut into codes."""
    stream = numpy.unpackbits(words.numpy().view(numpy.uint8), axis=1, bitorder="little")
    codes = stream[:, :stream.shape[1] // bits * bits].reshape(len(words), -1, bits)
    return torch.from_numpy((codes << numpy.arange(bits, dtype=numpy.uint16)).sum(-1).astype(numpy.int64))


def gptq_weight(tensors, name, version):
    qweight, scales = tensors[f"{name}.qweight"], tensors[f"{name}.scales"].double()
    groups, out = scales.shape
    inputs = len(tensors[f"{name}.g_idx"]) if f"{name}.g_idx" in tensors else None
    bits = tensors[f"{name}.qzeros"].shape[1] * 32 // out
    codes = bits_of(qweight.T.contiguous(), bits).T
    zeros = bits_of(tensors[f"{name}.qzeros"], bits)
    if version == 1:
        zeros = (zeros + 1) % 2 ** bits
    index = torch.arange(len(codes)) // (len(codes) // groups) if inputs is None else tensors[f"{name}.g_idx"].long()
    return (scales[index] * (codes - zeros[index])).T


def compressed_weight(tensors, name, arguments):
    scale = tensors[f"{name}.weight_scale"].double()
    if f"{name}.weight_packed" not in tensors:
        return tensors[f"{name}.weight"].double() * scale
    shape = torch.Size(tensors[f"{name}.weight_shape"].tolist())
    bits = arguments["num_bits"]
    codes = unpack_from_int32(tensors[f"{name}.weight_packed"], bits, shape).double()
    zeros = torch.zeros_like(scale)
    if not arguments["symmetric"]:
        zeros = unpack_from_int32(tensors[f"{name}.weight_zero_point"], bits, scale.shape, packed_dim=0).double()
    length = shape[1] // scale.shape[1]
    index = tensors.get(f"{name}.weight_g_idx", torch.arange(shape[1]) // length).long()
    return scale[:, index] * (codes - zeros[:, index])


def expected_errors(directory):
    """||stored - source||^2 / ||source||^2 of every quantized linear, from the tool's layout as its own library reads it."""
    tensors, source = load_file(directory / "model.safetensors"), load_file(SOURCE / "model.safetensors")
    config = json.loads((directory / "config.json").read_text())["quantization_config"]
    errors = {}
    for name in [key.removesuffix(".weight") for key in source if key.endswith("_proj.weight")]:
        if f"{name}.qweight" in tensors:
            stored = gptq_weight(tensors, name, 2 if config.get("checkpoint_format") == "gptq_v2" else 1)
        elif f"{name}.weight_scale" in tensors:
            stored = compressed_weight(tensors, name, config["config_groups"]["group_0"]["weights"])
        else:
            continue
        weight = source[f"{name}.weight"].double()
        errors[name] = ((stored - weight).square().sum() / weight.square().sum()).item()
    return errors


def check(directory):
    assert verify(directory)[:2] == (0, [])
    code, findings, errors = verify(directory, SOURCE)
    assert (code, findings) == (0, [])
    assert errors == pytest.approx(expected_errors(directory), rel=1e-5)
    assert len(errors) >= 6


def test_every_tool_is_there():
    assert {path.name.split("-")[0] for path in CHECKPOINTS} == set(METHODS)


@pytest.mark.parametrize("directory", CHECKPOINTS, ids=lambda path: path.name)
def test_what_another_tool_made_holds(directory):
    check(directory)


@pytest.mark.parametrize("directory", CHECKPOINTS, ids=lambda path: path.name)
def test_inspect_describes_it(directory):
    description = json.loads(heroq("inspect", directory, "-o", "json").stdout)
    config = json.loads((directory / "config.json").read_text())["quantization_config"]
    assert description["quantized"] and description["method"] == config["quant_method"]
    assert sum(group["linears"] for group in description["linears"]) == 7
    stored = config.get("checkpoint_format", config.get("format", "gptq"))
    assert {group["format"] for group in description["linears"]} <= {stored, "dense"}


@pytest.mark.parametrize("symmetric", [True, False])
def test_groups_in_activation_order_hold(tmp_path, symmetric):
    """compressed-tensors with a group index, which its current quantizers no longer write: packed by its own packer."""
    directory = tmp_path / "ordered"
    tensors = load_file(SOURCE / "model.safetensors")
    for name in [key.removesuffix(".weight") for key in tensors if key.endswith("_proj.weight")]:
        weight = tensors.pop(f"{name}.weight").float()
        index = torch.arange(weight.shape[1])[torch.randperm(weight.shape[1], generator=torch.Generator().manual_seed(5))] // 32
        groups = torch.stack([weight[:, index == group] for group in range(weight.shape[1] // 32)], 1)
        scale = (groups.abs().amax(-1) / 7.5).bfloat16()
        zero = torch.zeros_like(scale) if symmetric else torch.ones_like(scale)
        codes = (weight / scale.float()[:, index] + zero.float()[:, index]).round().clamp(-8, 7).to(torch.int8)
        tensors |= {f"{name}.weight_packed": pack_to_int32(codes, 4), f"{name}.weight_scale": scale,
                    f"{name}.weight_shape": torch.tensor(weight.shape), f"{name}.weight_g_idx": index.int()}
        if not symmetric:
            tensors[f"{name}.weight_zero_point"] = pack_to_int32(zero.to(torch.int8), 4, packed_dim=0).contiguous()
    checkpoint = Checkpoint(DATA / "llmcompressor-w4-group", directory)
    save_file(tensors, directory / "model.safetensors")
    checkpoint.edit("config.json", lambda config: config["quantization_config"]["config_groups"]["group_0"]["weights"].update(
        actorder="group", symmetric=symmetric))
    check(directory)


def test_a_layout_that_cannot_be_checked_is_no_pass_and_no_finding_of_damage(tmp_path):
    checkpoint = Checkpoint(DATA / "gptqmodel-w4-v1", tmp_path / "awq")
    checkpoint.edit("config.json", lambda config: config["quantization_config"].update(quant_method="awq"))
    code, findings, _ = verify(checkpoint.directory)
    assert code == 8
    assert [(finding["rule"], finding["file"]) for finding in findings] == [("format_unsupported", "config.json")]
    assert "unsupported layout: not checked" in heroq("verify", checkpoint.directory, check=False).stdout
