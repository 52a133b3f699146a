"""What the program remembers from one show to the next: the input that was listened to, by its name."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path

from ..errors import BadInput
from .paths import config_folder

log = logging.getLogger(__name__)

#: said in place of a name, it means whatever the system's default is; `live` then forgets the input that was remembered
DEFAULT_INPUT = "default"
# More than this is not a file that this program has written.
_MOST_BYTES = 10_000


def remembered_input() -> str | None:
    """The full name of the input chosen last; None if none was, or if it cannot be read."""
    try:
        with _file().open("rb") as file:
            data = json.loads(file.read(_MOST_BYTES))
        name = data["input"]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, RecursionError, BadInput) as fault:
        log.warning("the remembered input cannot be read: %s", fault)
        return None
    return name if isinstance(name, str) and name else None


def remember_input(name: str | None) -> None:
    """Remember an input by its full name; None forgets. A folder that cannot be written to is only told in the log."""
    try:
        path = _file()
        if name is None:
            path.unlink(missing_ok=True)
        elif name != remembered_input():
            path.parent.mkdir(parents=True, exist_ok=True)
            # whole or not at all: another show may read it at this moment
            part = path.with_name(f"{path.name}.{os.getpid()}.part")
            part.write_text(json.dumps({"input": name}) + "\n", encoding="utf-8")
            part.replace(path)
    except (OSError, ValueError, BadInput) as fault:
        log.warning("the chosen input cannot be remembered: %s", fault)


def _file() -> Path:
    return config_folder() / "input.json"
