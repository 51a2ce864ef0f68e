"""Published directories, read by stock transformers and compressed-tensors."""
import json
import os
import pathlib
import subprocess

import pytest
import torch
from compressed_tensors.quantization import QuantizationConfig
from safetensors import safe_open
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

import tiny_llama

BIN = pathlib.Path(os.environ["HEROQ_BIN"])
IDS = torch.arange(32)[None]
WHOLE = 10**9


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    return tiny_llama.write_model(tmp_path_factory.mktemp("llama") / "model", intermediate_size=224)


def publish(model, directory, bits, group_size, symmetry, shard_bytes=WHOLE, *overrides):
    expected = directory / "expected.safetensors"
    subprocess.run([BIN / "publish_checkpoint", model, directory / "out", expected, str(bits), str(group_size), symmetry,
                    str(shard_bytes), *overrides], check=True)
    return directory / "out", load_file(expected)


@torch.no_grad()
def check_weights(original, out, expected):
    """Every linear holds the expected values, everything else what the original holds; logits follow."""
    loaded = AutoModelForCausalLM.from_pretrained(out, dtype=torch.float32).eval()
    logits = loaded(IDS).logits
    reference = AutoModelForCausalLM.from_pretrained(original, dtype=torch.float32).eval()
    for name, weight in expected.items():
        module = reference.get_submodule(name)
        assert (module.weight - weight).norm() < 0.6 * module.weight.norm(), name
        module.weight.copy_(weight)
        assert torch.equal(loaded.get_submodule(name).weight, weight), name
    wanted = reference(IDS).logits
    assert (logits - wanted).abs().max() <= 1e-5 * wanted.abs().max()


@pytest.mark.parametrize("group_size,symmetry", [(32, "symmetric"), (32, "asymmetric"), (-1, "asymmetric")])
@pytest.mark.parametrize("bits", [2, 3, 4, 5, 8])
def test_transformers_reads_what_was_quantized(original, tmp_path, bits, group_size, symmetry):
    out, expected = publish(original, tmp_path, bits, group_size, symmetry)
    assert len(expected) == 21
    check_weights(original, out, expected)


def test_several_schemes_and_shards(original, tmp_path):
    out, expected = publish(original, tmp_path, 4, 32, "asymmetric", 60_000, r"layers\.0\.mlp\.(gate|up)=keep",
                            "down_proj=8", r"layers\.1\.self_attn\.o_proj=3", r"layers\.2\.self_attn\.[qkv]=keep")
    assert len(expected) == 21 - 5
    check_weights(original, out, expected)
    config = json.loads((out / "config.json").read_text())["quantization_config"]
    assert len(config["config_groups"]) == 3
    assert sorted(config["ignore"]) == ["lm_head", "model.layers.0.mlp.gate_proj", "model.layers.0.mlp.up_proj",
                                        *(f"model.layers.2.self_attn.{p}_proj" for p in "kqv")]
    index = json.loads((out / "model.safetensors.index.json").read_text())
    sizes = {}
    for shard in sorted(set(index["weight_map"].values())):
        with safe_open(out / shard, "pt") as file:
            assert file.metadata() == {"format": "pt"}
            for name in file.keys():
                assert index["weight_map"].pop(name) == shard
                tensor = file.get_tensor(name)
                sizes[shard] = sizes.get(shard, 0) + tensor.numel() * tensor.element_size()
    assert not index["weight_map"]
    assert index["metadata"]["total_size"] == sum(sizes.values())
    assert len(sizes) > 3
    # The embedding alone is larger than the limit.
    assert sorted(size > 60_000 for size in sizes.values())[-2] is False


def test_compressed_tensors_knows_every_key(original, tmp_path):
    out, _ = publish(original, tmp_path, 4, 32, "asymmetric")
    config = json.loads((out / "config.json").read_text())
    parsed = QuantizationConfig.model_validate(config["quantization_config"])
    assert parsed.quantization_status.value == "compressed"
    assert parsed.config_groups["group_0"].format == "pack-quantized"
    del config["quantization_config"]
    assert config == json.loads((original / "config.json").read_text())


def test_what_is_copied_is_copied_byte_for_byte(original, tmp_path):
    out, _ = publish(original, tmp_path, 4, 32, "symmetric")
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "generation_config.json"):
        assert (out / name).read_bytes() == (original / name).read_bytes()
        assert (out / name).stat().st_mode & 0o777 == 0o644
    assert AutoTokenizer.from_pretrained(out)("the quick fox")["input_ids"]
    card = (out / "README.md").read_text()
    assert card.startswith("---\n") and "round to nearest" in card
    ours = load_file(out / "model.safetensors")
    for name, tensor in load_file(original / "model.safetensors").items():
        if not name.endswith("_proj.weight"):
            assert torch.equal(ours[name], tensor), name
