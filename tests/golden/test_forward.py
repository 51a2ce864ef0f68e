"""The forward pass and the second moments of the worker against transformers' eager attention in float32."""
import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

import tiny_llama

BIN = pathlib.Path(os.environ["HEROQ_BIN"])
SOURCE = pathlib.Path(os.environ["HEROQ_SOURCE"])
INPUTS = {"attention_in": "self_attn.q_proj", "attention_out": "self_attn.o_proj", "mlp_in": "mlp.gate_proj",
          "mlp_out": "mlp.down_proj"}

LLAMA3 = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
          "original_max_position_embeddings": 64}
CASES = {
    "grouped heads, tied": {},
    "one KV head per head, untied": {"num_key_value_heads": 4, "tie_word_embeddings": False},
    "one KV head for all": {"num_key_value_heads": 1},
    "biases": {"attention_bias": True, "mlp_bias": True},
    "explicit head_dim": {"head_dim": 48},
    "linear rope": {"rope_parameters": {"rope_type": "linear", "factor": 4.0, "rope_theta": 10000.0}},
    "dynamic rope within the limit": {"rope_parameters": {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 10000.0}},
    "dynamic rope beyond the limit": {"rope_parameters": {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 10000.0},
                                      "max_position_embeddings": 40},
    "llama3 rope": {"rope_parameters": {**LLAMA3, "rope_theta": 500000.0}},
    "another base and epsilon": {"rope_parameters": {"rope_type": "default", "rope_theta": 1e6}, "rms_norm_eps": 1e-2},
}


def use_older_spelling(directory):
    """rope_theta and rope_scaling on the top level, torch_dtype for dtype: what transformers 4 wrote."""
    path = directory / "config.json"
    config = json.loads(path.read_text())
    rope = config.pop("rope_parameters")
    config["rope_theta"] = rope.pop("rope_theta")
    config["rope_scaling"] = None if rope["rope_type"] == "default" else rope
    config["torch_dtype"] = config.pop("dtype")
    path.write_text(json.dumps(config))


def probe(model, ids, tmp_path, dtype="f32"):
    save_file({"input_ids": ids.to(torch.int32)}, tmp_path / "ids.safetensors")
    subprocess.run([BIN / "heroq-forward-probe", model, tmp_path / "ids.safetensors", tmp_path / "out.safetensors", dtype],
                   check=True)
    return load_file(tmp_path / "out.safetensors")


@torch.no_grad()
def reference(directory, ids, dtype=torch.float32):
    """Logits, and sums of x^T x in float64 over the activations that the modules saw."""
    model = AutoModelForCausalLM.from_pretrained(directory, dtype=dtype, attn_implementation="eager").eval()
    moments = {}
    for block, layer in enumerate(model.model.layers):
        for name, path in INPUTS.items():
            def observe(module, arguments, key=f"moment.{block}.{name}"):
                x = arguments[0].detach().flatten(0, -2).to(torch.float64).numpy()
                moments[key] = x.T @ x
            layer.get_submodule(path).register_forward_pre_hook(observe)
    return model(ids).logits, moments


def check(ours, logits, moments):
    assert (ours["logits"] - logits).abs().max() <= 1e-4 * logits.abs().max()
    assert moments
    for key, expected in moments.items():
        difference = np.abs(ours[key].to(torch.float64).numpy() - expected).max()
        assert difference <= 1e-5 * np.abs(expected).max(), key


@pytest.mark.parametrize("spelling", ["rope_parameters", "rope_scaling"])
@pytest.mark.parametrize("case", CASES)
def test_tiny_llamas_match_transformers(case, spelling, tmp_path):
    directory = tiny_llama.write_model(tmp_path / "model", dtype=torch.float32, **CASES[case])
    if spelling == "rope_scaling":
        use_older_spelling(directory)
    ids = torch.randint(0, 320, (3, 96), generator=torch.Generator().manual_seed(1))
    logits, moments = reference(directory, ids)
    check(probe(directory, ids, tmp_path), logits, moments)


def test_smollm2_matches_transformers(tmp_path):
    model = tmp_path / "smollm2"
    subprocess.run([sys.executable, SOURCE / "deploy/demo/make_smollm2.py", model], check=True)
    ids = torch.randint(100, 40000, (2, 64), generator=torch.Generator().manual_seed(2))
    logits, moments = reference(model, ids)
    check(probe(model, ids, tmp_path), logits, moments)


def test_bfloat16_is_as_close_to_float32_as_transformers_is(tmp_path):
    directory = tiny_llama.write_model(tmp_path / "model")
    ids = torch.randint(0, 320, (3, 96), generator=torch.Generator().manual_seed(1))
    logits, moments = reference(directory, ids)
    their_logits, their_moments = reference(directory, ids, torch.bfloat16)
    ours = probe(directory, ids, tmp_path, "bf16")
    assert (ours["logits"] - logits).norm() <= 1.1 * (their_logits - logits).norm()
    for key, expected in moments.items():
        yardstick = np.linalg.norm(their_moments[key] - expected)
        assert np.linalg.norm(ours[key].to(torch.float64).numpy() - expected) <= 1.5 * yardstick, key
