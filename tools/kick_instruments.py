"""The instruments of electronic music for the training songs: samplers, sound chips, hard kicks, basses with a hard
attack.

A `Voice` turns the frequency of a note, (n,) Hz a sample, into its sound, (n,); so notes can slide, arpeggiate and
vibrate.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tools import kick_sounds
from tools.kick_notes import bass_kind, chord_kind, rng_slap
from tools.kick_samples import Player, SampledSounds, old_sampler
from tools.kick_sounds import (
    RATE_HZ,
    Rng,
    Sound,
    acoustic_kick,
    dull_kick,
    electronic_kick,
    ends,
    glide,
    log_uniform,
    metal,
    normal,
    span,
    through,
)

Voice = Callable[[Sound], Sound]
SAMPLED_SHARE = 0.5


class Instruments:
    """Drums and players: synthesised, or, where there are samples, half of them sampled."""

    def __init__(self, samples: SampledSounds | None = None) -> None:
        self.samples = samples

    def is_sampled(self, rng: Rng) -> bool:
        return self.samples is not None and rng.random() < SAMPLED_SHARE

    def drum(self, rng: Rng, kind: str) -> Sound:
        """kind: kick, snare, tom or hand."""
        if self.samples is not None and self.is_sampled(rng):
            return normal(self.samples.one_shot(rng, kind))
        return {"kick": kick_sounds.kick, "snare": kick_sounds.snare, "tom": kick_sounds.tom, "hand": kick_sounds.hand}[
            kind
        ](rng)

    def tom(self, rng: Rng, hz: float) -> Sound:
        """A synthesised tom is tuned to hz."""
        if self.samples is not None and self.is_sampled(rng):
            return normal(self.samples.one_shot(rng, "tom"))
        return kick_sounds.tom(rng, hz)

    def club_kick(self, rng: Rng) -> Sound:
        if self.samples is not None and self.is_sampled(rng):
            return normal(self.samples.one_shot(rng, "kick"))
        return club_kick(rng)

    def hat(self, rng: Rng, decay_s: float) -> Sound:
        if self.samples is not None and self.is_sampled(rng):
            sound = self.samples.one_shot(rng, "hat")
            return normal(sound * np.exp(-np.arange(len(sound)) / (2 * decay_s * RATE_HZ)))
        return metal(rng, decay_s)

    def player(self, rng: Rng, kind: str) -> Player:
        """kind: bass, chord or lead."""
        if self.samples is not None and self.is_sampled(rng):
            return self.samples.player(rng, kind)
        return chord_kind(rng) if kind == "chord" else bass_kind(rng)


# --- kicks -----------------------------------------------------------------------------------------------------------


def club_kick(rng: Rng) -> Sound:
    """House, hardcore, hardstyle, 808, layers that do not begin together, and the electronic kicks of
    tools/kick_sounds.py.
    """
    style = rng.choice(
        ["plain", "gabber", "hardstyle", "808", "late low", "roomy"], p=[0.34, 0.14, 0.12, 0.14, 0.16, 0.1]
    )
    low_hz = log_uniform(rng, 38, 66)
    if style == "plain":
        return electronic_kick(rng)
    if style == "gabber":
        t = span(rng.uniform(0.2, 0.45))
        phase = glide(low_hz * log_uniform(rng, 3, 12), low_hz, log_uniform(rng, 0.015, 0.06), t)
        body = np.sin(phase) * np.exp(-t / log_uniform(rng, 0.15, 0.6))
        body = np.tanh(log_uniform(rng, 4, 40) * body + rng.uniform(0, 0.5)) * ends(np.ones(len(t)), 0, 0.05)
        return normal(through(body, ("high", 25, 0.7), ("low", log_uniform(rng, 1500, 9000), 0.7)))
    if style == "hardstyle":
        t, apart_s = span(rng.uniform(0.25, 0.45)), rng.uniform(0.04, 0.09)
        punch = np.sin(glide(log_uniform(rng, 250, 1200), low_hz, 0.012, t)) * np.exp(-t / (apart_s / 2))
        tail = np.tanh(log_uniform(rng, 2, 12) * np.sin(glide(low_hz * 1.3, low_hz, 0.1, t)))
        tail *= np.clip((t - apart_s) / 0.006, 0, 1) * np.exp(-t / log_uniform(rng, 0.1, 0.3))
        return normal(ends(np.tanh(3 * punch) + rng.uniform(0.4, 1.2) * tail, 0, 0.03))
    if style == "808":
        t = span(rng.uniform(0.5, 1.2))
        body = np.sin(glide(low_hz * rng.uniform(1.2, 5), low_hz, log_uniform(rng, 0.005, 0.04), t))
        body = body * np.exp(-t / log_uniform(rng, 0.25, 0.9))
        body = np.tanh(log_uniform(rng, 1, 5) * body) if rng.random() < 0.4 else body
        return normal(ends(body, 0.0005, 0.05) + rng.uniform(0, 0.3) * kick_sounds.click(rng, t))
    if style == "late low":
        t, late_s = span(0.45), rng.uniform(0.02, 0.07)
        top = normal(
            through((acoustic_kick, dull_kick)[rng.integers(2)](rng), ("high", log_uniform(rng, 120, 700), 0.7))
        )
        low = np.sin(glide(low_hz * rng.uniform(1, 1.6), low_hz, 0.03, t)) * np.exp(-t / log_uniform(rng, 0.08, 0.3))
        low *= np.clip((t - late_s / 2) / (late_s / 2), 0, 1)
        low[: min(len(top), len(t))] += log_uniform(rng, 0.1, 1) * top[: len(t)]
        return normal(ends(low, 0, 0.03))
    body = acoustic_kick(rng)
    return normal(np.tanh(log_uniform(rng, 1, 6) * body))


def reshaped(rng: Rng, sound: Sound) -> Sound:
    """A drum cut short, sometimes."""
    if rng.random() < 0.4:
        return ends(sound[: max(400, round(log_uniform(rng, 0.03, 0.3) * RATE_HZ))], 0, 0.004)
    return sound


# --- notes -----------------------------------------------------------------------------------------------------------


def attacked(rng: Rng, player: Player) -> Player:
    """A bass whose notes begin as hard as drums: a click, a slap, a knock that falls in pitch; some end with a
    click.
    """
    kind = rng.choice(["none", "click", "slap", "drop", "short", "cut"], p=[0.25, 0.15, 0.15, 0.2, 0.15, 0.1])
    amount, ratio, tau_s = log_uniform(rng, 0.15, 1.0), log_uniform(rng, 1.3, 4), log_uniform(rng, 0.006, 0.04)
    decay_s = log_uniform(rng, 0.025, 0.12)
    knock = normal(kick_sounds.click(rng, span(0.06)))
    slap = normal(rng_slap(rng, round(0.08 * RATE_HZ)))

    def play(hz: float, seconds: float) -> Sound:
        note = player(hz, seconds)
        if kind in ("click", "slap"):
            top = knock if kind == "click" else slap
            n = min(len(top), len(note))
            note = note.copy()
            note[:n] += amount * top[:n]
        elif kind == "drop":
            t = np.arange(len(note)) / RATE_HZ
            note = note + amount * np.sin(glide(hz * ratio, hz, tau_s, t)) * np.exp(-t / (2 * tau_s))
        elif kind == "short":
            note = note * np.exp(-np.arange(len(note)) / (decay_s * RATE_HZ))
        elif kind == "cut":
            note = note[: max(200, int(0.8 * len(note)))]
        return normal(note)

    return play


def played(voice: Voice, fade_s: float = 0.004, decay_s: float | None = None) -> Player:
    """A voice as a player of steady notes."""

    def play(hz: float, seconds: float) -> Sound:
        sound = ends(voice(np.full(max(1, round(seconds * RATE_HZ)), hz)), 0, fade_s)
        return sound if decay_s is None else sound * np.exp(-np.arange(len(sound)) / (decay_s * RATE_HZ))

    return play


def sampled_voice(rng: Rng, player: Player, hz: float) -> Voice:
    """A sampler with one note of a player, hz high, at all pitches: it goes round in its end, or stops there."""
    sound = old_sampler(rng, player(hz, log_uniform(rng, 0.15, 0.8)))
    n_loop, margin = round(RATE_HZ / hz * int(rng.choice([1, 2, 8, 32]))), round(0.05 * RATE_HZ)
    smooth = rng.random() < 0.6
    if rng.random() < 0.6 and n_loop < len(sound) - 2 * margin:
        return wave_voice(sound, hz, len(sound) - margin - n_loop, len(sound) - margin, smooth)
    return wave_voice(sound, hz, None, len(sound) - 1, smooth)


def wave_voice(sound: Sound, hz: float, loop_from: int | None, end: int, smooth: bool) -> Voice:
    """Reads `sound`, recorded at hz, at any frequency; from `end` on it repeats from loop_from, or is silent."""
    sound = np.append(sound, sound[end] if loop_from is None else sound[loop_from])

    def voice(freq_hz: Sound) -> Sound:
        places = np.cumsum(freq_hz / hz) - freq_hz[0] / hz
        if loop_from is not None:
            over = places >= end
            places[over] = loop_from + (places[over] - end) % (end - loop_from)
        whole = np.minimum(places.astype(int), end)
        made = sound[whole]
        if smooth:
            made = made + (places - whole) * (sound[np.minimum(whole + 1, end)] - made)
        return made if loop_from is not None else np.where(places < end, made, 0.0)

    return voice


def chip_voice(rng: Rng, kind: str) -> Voice:
    """A channel of a sound chip. kind: square (of any duty), triangle in steps, saw, noise of a shift register."""
    if kind == "noise":
        n = int(rng.choice([93, 4096, 4096]))
        cycle = rng.choice([-1.0, 1.0], n)
        return wave_voice(cycle, 400.0, 0, n, smooth=False)
    steps = np.arange(64) / 64
    cycle = {
        "square": np.where(steps < rng.choice([0.125, 0.25, 0.5, 0.5]), 1.0, -1.0),
        "triangle": np.round(15 * (1 - np.abs(2 * steps - 1))) / 7.5 - 1,
        "saw": 1 - 2 * steps,
    }[kind]
    return wave_voice(cycle - cycle.mean(), RATE_HZ / 64, 0, 64, smooth=False)


def fm_voice(rng: Rng) -> Voice:
    """Two operators, one the frequency of the other, as on a sound card."""
    ratio, index = float(rng.choice([0.5, 1, 1, 2, 3, 7])), log_uniform(rng, 0.3, 6)
    tau_s, kept = log_uniform(rng, 0.02, 0.5), rng.uniform(0, 0.6)

    def voice(freq_hz: Sound) -> Sound:
        phase = 2 * np.pi * np.cumsum(freq_hz) / RATE_HZ
        t = np.arange(len(freq_hz)) / RATE_HZ
        return np.sin(phase + index * (kept + (1 - kept) * np.exp(-t / tau_s)) * np.sin(ratio * phase))

    return voice


def chip_kick(rng: Rng) -> Sound:
    """A triangle, a square or an FM tone that falls, in steps of a frame or not, sometimes after a burst of noise."""
    voice = (
        fm_voice(rng) if rng.random() < 0.25 else chip_voice(rng, str(rng.choice(["triangle", "triangle", "square"])))
    )
    t = span(log_uniform(rng, 0.06, 0.25))
    ticks = np.floor(t * 60) / 60 if rng.random() < 0.6 else t
    hz = log_uniform(rng, 35, 70) + log_uniform(rng, 80, 500) * np.exp(-ticks / log_uniform(rng, 0.015, 0.06))
    body = voice(hz) * np.clip(1 - ticks / t[-1], 0, 1)
    if rng.random() < 0.3:
        n = min(len(t), round(rng.uniform(0.008, 0.033) * RATE_HZ))
        body[:n] += rng.uniform(0.2, 0.8) * chip_voice(rng, "noise")(np.full(n, log_uniform(rng, 150, 400)))
    return normal(body)


def chip_drum(rng: Rng, seconds: float, tone: float) -> Sound:
    """A burst of the noise channel, with a falling tone for a snare."""
    t = span(seconds)
    ticks = np.floor(t * 60) / 60
    made = (
        chip_voice(rng, "noise")(np.full(len(t), log_uniform(rng, 120, 420))) * np.clip(1 - ticks / seconds, 0, 1) ** 2
    )
    if tone:
        made += tone * np.sin(glide(log_uniform(rng, 200, 400), log_uniform(rng, 90, 180), 0.03, t)) * np.exp(-t / 0.05)
    return normal(made)
