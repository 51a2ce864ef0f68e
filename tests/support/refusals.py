"""What a refused command leaves behind: nothing. Commands run with a heroq that has no coordinator and no worker beside
it, so a refusal that needed one would show as its failure to start."""
import os
import pathlib
import shutil
import subprocess

from heroq_cli import HEROQ


def lonely_heroq(folder):
    """The command alone in a directory: it starts its processes from where it lies."""
    path = pathlib.Path(folder) / "heroq"
    try:
        os.link(HEROQ, path)
    except OSError:
        shutil.copy(HEROQ, path)
    return path


def run(program, *arguments, **options):
    return subprocess.run([str(program), *map(str, arguments)], capture_output=True, stdin=subprocess.DEVNULL,
                          encoding="utf-8", errors="replace", timeout=60, **options)


def tree(folder):
    """Every path below with size and modification time."""
    return {str(path.relative_to(folder)): (path.lstat().st_size, path.lstat().st_mtime_ns)
            for path in sorted(pathlib.Path(folder).rglob("*"))}


def expect(result, code, *parts):
    """The exit code, and an error on standard error that has every part; nothing on standard output."""
    assert result.returncode == code, (result.returncode, result.stderr)
    assert result.stderr.startswith("heroq: error: "), result.stderr
    for part in parts:
        assert str(part) in result.stderr, f"{part!r} is not in:\n{result.stderr}"
    assert result.stdout == ""
