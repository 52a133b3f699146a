"""Sound from an input device, as it arrives."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np

from ..errors import BadInput, DeviceError, SoundHangs, UnknownDevice
from .devices import Device, close_portaudio, find_input, list_devices, open_portaudio, open_stream
from .mono import MonoMix
from .recovery import GONE_S, STALLED_S
from .ring import SampleRing

log = logging.getLogger(__name__)

RING_S = 4.0
STALE_S = 0.5
STALLED_AFTER_OPENING_S = 3.0
# An idle sound server may take over two seconds to deliver its first block, on a busy machine longer.
FIRST_BLOCK_S = 6.0
# More channels than this are a sound server's way of saying "as many as you like", not that many microphones.
_MOST_CHANNELS = 8
GAIN_DB = (-60.0, 60.0)


class Capture:
    """Listens to an input device. Attributes: device, sample_rate_hz, device_name, channels, n_dropped, n_overruns, arrived.

    n_dropped counts samples thrown away because they were older than half a second when somebody came to fetch them;
    n_overruns counts the times the device or the ring had no room; arrived is set with every block that comes in; channels are
    the numbers, from 1, of those that are mixed.
    """

    def __init__(
        self,
        device: str | int | None = None,
        *,
        sample_rate_hz: int | None = None,
        n_block_samples: int = 256,
        channels: Sequence[int] = (),
        gain_db: float = 0.0,
        choose: Callable[[list[Device]], Device] | None = None,
        arrived: threading.Event | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Choose the device: number, name, part of a name, or None for the default input. `start` opens it.

        sample_rate_hz: the device's own unless given. n_block_samples: what the device delivers at a time. channels: those
        to be mixed, from 1; all if none. gain_db: -60..60. choose: picks among all devices in place of `device`. arrived: the event to be set, one of its own if None.
        Errors: UnknownDevice (also for a channel that the device has not), BadInput (gain), DeviceError.
        """
        self._now = now
        self.arrived = arrived or threading.Event()
        self._n_block_samples = n_block_samples
        self._stream: Any = None
        self._portaudio: Any = None
        self._portaudio = open_portaudio()
        try:
            devices = list_devices(self._portaudio)
            self.device = find_input(device, devices) if choose is None else choose(devices)
            self._widths = self.check(self.device, channels, gain_db)
        except BaseException:
            self.close()
            raise
        self.devices = devices
        self.device_name = self.device.name
        self.sample_rate_hz = sample_rate_hz or self.device.default_rate_hz
        self._columns = [channel - 1 for channel in channels]
        self._gain = 10.0 ** (gain_db / 20)
        self.channels: tuple[int, ...]
        self._peaks: np.ndarray
        self._set_channels(self._widths[0])
        self._ring = SampleRing(round(RING_S * self.sample_rate_hz), 1)
        self._stamp_s = self._opened_s = self._sounded_s = self._now()
        self._n_callbacks = 0
        self._fault: str | None = None
        self._lost: str | None = None
        self.n_dropped = 0
        self.n_overruns = 0

    @staticmethod
    def check(device: Device, channels: Sequence[int], gain_db: float) -> list[int]:
        """How many channels to open the device with, the likeliest first. Raises UnknownDevice for a channel that it has not,
        BadInput for a gain outside -60..60 dB."""
        if not GAIN_DB[0] <= gain_db <= GAIN_DB[1]:
            raise BadInput(f"a gain of {gain_db:g} dB cannot be used; allowed: {GAIN_DB[0]:g} .. {GAIN_DB[1]:g}")
        wrong = next((channel for channel in channels if not 1 <= channel <= device.n_inputs), None)
        if wrong is not None:
            has = f"channels 1 .. {device.n_inputs}" if device.n_inputs > 1 else "one channel, 1"
            raise UnknownDevice(f"input {device.name!r} has no channel {wrong}; it has {has}")
        if device.is_mixed:
            if channels:
                raise UnknownDevice(
                    f"the sound server gives the {device.n_inputs} channels of {device.name!r} mixed, not one by one; leave "
                    "--channels out, or choose the interface's own ALSA device (hw:)"
                )
            return [1]
        if device.n_inputs <= _MOST_CHANNELS:
            return [device.n_inputs]
        # some drivers open a device only with all of its channels
        return list(dict.fromkeys([max(2, *channels), device.n_inputs])) if channels else [2]

    def start(self) -> None:
        """Open the device and begin to listen. Errors: DeviceError."""
        if self._stream is not None or self._portaudio is None:
            return
        import pyaudio

        self._go_on, self._input_overflow = pyaudio.paContinue, pyaudio.paInputOverflow
        try:
            for n_channels in self._widths:
                self._set_channels(n_channels)
                self._opened_s = self._stamp_s = self._sounded_s = self._now()
                try:
                    self._stream = open_stream(
                        self._portaudio,
                        f"input {self.device_name!r}",
                        source=self.device.source,
                        format=pyaudio.paFloat32,
                        channels=n_channels,
                        rate=self.sample_rate_hz,
                        input=True,
                        input_device_index=self.device.portaudio_index,
                        frames_per_buffer=self._n_block_samples,
                        stream_callback=self._callback,
                    )
                    break
                except DeviceError as error:
                    # a stream that hangs may still open, and its blocks have this number of channels
                    if isinstance(error, SoundHangs) or n_channels == self._widths[-1]:
                        raise
        except BaseException:
            self.close()
            raise
        self._opened_s = self._now()

    @property
    def gain_db(self) -> float:
        """How much louder it is taken, dB."""
        return 20 * math.log10(self._gain)

    def set_gain(self, gain_db: float) -> None:
        """Take it louder or softer from the next block on. gain_db: -60..60."""
        self._gain = 10.0 ** (gain_db / 20)

    def drain(self) -> tuple[list[np.ndarray], float]:
        """All sound since the last call, oldest first: blocks (n,) float32, and when the newest one came in (`now`).

        What waited for more than half a second is dropped and counted: the picture must not run behind the sound.
        """
        stamp_s = self._stamp_s
        n_ready = self._ring.n_ready
        n_stale = n_ready - round(STALE_S * self.sample_rate_hz)
        if n_stale > 0:
            self.n_dropped += self._ring.discard(n_stale)
            n_ready -= n_stale
        if n_ready <= 0:
            return [], stamp_s
        block = np.empty((n_ready, 1), np.float32)
        n_read = self._ring.read_into(block)
        return [block[:n_read, 0]], stamp_s

    @property
    def age_s(self) -> float:
        """Seconds since the device last delivered (since opening, if it never did)."""
        return self._now() - self._stamp_s

    def take_peaks(self) -> np.ndarray:
        """The largest sample of each of `channels` since the last call, after the gain, full scale = 1: (channels,) float32."""
        peaks = self._peaks
        self._peaks = np.zeros_like(peaks)
        return peaks * np.float32(self._gain)

    @property
    def mix_note(self) -> str:
        """A line for the user where the channels cancel each other, "" where they never did; see `MonoMix`."""
        return self._mix.note

    @property
    def zeros_s(self) -> float:
        """For how long nothing but exact zeros has come in on any channel, seconds: no room and no cable is that quiet."""
        return max(0.0, self._stamp_s - self._sounded_s)

    @property
    def has_heard(self) -> bool:
        """Whether the device has delivered anything yet."""
        return self._n_callbacks > 0

    @property
    def is_late(self) -> bool:
        """Whether the device has delivered nothing for too long; it may still come back by itself."""
        young = self._now() - self._opened_s < STALLED_AFTER_OPENING_S
        return self._is_silent(STALLED_AFTER_OPENING_S if young else STALLED_S)

    @property
    def stopped(self) -> str | None:
        """Why nothing will ever come again from this stream, or None."""
        if self._fault is not None:
            return self._fault
        try:
            if self._stream is not None and not self._stream.is_active():
                return "the device stopped"
        except OSError as error:
            return f"the device is gone ({error})"
        return None

    @property
    def lost(self) -> str | None:
        """Why the device is gone, or None while it delivers. Once lost, it stays so: make a new Capture."""
        if self._lost is None and self._stream is not None:
            self._lost = self._why_lost()
            if self._lost is not None:
                log.warning("input %r is lost: %s", self.device_name, self._lost)
        return self._lost

    def close(self) -> None:
        """Stop listening and let go of the device, within a second even if it hangs. Closing twice is fine."""
        portaudio, stream = self._portaudio, self._stream
        self._portaudio = self._stream = None
        if portaudio is not None:
            close_portaudio(portaudio, stream)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _set_channels(self, n_channels: int) -> None:
        """It is to be opened with so many."""
        self._n_channels = n_channels
        self.channels = tuple(column + 1 for column in self._columns or range(n_channels))
        self._peaks = np.zeros(len(self.channels), np.float32)
        self._mix = MonoMix(self.sample_rate_hz, [f"channel {channel}" for channel in self.channels])

    def _is_silent(self, longest_s: float) -> bool:
        """Whether nothing has come in for longer than that; the first block has its own time."""
        return self.age_s > (longest_s if self.has_heard else FIRST_BLOCK_S)

    def _why_lost(self) -> str | None:
        if self._fault is None and self._is_silent(GONE_S):
            return f"no sound came in for {self.age_s:.1f} s"
        return self.stopped

    def _take(self, mono: np.ndarray) -> None:
        """A block has come in, (n,) float32 with choice, mix and gain, on PortAudio's thread."""

    def _callback(self, data: bytes, n_samples: int, times: Any, status: int) -> tuple[None, int]:
        """On PortAudio's thread: copy, count, leave. Nothing may escape: it would surface in the main thread."""
        try:
            if status & self._input_overflow:
                self.n_overruns += 1
            block = np.frombuffer(data, np.float32).reshape(-1, self._n_channels)
            chosen = block[:, self._columns] if self._columns else block
            mono = self._mix.push(chosen)
            if self._gain != 1.0:
                mono *= np.float32(self._gain)
            if self._ring.write(mono[:, np.newaxis]) < len(mono):
                self.n_overruns += 1
            if self._n_callbacks == 0:
                self._sounded_s = self._now()  # what did not come in was no zeros
            self._n_callbacks += 1
            self._stamp_s = self._now()
            self.arrived.set()
            np.maximum(self._peaks, np.abs(chosen).max(axis=0), out=self._peaks)
            if chosen.any():
                self._sounded_s = self._stamp_s
            self._take(mono)
        except Exception as error:  # noqa: BLE001
            self._fault = f"{type(error).__name__}: {error}"
        return None, self._go_on
