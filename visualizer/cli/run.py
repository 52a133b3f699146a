"""From arguments to an exit status: 0 done, 1 failed, 2 wrong use or bad input. Errors are one line on stderr."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

from ..errors import BadInput, VisualizerError
from ..processes import past_redirects, reserve_environment, send_streams

log = logging.getLogger("visualizer.cli")

#: the status that typer from 0.16 on makes of a KeyboardInterrupt
_TYPER_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the program and exit."""
    _replace_closed_streams()
    reserve_environment()
    sys.stderr = past_redirects() or sys.stderr  # a driver that hangs while it is kept quiet must not swallow our lines
    try:
        status = run(sys.argv[1:] if arguments is None else list(arguments))
    except KeyboardInterrupt:  # while it was still loading
        status = _say("interrupted", 1)
    sys.exit(status)


def run(arguments: list[str]) -> int:
    """Run one command; the exit status."""
    import typer

    from . import options
    from .commands import app, command_names

    # until the log is open, and where it cannot be, nothing may fall through to the terminal
    quiet = logging.getLogger("visualizer")
    quiet.addHandler(logging.NullHandler())
    quiet.propagate = False
    try:
        rest = options.with_command(options.take_global(arguments), command_names())
    except BadInput as error:
        return _say(str(error), error.status)
    signal.signal(signal.SIGTERM, _terminated)
    try:
        # standalone mode would print usage errors over several lines, and exit by itself
        status = app(rest, standalone_mode=False, prog_name="visualizer")
        sys.stdout.flush()
        if status == _TYPER_INTERRUPTED:
            log.info("interrupted")
            return _say("interrupted", 1)
        return status if isinstance(status, int) else 0
    except VisualizerError as error:
        log.error("%s", error, exc_info=True)
        if options.debug:
            raise
        return _say(str(error), error.status)
    except typer.TyperException as error:
        return _usage(error)
    except (KeyboardInterrupt, typer.Abort):
        log.info("interrupted")
        return _say("interrupted", 1)
    except BrokenPipeError:
        _drop_output()  # whoever read it has gone (`| head`): leave quietly
        return 1
    except MemoryError:
        log.exception("out of memory")
        return _say("out of memory; try a smaller --size", 1)
    except Exception as error:
        if isinstance(error, OSError) and error.filename is None and (reason := _output_fault()):
            return _say(f"the output cannot be written: {reason}", 1)
        log.exception("a fault of the program's own")
        if options.debug:
            raise
        words = " ".join(f"{type(error).__name__}: {error}".split())
        return _say(f"something went wrong that should not have ({words}); --debug shows where", 1)


def _usage(error: Exception) -> int:
    """Wrong use, as the argument parser found it."""
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError" and context is not None:
        print(context.get_help())
        return 2
    words = " ".join(getattr(error, "format_message", lambda: str(error))().split()).rstrip(".")
    command = context.command_path if context is not None else "visualizer"
    return _say(f"{words}; `{command} --help` tells how it is used", 2)


def _replace_closed_streams() -> None:
    """Where stdin, stdout or stderr was closed (`>&-`) open the null device in its place.

    Python has None for them, which many a library writes to; a file opened later would get the number; and a child process that
    is given none fails at its first line.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            os.set_inheritable(number, True)
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115  it stays open as long as the program runs


def _output_fault() -> str:
    """Why stdout cannot be written to, as on a full disk; "" if it can."""
    try:
        print(flush=True)
    except OSError as fault:
        _drop_output()
        return fault.strerror or str(fault)
    return ""


def _drop_output() -> None:
    """Let what is left in the buffer of stdout, and the interpreter's last flush, go nowhere."""
    send_streams(os.devnull, sys.stdout.fileno())


def _say(line: str, status: int) -> int:
    from .say import tell

    tell(line)
    return status


def _terminated(number: int, frame: FrameType | None) -> NoReturn:
    """Asked to end by the system: leave as from Ctrl-C, so that nothing half-written stays behind."""
    raise KeyboardInterrupt
