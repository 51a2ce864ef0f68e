"""Runs a command and keeps, by program, what each of its processes has used, as last seen before it ended."""
import dataclasses
import os
import pathlib
import subprocess
import time

import process_tree

SAMPLE_SECONDS = 0.02
TICKS = os.sysconf("SC_CLK_TCK")


@dataclasses.dataclass
class Watched:
    wall: float
    cpu: dict  # program -> [CPU seconds of each process]
    peak_rss: dict  # program -> [bytes of each process]
    run: dict = None


def look(pid):
    """(program, CPU seconds, peak resident bytes) of a process; None when it is gone."""
    folder = pathlib.Path(f"/proc/{pid}")
    try:
        name, rest = (folder / "stat").read_text().rsplit(")", 1)
        status = (folder / "status").read_text()
    except OSError:
        return None
    if "VmHWM" not in status:  # a zombie
        return None
    fields = rest.split()
    peak = int(status.split("VmHWM:")[1].split()[0]) * 1024
    return name.split("(", 1)[1], (int(fields[11]) + int(fields[12])) / TICKS, peak


def watch(command):
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
    seen, family, next_scan = {}, [], 0
    while process.poll() is None:
        if time.monotonic() >= next_scan:
            family, next_scan = process_tree.descendants(process.pid), time.monotonic() + 0.5
        for pid in family:
            if (found := look(pid)) is not None:
                seen[pid] = found
        time.sleep(SAMPLE_SECONDS)
    wall = time.monotonic() - start
    if process.returncode != 0:
        raise subprocess.CalledProcessError(process.returncode, command, stderr=process.stderr.read()[-4000:])
    watched = Watched(wall, {}, {})
    for program, cpu, peak in seen.values():
        # The kernel keeps 15 characters of a name.
        full = {"heroq-coordinat": "heroq-coordinator"}.get(program, program)
        watched.cpu.setdefault(full, []).append(cpu)
        watched.peak_rss.setdefault(full, []).append(peak)
    return watched
