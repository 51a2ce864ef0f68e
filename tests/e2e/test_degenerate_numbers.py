"""Weights and activations that are not numbers end a job at once; weights and activations that say little do not, and
the report names them."""
import json

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

import broken_models as broken
import journal
import tiny_llama
from broken_models import K_PROJ
from heroq_cli import heroq

JOB_FAILED = 3
NAN, INFINITY, LARGEST = 0x7FC0, 0xFF80, 0x7F7F
SEQUENCES, LENGTH = 6, 32
FLAGS = ["--samples", SEQUENCES, "--sequence-length", LENGTH, "--workers", "1", "--shards", "2"]


@pytest.fixture
def place(tmp_path):
    tiny_llama.write_model(tmp_path / "model", num_hidden_layers=2, attention_bias=True)
    (tmp_path / "text.txt").write_text(tiny_llama.text(1000))
    return tmp_path


def quantize(place, *flags, check=True):
    return heroq("quantize", place / "model", "--output", place / "out", "--calibration", place / "text.txt", *FLAGS, *flags,
                 check=check, timeout=120)


@pytest.mark.parametrize("breaker,message,leases_of", [
    (broken.both(broken.set_bf16(K_PROJ, [0, 77], NAN), broken.set_bf16(K_PROJ, [8191], INFINITY)),
     f"tensor {K_PROJ}: 3 of 8192 values are NaN or Inf", "capture/0"),
    (broken.set_bf16("model.layers.1.input_layernorm.weight", [5], LARGEST),
     "block 1, shard 0: input attention_in: ", "capture/1"),
    (broken.set_bf16("model.norm.weight", [127], NAN), "tensor model.norm.weight: 1 of 128 values are NaN or Inf", None),
], ids=["weight", "activation", "copied weight"])
def test_a_value_that_is_no_number_ends_the_job_and_is_not_tried_again(place, breaker, message, leases_of):
    breaker(place / "model")
    result = quantize(place, "--keep-state", check=False)
    assert result.returncode == JOB_FAILED, result.stderr
    assert message in result.stderr and "NaN or Inf" in result.stderr
    assert not (place / "out").exists()
    assert sorted(path.name for path in place.iterdir()) == ["model", "out.heroq", "text.txt"]
    if leases_of is None:
        return
    of_task = [tasks for _, tasks in journal.leases(place / "out") if any(leases_of in task for task in tasks)]
    assert len(of_task) == 1, of_task


def degenerate(model):
    """Block 0 has a dead input, a constant one and one outlier; block 1 a dead MLP and rows of zeros."""
    tensors = load_file(model / "model.safetensors")
    first, second = "model.layers.0.", "model.layers.1."
    tensors[first + "input_layernorm.weight"][5] = 0
    tensors[first + "input_layernorm.weight"][9] = 3e4
    # A value that is the same on every token is the same after attention.
    tensors[first + "self_attn.v_proj.weight"][7] = 0
    tensors[first + "self_attn.v_proj.bias"][7] = 0.75
    tensors[second + "mlp.gate_proj.weight"].zero_()
    tensors[second + "self_attn.k_proj.weight"][:3] = 0
    save_file(tensors, model / "model.safetensors", {"format": "pt"})


@pytest.mark.parametrize("method", ["gptq", "rtn"])
def test_data_that_says_little_is_quantized_with_warnings(place, method):
    degenerate(place / "model")
    result = quantize(place, "--method", method)
    report = json.loads((place / "out/report/report.json").read_text())
    linears = {entry["name"].removeprefix("model.layers."): entry for entry in report["linears"]}
    solved = method == "gptq"
    tokens = SEQUENCES * LENGTH

    assert linears["0.self_attn.q_proj"]["dead_inputs"] == 1
    assert linears["1.mlp.down_proj"]["dead_inputs"] == 256
    row = ["1 of 64 rows of the weight are zero."]
    expected = {"0.self_attn.v_proj": row, "1.self_attn.k_proj": ["3 of 64 rows of the weight are zero."],
                "1.mlp.gate_proj": ["Every weight is zero."]}
    if solved:
        dead = ["1 of 128 inputs were zero on all calibration tokens: their weights were rounded to nearest."]
        few = [f"{tokens} calibration tokens for 256 inputs: the second moments are singular, and damping decides what the "
               "tokens leave open."]
        nothing = ["Every input was zero on all calibration tokens: weights were rounded to nearest."]
        expected |= {"0.self_attn.q_proj": dead, "0.self_attn.k_proj": dead, "0.self_attn.v_proj": row + dead}
        expected |= {"0.mlp.down_proj": few, "1.mlp.down_proj": nothing}
        assert {name for name, entry in linears.items() if entry.get("damping") != 0.01} == {"1.mlp.down_proj"}
    assert {name: entry["warnings"] for name, entry in linears.items() if entry["warnings"]} == expected
    count = sum(len(warnings) for warnings in expected.values())
    assert report["summary"]["warning_count"] == count
    assert f"warnings        {count}, listed in report/report.json" in result.stdout
    assert "warning: model.layers.1.mlp.gate_proj: Every weight is zero." in heroq("report", place / "out").stdout

    assert heroq("verify", place / "out", "--source", place / "model").returncode == 0
    with safe_open(place / "out/model.safetensors", "pt") as stored:
        assert torch.all(stored.get_tensor("model.layers.1.mlp.gate_proj.weight_scale") > 0)
    model = AutoModelForCausalLM.from_pretrained(place / "out", dtype=torch.float32)
    assert torch.isfinite(model(torch.arange(16)[None]).logits).all()
    assert torch.all(model.model.layers[1].mlp.gate_proj(torch.randn(4, 128)) == 0)


def test_a_strict_job_fails_instead_of_warning(place):
    degenerate(place / "model")
    result = quantize(place, "--strict", check=False)
    assert result.returncode == JOB_FAILED
    assert "strict job: " in result.stderr and not (place / "out").exists()
