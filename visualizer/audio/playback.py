"""Plays a song, through a sound device or silently, and reports which second of it is heard now."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import Self

import numpy as np

from .clock import AudibleClock, SteadyClock
from .output import AudioOutput
from .reading import Playable, Segment, SongReader
from .volume import Volume

PREROLL_S = 2.0


class SilentPlayback:
    """Plays a song without sound: its position follows a clock. For machines without a sound device.

    The caller closes the song, after the player. All methods belong to one thread and return at once.

    paused       whether playback is paused
    volume       the playback volume
    """

    def __init__(
        self, song: Playable, *, preroll_s: float | None = PREROLL_S, now: Callable[[], float] = time.monotonic
    ) -> None:
        """preroll_s: how much of the sound before a position `drain` returns, seconds; None: it returns nothing. now:
        seconds, monotonic.
        """
        self._song = song
        self._now = now
        self._started = False
        self._closed = False
        self._turn = threading.RLock()  # guards the clocks and the reading side of the ring
        self._clock = SteadyClock()
        self._joined = False  # whether a device plays the sound
        self._reader = SongReader(song, song.sample_rate_hz, preroll_s)
        self._reader.skip_heard = self._skip_heard
        self._said_note = ""
        self.paused = False
        self.volume = Volume()

    def start(self) -> None:
        """Start playing. Call it once."""
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
        """Go on from where it paused; no sample is lost or played twice."""
        self.paused = False
        if self._started:
            self._clock.release(self._now())

    def seek(self, seconds: float) -> None:
        """Move to a position, clamped to 0 .. the song's length; a paused player stays paused. NaN counts as 0."""
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
        """Why no device plays the sound; None if one does, or none was wanted."""
        return None

    @property
    def n_underruns(self) -> int:
        """Times the device ran out of sound."""
        return 0

    @property
    def n_dropped(self) -> int:
        """Samples for `drain` that were dropped because they were not fetched within 15 s."""
        return self._reader.n_dropped

    def drain(self) -> list[tuple[int, np.ndarray]]:
        """The blocks read since the last call: (index of the first sample in the song, (n, 2) float32).

        They are up to two seconds ahead of `position_s`. After a seek the index jumps to before the new position (the
        preroll), so that a new analyzer has settled when that position is heard.
        """
        return self._reader.drain()

    @property
    def is_drained(self) -> bool:
        """Whether the song was read to its end, and `drain` has returned all of it."""
        return self._reader.is_drained

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
        segment = self._reader.segment
        return math.inf if segment is None else segment.end_s

    def _clamped(self, seconds: float) -> float:
        duration_s = math.inf if self._song.duration_s is None else self._song.duration_s
        return min(seconds, duration_s, 1e9) if seconds > 0.0 else 0.0

    def _skip_heard(self, segment: Segment) -> None:
        """Called on the reading thread: while no device plays, drop the sound that the clock has passed."""
        with self._turn:
            if not self._joined and segment.number == self._reader.number:
                heard = round((self._clock.position(self._now()) - segment.start_s) * segment.rate_hz)
                segment.ring.discard(heard - segment.ring.n_taken)

    @property
    def output_name(self) -> str | None:
        """Full name of the output that plays the song or played it last; None before that."""
        return None

    def news(self) -> str | None:
        """The next message for the user about the song or its device; None if there is none."""
        if (note := self._reader.mix_note) == self._said_note:
            return None
        self._said_note = note
        return note


class Playback(SilentPlayback):
    """Plays a song through an output device.

    While no device plays (it is being opened, lost, suspended), the position follows a clock; a device that works again
    joins at that position. At the start the song waits for its device, at most STALLED_AFTER_OPENING_S.
    """

    def __init__(
        self,
        song: Playable,
        *,
        preroll_s: float | None = PREROLL_S,
        device: str | int | None = None,
        remembered: str | None = None,
        on_choice: Callable[[str], None] = lambda name: None,
        must_be_there: bool = True,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Choose the device; `start` opens it. For the parameters see `AudioOutput`. Raises UnknownDevice."""
        super().__init__(song, preroll_s=preroll_s, now=now)
        self._audible = AudibleClock(0.0)
        self._joined = True  # the song waits for its device until `_lose` is called
        self._n_starved = 0
        self._output = AudioOutput(
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
        """Start playing; the device is opened on another thread. Call it once."""
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
        """Go on from where it paused; no sample is lost or played twice."""
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
        """Why no device plays the sound now; None while one does, and before the first failure."""
        return self._output.reason or None

    @property
    def output_name(self) -> str | None:
        """Full name of the output that plays the song or played it last; None before that."""
        return self._output.opened_name

    @property
    def device_name(self) -> str:
        """Full name of the output that is open or wanted."""
        return self._output.device_name

    @property
    def n_underruns(self) -> int:
        """Times the device ran out of sound, and times the song was not read fast enough."""
        return self._output.n_underruns + self._n_starved

    def news(self) -> str | None:
        """The next message for the user about the song or the output; None if there is none."""
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
        """Called before the device is opened: it will play at this rate."""
        with self._turn:
            if rate_hz != self._reader.rate_hz:
                self._reader.rate_hz = rate_hz
                self._seek(self.position_s)

    def _lose(self) -> None:
        """No device plays: from now on the position follows the clock."""
        with self._turn:
            if not self._joined:
                return
            now_s = self._now()
            self._clock.restart(self._audible.position(now_s), now_s)
            self._joined = False

    def _fill(self, out: np.ndarray, now_s: float, latency_s: float) -> None:
        """Called on the device's thread: fill out, (n, 2), which is heard from now_s + latency_s on."""
        self._fill_song(out, now_s, latency_s)
        self.volume.apply(out, self._reader.rate_hz)

    def _fill_song(self, out: np.ndarray, now_s: float, latency_s: float) -> None:
        with self._turn:
            segment = self._reader.segment
            if self.paused or segment is None or not segment.is_filled:
                return
            n_silent = 0 if self._joined else self._join(segment, now_s, latency_s, len(out))
            if n_silent == len(out):
                return
            place_s = segment.start_s + (segment.ring.n_taken - n_silent) / segment.rate_hz
            n_read = segment.ring.read_into(out[n_silent:])
            if n_read:
                self._audible.latency_s = latency_s
                self._audible.delivered(segment.number, place_s, now_s)
            if n_read < len(out) - n_silent and segment.n_total is None:
                self._n_starved += 1

    def _join(self, segment: Segment, now_s: float, latency_s: float, n_samples: int) -> int:
        """Move the ring to the position that is heard latency_s from now, so that the device joins there.

        Returns the number of samples of silence before it begins; n_samples if the device cannot join within this
        block.
        """
        position_s = self._clock.position(now_s)
        wanted = round((position_s + latency_s - segment.start_s) * segment.rate_hz)
        segment.ring.discard(wanted - segment.ring.n_taken)
        n_silent = segment.ring.n_taken - wanted
        if not 0 <= n_silent < n_samples or not segment.ring.n_ready:
            return n_samples
        self._audible.restart(segment.number, position_s)
        self._joined = True
        return n_silent
