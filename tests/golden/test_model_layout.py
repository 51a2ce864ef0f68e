"""What we read from config.json is what transformers makes of it: names, shapes, head sizes, rope."""
import json
import os
import pathlib
import subprocess

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

PROBE = pathlib.Path(os.environ["HEROQ_BIN"]) / "checkpoint_probe"
BASE = dict(vocab_size=64, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
            max_position_embeddings=256)
LLAMA3 = dict(rope_type="llama3", rope_theta=500000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
              original_max_position_embeddings=128)
CONFIGS = {
    "plain": {},
    "grouped": dict(num_key_value_heads=2),
    "one key head": dict(num_key_value_heads=1),
    "explicit head_dim": dict(num_key_value_heads=2, head_dim=16),
    "attention bias": dict(attention_bias=True, num_key_value_heads=2),
    "mlp bias": dict(mlp_bias=True),
    "tied": dict(tie_word_embeddings=True),
    "epsilon and types": dict(rms_norm_eps=1e-5, dtype="float16", bos_token_id=None),
    "theta": dict(rope_parameters=dict(rope_type="default", rope_theta=100000.0)),
    "linear": dict(rope_parameters=dict(rope_type="linear", rope_theta=10000.0, factor=2.0)),
    "dynamic": dict(rope_parameters=dict(rope_type="dynamic", rope_theta=10000.0, factor=4.0)),
    "llama3": dict(rope_parameters=LLAMA3),
    "llama3 without length": dict(rope_parameters={k: v for k, v in LLAMA3.items() if k != "original_max_position_embeddings"}),
}


def our_layout(path):
    return json.loads(subprocess.run([PROBE, "layout", path], check=True, capture_output=True).stdout)


def assert_same_layout(ours, config):
    with torch.device("meta"):
        model = LlamaForCausalLM(config)
    shapes = {name: list(value.shape) for name, value in model.state_dict().items()}
    if config.tie_word_embeddings:
        del shapes["lm_head.weight"]
    assert ours["tensors"] == shapes
    assert ours["head_dim"] == config.head_dim and ours["kv_heads"] == config.num_key_value_heads
    assert ours["norm_epsilon"] == config.rms_norm_eps and ours["max_positions"] == config.max_position_embeddings
    assert ours["tied_head"] == config.tie_word_embeddings and ours["bos"] == config.bos_token_id
    for key, value in config.rope_parameters.items() - {("type", config.rope_parameters.get("type"))}:
        assert ours["rope"][key] == value, key


@pytest.mark.parametrize("name", CONFIGS)
def test_layout_of_a_saved_config(tmp_path, name):
    config = LlamaConfig(**{**BASE, "architectures": ["LlamaForCausalLM"], **CONFIGS[name]})
    config.save_pretrained(tmp_path)
    assert_same_layout(our_layout(tmp_path / "config.json"), LlamaConfig.from_pretrained(tmp_path))


@pytest.mark.parametrize("rope", [
    dict(rope_theta=250000.0), dict(rope_theta=10000.0, rope_scaling=None), dict(rope_scaling=dict(type="linear", factor=2.0)),
    dict(rope_theta=5e5, rope_scaling=dict(type="dynamic", factor=4.0)),
    dict(rope_theta=5e5, rope_scaling={k: v for k, v in LLAMA3.items() if k != "rope_theta"}),
    dict(original_max_position_embeddings=64, rope_scaling=LLAMA3),
    dict(rope_scaling=dict(rope_type="linear", factor=2.0), rope_parameters=dict(rope_type="default", rope_theta=7.0)),
])
def test_layout_of_a_config_in_the_older_spelling(tmp_path, rope):
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**BASE, "model_type": "llama", "architectures": ["LlamaForCausalLM"],
                                "rms_norm_eps": 1e-6, "torch_dtype": "bfloat16", **rope}))
    layout = our_layout(path)
    assert_same_layout(layout, LlamaConfig.from_pretrained(tmp_path))
    assert layout["dtype"] == "BF16"
