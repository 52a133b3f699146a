"""Check for a key press at the terminal without waiting."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def key_presses() -> Iterator[Callable[[], bool]]:
    """While inside, keys are not echoed. Yields a function: whether a key was pressed (never if stdin is no
    terminal).
    """
    if not sys.stdin.isatty():
        yield lambda: False
    elif sys.platform == "win32":
        import msvcrt

        yield lambda: bool(msvcrt.kbhit() and msvcrt.getch())
    else:
        import select
        import termios
        import tty

        number = sys.stdin.fileno()
        before = termios.tcgetattr(number)
        try:
            tty.setcbreak(number)
            yield lambda: bool(select.select([number], [], [], 0)[0] and sys.stdin.read(1))
        finally:
            termios.tcsetattr(number, termios.TCSADRAIN, before)
