"""Quantized activations: the numbers of compressed-tensors, and checkpoints as transformers computes them."""
import json
import os
import pathlib
import subprocess

import pytest
import torch
from compressed_tensors.quantization import QuantizationArgs, QuantizationConfig
from compressed_tensors.quantization.lifecycle.forward import fake_quantize
from compressed_tensors.quantization.utils import compute_dynamic_scales_and_zp
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

import judge
import tiny_llama

BIN = pathlib.Path(os.environ["HEROQ_BIN"])
IDS = torch.randint(0, 320, (100, 3), generator=torch.Generator().manual_seed(1))
WHOLE = 10**9


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    return tiny_llama.write_model(tmp_path_factory.mktemp("llama") / "model", intermediate_size=224)


def publish(model, directory, bits, group_size, symmetry="symmetric", *overrides):
    expected = directory / "expected.safetensors"
    subprocess.run([BIN / "publish_checkpoint", model, directory / "out", expected, bits, str(group_size), symmetry,
                    str(WHOLE), *overrides], check=True)
    return directory / "out", load_file(expected)


def config_of(directory):
    return json.loads((directory / "config.json").read_text())["quantization_config"]


@pytest.mark.parametrize("dtype", ["f32", "bf16"])
@pytest.mark.parametrize("bits", [4, 6, 8])
def test_activations_are_rounded_as_by_compressed_tensors(tmp_path, bits, dtype):
    generator = torch.Generator().manual_seed(bits)
    x = torch.randn(200, 96, generator=generator) * torch.logspace(-6, 6, 200)[:, None]
    x[7] = 0  # no range
    x[8] = x[8].abs()  # the largest value is clamped
    x[9] = x[9].round() * 0.5  # ties
    compute = torch.bfloat16 if dtype == "bf16" else torch.float32
    x = x.to(compute)
    save_file({"x": x.float()}, tmp_path / "x")
    subprocess.run([BIN / "activation_probe", str(bits), dtype, tmp_path / "x", tmp_path / "q"], check=True)
    args = QuantizationArgs(num_bits=bits, type="int", symmetric=True, strategy="token", dynamic=True)
    scale, zero = compute_dynamic_scales_and_zp(x[None], args, None)
    expected = fake_quantize(x[None], scale, zero, args)[0]
    assert torch.equal(load_file(tmp_path / "q")["q"], expected.float())


@pytest.mark.parametrize("bits,group_size,symmetry", [
    ("8a8", -1, "symmetric"), ("8a8", 32, "asymmetric"), ("4a8", 32, "symmetric"), ("4a4", 32, "symmetric"),
    ("6a6", 32, "symmetric"), ("6a6", -1, "symmetric"), ("3a8", 32, "symmetric")])
@torch.no_grad()
def test_transformers_and_heroq_compute_the_same(original, tmp_path, bits, group_size, symmetry):
    out, expected = publish(original, tmp_path, bits, group_size, symmetry)
    group = config_of(out)["config_groups"]["group_0"]
    assert config_of(out)["format"] == group["format"] == "int-quantized"
    QuantizationConfig.model_validate(config_of(out))
    loaded = judge.load(out, torch.float32)
    theirs = loaded(IDS).logits
    for name, weight in expected.items():
        module = loaded.get_submodule(name)
        assert torch.equal(module.weight, weight), name
        assert module.quantization_scheme.input_activations.num_bits == int(bits[2:])
    save_file({"input_ids": IDS.to(torch.int32)}, tmp_path / "ids")
    subprocess.run([BIN / "heroq-forward-probe", out, tmp_path / "ids", tmp_path / "logits", "f32"], check=True)
    ours = load_file(tmp_path / "logits")["logits"]
    dense = judge.load(original, torch.float32)
    for name, weight in expected.items():
        dense.get_submodule(name).weight.copy_(weight)
    def agreeing(logits):
        return ((logits - theirs).norm(dim=-1) < 1e-4 * theirs.norm(dim=-1)).float().mean().item()
    # An activation next to a rounding boundary may fall on either side, and later positions see what it changes.
    assert agreeing(ours) > 0.5
    assert agreeing(dense(IDS).logits) == 0


def test_regimes_can_be_mixed(original, tmp_path):
    out, expected = publish(original, tmp_path, "4", 32, "symmetric", "down_proj=8a8", r"layers\.1\.self_attn\.[qkv]=4a4")
    config = config_of(out)
    assert config["format"] == "mixed-precision"
    assert sorted(group["format"] for group in config["config_groups"].values()) == [
        "int-quantized", "int-quantized", "pack-quantized"]
    loaded = AutoModelForCausalLM.from_pretrained(out, dtype=torch.float32).eval()
    with torch.no_grad():
        loaded(IDS)
    for name, weight in expected.items():
        module = loaded.get_submodule(name)
        assert torch.equal(module.weight, weight), name
        activations = module.quantization_scheme.input_activations
        wanted = 8 if "down_proj" in name else 4 if "layers.1.self_attn." in name and "o_proj" not in name else None
        assert (activations.num_bits if activations else None) == wanted, name


@pytest.mark.parametrize("bits", ["8a8", "4a4"])
def test_verify_holds_what_was_published(original, tmp_path, bits):
    out, _ = publish(original, tmp_path, bits, 32)
    subprocess.run([BIN / "heroq", "verify", out, "--source", original], check=True)
    weights = load_file(out / "model.safetensors")
    name = "model.layers.0.mlp.up_proj.weight"
    weights[name][3, 5] += 1 if weights[name][3, 5] < 3 else -1
    save_file(weights, out / "model.safetensors", metadata={"format": "pt"})
    run = subprocess.run([BIN / "heroq", "verify", out], capture_output=True, text=True)
    assert run.returncode != 0 and "tensor_hash" in run.stdout + run.stderr
