"""A run with moments worth a kill: seconds long, with every phase, and its state kept so that its journal can be read."""
import pathlib

import tiny_llama

SETTINGS = ["--samples", "8", "--sequence-length", "64", "--shards", "4", "--evaluation-sequences", "32",
            "--evaluation-length", "128", "--workers", "2", "--keep-state", "--no-progress"]


def write_inputs(folder, blocks=4):
    tiny_llama.write_model(folder / "model", num_hidden_layers=blocks)
    (folder / "calibration.txt").write_text(tiny_llama.text(6000, seed=10))
    (folder / "evaluation.txt").write_text(tiny_llama.text(6000, seed=11))
    return folder


def arguments(inputs, out, *flags):
    """Of the heroq command. Two workers on every machine: bytes and journals are compared."""
    return ["quantize", inputs / "model", "--output", pathlib.Path(out), "--calibration", inputs / "calibration.txt",
            "--evaluation", inputs / "evaluation.txt", *SETTINGS, *flags]
