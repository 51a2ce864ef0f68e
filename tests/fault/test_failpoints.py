"""Kills a process at every failpoint there is, once or twice in a row, and lets the same command finish: it publishes the
bytes of an undisturbed run and leaves nothing else behind."""
import concurrent.futures
import os
import subprocess

import pytest

import journal
from failpoint_run import Command, Trace
from heroq_cli import BIN, heroq, published_bytes

NAMES = subprocess.run([BIN / "print_failpoints"], capture_output=True, text=True, check=True).stdout.split()
# On one machine workers write blobs themselves: test_upload_failpoints.py is about what they send. This job tries nothing:
# test_trial_failpoints.py is about one that does.
FAILPOINTS = [name for name in NAMES if not name.startswith(("upload_", "trial_"))]

# What only a recovery reaches: where the run before it was killed.
AFTER = {
    "adopt_before_rename": "shard_after_record",
    "adopt_after_rename": "shard_after_record",
    "adopt_before_remove": "shard_after_record",
    "adopt_after_remove": "shard_after_record",
    "roll_forward_before_commit": "publish_after_rename",
    "blobs_lost_before_commit": "lease_after_send",
    "blobs_lost_after_commit": "lease_after_send",
}
# Reached when what was not synced is gone after the first crash.
LOSES_BLOBS = {"blobs_lost_before_commit", "blobs_lost_after_commit"}
# A second crash while the first one is recovered from.
TWICE = [
    ("shard_after_rename", "staging_after_create"),
    ("shard_after_record", "publish_before_rename"),
    ("manifest_after_write", "manifest_after_write"),
    ("publish_before_rename", "publish_after_rename"),
    ("publish_after_rename", "job_end_before_commit"),
    ("publish_after_rename", "job_end_after_commit"),
    ("publish_after_sync", "run_directory_before_remove"),
    ("job_end_before_commit", "cleanup_before_blobs"),
    ("run_directory_after_request", "run_directory_after_state"),
]
SEQUENCES = {name: [AFTER[name], name] if name in AFTER else [name] for name in FAILPOINTS}
SEQUENCES.update({"+".join(pair): list(pair) for pair in TWICE})
AT_ONCE = 2


@pytest.fixture(scope="module")
def command(tmp_path_factory):
    return Command(tmp_path_factory.mktemp("inputs"))


@pytest.fixture(scope="module")
def undisturbed(command, tmp_path_factory):
    return command.undisturbed(tmp_path_factory.mktemp("undisturbed"))


@pytest.fixture(scope="module")
def outcomes(command, undisturbed, tmp_path_factory, request):
    """Every selected sequence of crashes, several at a time: name -> future of what is in the folder of the output
    afterwards."""
    _, hits = undisturbed
    root = tmp_path_factory.mktemp("crashes")

    def play(name):
        folder = root / name
        folder.mkdir()
        for index, failpoint in enumerate(SEQUENCES[name]):
            # In the middle of what a whole run does there; a recovery does less.
            command.crash(folder, failpoint, (hits.get(failpoint, 1) + 1) // 2 if index == 0 else 1)
            if index == 0 and name in LOSES_BLOBS:
                assert journal.lose_volatile_blobs(folder / "out")
        command.finish(folder)
        for trace in folder.glob("trace-*"):
            trace.unlink()
        return published_bytes(folder / "out"), sorted(path.name for path in folder.iterdir())

    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        selected = [item.callspec.params["name"] for item in request.session.items if "outcomes" in item.fixturenames]
        yield {name: pool.submit(play, name) for name in selected}


def test_an_undisturbed_run_reaches_every_failpoint_outside_recovery(undisturbed):
    _, hits = undisturbed
    assert set(FAILPOINTS) - set(AFTER) == set(hits)


@pytest.mark.parametrize("name", SEQUENCES)
def test_the_same_command_finishes_with_the_same_bytes_after_a_crash_at(outcomes, undisturbed, name):
    published, left = outcomes[name].result()
    assert published == undisturbed[0]
    assert left == ["out"]


def test_an_unknown_failpoint_is_refused_by_every_program(tmp_path):
    environment = {**os.environ, "HEROQ_FAILPOINTS": "no_such_place=crash"}
    for arguments in (["quantize", tmp_path, "--output", tmp_path / "out"], ["serve"], ["worker"]):
        refused = heroq(*arguments, check=False, env=environment)
        assert refused.returncode == 2
        assert "no_such_place" in refused.stderr
    for program in ("heroq-coordinator", "heroq-worker"):
        refused = subprocess.run([BIN / program], capture_output=True, text=True, env=environment)
        assert refused.returncode != 0
        assert "no_such_place" in refused.stderr
    assert not list(tmp_path.iterdir())


def test_programs_without_failpoints_hold_no_name_of_one():
    """What is compiled as a release is; the programs of this build show that names would be found."""
    def names_in(path):
        content = path.read_bytes()
        return {name for name in NAMES if name.encode() in content}

    assert names_in(BIN / "heroq-coordinator") == set(NAMES)
    objects = list((BIN.parent / "tests/support/CMakeFiles/heroq_failpoints_compiled_out.dir").rglob("*.o"))
    assert len(objects) > 5
    assert not set().union(*map(names_in, objects))
