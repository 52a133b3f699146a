"""Following the mid and high bands: sound in, two levels out."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput
from .follower import BATCH_HOPS, LIMIT
from .spectrum import Floats, band_weights

# Where voices, strings and leads have most of their strength, and where consonants, snares and cymbals have theirs.
MID_HZ = (480.0, 2940.0)
HIGH_HZ = (2940.0, 7020.0)
# A hundred analyses a second, finer than any screen; a window of two hops sets bins 50 Hz apart, narrow beside the bands.
HOP_S = 0.01
WINDOW_S = 0.02
# A band that is quieter than this, dB of a full-scale sine, is silence: hiss at -70 dBFS, the last bits of a decoder.
FLOOR_DB = -72.0
# So is a band this far below the whole sound's loudest of late: what a bass drum leaves there is not a band playing.
BELOW_WHOLE_DB = -50.0
# The gain reference stays this many times above the floor (6 dB): what only just clears it stays low.
QUIETEST = 4.0
# Long enough for a chorus to differ from its verse, short enough for the next song.
GAIN_RELEASE_S = 8.0


class BandFollower:
    """Follows the mids (480-2940 Hz) and highs (2940-7020 Hz) in a stream of mono sound.

    A level is the band's amplitude relative to its own loudest of late, above a floor, rising and falling with time
    constants in seconds; the loudness of the whole does not matter and silence is 0. Any split of a sound into blocks gives
    bit-identical results. A sample rate below 14 kHz hears the highs in part, as far as there is sound.
    """

    def __init__(self, sample_rate_hz: int, *, attack_s: float = 0.01, release_s: float = 0.25) -> None:
        """sample_rate_hz: 8000..192000. attack_s, release_s: time constants of the levels' way up and down, seconds, > 0.

        Raises BadInput for a sample rate outside that range.
        """
        if not 8000 <= sample_rate_hz <= 192000:
            raise BadInput(f"a sample rate of {sample_rate_hz} Hz cannot be followed; allowed: 8000 .. 192000 Hz")
        self.n_hops = 0
        self._hop_samples = round(HOP_S * sample_rate_hz)
        self._window_samples = round(WINDOW_S * sample_rate_hz)
        self.hop_s = self._hop_samples / sample_rate_hz
        self._n_fft = 1 << (self._window_samples - 1).bit_length()
        self._shape = blackman(self._window_samples)
        freqs_hz = np.fft.rfftfreq(self._n_fft, 1 / sample_rate_hz).astype(np.float64)
        self._parts = [_part(band_weights(freqs_hz, *band_hz)) for band_hz in (MID_HZ, HIGH_HZ)]
        # a sine of amplitude 1 counts as 1, in a band and in the whole, see spectrum.band_energy
        self._whole_scale = 2.0 / float((self._shape**2).sum())
        self._band_scale = 2.0 * self._whole_scale / self._n_fft
        # music before the first sample was silence
        self._pending: Floats = np.zeros(self._window_samples - self._hop_samples)
        self._forget = math.exp(-self.hop_s / GAIN_RELEASE_S)
        self._rise, self._fall = (1 - math.exp(-self.hop_s / time_s) for time_s in (attack_s, release_s))
        self._whole = 0.0
        self._loudest = [0.0, 0.0]
        self._levels = [0.0, 0.0]

    @property
    def time_s(self) -> float:
        """Seconds of sound analysed so far."""
        return self.n_hops * self.hop_s

    def push(self, samples: NDArray[np.floating]) -> list[tuple[float, float]]:
        """Take the next block of mono sound, (n,) float in -1..1, any n; the (mid, high) levels 0..1 of every hop in it.

        NaN, infinite and absurdly large samples count as silence. Raises BadInput for anything but a one-dimensional
        array of floats.
        """
        block = np.asarray(samples)
        if block.ndim != 1 or not np.issubdtype(block.dtype, np.floating):
            raise BadInput(
                f"sound must be a one-dimensional block of floats, got {block.dtype} of shape {block.shape}; "
                "mix to mono and scale to -1..1 first"
            )
        good = np.abs(block) <= LIMIT  # False for NaN as well
        self._pending = np.concatenate([self._pending, np.where(good, block, 0).astype(np.float64)])
        levels: list[tuple[float, float]] = []
        while (n_ready := (len(self._pending) - self._window_samples) // self._hop_samples + 1) > 0:
            n_now = min(n_ready, BATCH_HOPS)
            windows = np.lib.stride_tricks.sliding_window_view(self._pending, self._window_samples)
            energies = self._energies(windows[: n_now * self._hop_samples : self._hop_samples])
            self._pending = self._pending[n_now * self._hop_samples :]
            levels += [self._step(*energy) for energy in energies.tolist()]
        # a copy, since a view would keep a whole pushed song alive
        self._pending = self._pending.copy()
        return levels

    def _energies(self, windows: Floats) -> Floats:
        """(n, n_samples) -> (n, 3): energy of the whole sound, the mids and the highs, full-scale sine = 1."""
        # a sound card's DC offset is not sound
        shaped = (windows - windows.mean(axis=1, keepdims=True)) * self._shape
        spectrum = np.fft.rfft(shaped, self._n_fft, axis=1)
        columns = [(shaped**2).sum(axis=1) * self._whole_scale]
        for bins, weights in self._parts:
            part = spectrum[:, bins]
            # summed row by row: a matrix product may add in another order for another number of rows
            columns.append(((part.real**2 + part.imag**2) * weights).sum(axis=1) * self._band_scale)
        return np.stack(columns, axis=1)

    def _step(self, whole: float, mid: float, high: float) -> tuple[float, float]:
        """One hop's energies -> its levels."""
        self._whole = max(whole, self._whole * self._forget)
        floor = max(10 ** (FLOOR_DB / 10), 10 ** (BELOW_WHOLE_DB / 10) * self._whole)
        for band, energy in enumerate((mid, high)):
            # what lies under the floor is taken off, so that hiss is silence and not a small level
            energy = max(0.0, energy - floor)
            self._loudest[band] = max(energy, self._loudest[band] * self._forget)
            heard = (energy / max(self._loudest[band], QUIETEST * floor)) ** 0.5
            way = heard - self._levels[band]
            self._levels[band] += way * (self._rise if way > 0 else self._fall)
        self.n_hops += 1
        return self._levels[0], self._levels[1]


def blackman(n_samples: int) -> Floats:
    """The periodic Blackman window: (n_samples,), 0..1.

    It lets a loud bass note into the bins far above it 30 dB less than a Hann window would.
    """
    turn = 2 * np.pi * np.arange(n_samples) / n_samples
    return 0.42 - 0.5 * np.cos(turn) + 0.08 * np.cos(2 * turn)


def _part(weights: Floats) -> tuple[slice, Floats]:
    """The bins that count for anything, and their weights."""
    inside = np.flatnonzero(weights)
    bins = slice(int(inside[0]), int(inside[-1]) + 1)
    return bins, weights[bins]
