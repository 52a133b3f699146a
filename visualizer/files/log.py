"""The log: where every swallowed or survived problem is told in full."""

from __future__ import annotations

import logging
import logging.handlers
import platform
from contextlib import suppress
from pathlib import Path

from .. import __version__
from ..errors import BadInput
from ..private import without_folders
from .paths import load_user_settings, log_folder

FORMAT = "%(asctime)s %(levelname)-7s %(threadName)s %(name)s: %(message)s"
LEVELS = ("debug", "info", "warning", "error")
MAX_BYTES = 1_000_000  # of a file; three older ones are kept
log = logging.getLogger(__name__)


def open_log(level: str | None) -> Path | None:
    """Send the program's log to a rotating file; level: one of LEVELS, None for the user's setting.

    Returns the file, or None if it cannot be written: a show goes on without its log. Raises BadInput for an unknown
    level, or for faults in the user's settings.yaml.
    """
    if level is None:
        level = load_user_settings().log_level
    elif level not in LEVELS:
        raise BadInput(f"--log-level {level!r} is unknown; allowed: {', '.join(LEVELS)}")
    root = logging.getLogger("visualizer")
    root.setLevel(level.upper())
    root.propagate = False
    path = log_folder() / "visualizer.log"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # delay=False: found out now, and not by a traceback from the logging machinery in the middle of a show
        handler: logging.Handler = logging.handlers.RotatingFileHandler(
            path, maxBytes=MAX_BYTES, backupCount=3, encoding="utf-8"
        )
    except OSError:
        return None
    handler.setFormatter(_PrivateFormatter(FORMAT))
    root.addHandler(handler)
    # a full disk must not spill tracebacks over the performer's terminal
    logging.raiseExceptions = False
    log.info("visualizer %s, Python %s, %s", __version__, platform.python_version(), platform.platform())
    return path


class _PrivateFormatter(logging.Formatter):
    """Leaves out where the user's songs are, see `private`; in tracebacks, too."""

    def format(self, record: logging.LogRecord) -> str:
        return without_folders(super().format(record))


def share_log() -> None:
    """Leave the log file to another process, which turns it over: from here on each line is written by itself, and the
    file is not held open in between.
    """
    root = logging.getLogger("visualizer")
    for handler in list(root.handlers):
        if isinstance(handler, logging.handlers.RotatingFileHandler):
            root.removeHandler(handler)
            handler.close()
            guest = _Guest(handler.baseFilename, encoding="utf-8", delay=True)
            guest.setFormatter(handler.formatter)
            root.addHandler(guest)


class _Guest(logging.FileHandler):
    """Opens the file for each line, at its end."""

    def emit(self, record: logging.LogRecord) -> None:
        super().emit(record)
        stream, self.stream = self.stream, None
        if stream is not None:
            with suppress(OSError):
                stream.close()
