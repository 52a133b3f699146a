"""The log file: every problem, also those that the program survives, in full."""

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
        # not delayed: a file that cannot be opened is found now, not by a traceback during a show
        handler: logging.Handler = logging.handlers.RotatingFileHandler(
            path, maxBytes=MAX_BYTES, backupCount=3, encoding="utf-8"
        )
    except OSError:
        return None
    handler.setFormatter(_PrivateFormatter(FORMAT))
    root.addHandler(handler)
    # with a full disk, logging must not print tracebacks on the terminal
    logging.raiseExceptions = False
    log.info("visualizer %s, Python %s, %s", __version__, platform.python_version(), platform.platform())
    return path


class _PrivateFormatter(logging.Formatter):
    """Removes the folders of the user's songs from every line and traceback, see `private`."""

    def format(self, record: logging.LogRecord) -> str:
        return without_folders(super().format(record))


def share_log() -> None:
    """Let another process rotate the log file: from here on the file is opened for each line and not held open."""
    root = logging.getLogger("visualizer")
    for handler in list(root.handlers):
        if isinstance(handler, logging.handlers.RotatingFileHandler):
            root.removeHandler(handler)
            handler.close()
            shared = _SharedFileHandler(handler.baseFilename, encoding="utf-8", delay=True)
            shared.setFormatter(handler.formatter)
            root.addHandler(shared)


class _SharedFileHandler(logging.FileHandler):
    """Opens the file for each line and appends it."""

    def emit(self, record: logging.LogRecord) -> None:
        super().emit(record)
        stream, self.stream = self.stream, None
        if stream is not None:
            with suppress(OSError):
                stream.close()
