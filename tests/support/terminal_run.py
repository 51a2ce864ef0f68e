"""A heroq command on a terminal of its own: what it shows, and in what state it leaves the terminal."""
import fcntl
import os
import pty
import struct
import subprocess
import termios
import threading

from heroq_cli import HEROQ


class TerminalRun:
    """Standard error, and standard input unless `stdin` says otherwise, are the terminal; standard output is a pipe. The
    terminal is the controlling one: keys reach the processes in front, its end hangs them up."""

    def __init__(self, arguments, environment, columns=80, rows=24, **streams):
        self._ours, self._theirs = pty.openpty()
        self.resize(columns, rows)
        self._attributes = termios.tcgetattr(self._theirs)
        terminal = self._theirs

        def take_terminal():
            fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)

        streams = {"stdin": terminal, "stdout": subprocess.PIPE, "stderr": terminal, **streams}
        self.process = subprocess.Popen([HEROQ, *map(str, arguments)], env={**os.environ, **environment}, text=True,
                                        start_new_session=True, preexec_fn=take_terminal, **streams)
        self._shown = b""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        while True:
            try:
                piece = os.read(self._ours, 65536)
            except OSError:
                return
            if not piece:
                return
            self._shown += piece

    @property
    def shown(self):
        return self._shown.decode(errors="replace")

    def type(self, keys):
        os.write(self._ours, keys)

    def resize(self, columns, rows):
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def hang_up(self):
        os.close(self._theirs)
        os.close(self._ours)

    def end(self, timeout):
        """Waits; everything on standard output. Whether the terminal was left as it was is checked here."""
        output, _ = self.process.communicate(timeout=timeout)
        left = termios.tcgetattr(self._theirs)
        os.close(self._theirs)
        # Ends the reader: no process has the terminal open any more.
        self._reader.join(timeout=10)
        assert not self._reader.is_alive(), "a process still holds the terminal"
        os.close(self._ours)
        assert left == self._attributes, "the terminal's settings changed"
        assert self._shown.count(b"\033[?25l") <= self._shown.count(b"\033[?25h"), "the cursor is left invisible"
        assert self._shown.count(b"\033[?2026h") == self._shown.count(b"\033[?2026l"), "an update is left open"
        return output or ""
