"""The bands over time, and from mid and high levels to a place between the variants of a picture."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ..settings import BeatSettings
from .bands import BandFollower, Bands
from .windows import Trail

# Time constants: upwards within a beat, downwards over several.
ATTACK_S = 0.15
RELEASE_S = 1.0


def variant_position(mid: float, high: float) -> float:
    """How far along the variants, 0 the first .. 1 the last, for levels 0..1: mids move it to the middle, highs to the
    last.

    The levels are squared: a full mix is rarely below half its maximum, and would never leave the last variants.
    """
    return max(0.5 * mid**2, high**2)


class VariantFollower:
    """Follows the bands of a stream of mono sound, and with mids and highs a place along the variants of a picture.

    Times are seconds of sound pushed since the start. Any split of a sound into blocks gives bit-identical results.
    """

    def __init__(self, sample_rate_hz: int, settings: BeatSettings | None = None, *, trail_s: float = 30.0) -> None:
        """sample_rate_hz: 8000..192000, else BadInput. settings: the bands' bounds and times, the defaults unless
        given.
        trail_s: how many seconds are remembered for `variant_at` and `bands_at`.
        """
        self._bands = BandFollower(sample_rate_hz, settings)
        hop_s = self._bands.hop_s
        self._rise, self._fall = (1 - math.exp(-hop_s / time_s) for time_s in (ATTACK_S, RELEASE_S))
        self._position = 0.0
        self._release_s = (settings or BeatSettings()).band_release_s
        self._trail = Trail(5, hop_s, trail_s)  # bass, mid, high, loudness, place along the variants

    @property
    def time_s(self) -> float:
        """Seconds of sound analysed so far."""
        return self._bands.time_s

    def push(self, samples: NDArray[np.floating]) -> None:
        """Take the next block of mono sound, see `BandFollower.push`."""
        for bands in self._bands.push(samples):
            way = variant_position(bands.mid, bands.high) - self._position
            self._position += way * (self._rise if way > 0 else self._fall)
            self._trail.add(*bands[:4], self._position)

    def variant_at(self, time_s: float) -> float:
        """The place along the variants 0..1 at a time in seconds of sound.

        After the newest hop it continues to fall; before the first hop it is 0; before what is remembered, the oldest
        value.
        """
        (*_, position), since_s = self._trail.at(time_s)
        return position * math.exp(-since_s / RELEASE_S)

    def bands_at(self, time_s: float) -> Bands:
        """The bands at a time in seconds of sound, as `variant_at`; `silent` is not remembered, and False."""
        (bass, mid, high, loudness, _), since_s = self._trail.at(time_s)
        fall = math.exp(-since_s / self._release_s)
        return Bands(bass * fall, mid * fall, high * fall, loudness * fall, silent=False)
