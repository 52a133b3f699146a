"""The cache of baked dreams: a folder for each dream, a file for each dream frame, checked when read; the least
recently used dreams are removed when it grows too large.

    FOLDER/<key>/007.frame     header (magic, version, key, depth, shape, checksum), then height*width*3 raw bytes
    FOLDER/<key>/checkpoint    only while a bake is unfinished: what it needs to continue after its last depth
    FOLDER/<key>/note.json     what the dream is of, for people: see Note

Raw bytes, because 21 pictures must be read in less time than a window takes to open. Each file is written under another
name and then renamed, so a bake that is killed leaves its first frames usable, and two bakes of one dream can only
replace a file by the same file.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import secrets
import struct
import time
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from ..errors import VisualizerError
from ..files.output_file import remove
from ..files.paths import is_file
from ..oneline import plain, reason_of, size_text
from ..settings import DreamSettings

log = logging.getLogger(__name__)

_VERSION = 1  # of the file format and of what goes into a key
_HEADER = struct.Struct("<8sII32sIIIII")  # magic, version, CRC of the header, key, depth, height, width, channels, CRC
_MAGIC = b"VIZFRAME"
_KEY = re.compile(r"[0-9a-f]{64}")
_CHECKPOINT, _NOTE = "checkpoint", "note.json"
_FRAME_NAME = re.compile(r"[0-9]{3}\.frame")
_KEPT_NAME = re.compile(rf"{_FRAME_NAME.pattern}|{_CHECKPOINT}|{re.escape(_NOTE)}")
_TEMP_NAME = re.compile(rf"\.([0-9]{{3}}|{_CHECKPOINT}|note)-[0-9a-f]{{16}}\.part")
#: the stations of live journeys are removed before other dreams where they take more than this of the cache
PASSING = 0.5
_MOST_NOTE_BYTES = 10_000
_TEMP_LIFE_S = 600.0  # a frame is written in milliseconds: an older temporary file was left by a killed process


class Note(BaseModel):
    """What a dream is of, for people. preset: its name; image: the file name of the user's own picture, "" for the
    preset's; layer: what it is dreamt with; width, height: of its frames, px; n_depths: how many it has besides depth 0
    when complete; recipe: the `dream.identity.RECIPE` it was baked with, 0 where an earlier version of the program did
    not record it. is_passing: a station that a live journey has come to, and that no other show will need.
    """

    model_config = ConfigDict(frozen=True, strict=True)

    preset: str
    image: str
    layer: str
    width: int
    height: int
    n_depths: int
    recipe: int = 0
    is_passing: bool = False


@dataclass(frozen=True)
class Entry:
    """A dream in the cache.

    used_at: seconds since the epoch; age_s: since it was used; n_frames: depths kept, depth 0 included; note: None
    where none was written or it cannot be read.
    """

    key: str
    used_at: float
    age_s: float
    n_bytes: int
    n_frames: int
    note: Note | None


class FrameCache:
    """Baked dream frames in `folder`, of at most `max_bytes`.

    No method but `entries` raises for a fault of the disk: a cache that cannot be read is empty, one that cannot be
    written does not change, and `last_fault` has one line for the user (None while there is none), which is logged as
    well: once, until a frame is saved again. Two processes may use one folder at once.
    """

    def __init__(self, folder: Path, max_bytes: int, *, now: Callable[[], float] = time.time) -> None:
        """now: the time in seconds since the epoch, compared with the times of files."""
        self.last_fault: str | None = None
        self._folder = folder
        self._max_bytes = max_bytes
        self._now = now
        self._n_bytes: int | None = None  # size of the folder as far as known; None before it was measured
        self._refused: set[str] = set()  # keys that are not saved any more: too large, or a fault of the disk
        self._logged = ""

    @property
    def folder(self) -> Path:
        """Where the dreams are; it need not exist yet."""
        return self._folder

    @property
    def max_bytes(self) -> int:
        """The largest size of all dreams together."""
        return self._max_bytes

    def key(self, image: np.ndarray, dream: DreamSettings, identity: str) -> str:
        """The key of a dream: a hash of the image (height, width, 3) uint8, every dream setting and dream.identity's
        line.
        """
        digest = hashlib.sha256()
        for part in (f"frames {_VERSION}", repr(image.shape), dream.model_dump_json(), identity):
            digest.update(f"{len(part)}:{part};".encode())
        digest.update(np.ascontiguousarray(image, dtype=np.uint8).data)
        return digest.hexdigest()

    def try_again(self) -> None:
        """Save dreams again that could not be saved: the disk may have room now."""
        self._refused.clear()

    def entry_folder(self, key: str) -> Path:
        """The folder of the dream `key`; it need not exist."""
        if not _KEY.fullmatch(key):
            raise ValueError(f"not a key of this cache: {key!r}")
        return self._folder / key

    def load(self, key: str, n_depths: int, shape: tuple[int, ...]) -> list[np.ndarray] | None:
        """Frames 0..n_depths of a finished bake, each of `shape` (height, width, 3) uint8; None if not all are
        there.
        """
        entry = self.entry_folder(key)
        # names are checked before anything is read: an unfinished entry may be many megabytes
        if not all(is_file(entry / _frame_name(index)) for index in range(n_depths + 1)):
            return None
        frames = self.load_begun(key, n_depths, shape)
        return frames if len(frames) == n_depths + 1 else None

    def load_begun(self, key: str, n_depths: int, shape: tuple[int, ...]) -> list[np.ndarray]:
        """The intact frames 0, 1, .. of a bake up to the first that is missing or damaged; a damaged one is removed."""
        entry = self.entry_folder(key)
        frames: list[np.ndarray] = []
        for index in range(n_depths + 1):
            path = entry / _frame_name(index)
            try:
                frames.append(_read_frame(path, key, index, shape))
            except FileNotFoundError:
                break
            except OSError as fault:  # not removed: saving replaces it, if permissions allow
                self._report(f"a cached dream frame cannot be read and will be baked again: {reason_of(fault)}", path)
                break
            except ValueError as fault:
                self._report(f"a cached dream frame is damaged and will be baked again ({plain(fault)})", path)
                remove(path)
                break
        if frames:
            self._touch(entry)
        return frames

    def has(self, key: str, depth_index: int) -> bool:
        """Whether there is a frame, which may be damaged."""
        return _KEY.fullmatch(key) is not None and is_file(self._folder / key / _frame_name(depth_index))

    def glance(self, key: str, depth_index: int, shape: tuple[int, ...]) -> np.ndarray | None:
        """One frame of `shape` (height, width, 3) uint8, None if it is missing or damaged. The time of use is not
        changed.
        """
        try:
            return _read_frame(self.entry_folder(key) / _frame_name(depth_index), key, depth_index, shape)
        except (OSError, ValueError):
            return None

    def save(self, key: str, depth_index: int, frame: np.ndarray) -> bool:
        """Save one frame (height, width, 3) uint8. Returns False, and sets `last_fault`, if that is not possible."""
        entry = self.entry_folder(key)
        if not 0 <= depth_index <= 999 or frame.ndim != 3 or frame.dtype != np.uint8:
            raise ValueError(f"not a dream frame: depth {depth_index}, {frame.dtype} {frame.shape}")
        if key in self._refused:
            return False
        frame = np.ascontiguousarray(frame)
        try:
            if self._n_bytes is None:
                self.trim(keep=key)
            _write_frame(entry, key, depth_index, frame)
        except OSError as fault:
            self._refused.add(key)
            self._report(f"the dream is not kept for next time: {reason_of(fault)} ({plain(self._folder)})", entry)
            return False
        self._logged = ""
        self._n_bytes = (self._n_bytes or 0) + frame.nbytes + _HEADER.size
        if self._n_bytes > self._max_bytes:
            self.trim(keep=key)
        return key not in self._refused

    def save_checkpoint(self, key: str, parts: Iterable[bytes | memoryview]) -> bool:
        """Save what an unfinished bake needs to continue, replacing what was saved before. False if that is not
        possible.

        It is no fault for the user: only a bake that is interrupted would use it.
        """
        entry = self.entry_folder(key)
        if key in self._refused:
            return False
        try:
            before = _size_of(entry / _CHECKPOINT)
            n_bytes = _write(entry, _CHECKPOINT, _CHECKPOINT, parts)
        except OSError as fault:
            log.warning("cache: %s: the checkpoint is not kept: %s", entry, fault)
            return False
        self._n_bytes = (self._n_bytes or 0) + n_bytes - before
        if self._n_bytes > self._max_bytes:
            self.trim(keep=key)
        return key not in self._refused

    def load_checkpoint(self, key: str) -> bytes | None:
        """What `save_checkpoint` saved last, unchecked; None if nothing can be read."""
        try:
            return (self.entry_folder(key) / _CHECKPOINT).read_bytes()
        except OSError as fault:
            if not isinstance(fault, FileNotFoundError):
                log.warning("cache: %s: the checkpoint cannot be read: %s", key, fault)
            return None

    def drop_checkpoint(self, key: str) -> None:
        """Remove the checkpoint of a dream."""
        remove(self.entry_folder(key) / _CHECKPOINT)

    def describe(self, key: str, note: Note) -> None:
        """Write the note of the dream `key`; a fault is only logged."""
        entry = self.entry_folder(key)
        try:
            before = _read_note(entry)
            if before is not None and not before.is_passing:  # it was baked beforehand, or for another show
                note = note.model_copy(update={"is_passing": False})
            if before != note and entry.exists():
                _write(entry, _NOTE, "note", [note.model_dump_json().encode()])
        except OSError as fault:
            log.debug("cache: %s: no note is written: %s", entry, fault)

    def has_older(self, note: Note) -> bool:
        """Whether the cache holds this dream as an older recipe made it."""
        try:
            found = [_read_note(folder) for folder in self._folders()]
        except OSError:
            return False
        return any(
            one is not None
            and one.recipe < note.recipe
            and one.model_copy(update={"recipe": note.recipe, "is_passing": note.is_passing}) == note
            for one in found
        )

    def entries(self) -> list[Entry]:
        """Every dream in the cache, the most recently used first. Raises VisualizerError for a folder that cannot be
        read.
        """
        try:
            folders = self._folders()
        except FileNotFoundError:
            return []
        except OSError as fault:
            raise VisualizerError(
                f"the cache {plain(self._folder)} cannot be read: {reason_of(fault)}; VISUALIZER_CACHE_DIR can name another folder"
            ) from fault
        now = self._now()
        found = [
            Entry(
                one.path.name, one.used_at, max(0.0, now - one.used_at), one.n_bytes, one.n_frames, _read_note(one.path)
            )
            for one in self._measured(folders)
        ]
        return sorted(found, key=lambda entry: (-entry.used_at, entry.key))

    def remove(self, key: str) -> bool:
        """Remove a dream; whether nothing of it is left. Other files in its folder stay."""
        entry = self.entry_folder(key)
        _remove_entry(entry)
        self._n_bytes = None
        try:
            return not any(_KEPT_NAME.fullmatch(file.name) for file in entry.iterdir())
        except FileNotFoundError:
            return True
        except OSError:
            return False

    def trim(self, keep: str | None = None) -> None:
        """Remove the least recently used dreams until the cache is small enough: first the stations of live journeys,
        where they take more than PASSING of it, and the dream `keep` last.

        `save` calls it when needed; call it after a bake to count what other processes have written meanwhile.
        """
        entries = self._entries()
        entries.sort(key=lambda entry: (entry.path.name == keep, entry.used_at))
        n_bytes = sum(entry.n_bytes for entry in entries)
        if n_bytes > self._max_bytes:
            first = self._passing(entries)
            entries.sort(key=lambda entry: (entry.path.name == keep, entry not in first))
        for entry in entries:
            if n_bytes <= self._max_bytes:
                break
            if entry.path.name == keep:
                self._refused.add(keep)
                self._report(
                    f"one dream takes more than the cache may hold ({size_text(self._max_bytes)}) and is not kept: "
                    "raise cache.max_gb in settings.yaml",
                    entry.path,
                )
            _remove_entry(entry.path)
            n_bytes -= entry.n_bytes
            log.info("cache: removed %s, last used %.0f s ago", entry.path.name, self._now() - entry.used_at)
        self._n_bytes = n_bytes

    def _passing(self, entries: list[_Measured]) -> set[_Measured]:
        """The stations of live journeys that are too many, the least recently used. entries: in the order of use."""
        passing = [entry for entry in entries if (note := _read_note(entry.path)) is not None and note.is_passing]
        n_bytes, found = sum(entry.n_bytes for entry in passing), set()
        for entry in passing:
            if n_bytes <= PASSING * self._max_bytes:
                break
            found.add(entry)
            n_bytes -= entry.n_bytes
        return found

    def _folders(self) -> list[Path]:
        """The folder of every dream. Raises OSError."""
        return [path for path in self._folder.iterdir() if _KEY.fullmatch(path.name) and path.is_dir()]

    def _entries(self) -> list[_Measured]:
        """Every dream; an empty list if the folder cannot be read."""
        try:
            return self._measured(self._folders())
        except OSError:
            return []

    def _measured(self, folders: list[Path]) -> list[_Measured]:
        """The sizes of the dreams in these folders. Leftovers of killed processes are removed; other files stay."""
        found = []
        for folder in folders:
            try:
                used_at, n_bytes, n_frames = folder.stat().st_mtime, 0, 0
                for file in folder.iterdir():
                    n_frames += _FRAME_NAME.fullmatch(file.name) is not None
                    status = file.lstat()
                    if _TEMP_NAME.fullmatch(file.name) and self._now() - status.st_mtime > _TEMP_LIFE_S:
                        remove(file)
                    elif _KEPT_NAME.fullmatch(file.name) or _TEMP_NAME.fullmatch(file.name):
                        n_bytes += status.st_size
            except OSError:  # another process is removing it at this moment
                continue
            found.append(_Measured(folder, used_at, n_bytes, n_frames))
        return found

    def _touch(self, entry: Path) -> None:
        try:
            moment = self._now()
            os.utime(entry, (moment, moment))
        except OSError as fault:  # a read-only cache
            log.debug("cache: time of use not noted: %s", fault)

    def _report(self, what: str, path: Path) -> None:
        self.last_fault = what
        log.log(logging.DEBUG if what == self._logged else logging.WARNING, "cache: %s: %s", path, what)
        self._logged = what


@dataclass(frozen=True)
class _Measured:
    path: Path
    used_at: float
    n_bytes: int
    n_frames: int


def _frame_name(depth_index: int) -> str:
    return f"{depth_index:03d}.frame"


def _header(key: str, depth_index: int, shape: tuple[int, ...], checksum: int) -> bytes:
    def packed(own: int) -> bytes:
        return _HEADER.pack(_MAGIC, _VERSION, own, bytes.fromhex(key), depth_index, *shape, checksum)

    return packed(zlib.crc32(packed(0)))


def _write_frame(entry: Path, key: str, depth_index: int, frame: np.ndarray) -> None:
    header = _header(key, depth_index, frame.shape, zlib.crc32(frame.data))
    _write(entry, _frame_name(depth_index), f"{depth_index:03d}", (header, frame.data))


def _write(entry: Path, name: str, mark: str, parts: Iterable[bytes | memoryview]) -> int:
    """Write a file of an entry atomically; returns its size. mark: how the name of its temporary file begins."""
    temp = entry / f".{mark}-{secrets.token_hex(8)}.part"
    for attempt in (1, 2):
        entry.mkdir(parents=True, exist_ok=True)
        try:
            file = temp.open("xb")
            break
        except FileNotFoundError:  # removed by another process between the two lines above
            if attempt == 2:
                raise
    try:
        with file:
            for part in parts:
                file.write(part)
            n_bytes = file.tell()
        temp.replace(entry / name)
    except BaseException:  # Ctrl-C too: leave no half file behind
        remove(temp)
        raise
    return n_bytes


def _read_note(entry: Path) -> Note | None:
    try:
        with (entry / _NOTE).open("rb") as file:
            return Note.model_validate_json(file.read(_MOST_NOTE_BYTES))
    except (OSError, ValidationError):
        return None


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _read_frame(path: Path, key: str, depth_index: int, shape: tuple[int, ...]) -> np.ndarray:
    """The frame in `path`. Raises ValueError unless it is exactly what was saved under that key and depth."""
    frame = np.empty(shape, dtype=np.uint8)
    with path.open("rb", buffering=0) as file:
        n_bytes = os.fstat(file.fileno()).st_size
        if n_bytes != _HEADER.size + frame.nbytes:
            raise ValueError(f"{path.name} has {n_bytes} bytes instead of {_HEADER.size + frame.nbytes}")
        header = file.read(_HEADER.size)
        into = frame.data.cast("B")
        n_read = 0
        while n_read < frame.nbytes:
            n_more = file.readinto(into[n_read:])
            if not n_more:
                raise ValueError(f"{path.name} ends early")
            n_read += n_more
    if header != _header(key, depth_index, shape, zlib.crc32(frame.data)):
        raise ValueError(f"{path.name} does not match its checksum")
    return frame


def _remove_entry(entry: Path) -> None:
    """Remove the program's files of an entry, and the folder when nothing else lies in it."""
    try:
        for file in list(entry.iterdir()):
            if _KEPT_NAME.fullmatch(file.name) or _TEMP_NAME.fullmatch(file.name):
                remove(file)
        entry.rmdir()
    except OSError as fault:  # another file in it, or in use (Windows), or already removed
        log.debug("cache: %s stays: %s", entry, fault)
