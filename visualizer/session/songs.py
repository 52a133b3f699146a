"""The files of the songs of a session of `play`: its copies, or those that were played, if they are still what they
were.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from ..errors import BadInput
from ..files.remembered import remembered_songs
from ..oneline import plain, reason_of
from .dream_files import file_sha256
from .events import SongEvent
from .reader import RecordedSession


def song_files(session: RecordedSession, songs: Iterable[SongEvent], say: Callable[[str], None]) -> dict[str, Path]:
    """The files of songs by their hash. No name in a session leads out of its folder: where songs lay that were not
    copied is remembered elsewhere, by the program that recorded them.

    say: called with one line about each song that is not found.
    """
    files: dict[str, Path] = {}
    for song in {one.sha256: one for one in songs}.values():
        try:
            files[song.sha256] = _file_of(session, song)
        except BadInput as fault:
            say(f"{fault}; its sound is the mono mix that was analysed")
    return files


def _file_of(session: RecordedSession, song: SongEvent) -> Path:
    if f"songs/{song.file}" in session.files:
        path = session.folder.songs / song.file
        if not _is_same(path, song.sha256):
            raise BadInput(f"{plain(path)}: is damaged")
        return path
    for path in remembered_songs(song.sha256):
        if _is_same(path, song.sha256):
            return path
    raise BadInput(
        f"the song {plain(song.name)} was not copied, and the same file is no longer where it was played from"
    )


def _is_same(path: Path, sha256: str) -> bool:
    try:
        return path.is_file() and file_sha256(path) == sha256
    except (OSError, ValueError) as fault:
        raise BadInput(f"{plain(path)}: cannot be read: {reason_of(fault)}") from fault
