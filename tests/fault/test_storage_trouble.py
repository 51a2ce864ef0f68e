"""Storage that fails under a run. For a moment: the run goes on by itself. For good: a clear error, nothing published, and
the same command goes on from what is done once storage works."""
import os

import pytest

import journal
from heroq_cli import heroq, published_bytes
from run_inputs import inputs, quantize_command  # noqa: F401 (inputs is a fixture)

# A result of a worker, a weight file, the last file: the coordinator's.
PLACES = ["blob_before_sync=error@20", "shard_before_sync=error@1", "manifest_before_write=error@1"]


@pytest.fixture(scope="module")
def undisturbed(inputs, tmp_path_factory):
    out = tmp_path_factory.mktemp("undisturbed") / "out"
    heroq(*quantize_command(inputs, out))
    return published_bytes(out)


def run(inputs, out, failpoint="", *flags, **options):
    return heroq(*quantize_command(inputs, out, "--keep-state", *flags),
                 env={**os.environ, "HEROQ_FAILPOINTS": failpoint}, **options)


@pytest.mark.parametrize("place", PLACES)
def test_a_moment_s_failure_costs_a_repetition(inputs, tmp_path, undisturbed, place):
    result = run(inputs, tmp_path / "out", place)
    assert place.split("=")[0] in result.stderr
    assert published_bytes(tmp_path / "out") == undisturbed


@pytest.mark.parametrize("place", PLACES)
def test_a_failing_disk_ends_the_command_and_the_same_command_resumes(inputs, tmp_path, undisturbed, place):
    out = tmp_path / "out"
    # With several workers, one whose writes never fail may do the whole job.
    failed = run(inputs, out, place + "+", "--workers", "1", check=False)
    assert failed.returncode == 1, failed.stderr
    assert place.split("=")[0] in failed.stderr
    assert "run the same command again; an unfinished run resumes" in failed.stderr
    assert not out.exists()
    done, granted = set(journal.completed(out)), len(journal.leases(out))
    assert done
    run(inputs, out)
    assert published_bytes(out) == undisturbed
    after = [task for _, tasks in journal.leases(out)[granted:] for task in tasks]
    assert not done.intersection(after)
