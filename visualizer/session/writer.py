"""Writes a session while the show runs, on a thread of its own. docs/sessions.md describes the files."""

from __future__ import annotations

import logging
import math
import re
import shutil
import threading
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Literal, Self

import numpy as np
from filelock import FileLock, Timeout

from .. import __version__
from ..clock import iso_date_and_time, monotonic
from ..errors import VisualizerError
from ..files.durable import sync_folder
from ..files.output_file import WholeWrites, atomic_write
from ..files.remembered import remember_song
from ..oneline import plain, reason_of, size_text
from ..presets.dreams import DreamFrame
from ..presets.loaded import LoadedPreset
from .dream_files import file_sha256, pixel_sha256, write_dream
from .events import (
    CLOCK_HZ,
    DreamEvent,
    EditEvent,
    EndEvent,
    Event,
    GapEvent,
    PresetEvent,
    SongEvent,
    encode,
)
from .keeper import FileKeeper
from .layout import KEEP_FREE_BYTES, SessionFolder, SessionInfo, new_folder
from .preset_copy import PresetCopy, copy_of, write_copy
from .sound_writer import SoundWriter
from .syncer import Syncer

log = logging.getLogger(__name__)

#: what waits is written this often; files are synced this often, so that with the time this takes half a second is
#: the most that a power cut takes away
POLL_S, SYNC_S = 0.05, 0.35
#: free space is looked at this often, and less than this is a warning; bytes a second until they are known
SPACE_S, WARN_S, USUAL_BYTES_PER_S = 10.0, 30 * 60.0, 110_000.0
#: what may wait in memory for a slow disk: sound and events, and dream frames
MOST_WAITING_BYTES, MOST_WAITING_DREAM_BYTES = 64_000_000, 512_000_000
#: from so much on that waits, dream frames are written without compressing them, which is faster
_HURRY_BYTES = 64_000_000
_EVENT_BYTES = 1000  # of memory that an event takes while it waits, about
_TOO_SLOW = "the disk is too slow"
_What = Literal["sound", "event", "dream", "preset", "song"]


@dataclass(frozen=True)
class RecordingState:
    """The state of a recording.

    is_recording: False once it has ended, or had to stop: then `reason` says why, "" if the user ended it. seconds:
    recorded so far. n_bytes: of its files so far. free_s: seconds of sound for which the disk has room. n_gaps: times
    something could not be written. name: of its folder.
    """

    is_recording: bool
    seconds: float
    n_bytes: int
    free_s: float
    n_gaps: int
    reason: str
    name: str


@dataclass
class _Waiting:
    """How much of one kind waits for the disk, and may."""

    most_bytes: Callable[[], int]
    n_bytes: int = 0


