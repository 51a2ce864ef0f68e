"""GPTQ checkpoints that heroq publishes, read by an unpacker of the published layout: bit by bit, in numpy."""
import json
import os
import pathlib
import re
import subprocess

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

import judge
import tiny_llama
from heroq_cli import heroq
from run_inputs import EVALUATION, inputs, quantize_command  # noqa: F401 (inputs is a fixture)

BIN = pathlib.Path(os.environ["HEROQ_BIN"])


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    return tiny_llama.write_model(tmp_path_factory.mktemp("llama") / "model", intermediate_size=224)


def config_of(directory):
    return json.loads((directory / "config.json").read_text())["quantization_config"]


def codes_of(words, bits):
    """[rows, words] int32: every row a stream of codes, least significant bit first."""
    stream = [[(int(word) >> at) & 1 for word in row for at in range(32)] for row in words.astype(np.uint32)]
    count = len(stream[0]) // bits
    return np.array([[sum(row[i * bits + k] << k for k in range(bits)) for i in range(count)] for row in stream])


def weight_of(tensors, name, bits, version):
    scales = tensors[f"{name}.scales"]
    assert scales.dtype == torch.float16
    codes = codes_of(tensors[f"{name}.qweight"].numpy().T, bits)  # [out, in]
    zeros = codes_of(tensors[f"{name}.qzeros"].numpy(), bits)  # [groups, out]
    if version == 1:
        zeros = (zeros + 1) % 2**bits
    index = tensors[f"{name}.g_idx"].numpy()
    assert (np.diff(index) >= 0).all() and len(index) == codes.shape[1] and index[-1] + 1 == len(scales)
    return scales.float().numpy()[index].T * (codes - zeros[index].T)


def publish(model, directory, bits, group_size, symmetry, version, *overrides):
    expected = directory / "expected.safetensors"
    form = "gptq" if version == 1 else "gptq_v2"
    subprocess.run([BIN / "publish_checkpoint", model, directory / "out", expected, str(bits), str(group_size),
                    f"{symmetry},{form}", str(10**9), *overrides], check=True)
    return directory / "out", load_file(expected)


@pytest.mark.parametrize("bits, group_size, symmetry, version",
                         [(2, 32, "symmetric", 1), (3, -1, "symmetric", 1), (4, 32, "symmetric", 1), (8, 16, "symmetric", 1),
                          (4, -1, "symmetric", 2), (2, 32, "asymmetric", 2), (3, 32, "asymmetric", 2),
                          (4, 32, "asymmetric", 2), (8, -1, "asymmetric", 2)])
def test_weights_are_those_that_were_rounded(original, tmp_path, bits, group_size, symmetry, version):
    out, expected = publish(original, tmp_path, bits, group_size, symmetry, version)
    tensors = load_file(out / "model.safetensors")
    config = config_of(out)
    assert (config["bits"], config["group_size"], config["sym"], config["desc_act"]) == (
        bits, group_size, symmetry == "symmetric", False)
    assert config["checkpoint_format"] == ("gptq" if version == 1 else "gptq_v2")
    assert config["meta"]["quantizer"][0].startswith("heroq:")
    assert json.loads((out / "quantize_config.json").read_text()) == config
    assert len(expected) == 21
    for name, weight in expected.items():
        np.testing.assert_array_equal(weight_of(tensors, name, bits, version), weight.numpy(), name)
    if symmetry == "symmetric" and bits == 4 and version == 1:
        assert {int(word) for word in tensors["model.layers.0.mlp.up_proj.qzeros"].flatten()} == {0x77777777}
    assert heroq("verify", out, "--source", original).returncode == 0
    for name, tensor in load_file(original / "model.safetensors").items():
        if not name.endswith("_proj.weight"):
            assert torch.equal(tensors[name], tensor), name


