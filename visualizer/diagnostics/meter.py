"""Level meter of an input, channel by channel."""

from __future__ import annotations

from collections.abc import Generator, Sequence

import numpy as np

from ..audio.capture import Capture
from ..audio.devices import Device
from ..clock import Stopwatch
from ..errors import DeviceError
from ..show.clocks import Pacer
from .input_analysis import METER_FALL_DB_S, METER_MIN_DB, RATE_HZ, input_of


class Metering:
    """An input device and its levels. `levels` yields without end; close it, or use it as a context."""

    def __init__(self, device: str | int | None, *, channels: Sequence[int] = (), gain_db: float = 0.0) -> None:
        """Open the device that `live` would use; channels: those to measure, from 1. Raises UnknownDevice, BadInput,
        DeviceError.
        """
        self._capture = Capture(input_of(device), channels=channels, gain_db=gain_db)

    @property
    def device(self) -> Device:
        """The device that is measured."""
        return self._capture.device

    @property
    def note(self) -> str:
        """A message for the user if the channels cancel each other, else ""; see `MonoMix`."""
        return self._capture.mix_note

    def levels(self, *, rate_hz: float = RATE_HZ) -> Generator[dict[int, float], None, None]:
        """Yield the level of each channel, numbered from 1, rate_hz times a second: dBFS after the gain, falling
        slowly.

        Raises DeviceError when the device is lost.
        """
        self._capture.start()
        pacer, watch = Pacer(rate_hz), Stopwatch()
        falling_db, before_s = METER_MIN_DB + np.zeros(len(self._capture.take_peaks())), 0.0
        while True:
            pacer.wait()
            now_s = watch.elapsed_s()
            self._capture.drain()
            new_db = 20 * np.log10(np.maximum(self._capture.take_peaks(), 1e-10))
            falling_db = np.maximum(falling_db - METER_FALL_DB_S * (now_s - before_s), new_db).clip(METER_MIN_DB)
            before_s = now_s
            if self._capture.lost:
                raise DeviceError(f"the sound of {self.device.name!r} is lost: {self._capture.lost}")
            yield dict(zip(self._capture.channels, falling_db.tolist(), strict=True))

    def close(self) -> None:
        """Close the device. May be called twice."""
        self._capture.close()

    def __enter__(self) -> Metering:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
