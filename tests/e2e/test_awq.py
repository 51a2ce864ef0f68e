"""AWQ (arXiv 2306.00978) through the service, against numpy: the curves it searches, what it chooses, what is published."""
import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

import judge
import scaling_reference
import tiny_llama
from heroq_cli import heroq, published_bytes
from run_inputs import EVALUATION, inputs, quantize_command  # noqa: F401 (inputs is a fixture)

STEPS = 10
BITS, GROUP = 3, 32


@pytest.fixture(scope="module")
def uneven(tmp_path_factory):
    # In float32: values of bfloat16 lie between two codes so often that how a division rounds decides about them.
    return tiny_llama.write_uneven_model(tmp_path_factory.mktemp("uneven") / "model", dtype=torch.float32)


def report_of(out):
    return json.loads((out / "report/report.json").read_text())


def diagonal(seen, readers, site, config):
    h = np.diag(seen[readers[0]].moments)
    return scaling_reference.over_query_heads(h, config, np.mean) if site == "attention_out" else h


def search(weights, seen, block, site, config):
    """The loss of every ratio: s = rms(x)^ratio, normalised, over rows of all readers."""
    name, readers, _ = site
    readers = [f"model.layers.{block}.{reader}" for reader in readers]
    moments = seen[readers[0]].moments
    h = diagonal(seen, readers, name, config)
    scales, losses = [], []
    for step in range(STEPS):
        scale = scaling_reference.normalised(np.maximum(h, 1e-6 * h.mean())**(step / STEPS / 2))
        scaled = [weights[f"{reader}.weight"] * scale for reader in readers]
        losses.append(scaling_reference.lost(scaled, moments / np.outer(scale, scale), BITS, GROUP, False))
        scales.append(scale)
    return scales, losses, moments


@pytest.mark.parametrize("base_of_hero_q", [False, True])
def test_what_is_published_is_what_numpy_finds(inputs, uneven, tmp_path, base_of_hero_q):
    tokenizer = AutoTokenizer.from_pretrained(uneven)
    stream = tokenizer((inputs / "calibration.txt").read_text(), add_special_tokens=False)["input_ids"]
    ids = torch.tensor(stream[:16 * 64]).view(16, 64)
    save_file({"input_ids": ids.int()}, tmp_path / "tokens.safetensors")
    out = tmp_path / "out"
    method = ["--method", "awq"]
    if base_of_hero_q:
        # Nothing is left of hero-q but its base.
        method = ["--method", "hero-q", "--base", "awq", "--transform", "none", "--rotation", "none", "--alpha", "0"]
    heroq("quantize", uneven, "--output", out, *method, "--scale-steps", str(STEPS), "--bits", str(BITS), "--group-size",
          str(GROUP), "--symmetric", "off", "--compute", "f32", "--calibration-tokens", tmp_path / "tokens.safetensors",
          "--samples", "16", "--sequence-length", "64")
    config = AutoConfig.from_pretrained(uneven)
    original = AutoModelForCausalLM.from_pretrained(uneven, dtype=torch.float32).eval()
    seen = scaling_reference.observe(original, ids)
    weights = {name: tensor.double().numpy() for name, tensor in original.state_dict().items()}
    entries = report_of(out)["transforms"]
    if base_of_hero_q:
        assert len(entries) == 2 * 4 * config.num_hidden_layers, "hero-q's and its base's"
        entries = [entry for entry in entries if len(entry["curve"]) == STEPS]
    found = {(entry["block"], entry["input"]): entry for entry in entries}
    moments = {}
    chosen = []
    for block in range(config.num_hidden_layers):
        for site in scaling_reference.SITES:
            entry = found[block, site[0]]
            scales, losses, h = search(weights, seen, block, site, config)
            assert [point["alpha"] for point in entry["curve"]] == pytest.approx([k / STEPS for k in range(STEPS)])
            # The same to float32's rounding of values that lie between two codes.
            assert [point["loss"] for point in entry["curve"]] == pytest.approx(losses, rel=1e-3)
            step = int(np.argmin([point["loss"] for point in entry["curve"]]))
            assert losses[step] <= min(losses) * 1.001
            assert entry["alpha"] == pytest.approx(step / STEPS)
            chosen.append(step)
            scale = scaling_reference.fold(weights, block, site, scales[step], config)
            for reader in site[1]:
                moments[f"model.layers.{block}.{reader}"] = np.diag(h) / scale**2
    assert len(set(chosen)) > 2 and max(chosen) > 0, "the model is too even to show a choice"

    scaling_reference.check_rounded(out, ids, weights, moments, BITS, GROUP, dense_tolerance=1e-6)
    assert heroq("verify", out, "--source", uneven).returncode == 0


@pytest.mark.parametrize("flags", [["--method", "awq"], ["--method", "awq", "--keep", "v_proj|q_proj|k_proj", "--symmetric", "on"],
                                   ["--method", "hero-q", "--base", "awq", "--tier", "fast"]],
                         ids=lambda flags: " ".join(flags))
def test_transformers_loads_what_was_measured_whatever_the_number_of_workers(inputs, tmp_path, flags):
    found = []
    for workers in ("1", "2"):
        out = tmp_path / f"out{workers}"
        heroq(*quantize_command(inputs, out, "--compute", "f32", "--evaluation", inputs / "evaluation.txt", *EVALUATION,
                                "--workers", workers, *flags))
        found.append(published_bytes(out))
    assert found[0] == found[1]
    scores = judge.judge(str(inputs / "model"), [str(out)], inputs / "evaluation.txt", 8, 64, torch.float32)
    evaluation = report_of(out)["evaluation"]
    assert evaluation["quantized_perplexity"] == pytest.approx(scores[str(out)]["perplexity"], rel=0.005)
    assert evaluation["kl"] == pytest.approx(scores[str(out)]["kl"], rel=0.02)
    assert heroq("verify", out, "--source", inputs / "model").returncode == 0


def test_a_base_that_a_method_does_not_have_is_refused(inputs, tmp_path):
    result = heroq(*quantize_command(inputs, tmp_path / "out", "--method", "awq", "--base", "gptq"), check=False)
    assert result.returncode == 2
    assert "--base gptq has no meaning for --method awq" in result.stderr