def test_other_schemes_and_kept_linears_are_found_by_pattern(original, tmp_path):
    out, expected = publish(original, tmp_path, 4, 32, "symmetric", 1, r"layers\.0\.mlp\.(gate|up)=keep", "down_proj=8",
                            r"layers\.1\.self_attn\.[qkv]=3")
    tensors, config = load_file(out / "model.safetensors"), config_of(out)

    def rule_of(name):
        rules = [(key, rule) for key, rule in config["dynamic"].items() if re.match(key[2:], name)]
        assert len(rules) <= 1, (name, rules)
        return rules[0] if rules else ("+:", {"bits": config["bits"]})

    assert len(expected) == 21 - 2
    for name, weight in expected.items():
        key, rule = rule_of(name)
        assert key.startswith("+:")
        np.testing.assert_array_equal(weight_of(tensors, name, rule["bits"], 1), weight.numpy(), name)
    assert {rule_of(f"model.layers.0.mlp.{part}_proj")[0][:2] for part in ("gate", "up", "gate_up")} == {"-:"}
    # Loaders that fuse linears ask for the fused name.
    assert rule_of("model.layers.1.self_attn.qkv_proj")[1]["bits"] == 3
    assert rule_of("model.layers.2.self_attn.qkv_proj")[1]["bits"] == 4
    assert heroq("verify", out, "--source", original).returncode == 0


@pytest.mark.parametrize("form, flags", [("gptq", ["--bits", "3", "--group-size", "32"]),
                                         ("gptq_v2", ["--method", "awq", "--group-size", "64", "--keep", "o_proj"])])
def test_what_is_measured_is_what_is_published(inputs, tmp_path, form, flags):
    out, dense = tmp_path / "out", tmp_path / "dense"
    heroq(*quantize_command(inputs, out, "--format", form, "--compute", "f32", "--evaluation", inputs / "evaluation.txt",
                            *EVALUATION, *flags))
    config, tensors = config_of(out), load_file(out / "model.safetensors")
    version = 1 if form == "gptq" else 2
    assert config["sym"] == (version == 1), "version 1 has zero points only where it is asked for them"
    names = [key.removesuffix(".qweight") for key in tensors if key.endswith(".qweight")]
    assert len(names) == (21 if version == 1 else 18)
    weights = {key: tensor for key, tensor in tensors.items() if key.rpartition(".")[2] not in ("qweight", "qzeros", "scales", "g_idx")}
    for name in names:
        weights[f"{name}.weight"] = torch.from_numpy(weight_of(tensors, name, config["bits"], version)).float()
    tiny_llama.write_model(dense)
    save_file(weights, dense / "model.safetensors", metadata={"format": "pt"})
    scores = judge.judge(str(inputs / "model"), [str(dense)], inputs / "evaluation.txt", 8, 64, torch.float32)
    evaluation = json.loads((out / "report/report.json").read_text())["evaluation"]
    assert evaluation["quantized_perplexity"] == pytest.approx(scores[str(dense)]["perplexity"], rel=1e-3)
    assert evaluation["kl"] == pytest.approx(scores[str(dense)]["kl"], rel=1e-2)
    assert heroq("verify", out, "--source", inputs / "model").returncode == 0
    manifest = json.loads((out / "MANIFEST.json").read_text())
    assert manifest["format"] == form and "compressed_tensors_version" not in manifest


@pytest.mark.parametrize("flags, complaint", [
    (["--bits", "5"], "5 bits, expected 2, 3, 4 or 8"), (["--symmetric", "off"], "expected gptq_v2, or symmetric"),
    (["--group-size", "8"], "group size 8, expected a power of two from 16 to 1024"),
    (["--tensor-parallel", "2", "--group-size", "channel"], "outputs a rank")])
def test_what_it_cannot_hold_is_refused_by_the_plan(inputs, tmp_path, flags, complaint):
    if "--tensor-parallel" in flags:
        tiny_llama.write_model(tmp_path / "narrow", num_attention_heads=2, num_key_value_heads=2, hidden_size=32)
        command = ["quantize", tmp_path / "narrow", "--output", tmp_path / "out", "--method", "rtn", *flags]
    else:
        command = quantize_command(inputs, tmp_path / "out", *flags)
    result = heroq(*command, "--format", "gptq", check=False)
    assert result.returncode == 2
    assert complaint in result.stderr, result.stderr
