"""The same command, or another one, over what an earlier one left."""
import os
import pathlib
import shutil
import signal

import pytest

import heroq_cli
import journal
import killable_run
import run_processes
from heroq_cli import heroq, published_bytes

PLAIN = ["--samples", "8", "--sequence-length", "64", "--shards", "4", "--no-progress"]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    # Enough blocks that a run is always caught in its middle.
    return killable_run.write_inputs(tmp_path_factory.mktemp("inputs"), blocks=16)


def command(inputs, out, *flags):
    return ["quantize", inputs / "model", "--output", out, "--calibration", inputs / "calibration.txt", *PLAIN, *flags]


@pytest.fixture(scope="module")
def published(inputs, tmp_path_factory):
    """A result and what it holds; tests copy it."""
    out = tmp_path_factory.mktemp("published") / "out"
    heroq(*command(inputs, out))
    return out


@pytest.fixture
def result(published, tmp_path):
    return pathlib.Path(shutil.copytree(published, tmp_path / "out"))


def kill_in_the_middle(inputs, out):
    """Leaves an unfinished run; the ids of the tasks it has done."""
    process = heroq_cli.start(*command(inputs, out))
    run_processes.wait_until(lambda: len(journal.completed(out)) >= 4)
    family = run_processes.family(process).values()
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=30)
    run_processes.wait_for_end(family)
    assert not out.exists()
    return set(journal.completed(out))


def test_a_deleted_result_is_made_again(inputs, published, tmp_path):
    out = tmp_path / "out"
    for _ in range(2):
        heroq(*command(inputs, out))
        assert published_bytes(out) == published_bytes(published)
        shutil.rmtree(out)


def test_a_deleted_result_is_made_again_over_state_that_was_kept(inputs, published, tmp_path):
    out = tmp_path / "out"
    heroq(*command(inputs, out, "--keep-state"))
    shutil.rmtree(out)
    again = heroq(*command(inputs, out, "--keep-state"))
    assert f"{out} is gone" in again.stderr
    assert published_bytes(out) == published_bytes(published)


def test_kept_state_holds_the_journal_and_the_finished_run_is_found_again(inputs, tmp_path):
    out = tmp_path / "out"
    heroq(*command(inputs, out, "--keep-state"))
    before = journal.updates(out)
    assert {"state", "blobs", "log", "job.json", "lock"} <= {path.name for path in pathlib.Path(f"{out}.heroq").iterdir()}
    assert "jobEnded" in before[-1]
    heroq(*command(inputs, out, "--keep-state"))
    assert [lease for lease, _ in journal.leases(out)] == [u["taskLeased"]["leaseId"] for u in before if "taskLeased" in u]
    # Without the flag the state goes, the result stays.
    heroq(*command(inputs, out))
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_run_whose_state_was_deleted_starts_over_and_leaves_nothing(inputs, published, tmp_path):
    out = tmp_path / "out"
    kill_in_the_middle(inputs, out)
    assert list(tmp_path.glob(".staging-*"))
    shutil.rmtree(f"{out}.heroq")
    again = heroq(*command(inputs, out))
    assert "resuming" not in again.stderr
    assert published_bytes(out) == published_bytes(published)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_restart_discards_what_was_done(inputs, published, tmp_path):
    out = tmp_path / "out"
    done = kill_in_the_middle(inputs, out)
    again = heroq(*command(inputs, out, "--restart", "--keep-state"))
    assert "resuming" not in again.stderr
    assert done <= {task for _, tasks in journal.leases(out) for task in tasks}
    assert published_bytes(out) == published_bytes(published)


def test_every_changed_flag_over_an_unfinished_run_is_named(inputs, published, tmp_path):
    out = tmp_path / "out"
    kill_in_the_middle(inputs, out)
    refused = heroq(*command(inputs, out, "--seed", "7", "--group-size", "64"), check=False)
    assert refused.returncode == 1
    assert "seed" in refused.stderr and "7" in refused.stderr
    assert "group_size" in refused.stderr and "64" in refused.stderr
    assert "sequence_length" not in refused.stderr
    assert "--restart" in refused.stderr
    # What does not concern the result may change, and refusing has cost nothing.
    again = heroq(*command(inputs, out, "--workers", "1", "--timeout", "5m"))
    assert "resuming" in again.stderr
    assert published_bytes(out) == published_bytes(published)


@pytest.mark.parametrize("damage, named", [
    (lambda out: (out / "MANIFEST.json").write_text((out / "MANIFEST.json").read_text()[:-20]), "MANIFEST.json"),
    (lambda out: (out / "MANIFEST.json").unlink(), "is a directory that is not empty"),
    (lambda out: (out / "model.safetensors").unlink(), "model.safetensors"),
    (lambda out: os.truncate(out / "model.safetensors", 1000), "model.safetensors"),
], ids=["cut manifest", "no manifest", "no weights", "cut weights"])
def test_a_damaged_result_is_refused_and_left_alone(inputs, result, damage, named):
    damage(result)
    before = {path.name: path.stat().st_size for path in result.iterdir()}
    refused = heroq(*command(inputs, result), check=False)
    assert refused.returncode == 1, refused.stderr
    assert str(result) in refused.stderr and named in refused.stderr
    assert {path.name: path.stat().st_size for path in result.iterdir()} == before
    assert [path.name for path in result.parent.iterdir()] == ["out"]


def test_a_result_of_other_settings_is_refused(inputs, result):
    refused = heroq(*command(inputs, result, "--bits", "3", "--group-size", "32"), check=False)
    assert refused.returncode == 1
    assert f"{result} exists and is the result of another job" in refused.stderr
