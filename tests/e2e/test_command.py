"""The heroq command around a local run: one run a directory, deadlines, gates, processes that die, what a terminal shows."""
import codecs
import json
import os
import pathlib
import pty
import re
import signal
import subprocess
import time

import pytest

import heroq_cli
import process_tree
import run_processes
from heroq_cli import HEROQ, heroq, published_bytes
from run_inputs import EVALUATION, inputs, quantize_command  # noqa: F401 (inputs is a fixture)


def start_deep(inputs, out):
    """A run whose job is accepted."""
    process = heroq_cli.start(*quantize_command(inputs, out, model="deep"), "--no-progress")
    deadline = time.monotonic() + 60
    while not pathlib.Path(f"{out}.heroq/job.json").exists():
        assert process.poll() is None and time.monotonic() < deadline, process.communicate()
        time.sleep(0.02)
    return process


def test_a_second_run_on_the_same_directory_is_refused_naming_the_first(inputs, tmp_path):
    out = tmp_path / "out"
    first = start_deep(inputs, out)
    second = heroq(*quantize_command(inputs, out, model="deep"), check=False)
    assert second.returncode == 1
    assert f"process {first.pid} works on {out}" in second.stderr
    first.communicate(timeout=300)
    assert first.returncode == 0


def test_a_run_that_times_out_resumes(inputs, tmp_path):
    out = tmp_path / "out"
    # Long enough to be late: one worker, and much to evaluate.
    long = ["--workers", "1", "--evaluation", inputs / "evaluation.txt", "--evaluation-sequences", "200",
            "--evaluation-length", "64"]
    late = heroq(*quantize_command(inputs, out, model="deep"), *long, "--timeout", "1", "--quiet", check=False)
    assert late.returncode == 6
    assert "the same command resumes" in late.stderr
    resumed = heroq(*quantize_command(inputs, out, model="deep"), *long)
    assert "resuming" in resumed.stderr
    assert not pathlib.Path(f"{out}.heroq").exists()


def test_the_quality_gate_has_its_exit_code_and_publishes_nothing(inputs, tmp_path):
    out = tmp_path / "out"
    result = heroq(*quantize_command(inputs, out), "--evaluation", inputs / "evaluation.txt", *EVALUATION, "--bits", "2",
                   "--group-size", "32", "--max-kl", "1e-9", check=False)
    assert result.returncode == 7, result.stderr
    assert not out.exists()
    assert sorted(p.name for p in pathlib.Path(f"{out}.heroq").iterdir()) == ["lock", "log"]
    # Nothing is unfinished: other flags are welcome.
    heroq(*quantize_command(inputs, out))
    assert out.exists()


def test_eval_measures_what_the_run_measured(inputs, tmp_path):
    out = tmp_path / "out"
    evaluation = ["--evaluation", inputs / "evaluation.txt", *EVALUATION]
    job = json.loads(heroq(*quantize_command(inputs, out), *evaluation, "-o", "json").stdout)
    again = json.loads(heroq("eval", out, "--reference", inputs / "model", *evaluation, "-o", "json").stdout)
    assert again["result"]["evaluation"] == job["result"]["evaluation"]
    assert int(job["result"]["evaluation"]["token_count"]) == 8 * 63


def test_a_run_without_its_coordinator_ends_and_resumes(inputs, tmp_path):
    undisturbed, out = tmp_path / "undisturbed", tmp_path / "out"
    heroq(*quantize_command(inputs, undisturbed, model="deep"))
    process = start_deep(inputs, out)
    family = process_tree.descendants(process.pid)
    os.kill(run_processes.family(process)["coordinator"], signal.SIGKILL)
    _, error = process.communicate(timeout=30)
    assert process.returncode == 5
    assert "the coordinator was killed by signal 9" in error
    assert not any(pathlib.Path(f"/proc/{pid}").exists() for pid in family)
    heroq(*quantize_command(inputs, out, model="deep"))
    assert published_bytes(out) == published_bytes(undisturbed)


def test_a_device_that_is_not_there_is_named(inputs, tmp_path):
    result = heroq(*quantize_command(inputs, tmp_path / "out"), "--device", "cuda:63", check=False)
    assert result.returncode == 5
    assert "cuda:63" in result.stderr and "not started again" in result.stderr


def test_refused_jobs_leave_no_trace(inputs, tmp_path):
    result = heroq("quantize", inputs / "model", "--output", tmp_path / "out", "--samples", "4", check=False)
    assert result.returncode == 2
    assert "--calibration (calibration.source)" in result.stderr
    assert list(tmp_path.iterdir()) == []


class Terminal:
    """A command whose standard error is a terminal of 80 columns."""

    def __init__(self, command, environment):
        self.ours, theirs = pty.openpty()
        subprocess.run(["stty", "cols", "80", "rows", "24"], stdin=theirs, check=True)
        self.process = subprocess.Popen([HEROQ, *map(str, command)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=theirs, env={**os.environ, **environment}, text=True)
        os.close(theirs)
        self.decoder = codecs.getincrementaldecoder("utf-8")()
        self.shown = ""

    def read_until(self, pattern):
        """False when the command ended without showing it."""
        while not re.search(pattern, self.shown):
            try:
                piece = os.read(self.ours, 65536)
            except OSError:
                return False
            if not piece:
                return False
            self.shown += self.decoder.decode(piece)
        return True

    def finish(self):
        """What it showed, and its standard output."""
        self.read_until(r"(?!)")
        output = self.process.communicate(timeout=60)[0]
        os.close(self.ours)
        assert self.process.returncode == 0, self.shown
        return self.shown, output


def test_a_terminal_shows_bars_and_is_left_clean(inputs, tmp_path):
    out = tmp_path / "out"
    # Small tasks may all fall between two frames: one is held until it has been shown.
    terminal = Terminal(quantize_command(inputs, out, "--workers", "1", model="deep"),
                        {"TERM": "xterm", "LC_ALL": "C.UTF-8", "NO_COLOR": "1", "HEROQ_FAILPOINTS": "blob_before_sync=pause@5"})
    assert terminal.read_until(r"  worker-1  (capture|quantize)/")
    worker = run_processes.family(terminal.process)["worker-1"]
    run_processes.wait_until(lambda: run_processes.state_of(worker) == "T")
    os.kill(worker, signal.SIGCONT)
    shown, output = terminal.finish()
    assert re.search(r"  calibrate  [█░]{40} +\d+ %  \d+/192(\033\[K)?\r\n", shown)
    assert not re.search(r"\033\[\d*m", shown), "NO_COLOR"
    # The last frame was erased and nothing was written after it.
    assert re.search(r"\r\033\[\d+A\033\[J$", shown)
    assert output.splitlines()[-1].split() == ["directory", str(out)]


def test_a_dumb_terminal_gets_plain_lines(inputs, tmp_path):
    shown, _ = Terminal(quantize_command(inputs, tmp_path / "out"), {"TERM": "dumb"}).finish()
    assert "\033" not in shown
    assert re.search(r"^\[\d+\.\ds\] succeeded", shown, re.MULTILINE)
