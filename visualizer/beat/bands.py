"""Bass, mids, highs and loudness of a stream of sound."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..settings import BeatSettings
from .blocks import check_rate
from .spectrum import Floats, band_weights, blackman
from .windows import SlidingWindows

# A hundred analyses a second.
HOP_S = 0.01
# Mids and highs: a window of two hops has bins 50 Hz apart, which is narrow compared with the bands.
WINDOW_S = 0.02
# The bass needs a longer one: the main lobe of 20 ms is 150 Hz to each side, so that every bass drum would count as a
# bass note. That of 60 ms is 50 Hz; its energy is known some 20 ms later. The loudness is measured over the same
# window, since 20 ms hold less than a cycle of the lowest notes and would fluctuate with them.
LONG_WINDOW_S = 0.06
# A band that is quieter than this, dB of a full-scale sine, is silence: hiss at -70 dBFS, the last bits of a decoder.
FLOOR_DB = -72.0
# So is a band this far below the recent maximum of the whole sound: that is what leaks into it from a bass drum.
BELOW_WHOLE_DB = -50.0
# The gain reference is at least this many times (6 dB) the floor, so that sound just above the floor gets a low level.
QUIETEST = 4.0
# Long enough for a chorus to differ from its verse, short enough for the next song.
GAIN_RELEASE_S = 8.0
# A rest between two notes is not silence yet ...
SILENT_AFTER_S = 0.5
# ... and it ends 3 dB above where it began, so that noise at the floor does not flicker.
SOUND_AGAIN = 2.0


class Bands(NamedTuple):
    """What was measured at a hop. bass, mid, high, loudness: 0..1, relative to their own recent maximum."""

    bass: float
    mid: float
    high: float
    loudness: float
    silent: bool


class BandFollower:
    """Follows bass (120-480 Hz), mids (480-2940 Hz), highs (2940-7020 Hz) and the loudness of a stream of mono sound.

    A level is the amplitude of the band above a floor, relative to its own recent maximum; it rises and falls with time
    constants in seconds. The volume of the whole does not matter, and silence is 0. `silent` means the whole sound was
    under `floor_db` for half a second. Edges, times and `floor_db` come from the settings. Any split of a sound into
    blocks gives bit-identical results. Bands above half the sample rate are 0.
    """

    def __init__(self, sample_rate_hz: int, settings: BeatSettings | None = None) -> None:
        """sample_rate_hz: 8000..192000, else BadInput. settings: the defaults unless given."""
        check_rate(sample_rate_hz)
        beat = settings or BeatSettings()
        self.n_hops = 0
        self._windows = SlidingWindows(sample_rate_hz, HOP_S, LONG_WINDOW_S)
        self.hop_s = self._windows.hop_s
        mids = (beat.mid_low_hz, beat.high_low_hz)
        highs = (beat.high_low_hz, beat.high_high_hz)
        self._long = BandMeter(LONG_WINDOW_S, sample_rate_hz, [(beat.bass_low_hz, beat.mid_low_hz)])
        self._short = BandMeter(WINDOW_S, sample_rate_hz, [mids, highs])
        self._forget = math.exp(-self.hop_s / GAIN_RELEASE_S)
        self._rise, self._fall = (
            1 - math.exp(-self.hop_s / time_s) for time_s in (beat.band_attack_s, beat.band_release_s)
        )
        self._silence = 10 ** (beat.floor_db / 10)
        self._whole = 0.0
        # of bass, mids, highs and the whole
        self._loudest = [0.0] * 4
        self._levels = [0.0] * 4
        self._quiet_hops = self._silent_hops = max(1, round(SILENT_AFTER_S / self.hop_s))

    @property
    def time_s(self) -> float:
        """Seconds of sound analysed so far."""
        return self.n_hops * self.hop_s

    def push(self, samples: NDArray[np.floating]) -> list[Bands]:
        """Take the next block of mono sound, (n,) float in -1..1, any n; returns the bands at every hop in it.

        NaN, infinite and absurdly large samples count as silence. Raises BadInput for anything but a one-dimensional
        array of floats.
        """
        found: list[Bands] = []
        for windows in self._windows.push(samples):
            long = self._long.energies(windows).tolist()
            short = self._short.energies(windows[:, -self._short.n_samples :]).tolist()
            found += [self._step(*slow, *quick) for slow, quick in zip(long, short, strict=True)]
        return found

    def _step(self, steady: float, low: float, whole: float, middle: float, top: float) -> Bands:
        """The energies of one hop -> its bands. steady: of the whole over the long window; whole: over the short one;
        low, middle, top: of the bands.
        """
        self._whole = max(whole, self._whole * self._forget)
        floor = max(10 ** (FLOOR_DB / 10), 10 ** (BELOW_WHOLE_DB / 10) * self._whole)
        for band, energy in enumerate((low, middle, top)):
            self._follow(band, energy, floor)
        self._follow(3, steady, self._silence)
        loud = steady > self._silence * (SOUND_AGAIN if self._quiet_hops >= self._silent_hops else 1.0)
        self._quiet_hops = 0 if loud else self._quiet_hops + 1
        self.n_hops += 1
        bass, mid, high, loudness = self._levels
        return Bands(bass, mid, high, loudness, self._quiet_hops >= self._silent_hops)

    def _follow(self, band: int, energy: float, floor: float) -> None:
        """Move a level on, by the energy of its band."""
        # the floor is subtracted, so that hiss is silence and not a small level
        energy = max(0.0, energy - floor)
        self._loudest[band] = max(energy, self._loudest[band] * self._forget)
        level = (energy / max(self._loudest[band], QUIETEST * floor)) ** 0.5
        way = level - self._levels[band]
        self._levels[band] += way * (self._rise if way > 0 else self._fall)


class BandMeter:
    """Energies of windows of one length: of the whole, and of bands. A full-scale sine counts as 1."""

    def __init__(self, window_s: float, sample_rate_hz: int, bands_hz: list[tuple[float, float]]) -> None:
        self.n_samples = round(window_s * sample_rate_hz)
        self._n_fft = 1 << (self.n_samples - 1).bit_length()
        self._shape = blackman(self.n_samples)
        freqs_hz = np.fft.rfftfreq(self._n_fft, 1 / sample_rate_hz).astype(np.float64)
        self._parts = [_part(band_weights(freqs_hz, *band_hz)) for band_hz in bands_hz]
        self._whole_scale = 2.0 / float((self._shape**2).sum())
        # Parseval, see spectrum.band_energy
        self._band_scale = 2.0 * self._whole_scale / self._n_fft

    def energies(self, windows: Floats) -> Floats:
        """(n, n_samples) -> (n, 1 + bands): of the whole, and of each band."""
        # a sound card's DC offset is not sound
        shaped = (windows - windows.mean(axis=1, keepdims=True)) * self._shape
        spectrum = np.fft.rfft(shaped, self._n_fft, axis=1)
        columns = [(shaped**2).sum(axis=1) * self._whole_scale]
        for bins, weights in self._parts:
            part = spectrum[:, bins]
            # summed row by row: a matrix product may add in another order for another number of rows
            columns.append(((part.real**2 + part.imag**2) * weights).sum(axis=1) * self._band_scale)
        return np.stack(columns, axis=1)


def _part(weights: Floats) -> tuple[slice, Floats]:
    """The bins that count for anything, and their weights; none for a band above half the sample rate."""
    inside = np.flatnonzero(weights)
    if not len(inside):
        return slice(0, 0), weights[:0]
    bins = slice(int(inside[0]), int(inside[-1]) + 1)
    return bins, weights[bins]
