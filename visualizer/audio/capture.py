"""Captures sound from an input device."""

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
# An idle sound server may take over two seconds to deliver its first block; on a busy machine longer.
FIRST_BLOCK_S = 6.0
# A device that claims more channels than this is a sound server's virtual device, which accepts any number of channels.
_MOST_CHANNELS = 8
GAIN_DB = (-60.0, 60.0)
# The state of an input, see `LiveInput`.
OK, LOST = "ok", "lost"


class Capture:
    """Captures the mono mix of an input device.

    device, device_name    the device, and its full name
    sample_rate_hz         of the samples that `drain` returns
    channels               numbers, from 1, of the channels that are mixed
    arrived                an event that is set with every block
    n_dropped              samples dropped because they were older than half a second when they were fetched
    n_overruns             times the device or the ring buffer was full
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
        """Choose the device; `start` opens it.

        Parameters
        ----------
        device : number, name or part of a name; None for the default input
        sample_rate_hz : the device's default rate if None
        n_block_samples : samples that the device delivers at a time
        channels : numbers, from 1, of the channels to mix; all if empty
        gain_db : -60..60
        choose : chooses one of all devices; replaces `device`
        arrived : the event to set; a new one if None

        Raises UnknownDevice (also for a channel that the device does not have), BadInput (gain), DeviceError.
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
        """The numbers of channels to try to open the device with, in this order.

        Raises UnknownDevice for a channel that the device does not have, BadInput for a gain outside -60..60 dB.
        """
        if not GAIN_DB[0] <= gain_db <= GAIN_DB[1]:
            raise BadInput(f"a gain of {gain_db:g} dB is out of range; allowed: {GAIN_DB[0]:g} .. {GAIN_DB[1]:g} dB")
        wrong = next((channel for channel in channels if not 1 <= channel <= device.n_inputs), None)
        if wrong is not None:
            has = f"channels 1 .. {device.n_inputs}" if device.n_inputs > 1 else "one channel, 1"
            raise UnknownDevice(f"input {device.name!r} has no channel {wrong}; it has {has}")
        if device.is_mixed:
            if channels:
                raise UnknownDevice(
                    f"the sound server delivers the {device.n_inputs} channels of {device.name!r} only mixed; leave out "
                    "--channels, or choose the interface's ALSA device (hw:)"
                )
            return [1]
        if device.n_inputs <= _MOST_CHANNELS:
            return [device.n_inputs]
        # some drivers open a device only with all of its channels
        return list(dict.fromkeys([max(2, *channels), device.n_inputs])) if channels else [2]

    def start(self) -> None:
        """Open the device and start capturing. Raises DeviceError."""
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
                    # a stream that hangs may still open later, with this number of channels
                    if isinstance(error, SoundHangs) or n_channels == self._widths[-1]:
                        raise
        except BaseException:
            self.close()
            raise
        self._opened_s = self._now()

    @property
    def gain_db(self) -> float:
        """The gain, dB."""
        return 20 * math.log10(self._gain)

    def set_gain(self, gain_db: float) -> None:
        """Set the gain from the next block on. gain_db: -60..60."""
        self._gain = 10.0 ** (gain_db / 20)

    def drain(self) -> tuple[list[np.ndarray], float]:
        """The blocks since the last call, oldest first, (n,) float32 each, and when the newest arrived (on the clock
        `now`).

        Samples older than half a second are dropped and counted, so that the picture does not fall behind the sound.
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
        """Seconds since the device delivered its last block, or since it was opened if there was none."""
        return self._now() - self._stamp_s

    def take_peaks(self) -> tuple[float, ...]:
        """The peak of each of `channels` since the last call, with the gain, full scale 1."""
        peaks = self._peaks
        self._peaks = np.zeros_like(peaks)
        return tuple((peaks * np.float32(self._gain)).tolist())

    @property
    def mix_note(self) -> str:
        """A message for the user once the channels have cancelled each other, "" before; see `MonoMix`."""
        return self._mix.note

    @property
    def zeros_s(self) -> float:
        """How long all channels have been exactly zero, seconds: no microphone or cable is that quiet."""
        return max(0.0, self._stamp_s - self._sounded_s)

    @property
    def has_delivered(self) -> bool:
        """Whether the device has delivered a block."""
        return self._n_callbacks > 0

    @property
    def is_late(self) -> bool:
        """Whether the device has delivered nothing for too long. It may still resume by itself."""
        young = self._now() - self._opened_s < STALLED_AFTER_OPENING_S
        return self._is_silent(STALLED_AFTER_OPENING_S if young else STALLED_S)

    @property
    def stopped(self) -> str | None:
        """Why this stream will never deliver again; None if it may."""
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
        """Why the device is lost; None while it delivers. A lost Capture stays lost: create a new one."""
        if self._lost is None and self._stream is not None:
            self._lost = self._why_lost()
            if self._lost is not None:
                log.warning("input %r is lost: %s", self.device_name, self._lost)
        return self._lost

    # -- as of a `LiveInput`, which opens its device again -------------------------------------------------------------

    n_stalls = n_losses = n_recoveries = 0

    @property
    def label(self) -> str:
        """The device in words for people."""
        return self.device_name

    @property
    def state(self) -> str:
        """LOST once the device is gone, else OK."""
        return LOST if self.lost else OK

    @property
    def reason(self) -> str:
        """Why it is lost, "" while it is not."""
        return self.lost or ""

    def news(self) -> str | None:
        """A line for the user once the device is lost."""
        return f"sound lost: {self.lost}" if self.lost else None

    def next_input(self) -> None:
        """There is no other input to go to: it belongs to one device."""

    def close(self) -> None:
        """Stop capturing and release the device, within a second even if it hangs. Closing twice is fine."""
        portaudio, stream = self._portaudio, self._stream
        self._portaudio = self._stream = None
        if portaudio is not None:
            close_portaudio(portaudio, stream)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _set_channels(self, n_channels: int) -> None:
        """Prepare to open the device with this many channels."""
        self._n_channels = n_channels
        self.channels = tuple(column + 1 for column in self._columns or range(n_channels))
        self._peaks = np.zeros(len(self.channels), np.float32)
        self._mix = MonoMix(self.sample_rate_hz, [f"channel {channel}" for channel in self.channels])

    def _is_silent(self, longest_s: float) -> bool:
        """Whether nothing arrived for longer than longest_s (for the first block: FIRST_BLOCK_S)."""
        return self.age_s > (longest_s if self.has_delivered else FIRST_BLOCK_S)

    def _why_lost(self) -> str | None:
        if self._fault is None and self._is_silent(GONE_S):
            return f"no sound for {self.age_s:.1f} s"
        return self.stopped

    def _take(self, mono: np.ndarray) -> None:
        """Called on PortAudio's thread with each block, (n,) float32, after channel choice, mix and gain."""

    def _callback(self, data: bytes, n_samples: int, times: Any, status: int) -> tuple[None, int]:
        """Take a block, on PortAudio's thread. Catches every exception: PyAudio would raise it in the main thread."""
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
                self._sounded_s = self._now()  # the time before the first block does not count as zeros
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
