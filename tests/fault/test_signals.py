"""Signals that end the command, at random moments and on a terminal: it ends soon, with its exit code, takes its children
along, leaves the terminal as it was and no file outside DIR and DIR.heroq/; the same command goes on."""
import pathlib
import random
import signal
import time

import pytest

import kill_rounds
import killable_run
import run_processes
from heroq_cli import heroq, published_bytes
from terminal_run import TerminalRun

SEED = 3
INTERRUPTED = 130
# What --drain-seconds and the kill after it take, and a loaded machine.
SECONDS_TO_END = 5.5


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    return killable_run.write_inputs(tmp_path_factory.mktemp("inputs"))


@pytest.fixture(scope="module")
def undisturbed(inputs, tmp_path_factory):
    return kill_rounds.measure(lambda out: killable_run.arguments(inputs, out), tmp_path_factory.mktemp("undisturbed") / "out")


@pytest.fixture
def home(tmp_path):
    """An environment in which every folder that programs write to is one that can be looked into."""
    folder = tmp_path / "home"
    names = ("HOME", "TMPDIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR")
    for name in names:
        (folder / name).mkdir(parents=True)
    yield {"TERM": "xterm", **{name: str(folder / name) for name in names}}
    assert [path for path in folder.rglob("*") if not path.is_dir()] == []


def family_of(run):
    return [run.process.pid, *run_processes.family(run.process).values()]


def wait_for_workers(run):
    run_processes.wait_until(lambda: len(family_of(run)) == 4)


def interrupt(run, family):
    """Ctrl-C; all processes end in time, whatever state they are in."""
    run.type(b"\x03")
    start = time.monotonic()
    run.end(10)
    assert time.monotonic() - start < SECONDS_TO_END
    assert run.process.returncode == INTERRUPTED
    assert not run_processes.alive(family)


@pytest.mark.parametrize("ending", ["keys", "SIGTERM", "SIGHUP"])
def test_the_command_ends_at_any_moment_and_the_same_command_resumes(inputs, undisturbed, tmp_path, home, ending):
    generator = random.Random(f"{SEED} {ending}")
    number = signal.SIGINT if ending == "keys" else getattr(signal, ending)
    before = run_processes.socket_directories()
    # One while the command starts, one in each third of the job.
    starts, ends = undisturbed.seconds
    third = (ends - starts) / 3
    moments = [(0, starts)] + [(starts + i * third, starts + (i + 1) * third) for i in range(3)]
    codes = []
    for index, window in enumerate(moments):
        out = tmp_path / str(index) / "out"
        out.parent.mkdir()
        run = TerminalRun(killable_run.arguments(inputs, out), home)
        time.sleep(generator.uniform(*window))
        family = family_of(run)
        start = time.monotonic()
        if ending == "keys":
            run.type(b"\x03")
        else:
            run.process.send_signal(number)
        run.end(SECONDS_TO_END + 5)
        assert time.monotonic() - start < SECONDS_TO_END
        assert not run_processes.alive(family)
        codes.append(run.process.returncode)
        # Before the command has begun a signal has its usual effect, and a run may be over sooner than the signal comes.
        begun = pathlib.Path(f"{out}.heroq").exists()
        assert codes[-1] in ({INTERRUPTED} | ({0} if out.exists() else set()) | (set() if begun else {-number})), run.shown
        if codes[-1] == INTERRUPTED:
            assert "heroq: interrupted" in run.shown
        heroq(*killable_run.arguments(inputs, out))
        assert published_bytes(out) == undisturbed.bytes
        assert sorted(path.name for path in out.parent.iterdir()) == ["out", "out.heroq"]
    assert INTERRUPTED in codes
    run_processes.wait_until(lambda: not run_processes.abandoned(run_processes.socket_directories() - before), 5)


def test_a_terminal_that_goes_away_ends_the_command(inputs, tmp_path, home):
    out = tmp_path / "out"
    run = TerminalRun(killable_run.arguments(inputs, out), home)
    wait_for_workers(run)
    family = family_of(run)
    run.hang_up()
    assert run.process.wait(SECONDS_TO_END) == INTERRUPTED
    assert not run_processes.alive(family)


def test_a_second_interrupt_ends_at_once(inputs, tmp_path, home):
    run = TerminalRun(killable_run.arguments(inputs, tmp_path / "out"), home)
    wait_for_workers(run)
    family = family_of(run)
    stubborn = run_processes.family(run.process)["worker-1"]
    # It cannot end in an orderly way, so one interrupt waits for it.
    run_processes.stop(stubborn)
    run.type(b"\x03")
    time.sleep(1.5)
    assert run.process.poll() is None
    run.type(b"\x03")
    start = time.monotonic()
    run.end(10)
    assert time.monotonic() - start < 1
    assert run.process.returncode == INTERRUPTED
    assert not run_processes.alive(family)


def test_a_second_interrupt_does_not_wait_for_an_answer(inputs, tmp_path, home):
    """Nobody looks at the first one: the command waits for a coordinator that has stopped."""
    run = TerminalRun(killable_run.arguments(inputs, tmp_path / "out"), home)
    run_processes.wait_until(lambda: "coordinator" in run_processes.family(run.process))
    coordinator = run_processes.family(run.process)["coordinator"]
    socket = pathlib.Path(run_processes.command_line(coordinator)[2].removeprefix("unix:"))
    run_processes.wait_until(socket.exists)
    run_processes.stop(coordinator)
    family = family_of(run)
    time.sleep(0.2)
    for _ in range(2):
        run.type(b"\x03")
        time.sleep(0.5)
    start = time.monotonic()
    run.end(10)
    assert time.monotonic() - start < 1
    assert run.process.returncode == INTERRUPTED
    run_processes.wait_for_end(family, 1)


def test_a_process_that_does_not_end_is_killed_in_time(inputs, tmp_path, home):
    run = TerminalRun(killable_run.arguments(inputs, tmp_path / "out"), home)
    wait_for_workers(run)
    family = family_of(run)
    for pid in family[1:]:
        run_processes.stop(pid)
    interrupt(run, family)


@pytest.mark.parametrize("place", ["boot_after_listen", "job_create_before_commit"])
def test_the_command_does_not_wait_for_a_coordinator_that_hangs(inputs, tmp_path, home, place):
    run = TerminalRun(killable_run.arguments(inputs, tmp_path / "out"),
                      {**home, "HEROQ_FAILPOINTS": f"{place}=pause"})
    wait_for_workers(run)
    family = family_of(run)
    coordinator = run_processes.family(run.process)["coordinator"]
    run_processes.wait_until(lambda: run_processes.state_of(coordinator) == "T", 20)
    interrupt(run, family)
