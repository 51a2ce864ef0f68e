"""The main job on a real model, judged by stock transformers with compressed-tensors."""
import json
import os
import pathlib
import subprocess

import pytest

import judge
from heroq_cli import heroq, manifest, published_bytes


SOURCE = pathlib.Path(os.environ["HEROQ_SOURCE"])


@pytest.fixture(scope="module")
def demo():
    folder = subprocess.run([SOURCE / "deploy/demo/prepare.sh"], capture_output=True, text=True, check=True).stdout.strip()
    return pathlib.Path(folder)


def quantize(demo, out, workers):
    heroq("quantize", demo / "model", "--output", out, "--calibration", demo / "text/calibration.txt", "--samples", "64",
          "--sequence-length", "512", "--evaluation", demo / "text/evaluation.txt", "--workers", workers, timeout=1500)


@pytest.fixture(scope="module")
def published(demo, tmp_path_factory):
    out = tmp_path_factory.mktemp("smollm2") / "w4"
    quantize(demo, out, 2)
    return out


def test_transformers_measures_the_perplexity_that_was_reported(demo, published):
    report = json.loads((published / "report/report.json").read_text())["evaluation"]
    scores = judge.judge(str(demo / "model"), [str(published)], demo / "text/evaluation.txt")
    assert report["quantized_perplexity"] == pytest.approx(scores[str(published)]["perplexity"], rel=0.005)
    assert report["original_perplexity"] == pytest.approx(scores[str(demo / "model")]["perplexity"], rel=0.005)
    assert report["kl"] == pytest.approx(scores[str(published)]["kl"], rel=0.05)


def test_every_linear_is_reported(published):
    report = json.loads((published / "report/report.json").read_text())
    assert len(report["linears"]) == 210
    assert all(0 < linear["relative_error"] < 0.2 for linear in report["linears"])


def test_one_worker_publishes_the_same_bytes_as_two(demo, published, tmp_path):
    quantize(demo, tmp_path / "w4", 1)
    assert published_bytes(tmp_path / "w4") == published_bytes(published)


def test_verify_accepts_it(demo, published):
    assert heroq("verify", published, "--source", demo / "model").returncode == 0
    assert manifest(published)["numeric_class"]
