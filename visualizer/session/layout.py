"""The folder of a session: the names of what is in it, and session.json, which says what it is. docs/sessions.md has
all of it.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..clock import day_and_time
from ..errors import BadInput, VisualizerError
from ..files.paths import is_folder, is_writable_folder, sessions_folder
from ..oneline import plain, reason_of, size_text

#: the version of the format; a program reads its own and the older ones
FORMAT = 1
#: of the disk, bytes: nothing is recorded where less is free
KEEP_FREE_BYTES = 500_000_000
#: no session.json is larger
MOST_INFO_BYTES = 100_000


class DamagedInfo(BadInput):
    """session.json is missing or damaged: a repair can rebuild it from the events."""


def new_folder(wanted: Path | None = None) -> SessionFolder:
    """Create an empty folder for a session.

    wanted: its path; with "-2" and so on after its name if there is something in it already. None: a folder in
    `sessions_folder`, named after the local date and time. Raises VisualizerError if it cannot be created.
    """
    path = sessions_folder() / day_and_time() if wanted is None else wanted.expanduser().absolute()
    try:
        for number in range(1, 1000):
            one = path if number == 1 else path.with_name(f"{path.name}-{number}")
            one.mkdir(parents=True, exist_ok=True)
            if not any(one.iterdir()):
                return SessionFolder(one)
    except (OSError, ValueError) as fault:  # ValueError: a null byte, or no name
        raise VisualizerError(
            f"the folder {plain(path)} of the session cannot be created: {reason_of(fault)}"
        ) from fault
    raise VisualizerError(f"there are 999 sessions named {plain(path)} already; choose another name")


def check_new_folder(wanted: Path | None = None) -> None:
    """Raise BadInput unless `new_folder` can create a folder, VisualizerError if the disk has no room for a session.
    Nothing is written.
    """
    path = sessions_folder() / "x" if wanted is None else wanted.expanduser().absolute()
    try:
        place = next(one for one in (path, *path.parents) if _exists(one))
        if place == path and is_folder(path) and any(path.iterdir()):
            place = path.parent  # it gets a folder beside it
        if not is_folder(place):
            raise BadInput(f"nothing can be recorded in {plain(path)}: {plain(place)} is no folder")
        if not is_writable_folder(place):
            raise BadInput(f"nothing can be recorded in {plain(path)}: the folder {plain(place)} cannot be written to")
        n_free = shutil.disk_usage(place).free
    except (OSError, ValueError) as fault:  # ValueError: a null byte
        raise BadInput(f"nothing can be recorded in {plain(path)}: {reason_of(fault)}") from fault
    if n_free < KEEP_FREE_BYTES:
        raise VisualizerError(
            f"nothing can be recorded in {plain(path)}: the disk has only {size_text(n_free)} free; free some space, or "
            "record elsewhere"
        )


def _exists(path: Path) -> bool:
    """Whether there is something of this name. Raises OSError or ValueError for what can be no name."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


@dataclass(frozen=True)
class SessionFolder:
    """The places of the files of a session. root: its folder."""

    root: Path

    @property
    def info(self) -> Path:
        """Says what the session is, see `SessionInfo`."""
        return self.root / "session.json"

    @property
    def events(self) -> Path:
        """Its events, one a line, see `session.events`."""
        return self.root / "events.jsonl"

    @property
    def lock(self) -> Path:
        """Locked by the program that records the session, see `filelock.FileLock`; removed at its close."""
        return self.root / ".lock"

    def sound(self, number: int) -> Path:
        """A part of its sound. number: from 1."""
        return self.root / f"sound-{number:04d}.flac"

    @property
    def presets(self) -> Path:
        """The folder of the copies of presets, a folder each."""
        return self.root / "presets"

    @property
    def dreams(self) -> Path:
        """The folder of the dream frames."""
        return self.root / "dreams"

    def dream(self, sha256: str) -> Path:
        """A dream frame: a PNG picture, 8 bits of red, green and blue. sha256: of its pixels, 64 hexadecimal digits."""
        return self.dreams / f"{sha256}.png"

    @property
    def songs(self) -> Path:
        """The folder of the songs of `play`."""
        return self.root / "songs"


class SessionInfo(BaseModel):
    """What session.json says.

    format: version of the format. state: "open" while it is written; a session whose recording was cut off stays open.
    program: version of the program. kind: "live" or "play". started: local date and time with the offset from UTC, ISO
    8601. width, height: of the dream frames at the start, px. seeds: of the random shifts of the presets at the start.
    has_sound, has_dreams: whether they are recorded. at: the tick at which it begins. Set at the close: end_at, the
    last tick; n_events, lines of events.jsonl; reason, why it ended, "" if the user ended it.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    format: int = Field(default=FORMAT, ge=1, le=FORMAT)
    state: Literal["open", "closed"] = "open"
    program: str = Field(max_length=100)
    kind: Literal["live", "play"]
    started: str = Field(max_length=100)
    width: Annotated[int, Field(ge=1, le=65_536)]
    height: Annotated[int, Field(ge=1, le=65_536)]
    seeds: dict[str, int] = {}
    has_sound: bool = True
    has_dreams: bool = True
    at: int = Field(default=0, ge=0)
    end_at: int = Field(default=0, ge=0)
    n_events: int = Field(default=0, ge=0)
    reason: str = ""

    def to_json(self) -> bytes:
        """The text of session.json."""
        return json.dumps(self.model_dump(), indent=2, ensure_ascii=False).encode() + b"\n"

    @classmethod
    def from_json(cls, text: bytes) -> SessionInfo:
        """What a session.json says. Raises DamagedInfo where it is damaged, BadInput where it is of a newer version of
        the program.
        """
        try:
            data: Any = json.loads(text)
        except (ValueError, RecursionError) as fault:
            raise DamagedInfo(f"session.json is damaged: {plain(fault, 80)}") from fault
        if not isinstance(data, dict):
            raise DamagedInfo("session.json is damaged: it holds no JSON object")
        version = data.get("format")
        if type(version) is int and version > FORMAT:
            raise BadInput(
                f"session.json: format {version} is of a newer version of the program, {plain(data.get('program'), 40)}; "
                f"this one reads up to format {FORMAT}: update it"
            )
        try:
            return cls.model_validate(data)
        except ValidationError as fault:
            first = fault.errors()[0]
            raise DamagedInfo(f"session.json: {'.'.join(map(str, first['loc']))}: {first['msg']}") from fault
