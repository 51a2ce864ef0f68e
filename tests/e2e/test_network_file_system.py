"""State on a network file system is refused, whoever starts the coordinator, and nothing is left there. The file system is
what the programs see of it: tests/support/network_file_system.cc answers statfs."""
import os
import subprocess

import pytest

import tiny_llama
from heroq_cli import BIN, heroq

NAMED = "is on a network file system (NFS), where locks and flushes are not reliable"


@pytest.fixture
def network(tmp_path):
    """A directory on it, and the environment in which programs see that."""
    folder = tmp_path / "network"
    folder.mkdir()
    preload = BIN.parent / "lib" / "network_file_system.so"
    return folder, {**os.environ, "LD_PRELOAD": str(preload), "HEROQ_TEST_NFS": str(folder)}


def files_below(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_local_run_names_the_directory_and_the_file_system(network, tmp_path):
    folder, environment = network
    tiny_llama.write_model(tmp_path / "model", num_hidden_layers=1)
    arguments = ["quantize", tmp_path / "model", "--method", "rtn", "--workers", "1", "--output"]
    refused = heroq(*arguments, folder / "out", check=False, env=environment)
    assert refused.returncode == 1, refused.stderr
    assert f"{folder}/out.heroq, the state of the run: directory {folder} {NAMED}" in refused.stderr
    assert "choose an --output on a local one, or give the job to a --server" in refused.stderr
    assert not list(folder.iterdir())
    # Somewhere else the same command works.
    assert heroq(*arguments, tmp_path / "out", check=False, env=environment).returncode == 0


def test_a_server_does_not_start(network, tmp_path):
    folder, environment = network
    command = [BIN / "heroq", "serve", "--listen", f"unix:{tmp_path}/s", "--state-dir", folder / "state", "--blob-dir",
               tmp_path / "blobs", "--root", "files=/"]
    refused = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)
    assert refused.returncode == 1
    assert f"heroq-coordinator: state directory {folder}/state {NAMED}" in refused.stderr
    assert "--state-dir" in refused.stderr
    assert not files_below(folder)
