"""The mono mix that is analysed: the mean of all channels, or one channel alone where they cancel each other.

A stereo signal with one side inverted (a balanced cable into a stereo line-in, a badly mastered file) has a mean of zero. The
channels are compared step by step, over all frequencies and where kick drums are; while they cancel, the loudest is followed.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence

import numpy as np

from .mixing import to_mono

# The channels are compared once a step, over so many steps; a new sound needs so many that are not silent.
STEP_S, N_WINDOW, N_EVIDENCE = 0.25, 8, 2
# Where a kick drum has its power.
LOW_HZ = (30.0, 120.0)
# Below the first the channels cancel each other, above the second they no longer do; see `sum_gain`.
CANCELS, AGREES = 0.25, 0.5
# Another channel is followed when it has so many times the power of the one followed before; of those that have at least this share
# of the power of the loudest, the first is taken.
LOUDER, ALIKE = 2.0, 0.9
# Below this mean square (-80 dBFS) it is silent; below this share of all power the low frequencies say nothing.
SILENT, LEAST_LOW = 1e-8, 0.01
# Rate at which low frequencies are looked at, about.
_SLOW_HZ = 1000


def sum_gain(power: np.ndarray) -> float:
    """How much power the sum of channels has, relative to that of as many uncorrelated ones.

    power (n, n): mean products of each pair of channels -> 0 they cancel, 1 they are uncorrelated or only one has sound, n all
    are equal; for two it is 1 + their correlation. 1 where all is silent.
    """
    total = float(np.trace(power))
    return float(power.sum()) / total if total > 0 else 1.0


def channel_to_follow(power: np.ndarray, low_power: np.ndarray, followed: int | None) -> int | None:
    """Which channel to follow alone, from 0; None: the mean of all. followed: the answer before, which is held on to.

    power, low_power (n, n): mean products of each pair of channels, over all frequencies and over the low ones.
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
    """Mixes blocks of one sound to mono. Attributes: followed, the channel followed alone, from 0, or None; note, a line for the
    user from when the channels have cancelled each other for the first time, "" before.

    Nothing is delayed, the same sound gives the same samples however it is split into blocks, and as long as nothing cancels these
    are those of `to_mono`. From one way to the other it fades over a step, so that the change is not taken for a drum.
    """

    def __init__(self, sample_rate_hz: int, names: Sequence[str] = ("the left channel", "the right channel")) -> None:
        """names: of the channels, one or more, for the note."""
        self.followed: int | None = None
        self.note = ""
        self._names = names
        self._before: int | None = None  # followed in the step before
        self._n_slow = max(1, round(sample_rate_hz / _SLOW_HZ))  # samples that become one of the slow rate
        self._n_points = max(1, round(STEP_S * sample_rate_hz / self._n_slow))
        self._step = np.zeros((self._n_points * self._n_slow, len(names)), np.float32)
        self._n_filled = 0
        hz = np.fft.rfftfreq(self._n_points, self._n_slow / sample_rate_hz)
        self._is_low = (hz >= LOW_HZ[0]) & (hz <= LOW_HZ[1])
        self._powers: deque[tuple[np.ndarray, np.ndarray]] = deque(maxlen=N_WINDOW)

    def push(self, block: np.ndarray) -> np.ndarray:
        """block (n, channels) float32 -> its mono mix (n,) float32, always a copy."""
        if self._step.shape[1] == 1:
            return to_mono(block)
        parts = []
        while len(block):
            n = min(len(block), len(self._step) - self._n_filled)
            part, block = block[:n], block[n:]
            parts.append(self._mixed(part))
            self._step[self._n_filled : self._n_filled + n] = part
            self._n_filled += n
            if self._n_filled == len(self._step):
                self._n_filled = 0
                self._compare()
        return parts[0] if len(parts) == 1 else np.concatenate(parts or [np.empty(0, np.float32)])

    def skip(self) -> None:
        """The sound goes on at another place: what is known of its channels stays."""
        self._n_filled = 0

    def _mixed(self, part: np.ndarray) -> np.ndarray:
        """The mix of samples that lie within one step."""
        mono = _mono(part, self.followed)
        if self.followed != self._before:
            done = np.arange(self._n_filled, self._n_filled + len(part), dtype=np.float32) / len(self._step)
            mono = mono * done + _mono(part, self._before) * (1 - done)
        return mono

    def _compare(self) -> None:
        """A step is full: decide how the next one is mixed."""
        self._before = self.followed
        sound = self._step - self._step.mean(axis=0, dtype=np.float64)  # without a constant offset
        power = sound.T @ sound / len(sound)
        if not np.trace(power) > SILENT:  # samples that are no numbers count as silence
            return
        slow = np.fft.rfft(sound.reshape(self._n_points, self._n_slow, -1).mean(axis=1), axis=0)[self._is_low]
        self._powers.append((power, 2 * (slow.conj().T @ slow).real / self._n_points**2))
        if len(self._powers) >= N_EVIDENCE:
            total, low = (np.sum(powers, axis=0) for powers in zip(*self._powers, strict=True))
            self.followed = channel_to_follow(total, low, self.followed)
        if self.followed is not None and not self.note:
            name = self._names[self.followed]
            self.note = f"the channels cancel each other (is one inverted?): {name} alone is followed"


def _mono(block: np.ndarray, channel: int | None) -> np.ndarray:
    """block (n, channels) -> (n,): one channel alone, from 0, or the mean of all for None; always a copy."""
    return to_mono(block) if channel is None else block[:, channel].copy()
