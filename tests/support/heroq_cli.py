"""Runs the heroq command as a user would."""
import hashlib
import json
import os
import pathlib
import subprocess

BIN = pathlib.Path(os.environ["HEROQ_BIN"])
HEROQ = str(BIN / "heroq")


def heroq(*arguments, check=True, timeout=900, **options):
    """CompletedProcess with text output; a failure shows both streams."""
    result = subprocess.run([HEROQ, *map(str, arguments)], capture_output=True, text=True, timeout=timeout,
                            stdin=subprocess.DEVNULL, **options)
    if check and result.returncode != 0:
        raise AssertionError(f"heroq {' '.join(map(str, arguments))} exited {result.returncode}\n"
                             f"stdout: {result.stdout[-2000:]}\nstderr: {result.stderr[-4000:]}")
    return result


def start(*arguments, **options):
    """A running heroq with its output in pipes, in its own process group."""
    return subprocess.Popen([HEROQ, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            stdin=subprocess.DEVNULL, start_new_session=True, **options)


def manifest(directory):
    return json.loads((pathlib.Path(directory) / "MANIFEST.json").read_text())


def published_bytes(directory):
    """SHA-256 of every file the manifest hashes, computed here, by name; the manifest itself included."""
    directory = pathlib.Path(directory)
    names = [entry["name"] for entry in manifest(directory)["files"] if entry.get("sha256")] + ["MANIFEST.json"]
    return {name: hashlib.sha256((directory / name).read_bytes()).hexdigest() for name in names}

