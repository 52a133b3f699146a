"""The mono mix that is analysed: the mean of all channels, or a single channel where they cancel each other.

The mean of a stereo signal with one side inverted (a balanced cable in a stereo line-in, a badly mastered file) is
zero. The channels are compared in steps of STEP_S, over all frequencies and in the kick's range; while they cancel, the
loudest channel is used alone.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Sequence

import numpy as np

from .mixing import to_mono

# The channels are compared every STEP_S seconds over the last N_WINDOW steps, once N_EVIDENCE of them are not silent.
STEP_S, N_WINDOW, N_EVIDENCE = 0.25, 8, 2
# The frequency range of kick drums.
LOW_HZ = (30.0, 120.0)
# The channels cancel if `sum_gain` is below the first, and no longer cancel if it is above the second (hysteresis).
CANCELS, AGREES = 0.25, 0.5
# Change to another channel if it has LOUDER times the power of the present one. The first channel with at least the
# fraction ALIKE of the loudest one's power counts as the loudest.
LOUDER, ALIKE = 2.0, 0.9
# Mean square below which a step is silent (-80 dBFS); fraction of the total power below which the low frequencies are
# ignored.
SILENT, LEAST_LOW = 1e-8, 0.01
# Approximate sample rate for the comparison of low frequencies.
_SLOW_HZ = 1000


def sum_gain(power: np.ndarray) -> float:
    """The power of the sum of all channels, relative to the sum of their powers.

    power: (n, n), the mean products of each pair of channels. Returns 0 if they cancel, 1 if they are uncorrelated, all
    silent or all but one silent, and n if all are equal; for two channels of equal power it is 1 + their correlation.
    """
    total = float(np.trace(power))
    return float(power.sum()) / total if total > 0 else 1.0


def channel_to_follow(power: np.ndarray, low_power: np.ndarray, followed: int | None) -> int | None:
    """The index of the channel to use alone; None for the mean of all.

    power, low_power: (n, n), the mean products of each pair of channels, over all frequencies and over the low ones.
    followed: the previous result (for hysteresis).
    """
    has_low = float(np.trace(low_power)) >= LEAST_LOW * float(np.trace(power))
    least = min(sum_gain(power), sum_gain(low_power) if has_low else math.inf)
    if followed is None and not least < CANCELS:
        return None
    if followed is not None and has_low and least > AGREES:
        return None
    loudness = np.diag(low_power if has_low else power)
    loudest = int(np.argmax(loudness >= ALIKE * loudness.max()))
    return loudest if followed is None or loudness[loudest] > LOUDER * loudness[followed] else followed


class MonoMix:
    """Mixes consecutive blocks of sound to mono.

    Attributes: followed, the index of the channel used alone, or None; note, a message for the user once the channels
    have cancelled each other, "" before.

    There is no delay, and the result does not depend on how the sound is split into blocks. Unless channels cancel it
    equals `to_mono`. A change is faded over one step, so that it is not mistaken for a drum.
    """

    def __init__(self, sample_rate_hz: int, names: Sequence[str] = ("the left channel", "the right channel")) -> None:
        """names: the names of the channels, used in `note`."""
        self.followed: int | None = None
        self.note = ""
        self._names = names
        self._before: int | None = None  # the channel used in the previous step
        self._n_slow = max(1, round(sample_rate_hz / _SLOW_HZ))  # samples averaged to one at the slow rate
        self._n_points = max(1, round(STEP_S * sample_rate_hz / self._n_slow))
        self._step = np.zeros((self._n_points * self._n_slow, len(names)), np.float32)
        self._n_filled = 0
        hz = np.fft.rfftfreq(self._n_points, self._n_slow / sample_rate_hz)
        self._is_low = (hz >= LOW_HZ[0]) & (hz <= LOW_HZ[1])
        self._powers: deque[tuple[np.ndarray, np.ndarray]] = deque(maxlen=N_WINDOW)

    def push(self, block: np.ndarray) -> np.ndarray:
        """The mono mix, (n,) float32, of the next block, (n, channels) float32; always a copy."""
        if self._step.shape[1] == 1:
            return to_mono(block)
        parts = [mono for _, mono in self._parts(block)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts or [np.empty(0, np.float32)])

    def push_stereo(self, block: np.ndarray) -> np.ndarray:
        """The next block, (n, 2) float32, with the mono mix as its mean: the same samples, but where the channels
        cancel each other the mono mix twice.
        """
        parts = [
            part if is_plain else np.repeat(mono[:, None], 2, axis=1) for (part, is_plain), mono in self._parts(block)
        ]
        return parts[0] if len(parts) == 1 else np.concatenate(parts or [np.empty((0, 2), np.float32)])

    def _parts(self, block: np.ndarray) -> Iterator[tuple[tuple[np.ndarray, bool], np.ndarray]]:
        """The next block in parts of one step: samples, whether their mix is the plain mean, and their mix."""
        while len(block):
            n = min(len(block), len(self._step) - self._n_filled)
            part, block = block[:n], block[n:]
            yield (part, self.followed is None and self._before is None), self._mixed(part)
            self._step[self._n_filled : self._n_filled + n] = part
            self._n_filled += n
            if self._n_filled == len(self._step):
                self._n_filled = 0
                self._compare()

    def skip(self) -> None:
        """Call it when the sound goes on at another place, as after a seek. What is known of the channels is kept."""
        self._n_filled = 0

    def _mixed(self, part: np.ndarray) -> np.ndarray:
        """The mix of samples that lie within one step."""
        mono = _mono(part, self.followed)
        if self.followed != self._before:
            done = np.arange(self._n_filled, self._n_filled + len(part), dtype=np.float32) / len(self._step)
            mono = mono * done + _mono(part, self._before) * (1 - done)
        return mono

    def _compare(self) -> None:
        """At the end of a step: decide how the next one is mixed."""
        self._before = self.followed
        sound = self._step - self._step.mean(axis=0, dtype=np.float64)  # without a constant offset
        power = sound.T @ sound / len(sound)
        if not np.trace(power) > SILENT:  # NaN counts as silence
            return
        slow = np.fft.rfft(sound.reshape(self._n_points, self._n_slow, -1).mean(axis=1), axis=0)[self._is_low]
        self._powers.append((power, 2 * (slow.conj().T @ slow).real / self._n_points**2))
        if len(self._powers) >= N_EVIDENCE:
            total, low = (np.sum(powers, axis=0) for powers in zip(*self._powers, strict=True))
            self.followed = channel_to_follow(total, low, self.followed)
        if self.followed is not None and not self.note:
            name = self._names[self.followed]
            self.note = f"the channels cancel each other (is one inverted?); only {name} is used"


def _mono(block: np.ndarray, channel: int | None) -> np.ndarray:
    """One channel of a block, (n, channels), or the mean of all for None, as (n,); always a copy."""
    return to_mono(block) if channel is None else block[:, channel].copy()
