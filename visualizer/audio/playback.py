"""Playing a song, through a sound device or silently, and knowing which second of it is heard right now."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Self

import numpy as np

from .clock import AudibleClock, SteadyClock
from .output import Output
from .reading import SongReader, Stretch
from .volume import Volume

if TYPE_CHECKING:
    from .decode import Song
    from .songlist import SongList

PREROLL_S = 2.0


class SilentPlayback:
    """Plays a song to nobody: its position is an exact clock. For machines without a sound device.

    The song stays the caller's; close it after the player. All methods belong to one thread and return at once.

    paused       whether it stands still (true after `pause`, false after `resume`)
    volume       how loud a device plays it
    """

    def __init__(self, song: Song | SongList, *, now: Callable[[], float] = time.monotonic) -> None:
        """now: seconds, monotonic."""
        self._song = song
        self._now = now
        self._started = False
        self._closed = False
        self._turn = threading.RLock()  # for the clocks, and for who takes the sound out of the ring
        self._clock = SteadyClock()
        self._joined = False  # whether a device takes the sound
        self._reader = SongReader(song, song.sample_rate_hz, PREROLL_S)
        self._reader.skip_heard = self._skip_heard
        self._said_note = ""
        self.paused = False
        self.volume = Volume()

    def start(self) -> None:
        """Begin to play. Once only."""
        if self._started or self._closed:
            return
        self._started = True
        self._reader.start()
        if not self.paused:
            self._clock.release(self._now())

    def pause(self) -> None:
        """Stand still: `position_s` keeps its value until `resume`."""
        self.paused = True
        self._clock.hold(self._now())

    def resume(self) -> None:
        """Go on where it stopped; no sample is lost or heard twice."""
        self.paused = False
        if self._started:
            self._clock.release(self._now())

    def seek(self, seconds: float) -> None:
        """Go on from there (paused: stand there); clamped to 0 .. the song's length. NaN is taken as 0."""
        with self._turn:
            self._seek(self._clamped(seconds))

    @property
    def position_s(self) -> float:
        """The second of the song that is heard now, 0 .. its length; never goes back except through `seek`."""
        return min(self._clock.position(self._now()), self._end_s)

    @property
    def ended(self) -> bool:
        """Whether the last sample of the song has been heard."""
        return self.position_s >= self._end_s

    @property
    def lost(self) -> str | None:
        """Why no device takes the sound; None while one does, and when none was meant to."""
        return None

    @property
    def n_underruns(self) -> int:
        """Times a device ran out of sound."""
        return 0

    @property
    def n_dropped(self) -> int:
        """Samples for `drain` that were thrown away because nobody came for them in 15 s."""
        return self._reader.n_dropped

    def drain(self) -> list[tuple[int, np.ndarray]]:
        """The sound read since the last call, ahead of what is heard: (first sample's index in the song, (n,) mono float32).

        It runs up to two seconds ahead of `position_s`. After a seek the index jumps, to two seconds before the place
        sought (the preroll), so that a follower started afresh there has settled when the place is heard.
        """
        return self._reader.drain()

    def close(self) -> None:
        """Stop. Closing twice is fine."""
        self._closed = True
        self._reader.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _seek(self, target_s: float) -> None:
        self._reader.seek(target_s)
        self._clock.restart(target_s, self._now())

    @property
    def _end_s(self) -> float:
        stretch = self._reader.stretch
        return math.inf if stretch is None else stretch.end_s

    def _clamped(self, seconds: float) -> float:
        duration_s = math.inf if self._song.duration_s is None else self._song.duration_s
        return min(seconds, duration_s, 1e9) if seconds > 0.0 else 0.0

    def _skip_heard(self, stretch: Stretch) -> None:
        """Called on the reading thread: while no device takes the sound, what the clock has passed makes room."""
        with self._turn:
            if not self._joined and stretch.number == self._reader.number:
                heard = round((self._clock.position(self._now()) - stretch.start_s) * stretch.rate_hz)
                stretch.ring.discard(heard - stretch.ring.n_taken)

    @property
    def output_name(self) -> str | None:
        """The full name of the output that plays it, or did last; None before there is one."""
        return None

    def news(self) -> str | None:
        """A line for the user about the sound or its device that was not returned yet, if there is one."""
        if (note := self._reader.mix_note) == self._said_note:
            return None
        self._said_note = note
        return note


