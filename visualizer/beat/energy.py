"""The energy of the lows as a level: the rule of the notebook that this program began with."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..settings import BeatSettings
from .decay import release
from .kick_inputs import LONG_FALL, LONG_S
from .motion import Motion, motion_for
from .spectrum import Floats, asymmetric, band_energy, band_weights, fft_length
from .windows import SlidingWindows, Trail

# A hundred analyses a second; the notebook made thirty, one for each picture.
HOP_S = 0.01
# The reference is at least this many times (6 dB) the floor, so that sound just above the floor gets a low level.
QUIETEST = 4.0


class EnergyFollower:
    """Follows the energy of a band, 0 to 120 Hz unless set otherwise, of a stream of mono sound.

    The level is the energy above the floor relative to its recent maximum; it rises at once and keeps `decay` of itself
    every 1/30 s. Everything low moves it, kicks and bass alike: a steady bass note holds it up.

    Times are seconds of sound pushed since the start. Any split of a sound into blocks gives bit-identical results.
    """

    def __init__(self, sample_rate_hz: int, settings: BeatSettings, *, trail_s: float = 30.0) -> None:
        """sample_rate_hz: 8000..192000. trail_s: how many seconds are remembered for `level_at`."""
        self._sample_rate_hz = sample_rate_hz
        self._windows = SlidingWindows(sample_rate_hz, HOP_S, LONG_S)
        self._hop_s = self._windows.hop_s
        self._shape = asymmetric(self._windows.window_samples, LONG_FALL)
        self._n_fft = fft_length(self._windows.window_samples)
        self._loudest = 0.0
        self._trail = Trail(1, self._hop_s, trail_s)
        self._motion: Motion | None = None
        self.set_beat(settings)

    def set_beat(self, settings: BeatSettings) -> None:
        """Take other settings over, from the next hop on; the level does not jump."""
        self._settings = settings
        freqs_hz = np.fft.rfftfreq(self._n_fft, 1 / self._sample_rate_hz).astype(np.float64)
        # bins wholly above the band are left out
        top = int(np.searchsorted(freqs_hz, settings.high_hz)) + 2
        self._weights: Floats = band_weights(freqs_hz[:top], settings.low_hz, settings.high_hz)
        motion = motion_for(settings, self._hop_s)
        if self._motion is not None:
            motion.level = self._motion.level
        self._motion = motion

    def push(self, samples: NDArray[np.floating]) -> None:
        """Take the next block of mono sound, (n,) float in -1..1, any n. Bad samples count as silence."""
        assert self._motion is not None
        settings = self._settings
        floor = 10 ** (settings.floor_db / 10)
        for windows in self._windows.push(samples):
            for energy in band_energy(windows, self._shape, self._weights, self._n_fft).tolist():
                above = max(0.0, energy - floor)
                self._loudest = max(above, release(self._loudest, self._hop_s, settings.gain_release_s))
                share = settings.sensitivity * above / max(self._loudest, QUIETEST * floor)
                self._trail.add(self._motion.step(min(1.0, share)))

    def level_at(self, time_s: float) -> float:
        """The level 0..1 at a time in seconds of sound: after the newest hop it falls; before the first it is 0; before
        what is remembered, the oldest value.
        """
        assert self._motion is not None
        (level,), since_s = self._trail.at(time_s)
        return self._motion.ahead(level, since_s)
