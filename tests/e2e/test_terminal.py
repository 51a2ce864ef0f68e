"""What a person sees, read back from a real terminal emulator (tmux)."""
import os
import pathlib
import re
import shlex
import subprocess
import time

import pytest

import killable_run
import run_processes
from heroq_cli import HEROQ, heroq

BARS = re.compile(r"^  (calibrate|quantize|evaluate) +[█░]+ +\d+ %  \d+/\d+$", re.MULTILINE)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    return killable_run.write_inputs(tmp_path_factory.mktemp("inputs"))


class Terminal:
    def __init__(self, folder, columns, rows):
        self._server = f"heroq-test-{os.getpid()}-{folder.name}"
        self._done = folder / "done"
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", columns, "-y", rows, "bash --norc --noprofile")
        self._tmux("set-option", "-g", "history-limit", "5000")

    def _tmux(self, *arguments):
        environment = {**os.environ, "LC_ALL": "C.UTF-8", "PS1": "$ "}
        environment.pop("TMUX", None)
        result = subprocess.run(["tmux", "-L", self._server, *map(str, arguments)], text=True,
                                capture_output=True, env=environment)
        assert result.returncode == 0, (arguments, result.stderr)
        return result.stdout

    def run(self, command):
        """Starts a line of shell."""
        self._tmux("send-keys", "-l", f"clear; echo; {command}; echo $? > {self._done}\n")

    def picture(self):
        """The screen and what scrolled off it."""
        return self._tmux("capture-pane", "-p", "-S", "-")

    def resize(self, columns, rows):
        self._tmux("resize-window", "-x", columns, "-y", rows)

    def exit_code(self):
        run_processes.wait_until(lambda: self._done.exists() and self._done.read_text().strip(), 120)
        return int(self._done.read_text())

    def close(self):
        self._tmux("kill-server")


@pytest.fixture
def terminal(tmp_path):
    terminals = []

    def open_terminal(columns, rows):
        terminals.append(Terminal(tmp_path, columns, rows))
        return terminals[-1]

    yield open_terminal
    for opened in terminals:
        opened.close()


def line_of(inputs, out, *flags):
    arguments = [str(argument) for argument in killable_run.arguments(inputs, out, *flags) if argument != "--no-progress"]
    return shlex.join([HEROQ, *arguments])


def pictures(terminal, out):
    """Pictures with bars, until the run has ended."""
    taken = []
    while not pathlib.Path(out).exists() and len(taken) < 500:
        picture = terminal.picture()
        if BARS.search(picture):
            taken.append(picture)
        time.sleep(0.02)
    return taken


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_every_picture_is_whole_and_nothing_stays(inputs, tmp_path, terminal, columns):
    screen = terminal(columns, 24)
    screen.run(line_of(inputs, tmp_path / "out"))
    taken = pictures(screen, tmp_path / "out")
    assert taken
    for picture in taken:
        bars = [match.group(1) for match in BARS.finditer(picture)]
        assert bars == ["calibrate", "quantize", "evaluate"], picture
        assert len(re.findall(r"^(calibrating|quantizing|assembling|validating)  \d", picture, re.MULTILINE)) <= 1, picture
        # On a busy machine workers take their time to come up.
        if "calibrate  ░" not in picture:
            assert "waiting" not in picture and "no workers" not in picture
    assert screen.exit_code() == 0
    end = screen.picture()
    assert not BARS.search(end)
    assert re.search(r"^directory +\S", end, re.MULTILINE)


def test_a_resize_in_the_middle_is_followed(inputs, tmp_path, terminal):
    """tmux tells of a new size a quarter of a second late; lines that wrapped meanwhile may stay above the picture."""
    screen = terminal(100, 24)
    screen.run(line_of(inputs, tmp_path / "out"))
    run_processes.wait_until(lambda: BARS.search(screen.picture()))
    for columns in (40, 120, 30):
        screen.resize(columns, 24)
        time.sleep(0.6)
        frame = re.split(r"^(?=[a-z]+ing  \d)", screen.picture(), flags=re.MULTILINE)[-1]
        assert len(BARS.findall(frame)) in (0, 3), frame
        assert all(len(line) < columns for line in frame.splitlines() if BARS.match(line)), frame
    assert screen.exit_code() == 0
    assert re.search(r"^directory +\S", screen.picture(), re.MULTILINE)


def shell(line, **environment):
    return subprocess.run(["bash", "-c", f"set -o pipefail; {line}"], capture_output=True, text=True, timeout=120,
                          env={**os.environ, "LC_ALL": "C.UTF-8", **environment})


@pytest.mark.parametrize("streams", ["</dev/null", "<&-", "2>/dev/null", "| cat", ">/dev/null", "2>&1 | cat"])
def test_streams_may_be_anything(inputs, tmp_path, streams):
    result = shell(f"{line_of(inputs, tmp_path / 'out')} {streams}", TERM="xterm")
    assert result.returncode == 0, result.stderr
    assert "\033" not in result.stdout + result.stderr
    if "2>" not in streams:
        assert re.search(r"^\[\d+\.\ds\] succeeded", result.stderr, re.MULTILINE)
    if streams != ">/dev/null":
        assert str(tmp_path / "out") in result.stdout


def test_a_reader_that_goes_away_is_an_error_but_no_crash(inputs, tmp_path):
    result = shell(f"{line_of(inputs, tmp_path / 'out')} | head -0; echo ${{PIPESTATUS[0]}}")
    assert (tmp_path / "out").exists()
    assert result.stdout.strip() == "1"
    assert "standard output" in result.stderr


def test_a_reader_of_progress_that_goes_away_costs_the_run_nothing(inputs, tmp_path):
    result = shell(f"{line_of(inputs, tmp_path / 'out', '--no-progress')} 2> >(head -1 >&2)")
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "out").exists()
    assert heroq("verify", tmp_path / "out").returncode == 0
