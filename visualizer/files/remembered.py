"""What is remembered from one show to the next: sound input, output and camera by name, the delay of each output, and
where songs lie that were played while a session was recorded.
"""

from __future__ import annotations

import hashlib
import json
import logging
from pathlib import Path

from ..errors import BadInput, VisualizerError
from ..settings import DELAY_MS
from .output_file import atomic_write
from .paths import config_folder

log = logging.getLogger(__name__)

#: given in place of a name: the system's default, and nothing is remembered
DEFAULT_INPUT = DEFAULT_OUTPUT = DEFAULT_CAMERA = "default"
_MAX_BYTES = 10_000  # a larger file was not written by this program
_SONGS_FILE, _MAX_SONGS_BYTES = "songs.jsonl", 2_000_000  # beyond, the older half is forgotten


def remembered_input() -> str | None:
    """The full name of the input chosen last; None if none was, or if it cannot be read."""
    return _remembered_name("input")


def remember_input(name: str | None) -> None:
    """Remember an input by its full name; None forgets. A folder that cannot be written to is only logged."""
    _remember_name("input", name)


def remembered_output() -> str | None:
    """The full name of the output chosen last; None if none was, or if it cannot be read."""
    return _remembered_name("output")


def remember_output(name: str | None) -> None:
    """Remember an output by its full name; None forgets. A folder that cannot be written to is only logged."""
    _remember_name("output", name)


def remembered_camera() -> str | None:
    """The camera that was named last; None if none was, or if it cannot be read."""
    return _remembered_name("camera")


def remember_camera(name: str | None) -> None:
    """Remember a camera as the user names it; None forgets. A folder that cannot be written to is only logged."""
    _remember_name("camera", name)


def remembered_delay_ms(output: str) -> float:
    """How late an output is, by its full name, ms; 0 if that is not remembered."""
    value = _read(_delay_file(output), "delay_ms")
    if isinstance(value, int | float) and not isinstance(value, bool) and DELAY_MS[0] <= value <= DELAY_MS[1]:
        return float(value)
    return 0.0


def remember_delay_ms(output: str, delay_ms: float) -> None:
    """Remember how late an output is, by its full name; 0 forgets. A folder that cannot be written to is only
    logged.
    """
    if delay_ms != remembered_delay_ms(output):
        _write(_delay_file(output), {"output": output, "delay_ms": delay_ms} if delay_ms else None)


def remember_song(sha256: str, path: Path) -> None:
    """Remember where a song lies. sha256: of its file. A folder that cannot be written to is only logged."""
    if path.absolute() in remembered_songs(sha256):
        return
    line = json.dumps({"sha256": sha256, "path": str(path.absolute())}) + "\n"
    try:
        file = config_folder() / _SONGS_FILE
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a", encoding="utf-8") as out:
            out.write(line)
        if file.stat().st_size > _MAX_SONGS_BYTES:
            lines = _song_lines()
            with atomic_write(file) as part:
                part.write_bytes(b"".join(lines[len(lines) // 2 :]))
    except (OSError, ValueError, VisualizerError) as fault:
        log.warning("%s cannot be remembered: %s", _SONGS_FILE, fault)


def remembered_songs(sha256: str) -> list[Path]:
    """Where a song was, the newest place first. Another file may be there by now."""
    found = []
    for line in reversed(_song_lines()):
        try:
            one = json.loads(line)
            if one["sha256"] == sha256:
                found.append(Path(one["path"]))
        except (ValueError, KeyError, TypeError, RecursionError):
            continue
    return found


def _song_lines() -> list[bytes]:
    try:
        with (config_folder() / _SONGS_FILE).open("rb") as file:
            return file.read(2 * _MAX_SONGS_BYTES).splitlines(keepends=True)
    except (OSError, ValueError, BadInput):
        return []


def _delay_file(output: str) -> str:
    """A file for each output: two shows that write at once lose nothing of each other's."""
    return f"delay-{hashlib.sha256(output.encode('utf-8', 'replace')).hexdigest()[:12]}.json"


def _remembered_name(kind: str) -> str | None:
    name = _read(f"{kind}.json", kind)
    return name if isinstance(name, str) and name else None


def _remember_name(kind: str, name: str | None) -> None:
    if name is None or name != _remembered_name(kind):
        _write(f"{kind}.json", None if name is None else {kind: name})


def _read(file_name: str, key: str) -> object:
    """The value of a key in a file of the config folder; None if there is none, or if it cannot be read."""
    try:
        with (config_folder() / file_name).open("rb") as file:
            return json.loads(file.read(_MAX_BYTES))[key]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, RecursionError, BadInput) as fault:
        log.warning("%s cannot be read: %s", file_name, fault)
        return None


def _write(file_name: str, data: dict[str, object] | None) -> None:
    """Write a file of the config folder; None removes it. A folder that cannot be written to is only logged."""
    try:
        path = config_folder() / file_name
        if data is None:
            path.unlink(missing_ok=True)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path) as part:  # another show may read it at this moment
            part.write_text(json.dumps(data) + "\n", encoding="utf-8")
    except (OSError, ValueError, VisualizerError) as fault:
        log.warning("%s cannot be remembered: %s", file_name, fault)
