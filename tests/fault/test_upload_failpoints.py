"""Kills a coordinator at every step of taking in a blob over gRPC. The next one goes on, workers and clients come back to it,
and the job publishes the bytes of an undisturbed run."""
import concurrent.futures
import signal
import subprocess

import pytest

import served_cluster
import tiny_llama
from heroq_cli import BIN, heroq, published_bytes

FAILPOINTS = subprocess.run([BIN / "print_failpoints"], capture_output=True, text=True, check=True).stdout.split()
# The last two are not of uploads alone, but of whatever stores a blob.
PLACES = [name for name in FAILPOINTS if name.startswith("upload_")] + ["blob_before_sync", "blob_before_rename"]
FLAGS = ["--samples", "2", "--shards", "2", "--sequence-length", "32"]
# The coordinator stores calibration tokens and a result before it is killed.
HIT = 3
# They mostly wait for clients to come back.
AT_ONCE = 4


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inputs")
    tiny_llama.write_model(folder / "model", num_hidden_layers=1)
    (folder / "calibration.txt").write_text(tiny_llama.text(2000, seed=10))
    return folder


@pytest.fixture(scope="module")
def undisturbed(inputs, tmp_path_factory):
    out = tmp_path_factory.mktemp("undisturbed") / "out"
    heroq("quantize", inputs / "model", "--output", out, "--calibration", inputs / "calibration.txt", *FLAGS)
    return published_bytes(out)


@pytest.fixture(scope="module")
def outcomes(inputs, tmp_path_factory, request):
    """Every selected place, several at a time: name -> future of what was published."""
    root = tmp_path_factory.mktemp("crashes")

    def play(name):
        folder = root / name
        folder.mkdir()
        cluster = served_cluster.ServedCluster(folder, workers=1, share_blobs=False, failpoints=f"{name}=crash@{HIT}")
        try:
            process = cluster.submit(inputs / "model", folder / "out", inputs / "calibration.txt", *FLAGS)
            assert cluster.coordinator.wait(timeout=60) == -signal.SIGKILL
            cluster.start_coordinator()
            output, error = process.communicate(timeout=120)
            assert process.returncode == 0, (output, error, cluster.log("coordinator"))
        finally:
            cluster.close()
        return published_bytes(folder / "out")

    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        selected = [item.callspec.params["name"] for item in request.session.items if "outcomes" in item.fixturenames]
        yield {name: pool.submit(play, name) for name in selected}


@pytest.mark.parametrize("name", PLACES)
def test_the_next_coordinator_finishes_with_the_same_bytes_after_a_crash_at(outcomes, undisturbed, name):
    assert outcomes[name].result() == undisturbed
