"""The song files that paths name: files as given, and the songs in folders."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from ..errors import BadInput
from ..oneline import reason_of
from ..private import keep_private
from .paths import is_folder

#: endings of the files that are taken from a folder; a file that is named itself may have any name
SUFFIXES = frozenset(
    [
        "3gp",
        "aac",
        "ac3",
        "aif",
        "aiff",
        "ape",
        "au",
        "avi",
        "caf",
        "dts",
        "eac3",
        "flac",
        "flv",
        "m4a",
        "m4b",
        "m4v",
        "mka",
        "mkv",
        "mov",
        "mp2",
        "mp3",
        "mp4",
        "mpc",
        "mpeg",
        "mpg",
        "oga",
        "ogg",
        "opus",
        "ts",
        "tta",
        "w64",
        "wav",
        "webm",
        "wma",
        "wmv",
        "wv",
    ]
)


def song_files(paths: Sequence[Path]) -> list[Path]:
    """The songs that paths name: files as given, and for a folder the songs in it, in natural order ("2" before
    "10").

    Hidden files, files with other endings, and folders inside a folder are ignored.
    Raises BadInput for a folder that cannot be read or holds no song.
    """
    found: list[Path] = []
    for path in paths:
        keep_private(path)
        found += _songs_in(path) if is_folder(path) else [path]
    return found


def natural_key(name: str) -> tuple[list[str | int], str]:
    """The sort key of a name: numbers in it are compared as numbers, and case is ignored."""
    parts = re.split(r"(\d+)", name.casefold())
    return [int(part) if place % 2 else part for place, part in enumerate(parts)], name


def _songs_in(folder: Path) -> list[Path]:
    try:
        songs = [
            path
            for path in folder.iterdir()
            if not path.name.startswith(".") and path.suffix.lower().removeprefix(".") in SUFFIXES and path.is_file()
        ]
    except OSError as error:
        raise BadInput(f"{folder}: cannot be read ({reason_of(error)})") from error
    if not songs:
        raise BadInput(f"{folder}: there are no songs in this folder (folders inside it are not searched)")
    return sorted(songs, key=lambda path: natural_key(path.name))
