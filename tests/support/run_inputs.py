"""What runs on tiny llamas start from: a shallow model, one of enough blocks to be caught in its middle, and texts."""
import pytest

import tiny_llama

CALIBRATION = ["--samples", "16", "--sequence-length", "64"]
EVALUATION = ["--evaluation-sequences", "8", "--evaluation-length", "64"]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inputs")
    tiny_llama.write_model(folder / "model")
    tiny_llama.write_model(folder / "deep", num_hidden_layers=24)
    (folder / "calibration.txt").write_text(tiny_llama.text(6000, seed=10))
    (folder / "evaluation.txt").write_text(tiny_llama.text(6000, seed=11))
    return folder


def quantize_command(inputs, out, *flags, model="model"):
    """Arguments of the heroq command."""
    return ["quantize", inputs / model, "--output", out, "--calibration", inputs / "calibration.txt", *CALIBRATION, *flags]
