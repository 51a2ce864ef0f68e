"""Loads a published checkpoint as its model card says."""
import re

import torch


def load(directory, dtype):
    """With the Python block of README.md and nothing else; only the type is what the caller computes in."""
    lines = re.search(r"```python\n(.*?)```", (directory / "README.md").read_text(), re.S).group(1)
    names = {"torch": torch}
    exec(lines.replace("PATH", str(directory)).replace('dtype="auto"', f"dtype={dtype}"), names)
    return names["model"].eval()
