"""Playing a song, through a sound device or silently, and knowing which second of it is heard right now."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from .clock import AudibleClock, SteadyClock
from .devices import close_portaudio, find_output, list_devices, open_portaudio, open_stream, takes_rate
from .reading import SongReader, Stretch

if TYPE_CHECKING:
    from .decode import Song

log = logging.getLogger(__name__)

BLOCK_SAMPLES = 1024
PREROLL_S = 2.0
# A sound server may swallow the first milliseconds of a new stream: let them not be those of the song.
SILENT_BLOCKS = 2
STALLED_S, STALLED_AFTER_OPENING_S = 0.5, 3.0


class SilentPlayback:
    """Plays a song to nobody: its position is an exact clock. For machines without a sound device.

    The song stays the caller's; close it after the player. All methods belong to one thread and return at once.

    paused       whether it stands still (true after `pause`, false after `resume`)
    lost         why the device is gone; None while there is one, or when none was meant to be there
    n_underruns  times the device had to be given silence because the song was not read fast enough
    """

    def __init__(self, song: Song, *, now: Callable[[], float] = time.monotonic) -> None:
        """now: seconds, monotonic."""
        self._set_up(song, song.sample_rate_hz, now)
        self._reader.heard = self._heard_by_clock

    def _set_up(self, song: Song, speaker_rate_hz: int, now: Callable[[], float]) -> None:
        self._song = song
        self._now = now
        self._started = False
        self._closed = False
        self._clock = SteadyClock()
        self._reader = SongReader(song, speaker_rate_hz, PREROLL_S)
        self.paused = False
        self.n_underruns = 0

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
        return None

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

    def _heard_by_clock(self, stretch: Stretch) -> int:
        return round((self._clock.position(self._now()) - stretch.start_s) * stretch.rate_hz)


class Playback(SilentPlayback):
    """Plays a song through an output device. When the device dies, `lost` says why and the position goes on by the clock."""

    def __init__(
        self, song: Song, *, device: str | int | None = None, now: Callable[[], float] = time.monotonic
    ) -> None:
        """Choose the device: number, name, part of a name, or None for the default output. `start` opens it.

        Errors: DeviceError (there is none), UnknownDevice.
        """
        self._stream: Any = None
        self._lost: str | None = None
        self._fault: str | None = None
        self._portaudio: Any = open_portaudio()
        try:
            self._device = find_output(device, list_devices(self._portaudio))
            self._n_channels = min(2, self._device.n_outputs)
            rate_hz = song.sample_rate_hz
            if not takes_rate(self._portaudio, self._device, self._n_channels, rate_hz):
                rate_hz = self._device.default_rate_hz  # the sound is then resampled on its way to the ring
        except BaseException:
            self._close_device()
            raise
        self.device_name = self._device.name
        self._rate_hz = rate_hz
        self._audible = AudibleClock(0.0)
        self._set_up(song, rate_hz, now)
        self._called_s = self._opened_s = now()
        self._n_callbacks = 0

    def start(self) -> None:
        """Open the device and begin to play. Once only. Errors: DeviceError."""
        if self._started or self._closed:
            return
        import pyaudio

        self._go_on, self._output_underflow = pyaudio.paContinue, pyaudio.paOutputUnderflow
        self._reader.start()
        self._started = True
        try:
            self._stream = open_stream(
                self._portaudio,
                f"output {self.device_name!r}",
                format=pyaudio.paFloat32,
                channels=self._n_channels,
                rate=self._rate_hz,
                output=True,
                output_device_index=self._device.index,
                frames_per_buffer=BLOCK_SAMPLES,
                stream_callback=self._callback,
            )
            self._audible.latency_s = self._stream.get_output_latency()
        except BaseException:
            self.close()
            raise
        self._called_s = self._opened_s = self._now()
        if not self.paused:
            self._audible.release()

    def pause(self) -> None:
        """Stand still: `position_s` keeps its value until `resume`."""
        if self._lost is not None:
            return super().pause()
        self._audible.hold(self._now())
        self.paused = True

    def resume(self) -> None:
        """Go on where it stopped; no sample is lost or heard twice."""
        if self._lost is not None:
            return super().resume()
        self.paused = False
        if self._started:
            self._audible.release()

    @property
    def position_s(self) -> float:
        """The second of the song that is heard now, 0 .. its length; never goes back except through `seek`."""
        if self._lost is not None or self._lost_now():
            return super().position_s
        return min(self._audible.position(self._now()), self._end_s)

    @property
    def lost(self) -> str | None:
        """Why the device is gone, or None while it plays. Once lost it stays so, and the position goes on by the clock."""
        if self._lost is None:
            self._lost_now()
        return self._lost

    def close(self) -> None:
        """Stop and let go of the device, within about a second even if it hangs. Closing twice is fine."""
        self._close_device()
        super().close()

    # -- inside ----------------------------------------------------------------------------------------------------

    def _seek(self, target_s: float) -> None:
        if self._lost is not None:
            return super()._seek(target_s)
        self._audible.restart(self._reader.seek(target_s), target_s)

    def _lost_now(self) -> bool:
        """Notice that the device is gone, and hand the position over to the clock."""
        if self._stream is None:
            return False
        why = self._why_lost()
        if why is None:
            return False
        now_s = self._now()
        self._clock.restart(self._audible.position(now_s), now_s)
        if not self.paused:
            self._clock.release(now_s)
        self._lost = why
        log.warning("output %r is lost, going on in silence: %s", self.device_name, why)
        self._close_device(timeout_s=0.0)
        self._reader.heard = self._heard_by_clock
        return True

    def _why_lost(self) -> str | None:
        if self._fault is not None:
            return self._fault
        now_s = self._now()
        young = self._n_callbacks == 0 or now_s - self._opened_s < STALLED_AFTER_OPENING_S
        if now_s - self._called_s > (STALLED_AFTER_OPENING_S if young else STALLED_S):
            return f"it took no sound for {now_s - self._called_s:.1f} s"
        try:
            if not self._stream.is_active():
                return "the device stopped"
        except OSError as error:
            return f"the device is gone ({error})"
        return None

    def _close_device(self, timeout_s: float = 0.8) -> None:
        portaudio, stream = self._portaudio, self._stream
        self._portaudio = self._stream = None
        if portaudio is not None:
            close_portaudio(portaudio, stream, timeout_s=timeout_s)

    def _callback(self, data: object, n_samples: int, times: object, status: int) -> tuple[bytes, int]:
        """On PortAudio's thread: copy, count, leave. Nothing may escape: it would surface in the main thread."""
        out = np.zeros((n_samples, 2), np.float32)
        try:
            now_s = self._now()
            if status & self._output_underflow:
                self.n_underruns += 1
            stretch = self._reader.stretch
            goes = not self.paused and self._lost is None and self._n_callbacks >= SILENT_BLOCKS
            if goes and stretch is not None and stretch.is_filled:
                place_s = stretch.start_s + stretch.ring.n_taken / self._rate_hz
                n_read = stretch.ring.read_into(out)
                if n_read:
                    self._audible.handed(stretch.number, place_s, now_s)
                if n_read < n_samples and stretch.n_total is None:
                    self.n_underruns += 1
                np.clip(out, -1.0, 1.0, out=out)
            self._n_callbacks += 1
            self._called_s = now_s
        except Exception as error:  # noqa: BLE001
            self._fault = f"{type(error).__name__}: {error}"
        if self._n_channels == 1:
            out = out.mean(axis=1, dtype=np.float32)
        return out.tobytes(), self._go_on
