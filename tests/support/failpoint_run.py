"""A small job that is killed at a failpoint of one of its processes and finished by the same command."""
import os
import time

import heroq_cli
import tiny_llama
from heroq_cli import published_bytes


class Trace:
    """What the failpoints of one run wrote down."""

    def __init__(self, path):
        self.path = path

    def lines(self):
        """(program, failpoint, hit, mode) of every time one was reached; a line that is just being written is not there yet."""
        text = self.path.read_text() if self.path.exists() else ""
        return [line.split() for line in text.splitlines(keepends=True) if line.endswith("\n")]

    def killed(self):
        """The program that crashed, if one did."""
        return next((line[0] for line in self.lines() if line[3] == "crash"), None)


class Command:
    """One small job; `run` starts it in a folder, armed or not."""

    def __init__(self, inputs, *flags):
        self.flags = flags
        tiny_llama.write_model(inputs / "model", num_hidden_layers=1)
        (inputs / "calibration.txt").write_text(tiny_llama.text(2000, seed=10))
        self.inputs = inputs

    def run(self, folder, failpoints=""):
        environment = {**os.environ, "HEROQ_FAILPOINTS": failpoints} if failpoints else None
        return heroq_cli.start("quantize", self.inputs / "model", "--output", folder / "out", "--calibration",
                               self.inputs / "calibration.txt", "--samples", "2", "--shards", "2", "--sequence-length", "32",
                               "--max-shard-size", "50000", "--workers", "1", *self.flags, env=environment)

    def crash(self, folder, failpoint, hit):
        trace = Trace(folder / f"trace-{failpoint}-{time.monotonic_ns()}")
        process = self.run(folder, f"{failpoint}=crash@{hit};trace={trace.path}")
        while process.poll() is None and trace.killed() is None:
            time.sleep(0.01)
        # Started again, a worker would die there as often as it may, and the pauses between are long.
        if trace.killed() == "heroq-worker":
            process.kill()
        _, error = process.communicate(timeout=60)
        assert trace.killed(), f"{failpoint} was not reached {hit} times:\n{error}"

    def finish(self, folder):
        process = self.run(folder)
        _, error = process.communicate(timeout=60)
        assert process.returncode == 0, error

    def undisturbed(self, folder):
        """(published bytes, how often a process reaches each failpoint)."""
        trace = Trace(folder / "trace")
        process = self.run(folder, f"trace={trace.path}")
        _, error = process.communicate(timeout=60)
        assert process.returncode == 0, error
        hits = {}
        for _, name, hit, _ in trace.lines():
            hits[name] = max(hits.get(name, 0), int(hit))
        return published_bytes(folder / "out"), hits
