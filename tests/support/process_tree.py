"""Runs a command and measures it and all its descendants from outside: wall time from start to exit, CPU seconds, and
the largest sum of proportional set sizes (PSS: shared pages count once) seen by sampling /proc. What has ended and was waited
for by its parent counts among CPU seconds."""
import dataclasses
import os
import pathlib
import resource
import select
import subprocess
import time

# Adding up the pages of a gigabyte takes the kernel milliseconds, in which a core does nothing else.
SAMPLE_SECONDS = 0.2


@dataclasses.dataclass
class Measurement:
    wall_seconds: float
    cpu_seconds: float
    peak_pss_bytes: int
    output: str


def descendants(root):
    children = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            parent = int(stat.rsplit(")", 1)[1].split()[1])
            children.setdefault(parent, []).append(int(entry.name))
    found, open_list = [], [root]
    while open_list:
        process = open_list.pop()
        found.append(process)
        open_list += children.get(process, [])
    return found


def pss_bytes(process):
    try:
        for line in pathlib.Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def run(command, log_path, environment=None):
    """Raises CalledProcessError with the log's end when the command fails."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    peak = 0
    with open(log_path, "w+", encoding="utf-8") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                   env={**os.environ, **(environment or {})})
        ended = os.pidfd_open(process.pid)
        while not select.select([ended], [], [], SAMPLE_SECONDS)[0]:
            peak = max(peak, sum(pss_bytes(p) for p in descendants(process.pid)))
        wall = time.monotonic() - start
        os.close(ended)
        code = process.wait()
        log.seek(0)
        output = log.read()
    if code != 0:
        raise subprocess.CalledProcessError(code, command, output[-4000:])
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Measurement(wall, cpu, peak, output)
