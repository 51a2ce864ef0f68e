"""Processes that stop for longer than a lease and then go on, as on a machine that swaps or sleeps."""
import os
import signal
import time

import grpc
import pytest

import heroq_cli
import journal
import run_processes
import served_cluster
import tiny_llama
from heroq_cli import heroq, published_bytes

FLAGS = ["--samples", "16", "--sequence-length", "64"]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inputs")
    # Enough blocks that a job still runs when a lease has ended.
    tiny_llama.write_model(folder / "model", num_hidden_layers=24)
    (folder / "calibration.txt").write_text(tiny_llama.text(6000, seed=10))
    return folder


@pytest.fixture(scope="module")
def undisturbed(inputs, tmp_path_factory):
    out = tmp_path_factory.mktemp("undisturbed") / "out"
    heroq("quantize", inputs / "model", "--output", out, "--calibration", inputs / "calibration.txt", *FLAGS)
    return published_bytes(out)


@pytest.fixture
def cluster(tmp_path):
    cluster = served_cluster.ServedCluster(tmp_path)
    yield cluster
    cluster.close()


def wait_for_tasks(cluster, count):
    run_processes.wait_until(lambda: len(journal.completed(cluster.state)) >= count)


def submit(cluster, inputs, out):
    process = cluster.submit(inputs / "model", out, inputs / "calibration.txt", *FLAGS)
    wait_for_tasks(cluster, 6)
    return process


def finish(process, out, undisturbed):
    output, error = process.communicate(timeout=300)
    assert process.returncode == 0, (output, error)
    assert published_bytes(out) == undisturbed


def test_a_worker_that_stops_loses_its_lease_and_its_late_result_changes_nothing(cluster, inputs, undisturbed, tmp_path):
    process = submit(cluster, inputs, tmp_path / "out")
    worker, lease = cluster.stop_a_worker_at_work()
    run_processes.wait_until(lambda: set(lease["taskIds"]) <= set(journal.completed(cluster.state)))
    updates = journal.updates(cluster.state)
    lost = journal.leases_ended(updates, "CAUSE_LOST")
    assert lease["leaseId"] in [ended["leaseId"] for ended in lost]
    # And the one it had ahead.
    assert {ended["workerId"] for ended in lost} == {worker} and len(lost) <= 2
    # Hand in what the worker was about to, since it may notice by itself first.
    refused = cluster.complete(lease)
    assert refused.code() == grpc.StatusCode.FAILED_PRECONDITION
    assert any(b"STALE_ATTEMPT" in value for key, value in refused.trailing_metadata() if key == "grpc-status-details-bin")
    cluster.workers[worker].send_signal(signal.SIGCONT)
    finish(process, tmp_path / "out", undisturbed)
    ends = [update["taskCompleted"]["leaseId"] for update in journal.updates(cluster.state) if "taskCompleted" in update]
    assert lease["leaseId"] not in ends
    assert len(ends) == len(set(ends))
    # It is a worker like any other again.
    run_processes.wait_until(lambda: heroq("workers", "--server", cluster.address, "-o", "name").stdout.split().count(worker) == 1)


def test_a_coordinator_that_stops_goes_on_where_it_was(cluster, inputs, undisturbed, tmp_path):
    process = submit(cluster, inputs, tmp_path / "out")
    run_processes.stop(cluster.coordinator.pid)
    time.sleep(2 * served_cluster.LEASE_SECONDS)
    assert process.poll() is None
    cluster.coordinator.send_signal(signal.SIGCONT)
    finish(process, tmp_path / "out", undisturbed)


def test_a_stopped_local_coordinator_goes_on_too(inputs, undisturbed, tmp_path):
    out = tmp_path / "out"
    process = heroq_cli.start("quantize", inputs / "model", "--output", out, "--calibration", inputs / "calibration.txt",
                              *FLAGS, "--no-progress")
    run_processes.wait_until(lambda: len(journal.completed(out)) >= 6)
    coordinator = run_processes.family(process)["coordinator"]
    run_processes.stop(coordinator)
    time.sleep(2)
    assert process.poll() is None
    os.kill(coordinator, signal.SIGCONT)
    finish(process, out, undisturbed)
