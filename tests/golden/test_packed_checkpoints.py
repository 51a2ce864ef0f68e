"""Reading compressed-tensors checkpoints and comparing models, against transformers with compressed-tensors."""
import json
import os
import pathlib
import subprocess

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

import judge
import packed_llama
import tiny_llama

BIN = pathlib.Path(os.environ["HEROQ_BIN"])
IDS = torch.randint(0, 320, (5, 96), generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    return tiny_llama.write_model(tmp_path_factory.mktemp("llama") / "model")


def one_scheme(original, directory, bits, group_size, symmetric):
    return packed_llama.write_packed(original, directory, lambda name: (bits, group_size, symmetric),
                                     {"group_0": packed_llama.group_config(["Linear"], bits, group_size, symmetric)})


def several_schemes(original, directory):
    """A name before a pattern before the class; one linear stays dense."""
    exact = "model.layers.0.mlp.down_proj"
    def scheme_of(name):
        if name == "model.layers.1.self_attn.o_proj":
            return None
        return (8, 64, True) if name == exact else (3, 32, False) if ".mlp." in name else (4, -1, True)
    return packed_llama.write_packed(original, directory, scheme_of, {
        "group_0": packed_llama.group_config(["Linear"], 4, -1, True),
        "group_1": packed_llama.group_config(["re:.*mlp.*"], 3, 32, False),
        "group_2": packed_llama.group_config([exact], 8, 64, True)})


def save_ids(path):
    save_file({"input_ids": IDS.to(torch.int32)}, path)
    return path


@torch.no_grad()
def check_logits(directory, tmp_path):
    ids, out = save_ids(tmp_path / "ids.safetensors"), tmp_path / "out.safetensors"
    subprocess.run([BIN / "heroq-forward-probe", directory, ids, out, "f32"], check=True)
    model = AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float32, attn_implementation="eager").eval()
    expected = model(IDS).logits
    assert (load_file(out)["logits"] - expected).abs().max() <= 1e-4 * expected.abs().max()


@pytest.mark.parametrize("group_size,symmetric", [(32, True), (64, False), (-1, True), (-1, False)])
@pytest.mark.parametrize("bits", [2, 3, 4, 5, 6, 7, 8])
def test_packed_linears_load_as_transformers_decompresses_them(original, tmp_path, bits, group_size, symmetric):
    check_logits(one_scheme(original, tmp_path / "packed", bits, group_size, symmetric), tmp_path)


def test_each_linear_takes_the_scheme_of_its_most_specific_target(original, tmp_path):
    check_logits(several_schemes(original, tmp_path / "packed"), tmp_path)


@pytest.mark.parametrize("field,value", [
    (("kv_cache_scheme",), {"num_bits": 8}), (("quant_method",), "awq"), (("quantization_status",), "frozen"),
    (("config_groups", "group_0", "input_activations"), {"num_bits": 8}),
    (("config_groups", "group_0", "weights", "actorder"), "group"),
    (("config_groups", "group_0", "weights", "type"), "float"), (("config_groups", "group_0", "format"), "float-quantized"),
    (("transform_config",), {"config_groups": {"R1": {}}})])
def test_what_would_be_computed_wrongly_is_refused(original, tmp_path, field, value):
    directory = one_scheme(original, tmp_path / "packed", 4, 32, True)
    config = json.loads((directory / "config.json").read_text())
    inner = config["quantization_config"]
    for key in field[:-1]:
        inner = inner[key]
    inner[field[-1]] = value
    (directory / "config.json").write_text(json.dumps(config))
    ids = save_ids(tmp_path / "ids.safetensors")
    run = subprocess.run([BIN / "heroq-forward-probe", directory, ids, tmp_path / "out", "f32"], capture_output=True, text=True)
    assert run.returncode == 1
    assert field[-1] in run.stderr


@pytest.mark.parametrize("dtype,tolerance", [("f32", 1e-4), ("bf16", 3e-2)])
def test_perplexity_and_divergence_match_transformers(original, tmp_path, dtype, tolerance):
    directory = one_scheme(original, tmp_path / "packed", 4, 32, False)
    ids = save_ids(tmp_path / "ids.safetensors")
    run = subprocess.run([BIN / "heroq-evaluate-probe", original, directory, ids, dtype], check=True, capture_output=True,
                         text=True)
    tokens, original_nll, packed_nll, kl = (float(x) for x in run.stdout.split())
    reference, packed = judge.load(original, torch.float32), judge.load(directory, torch.float32)
    with torch.no_grad():
        expected = judge.log_probabilities(reference, IDS).double()
        theirs = judge.log_probabilities(packed, IDS).double()
    target = IDS[:, 1:, None]
    assert tokens == target.numel()
    assert original_nll == pytest.approx(-expected.gather(-1, target).sum().item(), rel=tolerance)
    assert packed_nll == pytest.approx(-theirs.gather(-1, target).sum().item(), rel=tolerance)
    assert kl == pytest.approx((expected.exp() * (expected - theirs)).sum().item(), rel=tolerance)