class SessionWriter:
    """Records a session. Everything handed over is written by a thread; no method but `close` waits for a disk, and
    none raises after `open`: what goes wrong is in `state` and `news`.

    folder: where it is. Times `at` are ticks of the session's clock.
    """

    def __init__(
        self,
        folder: SessionFolder,
        info: SessionInfo,
        lock: FileLock,
        *,
        most_dream_bytes: int,
        keep_free_bytes: int,
        now: Callable[[], float],
    ) -> None:
        """See `open`."""
        self.folder, self._info, self._file_lock, self._now = folder, info, lock, now
        self._most_dream_bytes, self._keep_free_bytes = most_dream_bytes, keep_free_bytes
        # handed over, and not written yet
        self._lock = threading.Lock()
        self._waiting: list[tuple[Callable[[], None], int, _Waiting]] = []
        self._waits = _Waiting(lambda: MOST_WAITING_BYTES)
        # many dream frames at once do not take the place of sound
        self._waits_dream = _Waiting(lambda: MOST_WAITING_DREAM_BYTES - self._keeper.n_waiting_bytes)
        self._missing: dict[_What, GapEvent] = {}
        self._is_ending, self._reason = False, ""
        self._wake = threading.Event()
        self._news: deque[str] = deque(maxlen=8)
        # of the writing thread
        self._is_recording = True
        self._n_lines = self._n_gaps = self._n_event_bytes = self._n_dream_bytes = 0
        self._latest = info.at
        self._dreams: set[str] = set()
        self._presets: set[str] = set()
        self._late: deque[Event] = deque()  # from the keeper's thread
        self._free_bytes, self._has_warned, self._has_no_room_for_dreams = 0, False, False
        self._looked_s = now()
        self._keeper = FileKeeper()
        self._events = WholeWrites(folder.events)
        self._syncer = Syncer(folder.root, SYNC_S, now)
        self._syncer.add(self._events)
        self._sound = SoundWriter(folder, self._syncer, self._write_line)
        self._thread = threading.Thread(target=self._run, name="session", daemon=True)

    @classmethod
    def open(
        cls,
        folder: Path | None = None,
        *,
        kind: Literal["live", "play"],
        width: int,
        height: int,
        at: int = 0,
        keep_sound: bool = True,
        keep_dreams: bool = True,
        most_dream_bytes: int = 16_000_000_000,
        keep_free_bytes: int = KEEP_FREE_BYTES,
        now: Callable[[], float] = monotonic,
    ) -> Self:
        """Create the folder of a session and begin to record. It takes some tenths of a second, the first time.

        Parameters
        ----------
        folder : its path, see `new_folder`
        width, height : of the dream frames, px
        at : the tick at which it begins; sound from before is left out
        keep_sound, keep_dreams : whether sound and dream frames are kept
        most_dream_bytes : of all dream frames together, before they are compressed; later ones are not kept
        keep_free_bytes : of the disk; the recording stops when less is free

        Raises VisualizerError if nothing can be written there, or the disk has too little room.
        """
        import_module("av")  # now, and not while sound waits for it

        info = SessionInfo(
            program=__version__,
            kind=kind,
            started=iso_date_and_time(),
            width=width,
            height=height,
            has_sound=keep_sound,
            has_dreams=keep_dreams,
            at=at,
        )
        place = new_folder(folder)
        lock = FileLock(place.lock, thread_local=False)  # the writing thread releases it
        try:
            with suppress(NotImplementedError):  # a disk without locks
                lock.acquire(timeout=0)
            with atomic_write(place.info) as part:
                part.write_bytes(info.to_json())
            place.presets.mkdir()
            place.dreams.mkdir()
            sync_folder(place.root.parent)
            writer = cls(place, info, lock, most_dream_bytes=most_dream_bytes, keep_free_bytes=keep_free_bytes, now=now)
            writer._look_at_space()
            if writer._is_ending:
                writer._abandon()
                raise VisualizerError(
                    f"nothing can be recorded in {plain(place.root)}: the disk has only "
                    f"{size_text(writer._free_bytes)} free; free some space, or record elsewhere"
                )
        except (OSError, Timeout, VisualizerError) as fault:
            lock.release(force=True)
            shutil.rmtree(place.root, ignore_errors=True)  # it was new, or empty
            if isinstance(fault, VisualizerError):
                raise
            raise VisualizerError(f"nothing can be recorded in {plain(place.root)}: {reason_of(fault)}") from fault
        writer._news.appendleft(f"recording; the disk has room for {writer._free_s / 3600:.1f} hours")
        writer._thread.start()
        return writer

    # -- for any thread -----------------------------------------------------------------------------------------------

    @property
    def state(self) -> RecordingState:
        """The state of the recording now."""
        n_bytes = self._sound.n_bytes + self._n_event_bytes + self._keeper.n_bytes
        seconds = (self._latest - self._info.at) / CLOCK_HZ
        return RecordingState(
            self._is_recording, seconds, n_bytes, self._free_s, self._n_gaps, self._reason, self.folder.root.name
        )

    def news(self) -> str | None:
        """A line for the user, each once: the room at the start, a warning, why it stopped."""
        return self._news.popleft() if self._news else None

    def begin(self, at: int, seeds: Mapping[str, int]) -> None:
        """Begin the session at another tick than it was opened with. seeds: see `SessionInfo`."""
        self._put(partial(self._begin, at, seeds), 0, GapEvent(at=at, what="event"))

    def event(self, event: Event) -> None:
        """Record an event."""
        self._put(partial(self._write_event, event), _EVENT_BYTES, GapEvent(at=event.at, what="event"))

    def sound(self, samples: np.ndarray, at: int, rate_hz: int, came: int | None = None) -> None:
        """Record sound that the analyzer was given, and that it was: the step of the analysis is written with it.

        samples: (n,) or (n, channels) float32, on the grid of `session.sound.on_grid`, else they are rounded to it. at:
        of the first of them. came: from which tick on display frames have it; None: each sample from its own.
        """
        if self._info.has_sound and len(samples):
            lost = GapEvent(at=at, what="sound", count=len(samples))
            write = partial(self._write_sound, samples.copy(), at, rate_hz, came)
            self._put(write, _EVENT_BYTES + samples.nbytes, lost)

    def dream(self, at: int, scene: int, placed: DreamFrame) -> None:
        """Record that a dream frame was put into a scene. The frame must not be changed afterwards."""
        self._put(partial(self._write_dream, at, scene, placed), placed.frame.nbytes, GapEvent(at=at, what="dream"))

    def preset(self, at: int, scene: int, loaded: LoadedPreset) -> None:
        """Record that a preset was opened as a scene, and copy its files."""
        self._put(partial(self._write_preset, at, scene, loaded), _EVENT_BYTES, GapEvent(at=at, what="preset"))

    def edit(self, at: int, scene: int, loaded: LoadedPreset, copy: PresetCopy | None = None) -> None:
        """Record that the preset of a scene was edited, and keep its files. copy: these as they were when it was read;
        None: as they are.
        """
        n_bytes = _EVENT_BYTES + (copy.n_memory_bytes if copy else 0)
        self._put(partial(self._write_edit, at, scene, loaded, copy), n_bytes, GapEvent(at=at, what="preset"))

    def song(
        self, at: int, start_s: float, path: Path, *, copy: bool, gain: float = 1.0, stream: int | None = None
    ) -> None:
        """Record that a song is played which begins at `start_s` seconds of the source: by its hash, and with a copy of
        the file if `copy` and there is room. gain, stream: see `SongEvent`.
        """
        keep = partial(self._keep_song, at, start_s, path, copy, gain, stream)
        self._put(partial(self._keeper.put, keep, 0), _EVENT_BYTES, GapEvent(at=at, what="song"))

    def end(self, reason: str = "") -> None:
        """Begin to end the recording: `state` says when it has ended. reason: "" if the user ended it."""
        with self._lock:
            if not self._is_ending:
                self._is_ending, self._reason = True, reason
        self._wake.set()

    def close(self) -> None:
        """End the recording, and wait until all of it is written."""
        self.end()
        self._thread.join()

    def _put(self, write: Callable[[], None], n_bytes: int, lost: GapEvent) -> None:
        """Hand something over to the writing thread; count it as lost where too much waits already."""
        waits = self._waits_dream if lost.what == "dream" else self._waits
        with self._lock:
            if self._is_ending:
                return
            if waits.n_bytes + n_bytes > waits.most_bytes():
                before = self._missing.get(lost.what)
                if before is not None:
                    lost = before.model_copy(update={"count": before.count + lost.count})
                self._missing[lost.what] = lost.model_copy(update={"reason": _TOO_SLOW})
                return
            self._put_missing()
            self._waiting.append((write, n_bytes, waits))
            waits.n_bytes += n_bytes

    def _put_missing(self) -> None:
        """Hand over what was lost before what comes next. The caller holds the lock."""
        for gap in self._missing.values():
            self._waiting.append((partial(self._write_gap, gap), 0, self._waits))
        self._missing.clear()

    # -- on the writing thread ----------------------------------------------------------------------------------------

    @property
    def _free_s(self) -> float:
        recorded_s = (self._latest - self._info.at) / CLOCK_HZ
        n_bytes = self._sound.n_bytes + self._n_event_bytes
        rate = n_bytes / recorded_s if recorded_s > 60 else USUAL_BYTES_PER_S
        return max(0.0, self._free_bytes - self._keep_free_bytes) / max(rate, 1.0)

    def _run(self) -> None:
        try:
            is_last = False
            while not is_last:
                self._wake.wait(POLL_S)
                is_last = self._is_ending  # asked before what waits is taken: nothing is handed over after it
                self._write_waiting()
                self._write_late()
                if self._syncer.failed is not None:
                    raise self._syncer.failed
                if self._now() - self._looked_s >= SPACE_S:
                    self._look_at_space()
            self._finish()
        except Exception as error:
            if not isinstance(error, OSError):
                log.exception("the recording failed")
            self._reason = f"it could not be written: {reason_of(error)}"
            with self._lock:
                self._is_ending = True
                self._waiting.clear()
            self._report_end()
            self._abandon()
        else:
            self._report_end()

    def _report_end(self) -> None:
        if self._reason:
            log.warning("the recording in %s has stopped: %s", self.folder.root.name, self._reason)
            self._news.append(f"the recording has stopped: {self._reason}")
        self._is_recording = False  # last: whoever sees it False finds the news

    def _write_waiting(self) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, []
            if not waiting and self._is_ending:
                self._put_missing()
                waiting, self._waiting = self._waiting, []
        waiting.reverse()
        while waiting:  # what is written is released at once
            write, n_bytes, waits = waiting.pop()
            write()
            del write
            with self._lock:
                waits.n_bytes -= n_bytes
        self._sound.end_step()

    def _write_late(self) -> None:
        """Write the events that come from the keeper's thread."""
        while self._late:
            event = self._late.popleft()
            self._write_gap(event) if isinstance(event, GapEvent) else self._write_event(event)
        if self._keeper.failed is not None:
            failed, self._keeper.failed = self._keeper.failed, None
            self._write_gap(GapEvent(at=self._latest, what="dream", reason=plain(failed)))

    def _look_at_space(self) -> None:
        self._looked_s = self._now()
        self._free_bytes = shutil.disk_usage(self.folder.root).free
        if self._free_bytes < self._keep_free_bytes:
            self.end(f"the disk is full: only {size_text(self._free_bytes)} are free")
        elif self._free_s < WARN_S and not self._has_warned:
            self._has_warned = True
            self._news.append(f"the disk has room for only {self._free_s / 60:.0f} minutes of recording")

    def _begin(self, at: int, seeds: Mapping[str, int]) -> None:
        self._info = self._info.model_copy(update={"at": at, "seeds": dict(seeds)})
        self._latest = at
        with atomic_write(self.folder.info) as part:
            part.write_bytes(self._info.to_json())

    def _write_line(self, event: Event, end: int) -> None:
        """Write an event. end: the tick at which what it reports ends."""
        try:
            line = encode(self._n_lines, event)
        except (TypeError, ValueError) as fault:  # such as no number of JSON in a command
            log.exception("an event cannot be written")
            self._write_gap(GapEvent(at=event.at, what="event", reason=plain(fault, 80)))
            return
        self._events.write(line)
        self._n_lines += 1
        self._n_event_bytes += len(line)
        self._latest = max(self._latest, end)

    def _write_event(self, event: Event) -> None:
        if not self._sound.takes(event):
            self._write_line(event, event.at)

    def _write_gap(self, gap: GapEvent) -> None:
        self._n_gaps += 1
        what = "frames of the dream" if gap.what == "dream" else f"{gap.what}s" if gap.what != "sound" else ""
        lost = f"{gap.count} {what}" if what else f"{gap.count / max(self._sound.rate_hz, 1):.1f} s of sound"
        self._news.append(f"recording: {lost} could not be written: {gap.reason}")
        self._write_event(gap)

    def _write_sound(self, samples: np.ndarray, at: int, rate_hz: int, came: int | None) -> None:
        if at < self._info.at:  # sound left over from before the recording
            n_before = math.ceil((self._info.at - at) * rate_hz / CLOCK_HZ)
            samples, at = samples[n_before:], at + round(n_before * CLOCK_HZ / rate_hz)
        if len(samples):
            self._sound.write(samples, at, rate_hz, came)

    def _write_dream(self, at: int, scene: int, placed: DreamFrame) -> None:
        height, width = placed.frame.shape[:2]
        sha256 = pixel_sha256(placed.frame)
        self._write_event(
            DreamEvent(
                at=at,
                scene=scene,
                variant=placed.variant,
                depth_index=placed.depth_index,
                sha256=sha256,
                width=width,
                height=height,
                finished=placed.finished,
            )
        )
        n_bytes = placed.frame.nbytes
        if sha256 in self._dreams or not self._info.has_dreams or self._has_no_room_for_dreams:
            return
        if self._n_dream_bytes + n_bytes > self._most_dream_bytes or self._has_warned:
            self._has_no_room_for_dreams = True
            room = "the disk is nearly full" if self._has_warned else f"they have {size_text(self._n_dream_bytes)}"
            self._write_gap(GapEvent(at=at, what="dream", reason=f"{room}; no further ones are kept"))
            return
        self._dreams.add(sha256)
        self._n_dream_bytes += n_bytes
        self._keeper.put(partial(self._keep_dream, sha256, placed.frame), n_bytes)

    def _keep_dream(self, sha256: str, frame: np.ndarray) -> int:
        """On the keeper's thread."""
        return write_dream(self.folder.dream(sha256), frame, compress=self._keeper.n_waiting_bytes < _HURRY_BYTES)

    def _write_preset(self, at: int, scene: int, loaded: LoadedPreset) -> None:
        try:
            copy = copy_of(loaded)
        except VisualizerError as fault:
            self._write_gap(GapEvent(at=at, what="preset", reason=str(fault)))
            return
        asked, (width, height) = loaded.overrides, loaded.size
        event = PresetEvent(
            at=at,
            folder=copy.folder,
            scene=scene,
            reference=loaded.reference,
            name=loaded.name,
            width=width,
            height=height,
            image=copy.image,
            seed=asked.seed,
            network=asked.network,
            layer=asked.layer,
            dream=dict(asked.dream),
            journey=asked.journey,
        )
        self._write_event(event)
        self._keep_copy(copy)

    def _write_edit(self, at: int, scene: int, loaded: LoadedPreset, copy: PresetCopy | None) -> None:
        try:
            copy = copy or copy_of(loaded, has_bank=False)  # which is the same
        except VisualizerError as fault:
            self._write_gap(GapEvent(at=at, what="preset", reason=str(fault)))
            return
        self._write_event(EditEvent(at=at, folder=copy.folder, scene=scene, name=loaded.name))
        self._keep_copy(copy)

    def _keep_copy(self, copy: PresetCopy) -> None:
        if copy.folder not in self._presets:
            self._presets.add(copy.folder)
            self._keeper.put(partial(write_copy, copy, self.folder.presets), copy.n_memory_bytes)

    def _keep_song(self, at: int, start_s: float, path: Path, copy: bool, gain: float, stream: int | None) -> int:
        """On the keeper's thread: reading a whole song can take seconds."""
        try:
            sha256 = file_sha256(path)
            name = f"{sha256[:16]}{re.sub('[^.A-Za-z0-9]', '', path.suffix)[:10]}" if copy else ""
            n_bytes = path.stat().st_size if copy else 0
            if n_bytes > self._free_bytes - self._keep_free_bytes:
                name, n_bytes = "", 0
            target = self.folder.songs / name
            if name and not target.exists():
                self.folder.songs.mkdir(exist_ok=True)
                with atomic_write(target) as part:
                    shutil.copyfile(path, part)
        except (OSError, VisualizerError) as fault:
            self._late.append(GapEvent(at=at, what="song", reason=reason_of(fault)))
            return 0
        remember_song(sha256, path)  # its place is no part of a session, which may be given away
        self._late.append(
            SongEvent(at=at, name=path.name, sha256=sha256, start_s=start_s, file=name, gain=gain, stream=stream)
        )
        return n_bytes

    def _finish(self) -> None:
        """End the recording as it should be ended."""
        self._sound.end_part()
        self._keeper.close()
        self._write_late()
        self._write_event(EndEvent(at=self._latest, reason=self._reason))
        self._syncer.close()
        changes = {"state": "closed", "end_at": self._latest, "n_events": self._n_lines, "reason": self._reason}
        with atomic_write(self.folder.info) as part:
            part.write_bytes(self._info.model_copy(update=changes).to_json())
        self._unlock()

    def _abandon(self) -> None:
        """Close all files as they are: the session stays open, and can be repaired."""
        self._keeper.close()
        with suppress(OSError):
            self._syncer.close()
        self._unlock()

    def _unlock(self) -> None:
        with suppress(OSError):
            self._file_lock.release(force=True)
            self.folder.lock.unlink()
