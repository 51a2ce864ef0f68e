"""Dense output: what codes stand for, and HeRo-Q's Algorithm 1 mapped back, against numpy and stock transformers."""
import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

import hero_q_reference as reference
import judge
from heroq_cli import heroq, manifest, published_bytes
from run_inputs import inputs, quantize_command  # noqa: F401 (inputs is a fixture)

EVALUATED = ["--compute", "f32", "--evaluation-sequences", "8", "--evaluation-length", "64"]
MAPPED_BACK = ["--method", "hero-q", "--transform", "evaluation"]


def quantize(inputs, out, *flags):
    return heroq(*quantize_command(inputs, out, *flags))


def tensors_of(directory):
    return load_file(directory / "model.safetensors")


@pytest.mark.parametrize("flags", [["--method", "gptq", "--propagation", "quantized"], ["--method", "hero-q", "--tier", "fast"],
                                   ["--method", "rtn", "--keep", "layers.1.mlp"]], ids=lambda flags: " ".join(flags[:2]))
def test_dense_weights_are_what_the_codes_stand_for(inputs, tmp_path, flags):
    quantize(inputs, tmp_path / "packed", *flags)
    quantize(inputs, tmp_path / "dense", "--format", "dense", *flags)
    packed = AutoModelForCausalLM.from_pretrained(tmp_path / "packed", dtype=torch.bfloat16)
    packed(torch.zeros((1, 2), dtype=torch.long))  # decompresses
    expected = packed.state_dict()
    for name, tensor in tensors_of(tmp_path / "dense").items():
        assert torch.equal(tensor, expected[name]), name
    config = json.loads((tmp_path / "dense/config.json").read_text())
    assert "quantization_config" not in config
    assert manifest(tmp_path / "dense")["format"] == "dense"
    assert "stored dense" in (tmp_path / "dense/README.md").read_text()
    assert heroq("verify", tmp_path / "dense", "--source", inputs / "model").returncode == 0


def nearest(values, bits, group):
    """Symmetric min-max grids of groups, scales in bfloat16."""
    cut = values.reshape(len(values), -1, group)
    scale = 2 * np.abs(cut).max(-1, keepdims=True) / (2**bits - 1)
    scale = torch.tensor(scale, dtype=torch.float32).bfloat16().double().numpy()
    codes = np.clip(np.rint(cut / scale), -2**(bits - 1), 2**(bits - 1) - 1)
    return (codes * scale).reshape(values.shape)


def online_signs(seed, place, count):
    """Stream 3 of the job's seed at the input's place."""
    key = reference.mix(reference.mix(reference.mix(reference.mix(seed) ^ 3) ^ place))
    return np.array([-1.0 if reference.mix((key + i * 0x9e3779b97f4a7c15) & reference.MASK) >> 63 else 1.0
                     for i in range(count)])


