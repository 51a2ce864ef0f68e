"""Kills a job that tries transforms where a trial ends, and lets the same command finish: it publishes the bytes of an
undisturbed run and leaves nothing else behind."""
import pytest

from failpoint_run import Command
from heroq_cli import published_bytes

FLAGS = ["--method", "hero-q", "--transform", "auto", "--tier", "fast"]
# Between the trials and after both; while the best one is staged again.
CRASHES = [("trial_before_commit", 1), ("trial_before_commit", 2), ("trial_after_commit", 1), ("trial_after_commit", 2),
           ("plan_before_commit", 3), ("plan_after_commit", 3), ("staging_after_create", 3), ("publish_before_rename", 1)]


@pytest.fixture(scope="module")
def command(tmp_path_factory):
    return Command(tmp_path_factory.mktemp("inputs"), *FLAGS)


@pytest.fixture(scope="module")
def undisturbed(command, tmp_path_factory):
    return command.undisturbed(tmp_path_factory.mktemp("undisturbed"))


def test_an_undisturbed_run_ends_two_trials(undisturbed):
    _, hits = undisturbed
    assert hits["trial_before_commit"] == hits["trial_after_commit"] == 2
    assert hits["plan_before_commit"] == 3
    assert hits["publish_before_rename"] == 1


@pytest.mark.parametrize("failpoint, hit", CRASHES)
def test_the_same_command_finishes_with_the_same_bytes(command, undisturbed, tmp_path, failpoint, hit):
    command.crash(tmp_path, failpoint, hit)
    command.finish(tmp_path)
    for trace in tmp_path.glob("trace-*"):
        trace.unlink()
    assert published_bytes(tmp_path / "out") == undisturbed[0]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]
