"""Runs a command and turns its result into an exit status: 0 done, 1 failed, 2 wrong use or bad input.

Errors are printed to stderr, one line each.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

from ..errors import BadInput, VisualizerError
from ..oneline import reason_of
from ..processes import exit_program, past_redirects, redirect_streams, reserve_environment

log = logging.getLogger("visualizer.cli")

#: the status that typer, from version 0.16 on, returns after a KeyboardInterrupt
_TYPER_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the program and exit."""
    _replace_closed_streams()
    reserve_environment()
    # our own messages must be seen even while stderr is redirected to silence a driver that then hangs
    sys.stderr = past_redirects() or sys.stderr
    try:
        status = run(sys.argv[1:] if arguments is None else list(arguments))
    except KeyboardInterrupt:  # while modules were still loading
        status = _print_and_return("interrupted", 1)
    exit_program(status)


def run(arguments: list[str]) -> int:
    """Run one command. Returns the exit status."""
    import typer

    from . import options
    from .commands import app, command_names

    # log records must not reach the terminal before the log file is open, or where it cannot be opened
    quiet = logging.getLogger("visualizer")
    quiet.addHandler(logging.NullHandler())
    quiet.propagate = False
    try:
        rest = options.with_command(options.take_global(arguments), command_names())
        rest = options.with_record_folder(rest)
    except BadInput as error:
        return _print_and_return(str(error), error.status)
    signal.signal(signal.SIGTERM, _terminated)
    try:
        # in standalone mode typer would print usage errors on several lines and exit
        status = app(rest, standalone_mode=False, prog_name="visualizer")
        sys.stdout.flush()
        if status == _TYPER_INTERRUPTED:
            log.info("interrupted")
            return _print_and_return("interrupted", 1)
        return status if isinstance(status, int) else 0
    except VisualizerError as error:
        log.error("%s", error, exc_info=True)
        if options.debug:
            raise
        return _print_and_return(str(error), error.status)
    except typer.TyperException as error:
        return _usage(error)
    except (KeyboardInterrupt, typer.Abort):
        log.info("interrupted")
        return _print_and_return("interrupted", 1)
    except BrokenPipeError:
        _drop_output()  # the reader closed the pipe, as in `| head`: end without a message
        return 1
    except MemoryError:
        log.exception("out of memory")
        return _print_and_return("out of memory; try a smaller --size", 1)
    except Exception as error:
        if isinstance(error, OSError) and error.filename is None and (reason := _output_fault()):
            return _print_and_return(f"the output cannot be written: {reason}; write it to another place", 1)
        log.exception("internal error")
        if options.debug:
            raise
        words = " ".join(f"{type(error).__name__}: {error}".split())
        return _print_and_return(f"internal error: {words}; run with --debug for details", 1)


def _usage(error: Exception) -> int:
    """Print an error of the argument parser. Returns the exit status."""
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError" and context is not None:
        print(context.get_help())
        return 2
    words = " ".join(getattr(error, "format_message", lambda: str(error))().split()).rstrip(".")
    command = context.command_path if context is not None else "visualizer"
    return _print_and_return(f"{words}; see `{command} --help`", 2)


def _replace_closed_streams() -> None:
    """Open the null device as stdin, stdout or stderr where the caller closed it (`>&-`).

    Otherwise Python sets the stream to None, which some libraries write to; a file opened later would get its
    descriptor; and a child process without it fails when it prints.
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
            # it stays open as long as the program runs
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115


def _output_fault() -> str:
    """Why stdout cannot be written to, for example "No space left on device"; "" if it can."""
    try:
        print(flush=True)
    except OSError as fault:
        _drop_output()
        return reason_of(fault)
    return ""


def _drop_output() -> None:
    """Send the rest of stdout's buffer, and the interpreter's last flush, to the null device."""
    redirect_streams(os.devnull, sys.stdout.fileno())


def _print_and_return(line: str, status: int) -> int:
    from .messages import print_message

    print_message(line)
    return status


def _terminated(number: int, frame: FrameType | None) -> NoReturn:
    """On SIGTERM: end as on Ctrl-C, so that no half-written files remain."""
    raise KeyboardInterrupt
