"""The program on a real terminal, for tests of what is drawn there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """The program on a terminal of its own, of a given size. stdout: a file for what it prints, None for the
    terminal.
    """

    def __init__(
        self,
        *arguments: str,
        n_columns: int = 80,
        n_rows: int = 24,
        stdout: Path | None = None,
        **environment: str,
    ) -> None:
        fcntl, pty = pytest.importorskip("fcntl"), pytest.importorskip("pty")
        import struct
        import termios

        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", n_rows, n_columns, 0, 0))

        def start() -> None:
            os.login_tty(theirs)  # so that Ctrl-C typed there reaches it
            if stdout is not None:
                os.dup2(os.open(stdout, os.O_WRONLY | os.O_CREAT), 1)

        known = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "visualizer", *arguments],
            env={**known, "TERM": "xterm-256color", **environment},
            preexec_fn=start,
        )
        os.close(theirs)
        self._written: list[bytes] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        try:
            while block := os.read(self._ours, 65536):
                self._written.append(block)
        except OSError:  # the other end was closed
            pass

    @property
    def raw(self) -> str:
        return b"".join(self._written).decode(errors="replace")

    @property
    def lines(self) -> list[str]:
        """Everything drawn so far, line by line, without colours and movements."""
        return ANSI.sub("\n", re.sub(r"\x1b\[[0-9;]*m", "", self.raw)).replace("\r", "\n").split("\n")

    def last(self, start: str) -> str:
        """The newest whole line that begins so."""
        return next((line for line in reversed(self.lines[:-1]) if line.startswith(start)), "")

    def type(self, keys: bytes) -> None:
        os.write(self._ours, keys)

    def ended(self) -> int:
        status = self.process.wait(60)
        self._reader.join(60)
        return status

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(60)
        self._reader.join(60)
        os.close(self._ours)
