"""HeRo-Q with rotations that loaders apply at run time: what is published, loaded by stock transformers with the lines
of its model card and by heroq's own evaluation."""
import json

import pytest
import torch
from safetensors.torch import load_file, save_file

import judge
import model_card
from heroq_cli import heroq, published_bytes
from run_inputs import inputs, quantize_command  # noqa: F401 (inputs is a fixture)

ONLINE = ["--method", "hero-q", "--transform", "online", "--tier", "fast"]
EVALUATED = ["--compute", "f32", "--evaluation-sequences", "8", "--evaluation-length", "64"]


def quantize(inputs, out, *flags):
    return heroq(*quantize_command(inputs, out, *ONLINE, *flags))


@pytest.fixture(scope="module")
def published(inputs, tmp_path_factory):
    out = tmp_path_factory.mktemp("online") / "out"
    quantize(inputs, out, *EVALUATED, "--evaluation", inputs / "evaluation.txt")
    return out


def score(inputs, model):
    ids = judge.read_windows(str(inputs / "model"), inputs / "evaluation.txt", 8, 64)
    return judge.score(judge.load(str(inputs / "model"), torch.float32), model, ids)


@pytest.mark.parametrize("flags", [[], ["--rotation", "learned", "--rotation-steps", "5", "--bits", "3"],
                                   ["--rotation", "random", "--propagation", "quantized", "--base", "rtn"],
                                   ["--keep", "layers.1.mlp", "--alpha", "0.2"]], ids=lambda flags: " ".join(flags))
def test_transformers_computes_what_was_measured_whatever_the_number_of_workers(inputs, tmp_path, flags):
    found = []
    for workers in ("1", "2", "3"):
        out = tmp_path / f"out{workers}"
        quantize(inputs, out, *EVALUATED, "--evaluation", inputs / "evaluation.txt", "--workers", workers, *flags)
        found.append(published_bytes(out))
    assert found[0] == found[1] == found[2]
    evaluation = json.loads((out / "report/report.json").read_text())["evaluation"]
    scores = score(inputs, model_card.load(out, torch.float32))
    assert evaluation["quantized_perplexity"] == pytest.approx(scores["perplexity"], rel=0.005)
    assert evaluation["kl"] == pytest.approx(scores["kl"], rel=0.02)
    assert heroq("verify", out, "--source", inputs / "model").returncode == 0


def test_the_stored_matrices_are_what_the_report_says_and_nothing_works_without_them(inputs, published):
    tensors = load_file(published / "model.safetensors")
    rotations = {name: tensor for name, tensor in tensors.items() if name.endswith("_input.weight")}
    groups = json.loads((published / "config.json").read_text())["quantization_config"]["transform_config"]["config_groups"]
    report = json.loads((published / "report/report.json").read_text())
    used = {f"rotation_{entry['block']}_{entry['input']}": entry["rotation"] for entry in report["transforms"]}
    assert len(rotations) == len(groups) > 0
    for name, tensor in rotations.items():
        assert tensor.dtype == torch.float32
        group = name.split(".")[-2].removesuffix("_input")
        assert len(tensor) == groups[group]["head_dim"]
        identity = torch.eye(len(tensor))
        if used[group] == "hadamard":
            assert torch.equal(tensor.T @ tensor, len(tensor) * identity) and torch.equal(tensor.abs(), torch.ones_like(tensor))
        else:  # an input that loses less as it is
            assert torch.equal(tensor, len(tensor)**0.5 * identity)
    assert "hadamard" in used.values()
    ignored = score(inputs, judge.load(str(published), torch.float32))
    assert ignored["kl"] > 10 * report["evaluation"]["kl"]


@pytest.mark.parametrize("rule,change", [
    ("rotation_not_orthogonal", lambda tensor: tensor.mul_(1.01)),
    ("value_not_finite", lambda tensor: tensor.index_fill_(0, torch.tensor([0]), torch.nan)),
    ("tensor_shape", lambda tensor: tensor[:-1].clone()), ("tensor_missing", lambda tensor: None)],
    ids=["scaled", "NaN", "cut", "missing"])
def test_a_damaged_matrix_is_found(published, tmp_path, rule, change):
    for name in ("config.json", "generation_config.json"):
        (tmp_path / name).write_bytes((published / name).read_bytes())
    tensors = load_file(published / "model.safetensors")
    name = next(name for name in tensors if name.endswith("_input.weight"))
    changed = change(tensors.pop(name))
    if changed is not None:
        tensors[name] = changed
    save_file(tensors, tmp_path / "model.safetensors", metadata={"format": "pt"})
    result = heroq("verify", tmp_path, check=False)
    assert result.returncode == 1
    assert rule in result.stdout + result.stderr


def test_rotations_that_no_loader_could_apply_are_refused_before_anything_runs(inputs, tmp_path):
    result = heroq(*quantize_command(inputs, tmp_path / "out", *ONLINE, "--tensor-parallel", "2"), check=False)
    assert result.returncode == 2
    assert "no loader splits the rotations" in result.stderr