class Playback(SilentPlayback):
    """Plays a song through an output device.

    While no device takes the sound (it is opened, lost, suspended), the position goes on by the clock; sound joins at that position
    as soon as a device takes it again. At the start the song waits for its device, STALLED_AFTER_OPENING_S at most.
    """

    def __init__(
        self,
        song: Song | SongList,
        *,
        device: str | int | None = None,
        remembered: str | None = None,
        on_choice: Callable[[str], None] = lambda name: None,
        must_be_there: bool = True,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Choose the device; `start` opens it. For the arguments see `Output`. Errors: UnknownDevice."""
        super().__init__(song, now=now)
        self._audible = AudibleClock(0.0)
        self._joined = True  # so the song waits for its device; `_lose` ends that
        self._n_starved = 0
        self._output = Output(
            self._fill,
            self._lose,
            wanted=device,
            rate_hz=song.sample_rate_hz,
            set_rate=self._set_rate,
            remembered=remembered,
            on_choice=on_choice,
            must_be_there=must_be_there,
            now=now,
        )

    def start(self) -> None:
        """Begin to play; the device is opened on another thread. Once only."""
        if self._started or self._closed:
            return
        super().start()
        if not self.paused:
            self._audible.release()
        self._output.start()

    def pause(self) -> None:
        """Stand still: `position_s` keeps its value until `resume`."""
        with self._turn:
            super().pause()
            self._audible.hold(self._now())

    def resume(self) -> None:
        """Go on where it stopped; no sample is lost or heard twice."""
        with self._turn:
            super().resume()
            if self._started:
                self._audible.release()

    @property
    def position_s(self) -> float:
        """The second of the song that is heard now, 0 .. its length; never goes back except through `seek`."""
        with self._turn:
            if not self._joined:
                return super().position_s
            return min(self._audible.position(self._now()), self._end_s)

    @property
    def lost(self) -> str | None:
        """Why no device takes the sound now, or None while one does, and before the first failure."""
        return self._output.reason or None

    @property
    def output_name(self) -> str | None:
        """The full name of the output that plays it, or did last; None before there is one."""
        return self._output.opened_name

    @property
    def device_name(self) -> str:
        """The output that is played through or looked for."""
        return self._output.device_name

    @property
    def n_underruns(self) -> int:
        """Times the device ran out of sound, and times the song was not read fast enough."""
        return self._output.n_underruns + self._n_starved

    def news(self) -> str | None:
        """A line for the user about the song or the output that was not returned yet, if there is one."""
        return self._output.news() or super().news()

    def close(self) -> None:
        """Stop and close the device, within about two seconds even if it hangs. Closing twice is fine."""
        self._output.close()
        super().close()

    # -- inside ----------------------------------------------------------------------------------------------------

    def _seek(self, target_s: float) -> None:
        if self._joined:
            self._audible.restart(self._reader.seek(target_s), target_s)
        else:
            super()._seek(target_s)

    def _set_rate(self, rate_hz: int) -> None:
        """The device about to be opened takes the sound at this rate."""
        with self._turn:
            if rate_hz != self._reader.rate_hz:
                self._reader.rate_hz = rate_hz
                self._seek(self.position_s)

    def _lose(self) -> None:
        """No device takes the sound: the position goes on by the clock."""
        with self._turn:
            if not self._joined:
                return
            now_s = self._now()
            self._clock.restart(self._audible.position(now_s), now_s)
            self._joined = False

    def _fill(self, out: np.ndarray, now_s: float, latency_s: float) -> None:
        """Called on the device's thread: out (n, 2) is heard from now_s + latency_s on."""
        self._fill_song(out, now_s, latency_s)
        self.volume.apply(out, self._reader.rate_hz)

    def _fill_song(self, out: np.ndarray, now_s: float, latency_s: float) -> None:
        with self._turn:
            stretch = self._reader.stretch
            if self.paused or stretch is None or not stretch.is_filled:
                return
            n_silent = 0 if self._joined else self._join(stretch, now_s, latency_s, len(out))
            if n_silent == len(out):
                return
            place_s = stretch.start_s + (stretch.ring.n_taken - n_silent) / stretch.rate_hz
            n_read = stretch.ring.read_into(out[n_silent:])
            if n_read:
                self._audible.latency_s = latency_s
                self._audible.handed(stretch.number, place_s, now_s)
            if n_read < len(out) - n_silent and stretch.n_total is None:
                self._n_starved += 1

    def _join(self, stretch: Stretch, now_s: float, latency_s: float, n_samples: int) -> int:
        """Bring the ring to what is to be heard latency_s from now -> after how many samples of silence it begins; n_samples: the
        device cannot be joined with this block."""
        position_s = self._clock.position(now_s)
        wanted = round((position_s + latency_s - stretch.start_s) * stretch.rate_hz)
        stretch.ring.discard(wanted - stretch.ring.n_taken)
        n_silent = stretch.ring.n_taken - wanted
        if not 0 <= n_silent < n_samples or not stretch.ring.n_ready:
            return n_samples
        self._audible.restart(stretch.number, position_s)
        self._joined = True
        return n_silent
