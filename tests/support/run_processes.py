"""The processes of a running heroq command, and what it may leave behind."""
import os
import pathlib
import signal
import time

import process_tree


def command_line(pid):
    """Arguments of a process; empty when it is gone or a zombie."""
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
    except OSError:
        return []


def family(process):
    """The coordinator and the workers of a running command: "coordinator", "worker-1", ... -> process id."""
    found = {}
    for pid in process_tree.descendants(process.pid):
        arguments = command_line(pid)
        if arguments and arguments[0].endswith("/heroq-coordinator"):
            found["coordinator"] = pid
        elif arguments and arguments[0].endswith("/heroq-worker") and "--id" in arguments:
            found[arguments[arguments.index("--id") + 1]] = pid
    return found


def alive(pids):
    return [pid for pid in pids if command_line(pid)]


def wait_until(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"gave up waiting after {seconds} s"
        time.sleep(0.005)


def wait_for_end(pids, seconds=5):
    """Of processes whose parent has been killed, or ends."""
    deadline = time.monotonic() + seconds
    while alive(pids):
        states = [(pid, command_line(pid)[:1], state_of(pid)) for pid in alive(pids)]
        assert time.monotonic() < deadline, f"still there after {seconds} s: {states}"
        time.sleep(0.005)


def state_of(pid):
    """The letter ps shows; empty when it is gone."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return ""


def stop(pid):
    """SIGSTOP, until it has taken effect: a signal that ends the process would overtake it."""
    os.kill(pid, signal.SIGSTOP)
    wait_until(lambda: state_of(pid) == "T")


def socket_directories():
    return set(pathlib.Path("/tmp").glob("heroq-*"))


def abandoned(directories):
    """Those that still exist and that no process names: other commands may run beside this one."""
    named = "\0".join("\0".join(command_line(entry.name)) for entry in pathlib.Path("/proc").iterdir() if entry.name.isdigit())
    return [path for path in directories if path.exists() and str(path) not in named]
