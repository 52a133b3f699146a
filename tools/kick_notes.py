"""The notes that the kick network is trained on: basses, chords and voices, synthesised with numpy.

Every function draws its parameters from a `numpy.random.Generator`; see tools/kick_sounds.py.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tools.kick_sounds import RATE_HZ, Rng, Sound, ends, glide, log_uniform, normal, span, through


def pluck(rng: Rng, freq_hz: float, duration_s: float, damping: float, bright: float) -> Sound:
    """A plucked string after Karplus and Strong, a period at a time. damping: 0..1, bright: 0..1 of the first noise."""
    period = max(2, round(RATE_HZ / freq_hz))
    noise = rng.uniform(-1, 1, period)
    smooth = max(1, round((1 - bright) * period / 6))
    ring = np.convolve(np.tile(noise, 3), np.ones(smooth) / smooth, "same")[period : 2 * period]
    ring = ring - ring.mean()
    n_periods = round(duration_s * RATE_HZ / period) + 1
    made = np.empty((n_periods, period))
    for row in made:
        row[:] = ring
        ring = (1 - damping * 0.01) * (0.5 * ring + 0.5 * np.roll(ring, 1))
    return normal(made.ravel())


def harmonics(
    freq_hz: Sound | float, t: Sound, cutoff_hz: Sound | float, resonance: float, odd: bool = False, n_max: int = 28
) -> Sound:
    """A saw (or a square, `odd`) under a low-pass whose cutoff may move: a sum of partials."""
    phase = 2 * np.pi * np.cumsum(np.broadcast_to(freq_hz, t.shape)) / RATE_HZ
    lowest = float(np.min(freq_hz))
    # the k-th partial is the k-th power of the first: a product a sample instead of a sine
    first = np.exp(1j * phase).astype(np.complex64)
    partial, step = first.copy(), first * first if odd else first
    made = np.zeros(len(t))
    for k in range(1, min(n_max, int(9000 / lowest)) + 1, 2 if odd else 1):
        ratio = k * freq_hz / cutoff_hz
        if np.min(ratio) < 12:
            made += partial.imag * (1 / (k * np.sqrt((1 - ratio**2) ** 2 + (ratio / resonance) ** 2)))
        partial *= step
    return made


def bass_kind(rng: Rng) -> Callable[[float, float], Sound]:
    """A bass player: what it returns takes (Hz, seconds) and plays that note."""
    kind = rng.choice(
        ["sub", "808", "saw", "reese", "wobble", "fm", "finger", "pick", "slap", "upright", "square", "hit"]
    )
    cutoff_hz = log_uniform(rng, 120, 3000)
    sweep = log_uniform(rng, 1, 8)
    tau_s = log_uniform(rng, 0.02, 0.3)
    resonance = log_uniform(rng, 0.6, 4)
    attack_s = log_uniform(rng, 0.0008, 0.02)
    decay_s = log_uniform(rng, 0.15, 3)
    rate_hz = rng.uniform(1, 9)
    drive = log_uniform(rng, 1, 6) if rng.random() < 0.4 else 0.0
    detune = rng.uniform(0.003, 0.02)
    character = int(rng.integers(1 << 30))
    slide = rng.uniform(0.8, 1.2) if rng.random() < 0.3 else 1.0

    def play(freq_hz: float, duration_s: float) -> Sound:
        own = np.random.default_rng([character, round(freq_hz * 100)])
        t = span(duration_s)
        freq = freq_hz * slide ** np.exp(-t / 0.04)
        envelope = np.exp(-t / decay_s)
        cutoff = cutoff_hz * (1 + (sweep - 1) * np.exp(-t / tau_s))
        if kind == "sub":
            made = np.sin(2 * np.pi * np.cumsum(freq) / RATE_HZ) * envelope
        elif kind == "808":
            made = np.sin(glide(freq_hz * max(1.0, slide), freq_hz, 0.05, t)) * np.exp(-t / max(0.3, decay_s))
            made += rng_slap(own, len(t)) * 0.2
        elif kind == "hit":  # a synthesiser's bass with a knock of its own
            made = np.sin(glide(freq_hz * (1 + sweep / 3), freq_hz, 0.02 * tau_s / 0.1, t)) * envelope
            made += 0.4 * harmonics(freq, t, cutoff, resonance, n_max=10) * np.exp(-t / tau_s) + 0.3 * rng_slap(
                own, len(t)
            )
        elif kind in ("saw", "square"):
            made = harmonics(freq, t, cutoff, resonance, odd=kind == "square") * envelope
        elif kind == "reese":
            made = harmonics(freq_hz * (1 + detune), t, cutoff_hz, resonance) + harmonics(
                freq_hz * (1 - detune), t, cutoff_hz, resonance
            )
        elif kind == "wobble":
            made = harmonics(freq, t, 90 + cutoff_hz * (0.5 - 0.5 * np.cos(2 * np.pi * rate_hz * t)), resonance)
        elif kind == "fm":
            phase = 2 * np.pi * freq_hz * t
            made = np.sin(phase + sweep * np.exp(-t / tau_s) * np.sin(round(1 + 2 * resonance) * phase)) * envelope
        else:
            damping, bright = {"finger": (0.6, 0.3), "pick": (0.4, 0.8), "slap": (0.8, 1.0), "upright": (2.0, 0.15)}[
                kind
            ]
            made = pluck(own, freq_hz, duration_s, damping * sweep / 2, bright)[: len(t)]
            made = made + 0.6 * np.sin(2 * np.pi * freq_hz * t[: len(made)]) * np.exp(
                -t[: len(made)] / max(decay_s, 0.3)
            )
            if kind == "slap":
                made = made + rng_slap(own, len(made))
        made = ends(normal(made), attack_s, min(0.03, duration_s / 4))
        return normal(np.tanh(drive * made)) if drive else made

    return play


def rng_slap(rng: Rng, n: int) -> Sound:
    """The string against the fret: a short bright burst."""
    t = np.arange(n) / RATE_HZ
    return 0.5 * through(rng.standard_normal(n) * np.exp(-t / 0.008), ("band", 2500, 0.7))


def chord_kind(rng: Rng) -> Callable[[float, float], Sound]:
    """Guitars, keys, strings, pads, leads: what it returns takes (Hz of the root, seconds) and plays a chord or a
    note.
    """
    kind = rng.choice(["strum", "power", "keys", "strings", "pad", "stab", "lead", "gate"])
    ratios = [(1.0, 1.26, 1.5, 2.0), (1.0, 1.19, 1.5, 2.0), (1.0, 1.5, 2.0), (1.0,), (1.0, 1.33, 1.78)][rng.integers(5)]
    if kind == "power":
        ratios = (1.0, 1.5, 2.0)
    cutoff_hz = log_uniform(rng, 500, 6000)
    drive = log_uniform(rng, 2, 20)
    attack_s = log_uniform(rng, 0.02, 0.4) if kind in ("strings", "pad") else log_uniform(rng, 0.001, 0.02)
    release_s = log_uniform(rng, 0.003, 0.02) if kind == "gate" else 0.08
    tau_s = log_uniform(rng, 0.1, 2)
    vibrato_hz = rng.uniform(3, 7)

    def play(freq_hz: float, duration_s: float) -> Sound:
        t = span(duration_s)
        made = np.zeros(len(t))
        for voice, ratio in enumerate(ratios):
            hz = freq_hz * ratio
            if kind in ("strum", "power"):
                string = pluck(np.random.default_rng(voice), hz, duration_s, 0.3, 0.9)[: len(t)]
                late = round(voice * 0.008 * RATE_HZ) if kind == "strum" else 0
                made[late : late + len(string)] += string[: len(t) - late]
            elif kind in ("strings", "pad", "lead", "gate"):
                made += harmonics(
                    hz * (1 + 0.004 * np.sin(2 * np.pi * vibrato_hz * t + voice)), t, cutoff_hz, 0.7, n_max=12
                )
            else:
                made += harmonics(hz, t, cutoff_hz * (0.3 + np.exp(-t / 0.15)), 0.8, n_max=12) * np.exp(-t / tau_s)
        made = normal(made)
        if kind == "power":
            made = through(np.tanh(drive * made), ("high", 90, 0.7), ("low", 5000, 0.7))
        return normal(ends(made, attack_s, min(release_s, duration_s / 3)))

    return play


def voice(rng: Rng, duration_s: float, singing: bool) -> Sound:
    """Something like speech or song: a buzz of moving pitch through moving formants, in syllables, with consonants."""
    n = round(duration_s * RATE_HZ)
    made = np.zeros(n)
    at_s = rng.uniform(0, 0.3)
    base_hz = log_uniform(rng, 85, 300)
    while at_s < duration_s - 0.1:
        long_s = log_uniform(rng, 0.2, 1.2) if singing else log_uniform(rng, 0.07, 0.35)
        t = span(long_s)
        hz = base_hz * 2 ** (rng.integers(-5, 8) / 12 if singing else rng.uniform(-0.25, 0.35))
        freq = hz * (1 + 0.02 * np.sin(2 * np.pi * 5.5 * t) * singing - 0.15 * (1 - singing) * t / long_s)
        buzz = harmonics(freq, t, 2500.0, 0.7, n_max=24)
        formants = rng.choice(
            [(700, 1150, 2500), (300, 2200, 2900), (350, 750, 2400), (500, 1700, 2500), (550, 900, 2500)]
        )
        vowel = sum(through(buzz, ("band", float(f), 6.0)) / (i + 1) for i, f in enumerate(formants)) + 0.15 * buzz
        vowel = ends(normal(vowel), log_uniform(rng, 0.005, 0.06), min(0.08, long_s / 3))
        start = round(at_s * RATE_HZ)
        made[start : start + len(vowel)] += vowel[: n - start] * rng.uniform(0.4, 1)
        if rng.random() < 0.5:  # a consonant before it; p and b thump into a close microphone
            hiss = rng.standard_normal(len(span(0.06))) * np.exp(-span(0.06) / log_uniform(rng, 0.005, 0.04))
            hiss = (
                through(hiss, ("low", 300, 0.7)) * 4
                if rng.random() < 0.25
                else through(hiss, ("high", log_uniform(rng, 1500, 6000), 0.7))
            )
            start = max(0, start - round(0.04 * RATE_HZ))
            made[start : start + len(hiss)] += 0.4 * hiss[: n - start]
        at_s += long_s + (rng.exponential(0.25) if rng.random() < 0.4 else rng.uniform(0, 0.08))
    return normal(made)
