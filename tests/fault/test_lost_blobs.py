"""Blobs that are gone when the task that reads them has been leased: what made them runs again, and nobody is charged."""
import os
import signal

import heroq_cli
import journal
import run_processes
from heroq_cli import heroq, published_bytes
from run_inputs import inputs, quantize_command  # noqa: F401 (inputs is a fixture)


def test_a_lost_input_costs_the_repetition_of_what_made_it(inputs, tmp_path):
    heroq(*quantize_command(inputs, tmp_path / "undisturbed"))
    out, trace = tmp_path / "out", tmp_path / "trace"
    # The coordinator stops itself when it is about to send the lease of the first quantize task: there is one worker, the
    # captures of a block are one lease, those of the first block two, and the task is leased ahead of those of the second.
    process = heroq_cli.start(*quantize_command(inputs, out, "--workers", "1", "--keep-state", "--no-progress"),
                              env={**os.environ, "HEROQ_FAILPOINTS": f"lease_before_send=pause@4;trace={trace}"})
    run_processes.wait_until(lambda: trace.exists() and " pause" in trace.read_text())
    coordinator = run_processes.family(process)["coordinator"]
    reader = journal.leases(out)[-1][1]
    lost = journal.lose_volatile_blobs(out)
    os.kill(coordinator, signal.SIGCONT)
    output, error = process.communicate(timeout=120)
    assert process.returncode == 0, (output, error)
    assert published_bytes(out) == published_bytes(tmp_path / "undisturbed")

    updates = journal.updates(out)
    assert lost
    again = [task for update in updates for task in update.get("blobsLost", {}).get("taskIds", [])]
    assert again and set(again) <= set(lost)
    returned = [update["taskReturned"] for update in updates if "taskReturned" in update]
    # Of the task that reads them and of the one the worker had ahead.
    assert {(end["cause"], end["failureKind"]) for end in returned} == {("CAUSE_FAILED", "FAILURE_KIND_INPUT_LOST")}
    assert len(returned) <= 2
    assert [tasks for _, tasks in journal.leases(out)].count(reader) == 2
