"""What heroq and the Python library say of safetensors files."""
import os
import pathlib
import subprocess

from safetensors import SafetensorError, deserialize

PROBE = pathlib.Path(os.environ["HEROQ_BIN"]) / "checkpoint_probe"


def python_accepts(data):
    try:
        deserialize(data)
        return True
    except SafetensorError:
        return False


def our_verdicts(directory):
    """Of every file of a directory, by name: "ok" or the reason of the refusal."""
    out = subprocess.run([PROBE, "verdicts", directory], check=True, capture_output=True, text=True).stdout
    return dict(line.split("\t") for line in out.splitlines())
