"""Loads a published checkpoint as its model card says."""
import pathlib
import re

import torch

import judge


def load(directory, dtype):
    """With the Python block of README.md and nothing else; only the type is what the caller computes in."""
    lines = re.search(r"```python\n(.*?)```", (directory / "README.md").read_text(), re.S).group(1)
    names = {"torch": torch}
    exec(lines.replace("PATH", str(directory)).replace('dtype="auto"', f"dtype={dtype}"), names)
    return names["model"].eval()


def load_as_it_needs(directory, dtype):
    """By transformers alone, except what rotates its inputs at run time: transformers would load that and ignore its rotations."""
    card = pathlib.Path(directory) / "README.md"
    rotated = card.exists() and "apply_transform_config" in card.read_text()
    return load(pathlib.Path(directory), dtype) if rotated else judge.load(str(directory), dtype)
