"""SmoothQuant (arXiv 2211.10438) through the service, against numpy written from the paper's equation 4."""
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

STRENGTH = 0.65
BITS, GROUP = 4, 32


def report_of(out):
    return json.loads((out / "report/report.json").read_text())


def scale_of(weights, seen, block, site, config):
    """s_j = max|x_j|^strength / max|w_j|^(1 - strength), over its geometric mean."""
    name, readers, _ = site
    readers = [f"model.layers.{block}.{reader}" for reader in readers]
    largest_x = seen[readers[0]].largest
    largest_w = np.max([np.abs(weights[f"{reader}.weight"]).max(0) for reader in readers], 0)
    if name == "attention_out":
        # The query heads of a group share the scale of their value head.
        largest_x = scaling_reference.over_query_heads(largest_x, config, np.max)
        largest_w = scaling_reference.over_query_heads(largest_w, config, np.max)
    return scaling_reference.normalised(largest_x**STRENGTH / largest_w**(1 - STRENGTH))


def test_what_is_published_is_numpy_s_smoothed_model(inputs, tmp_path):
    model = tiny_llama.write_uneven_model(tmp_path / "model", dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(model)
    stream = tokenizer((inputs / "calibration.txt").read_text(), add_special_tokens=False)["input_ids"]
    ids = torch.tensor(stream[:16 * 64]).view(16, 64)
    save_file({"input_ids": ids.int()}, tmp_path / "tokens.safetensors")
    out = tmp_path / "out"
    heroq("quantize", model, "--output", out, "--method", "smoothquant", "--strength", str(STRENGTH), "--base", "rtn",
          "--bits", str(BITS), "--group-size", str(GROUP), "--symmetric", "off", "--compute", "f32", "--calibration-tokens",
          tmp_path / "tokens.safetensors", "--samples", "16", "--sequence-length", "64")
    config = AutoConfig.from_pretrained(model)
    original = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32).eval()
    seen = scaling_reference.observe(original, ids)
    weights = {name: tensor.double().numpy() for name, tensor in original.state_dict().items()}
    moments = {}
    for block in range(config.num_hidden_layers):
        for site in scaling_reference.SITES:
            scale = scale_of(weights, seen, block, site, config)
            scale = scaling_reference.fold(weights, block, site, scale, config)
            for reader in site[1]:
                name = f"model.layers.{block}.{reader}"
                moments[name] = np.diag(seen[name].moments) / scale**2
    # Either side sums float32 in its own order.
    scaling_reference.check_rounded(out, ids, weights, moments, BITS, GROUP, dense_tolerance=5e-6)
    entries = report_of(out)["transforms"]
    assert len(entries) == 4 * config.num_hidden_layers
    assert {entry["alpha"] for entry in entries} == {STRENGTH}
    assert heroq("verify", out, "--source", model).returncode == 0


@pytest.mark.parametrize("flags", [["--bits", "8", "--activation-bits", "8"], ["--base", "rtn", "--keep", "o_proj"]],
                         ids=lambda flags: " ".join(flags))
def test_transformers_loads_what_was_measured_whatever_the_number_of_workers(inputs, tmp_path, flags):
    found = []
    for workers in ("1", "2"):
        out = tmp_path / f"out{workers}"
        heroq(*quantize_command(inputs, out, "--method", "smoothquant", "--compute", "f32", "--evaluation",
                                inputs / "evaluation.txt", *EVALUATION, "--workers", workers, *flags))
        found.append(published_bytes(out))
    assert found[0] == found[1]
    scores = judge.judge(str(inputs / "model"), [str(out)], inputs / "evaluation.txt", 8, 64, torch.float32)
    evaluation = report_of(out)["evaluation"]
    assert evaluation["quantized_perplexity"] == pytest.approx(scores[str(out)]["perplexity"], rel=0.005)
    assert evaluation["kl"] == pytest.approx(scores[str(out)]["kl"], rel=0.05)
    assert heroq("verify", out, "--source", inputs / "model").returncode == 0
