"""ARHQ through the service: low-rank branches as peft applies them, and the signal they save."""
import json
import subprocess

import pytest
import torch
from compressed_tensors.quantization import QuantizationArgs
from compressed_tensors.quantization.lifecycle.forward import fake_quantize
from compressed_tensors.quantization.utils import compute_dynamic_scales_and_zp
from peft import PeftModel
from safetensors.torch import load_file, save_file
from transformers import AutoTokenizer

import judge
from heroq_cli import BIN, heroq, published_bytes
from run_inputs import inputs, quantize_command  # noqa: F401 (inputs is a fixture)

SCHEME = ["--bits", "4", "--activation-bits", "4", "--group-size", "32", "--compute", "f32"]


def quantize(inputs, out, *flags, check=True):
    return heroq(*quantize_command(inputs, out, *SCHEME, *flags), check=check)


def linears_of(out):
    return {entry["name"]: entry for entry in json.loads((out / "report/report.json").read_text())["linears"]}


@pytest.fixture(scope="module")
def published(inputs, tmp_path_factory):
    out = tmp_path_factory.mktemp("arhq") / "out"
    quantize(inputs, out, "--method", "arhq", "--rank", "8", "--workers", "1")
    return out


@torch.no_grad()
def test_peft_and_heroq_compute_the_same(inputs, published, tmp_path):
    ids = torch.randint(0, 320, (100, 3), generator=torch.Generator().manual_seed(1))
    save_file({"input_ids": ids.to(torch.int32)}, tmp_path / "ids")
    subprocess.run([BIN / "heroq-forward-probe", published, tmp_path / "ids", tmp_path / "logits", "f32"], check=True)
    ours = load_file(tmp_path / "logits")["logits"]
    base = judge.load(published, torch.float32)
    without = base(ids).logits
    model = PeftModel.from_pretrained(base, published / "adapter").eval()
    theirs = model(ids).logits
    def agreeing(logits):
        return ((logits - theirs).norm(dim=-1) < 1e-4 * theirs.norm(dim=-1)).float().mean().item()
    # An activation next to a rounding boundary may fall on either side, and later positions see what it changes.
    assert agreeing(ours) > 0.5
    assert agreeing(without) == 0


@torch.no_grad()
def test_the_report_s_signal_to_noise_is_that_of_the_outputs(inputs, published):
    # All 1024 calibration tokens are kept: fewer than 8192.
    tokenizer = AutoTokenizer.from_pretrained(inputs / "model")
    stream = tokenizer((inputs / "calibration.txt").read_text(), add_special_tokens=False)["input_ids"]
    ids = torch.tensor(stream[:16 * 64]).view(16, 64)
    original, loaded = judge.load(inputs / "model", torch.float32), judge.load(published, torch.float32)
    loaded(ids[:1])  # decompresses
    adapter = load_file(published / "adapter/adapter_model.safetensors")
    report, seen = linears_of(published), {}
    for name in report:
        original.get_submodule(name).register_forward_hook(
            lambda module, arguments, output, name=name: seen.__setitem__(name, arguments[0].flatten(0, 1)))
    original(ids)
    args = QuantizationArgs(num_bits=4, type="int", symmetric=True, strategy="token", dynamic=True)
    for name, entry in report.items():
        x = seen[name][None]
        scale, zero = compute_dynamic_scales_and_zp(x, args, None)
        q = fake_quantize(x, scale, zero, args)[0].double()
        x = x[0].double()
        down, up = (adapter[f"base_model.model.{name}.lora_{part}.weight"].double() for part in "AB")
        assert entry["branch_rank"] == 8 == len(down)
        exact = x @ original.get_submodule(name).weight.double().T
        noise = exact - (q @ loaded.get_submodule(name).weight.double().T + x @ down.T @ up.T)
        expected = 10 * torch.log10(exact.square().sum() / noise.square().sum()).item()
        assert entry["signal_to_noise_db"] == pytest.approx(expected, abs=0.02), name


def test_residual_branches_save_more_signal_than_plain_ones_and_none(inputs, published, tmp_path):
    quantize(inputs, tmp_path / "plain", "--method", "arhq", "--rank", "8", "--branch", "plain")
    quantize(inputs, tmp_path / "none", "--method", "arhq", "--branch", "none")
    assert not (tmp_path / "none/adapter").exists()
    ratios = [{name: entry["signal_to_noise_db"] for name, entry in linears_of(out).items()}
              for out in (published, tmp_path / "plain", tmp_path / "none")]
    for name, residual in ratios[0].items():
        assert residual > ratios[1][name] - 0.2 and residual > ratios[2][name], name
    mean = [sum(ratio.values()) / len(ratio) for ratio in ratios]
    assert mean[0] > mean[1] > mean[2]


def test_bytes_do_not_depend_on_the_workers(inputs, published, tmp_path):
    quantize(inputs, tmp_path / "out", "--method", "arhq", "--rank", "8", "--workers", "3")
    assert published_bytes(tmp_path / "out") == published_bytes(published)


def test_verify_knows_the_adapter(inputs, published, tmp_path):
    heroq("verify", published, "--source", inputs / "model")
    names = published_bytes(published)
    assert {"adapter/adapter_config.json", "adapter/adapter_model.safetensors"} <= set(names)
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-r", published, copy], check=True)
    bytes_ = bytearray((copy / "adapter/adapter_model.safetensors").read_bytes())
    bytes_[-1] ^= 1
    (copy / "adapter/adapter_model.safetensors").write_bytes(bytes_)
    result = heroq("verify", copy, check=False)
    assert result.returncode != 0 and "adapter/adapter_model.safetensors" in result.stdout + result.stderr


def test_impossible_branches_are_refused_before_anything_runs(inputs, tmp_path):
    large = quantize(inputs, tmp_path / "out", "--method", "arhq", "--rank", "65", check=False)
    assert large.returncode != 0 and "has rank 64 at most" in large.stderr
    plain = heroq(*quantize_command(inputs, tmp_path / "out", "--method", "arhq"), check=False)
    assert plain.returncode != 0 and "scheme.activation_bits" in plain.stderr
    assert not (tmp_path / "out").exists()