def test_algorithm_1_with_a_hadamard_rotation_is_numpy_s(inputs, tmp_path):
    tokenizer = AutoTokenizer.from_pretrained(inputs / "model")
    stream = tokenizer((inputs / "calibration.txt").read_text(), add_special_tokens=False)["input_ids"]
    ids = torch.tensor(stream[:16 * 64]).view(16, 64)
    save_file({"input_ids": ids.int()}, tmp_path / "tokens.safetensors")
    out, alpha, bits, group = tmp_path / "out", 0.3, 3, 32
    heroq("quantize", inputs / "model", "--output", out, *MAPPED_BACK, "--rotation", "hadamard", "--alpha", str(alpha),
          "--base", "rtn", "--scale-search", "off", "--bits", str(bits), "--group-size", str(group), "--symmetric", "on",
          "--compute", "f32", "--calibration-tokens", tmp_path / "tokens.safetensors", "--samples", "16",
          "--sequence-length", "64")
    original = AutoModelForCausalLM.from_pretrained(inputs / "model", dtype=torch.float32).eval()
    h = reference.diagonals(original, ids)
    source, found = tensors_of(inputs / "model"), tensors_of(out)
    report = json.loads((out / "report/report.json").read_text())
    places = {"attention_in": 0, "attention_out": 1, "mlp_in": 2, "mlp_out": 3}
    assert len(report["transforms"]) == len(report["linears"])
    compared = 0
    for linear, entry in zip(report["linears"], report["transforms"]):
        name = linear["name"]
        weight = source[name + ".weight"].double().numpy()
        width = weight.shape[1]
        size = min(width & -width, 128)
        if entry["alpha"] == alpha:
            compared += 1
            scale = reference.scale_of(h[name], alpha) * online_signs(0, places[entry["input"]], width)
            rotation = np.kron(np.eye(width // size), reference.hadamard(size))
        else:  # a linear that loses less as it is
            scale, rotation = np.ones(width), np.eye(width)
        expected = nearest(weight * scale @ rotation, bits, group) @ rotation.T / scale
        stored = found[name + ".weight"].double().numpy()
        # A value on a rounding boundary may fall to the other side in float32; any other transform differs by the error
        # of quantization itself, 0.2 of the norm and more.
        error = np.linalg.norm(stored - expected) / np.linalg.norm(expected)
        assert error < 0.02, (name, error)
        assert linear["weight_error"] == pytest.approx(((stored - weight)**2).sum() / (weight**2).sum(), rel=1e-3)
    assert compared > 0


@pytest.mark.parametrize("flags", [["--tier", "fast"], ["--rotation-steps", "5", "--alpha", "0", "0.2"],
                                   ["--exact", "--rotation-steps", "3", "--alpha", "0", "0.3", "--base", "rtn"]],
                         ids=lambda flags: " ".join(flags[:1]))
def test_what_is_mapped_back_is_measured_as_transformers_computes_it(inputs, tmp_path, flags):
    found = []
    for workers in ("1", "3"):
        out = tmp_path / f"out{workers}"
        quantize(inputs, out, *MAPPED_BACK, *EVALUATED, "--evaluation", inputs / "evaluation.txt", "--workers", workers,
                 *flags)
        found.append(published_bytes(out))
    assert found[0] == found[1]
    report = json.loads((out / "report/report.json").read_text())
    assert all(entry["loss"] <= entry["untransformed_loss"] for entry in report["transforms"])
    scores = judge.judge(str(inputs / "model"), [str(out)], inputs / "evaluation.txt", 8, 64, torch.float32)
    assert report["evaluation"]["kl"] == pytest.approx(scores[str(out)]["kl"], rel=0.02)
    assert heroq("verify", out, "--source", inputs / "model").returncode == 0


def test_a_free_offset_of_dash_q_is_published_dense(inputs, tmp_path):
    free = ["--method", "dash-q", "--fit-float-offset", "on"]
    quantize(inputs, tmp_path / "free", *free, "--bits", "3", "--symmetric", "off")
    quantize(inputs, tmp_path / "integer", "--method", "dash-q", "--bits", "3", "--symmetric", "off")
    errors = [json.loads((tmp_path / name / "report/report.json").read_text())["summary"]["mean_relative_error"]
              for name in ("free", "integer")]
    assert errors[0] < errors[1]
    assert manifest(tmp_path / "free")["format"] == "dense"
    refused = heroq(*quantize_command(inputs, tmp_path / "out", *free, "--symmetric", "on"), check=False)
    assert refused.returncode == 2
    assert "a symmetric grid, which has no offset" in refused.stderr


@pytest.mark.parametrize("flags,why", [
    (["--transform", "evaluation", "--format", "compressed-tensors"], "lies on no grid"),
    (["--transform", "online", "--format", "dense"], "described in the configuration"),
    (["--transform", "fused", "--exact"], "only with transform evaluation"),
    (["--transform", "evaluation", "--base", "awq"], "nowhere to go"),
    (["--transform", "evaluation", "--exact", "--rotation", "hadamard"], "it learns its rotations")],
    ids=lambda value: " ".join(value[1:]) if isinstance(value, list) else "")
def test_combinations_without_meaning_are_refused_before_anything_runs(inputs, tmp_path, flags, why):
    result = heroq(*quantize_command(inputs, tmp_path / "out", "--method", "hero-q", *flags), check=False)
    assert result.returncode == 2
    assert why in result.stderr
