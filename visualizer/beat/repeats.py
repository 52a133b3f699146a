"""How far a kick is expected because the song repeats itself: music for which a visualizer is used often does, by
bars.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .hindsight import JUDGED_HOPS
from .spectrum import Floats

# The song is remembered for 16 s.
SONG_HOPS = 2400
# The intervals at which it may repeat itself: from the last kick that is judged to 70 % of what is judged, 10 s.
N_JUDGED = SONG_HOPS - JUDGED_HOPS + 1
LAGS = np.arange(JUDGED_HOPS, int(0.7 * N_JUDGED))
N_REPEATS = 3
# A kick is a pulse of this width (standard deviation), hops: so exactly kicks are repeated.
PULSE_HOPS = 1.5
PULSE = np.exp(-0.5 * (np.arange(-4, 5) / PULSE_HOPS) ** 2)
# An interval counts in full with so many kicks on both sides of it.
ENOUGH = 3.0
# How much more the better of two intervals counts.
SHARPNESS = 6
N_FFT = 4096


def repeats(start: int, starts: NDArray[np.int64], kicks: Floats) -> Floats:
    """How far a kick at a hop repeats earlier ones, (N_REPEATS,); zeros with too few.

    start: the hop. starts: (n,), hops of earlier candidates, JUDGED_HOPS to SONG_HOPS ago; kicks: (n,), how likely each
    was a kick, 0..1.

    First how well the song repeats itself at its best interval, 0..1: the autocorrelation of its kicks, relative to
    their energy before and after; then how likely a kick was this interval ago, 0..1; then the same for all intervals,
    the better ones weighted more.
    """
    found = np.zeros(N_REPEATS)
    if len(starts) < 3 or kicks.sum() < 1:
        return found
    half = len(PULSE) // 2
    pulses = np.zeros(N_JUDGED + 2 * half)
    places = (starts - (start - SONG_HOPS))[:, None] + np.arange(len(PULSE))
    np.maximum.at(pulses, places, kicks[:, None] * PULSE)
    pulses = pulses[half:-half]
    spectrum = np.fft.rfft(pulses, N_FFT)
    alike = np.fft.irfft(spectrum.real**2 + spectrum.imag**2, N_FFT)[LAGS]
    energy = np.concatenate([[0.0], np.cumsum(pulses**2)])
    earlier, later = energy[N_JUDGED - LAGS], energy[-1] - energy[LAGS]
    alike = np.maximum(alike, 0.0) / np.sqrt(np.maximum(earlier * later, 1e-9))
    alike *= np.minimum(1.0, np.minimum(earlier, later) / ENOUGH)
    ago = pulses[SONG_HOPS - LAGS]
    weights = alike**SHARPNESS
    best = int(np.argmax(alike))
    found[:] = alike[best], ago[max(0, best - 2) : best + 3].max(), weights @ ago / (weights.sum() + 1e-9)
    return found
