"""HeRo-Q with transform auto: both transforms are tried and the better one is published."""
import json

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoTokenizer

from heroq_cli import heroq, published_bytes
from run_inputs import CALIBRATION, EVALUATION, inputs, quantize_command  # noqa: F401 (inputs is a fixture)

HERO_Q = ["--method", "hero-q", "--tier", "fast", "--bits", "3", "--symmetric", "on", "--group-size", "32"]
HELD_OUT = 16
SAMPLES, LENGTH = (int(CALIBRATION[CALIBRATION.index(flag) + 1]) for flag in ("--samples", "--sequence-length"))


def run(inputs, out, *flags):
    heroq(*quantize_command(inputs, out, *HERO_Q, "--evaluation", inputs / "evaluation.txt", *EVALUATION, *flags))
    return json.loads((out / "report/report.json").read_text())


@pytest.fixture(scope="module")
def stream(inputs):
    tokenizer = AutoTokenizer.from_pretrained(inputs / "model")
    return tokenizer((inputs / "calibration.txt").read_text(), add_special_tokens=False)["input_ids"]


@pytest.fixture(scope="module")
def auto(inputs, tmp_path_factory):
    out = tmp_path_factory.mktemp("auto") / "out"
    return out, run(inputs, out, "--transform", "auto", "--workers", "1")


def test_the_better_transform_is_published_as_if_it_had_been_asked_for(inputs, auto, tmp_path):
    out, report = auto
    trials = {trial["transform"]: trial for trial in report["trials"]}
    assert list(trials) == ["none", "fused"]
    best = min(trials, key=lambda name: trials[name]["kl"])
    assert [name for name, trial in trials.items() if trial["chosen"]] == [best] == [report["method"]["transform"]]
    assert {trial["predicted_tokens"] for trial in trials.values()} == {HELD_OUT * (LENGTH - 1)}
    direct = run(inputs, tmp_path / "direct", "--transform", best)
    assert report["evaluation"] == direct["evaluation"]
    ours, theirs = load_file(out / "model.safetensors"), load_file(tmp_path / "direct/model.safetensors")
    assert ours.keys() == theirs.keys()
    assert all(ours[name].equal(theirs[name]) for name in ours)


def test_trials_are_evaluated_on_the_text_that_follows_calibration(inputs, auto, stream, tmp_path):
    held_out = stream[SAMPLES * LENGTH:(SAMPLES + HELD_OUT) * LENGTH]
    save_file({"input_ids": torch.tensor(held_out, dtype=torch.int32).view(HELD_OUT, LENGTH)}, tmp_path / "tokens.safetensors")
    for trial in auto[1]["trials"]:
        out = tmp_path / trial["transform"]
        heroq(*quantize_command(inputs, out, *HERO_Q, "--transform", trial["transform"], "--evaluation-tokens",
                                tmp_path / "tokens.safetensors", "--evaluation-sequences", str(HELD_OUT),
                                "--evaluation-length", str(LENGTH)))
        assert json.loads((out / "report/report.json").read_text())["evaluation"]["kl"] == trial["kl"]


def test_the_bytes_do_not_depend_on_the_number_of_workers(inputs, auto, tmp_path):
    run(inputs, tmp_path / "three", "--transform", "auto", "--workers", "3")
    assert published_bytes(tmp_path / "three") == published_bytes(auto[0])


def test_a_finished_run_is_not_repeated(inputs, auto):
    command = quantize_command(inputs, auto[0], *HERO_Q, "--evaluation", inputs / "evaluation.txt", *EVALUATION,
                               "--transform", "auto", "--workers", "1")
    assert "holds the result of this job already" in heroq(*command).stderr


def test_too_little_text_to_hold_some_back_is_refused_before_work(inputs, stream, tmp_path):
    samples = len(stream) // LENGTH - HELD_OUT + 1
    command = ["quantize", inputs / "model", "--output", tmp_path / "out", "--calibration", inputs / "calibration.txt",
               "--samples", str(samples), "--sequence-length", str(LENGTH), *HERO_Q]
    refused = heroq(*command, "--transform", "auto", check=False)
    assert refused.returncode == 1
    assert f"{(samples + HELD_OUT) * LENGTH}" in refused.stderr
    assert not (tmp_path / "out").exists()
    heroq(*command, "--transform", "none")
