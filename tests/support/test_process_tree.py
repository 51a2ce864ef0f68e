"""What process_tree says about a command, of processes whose use is known."""
import contextlib
import os
import subprocess
import sys

import process_tree
import pytest

MEGABYTE = 1 << 20
# 200 MB that a fork shares, and two children that compute for a while and then hold 100 MB each of their own until a writer of
# the pipe has come and gone.
FAMILY = """
import os, sys, time
shared = bytearray(b"x") * (200 << 20)
ready, go = os.pipe(), os.pipe()
children = []
for _ in range(2):
    child = os.fork()
    if child == 0:
        own = bytearray(b"x") * (100 << 20)
        while time.process_time() < 0.5:
            pass
        os.write(ready[1], b"x")
        os.read(go[0], 1)
        os._exit(0)
    children.append(child)
held = b""
while len(held) < 2:
    held += os.read(ready[0], 1)
with open(sys.argv[1]) as pipe:
    pipe.read()
os.write(go[1], b"xx")
for child in children:
    os.waitpid(child, 0)
print("ended")
"""


@pytest.fixture
def family(tmp_path, monkeypatch):
    """What was measured of it; it ends when one sample was taken while all of it held its memory."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writers = []

    def looked_at(root, look=process_tree.descendants):
        if writers:
            os.close(writers.pop())
        else:
            with contextlib.suppress(OSError):  # until somebody reads
                writers.append(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
        return look(root)

    monkeypatch.setattr(process_tree, "descendants", looked_at)
    return process_tree.run([sys.executable, "-c", FAMILY, str(pipe)], tmp_path / "log")


def test_memory_is_summed_and_what_processes_share_counts_once(family):
    assert 400 * MEGABYTE < family.peak_pss_bytes < 450 * MEGABYTE


def test_time_of_children_counts(family):
    assert 1.0 <= family.cpu_seconds < 5 and family.wall_seconds >= 0.5 and family.output == "ended\n"


def test_the_environment_is_added_to(tmp_path):
    code = "import os; print(os.environ['ADDED'], 'PATH' in os.environ)"
    assert process_tree.run([sys.executable, "-c", code], tmp_path / "log", {"ADDED": "2"}).output == "2 True\n"


def test_a_failure_shows_what_the_command_said(tmp_path):
    with pytest.raises(subprocess.CalledProcessError) as failure:
        process_tree.run([sys.executable, "-c", "print('why'); raise SystemExit(3)"], tmp_path / "log")
    assert failure.value.returncode == 3 and "why" in failure.value.output
