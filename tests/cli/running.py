"""Runs a command, in this process or in one of its own: output, errors and exit status."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import subprocess
import sys
from pathlib import Path
from unittest import mock

from visualizer.cli.run import run

Ran = subprocess.CompletedProcess[str]


def visualizer(*arguments: object, cwd: Path | None = None, **environment: str) -> Ran:
    """Run the program in a process of its own, as a user does: for what the interpreter or a C library does as well."""
    return subprocess.run(
        [sys.executable, "-m", "visualizer", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        env={**os.environ, **environment},
    )


def here(*arguments: object, cwd: Path | None = None, **environment: str) -> Ran:
    """Run a command in this process: a twentieth of the time, which a new interpreter takes to import everything."""
    out, err = io.StringIO(), io.StringIO()
    words = [str(argument) for argument in arguments]
    handler = signal.getsignal(signal.SIGTERM)
    try:
        with (
            mock.patch.dict(os.environ, environment),
            contextlib.chdir(cwd or Path.cwd()),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            status = run(words)
    finally:
        signal.signal(signal.SIGTERM, handler)
    return subprocess.CompletedProcess(words, status, out.getvalue(), err.getvalue())


def refused(ran: Ran, *words: str, status: int = 2) -> str:
    """Check that a command was refused by one line on stderr with these words, nothing on stdout -> the line."""
    assert ran.returncode == status, ran.stderr
    assert ran.stdout == ""
    assert ran.stderr.startswith("visualizer: ") and ran.stderr.count("\n") == 1 and ran.stderr.endswith("\n")
    for word in words:
        assert word in ran.stderr
    return ran.stderr
