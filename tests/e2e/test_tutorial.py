"""Runs every command of docs/tutorial.md, in order, in one shell in an empty folder."""
import os
import pathlib
import re
import subprocess

import numpy as np
from safetensors.numpy import save_file

SOURCE = pathlib.Path(os.environ["HEROQ_SOURCE"])


def test_every_command_of_the_tutorial_works(tmp_path):
    blocks = re.findall(r"^```sh\n(.*?)^```", (SOURCE / "docs/tutorial.md").read_text(), re.DOTALL | re.MULTILINE)
    assert len(blocks) >= 8
    demo = subprocess.run([SOURCE / "deploy/demo/prepare.sh"], capture_output=True, text=True, check=True).stdout.strip()
    tokens = tmp_path / "tokens.safetensors"
    save_file({"input_ids": np.random.default_rng(0).integers(0, 49152, (8, 256), dtype=np.int32)}, tokens)
    script = "\n".join(["set -euo pipefail", "set -x", "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT", *blocks])
    folder = tmp_path / "work"
    folder.mkdir()
    result = subprocess.run(
        ["bash", "-c", script], cwd=folder, capture_output=True, text=True, timeout=1500, stdin=subprocess.DEVNULL,
        env={**os.environ, "PATH": f"{os.environ['HEROQ_BIN']}:{os.environ['PATH']}", "MODEL": f"{demo}/model",
             "TEXT": f"{demo}/text", "TOKENS": str(tokens)})
    assert result.returncode == 0, result.stdout[-2000:] + result.stderr[-6000:]
    for published in ("w4", "mixed", "two-bits", "rtn", "tokens", "served"):
        assert (folder / published / "MANIFEST.json").exists()
