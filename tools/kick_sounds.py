"""The instruments that the kick network is trained on, synthesised with numpy: no samples, no recordings.

Every maker draws its character from a `numpy.random.Generator` and returns mono sound, (n,) float64, peak about 1, that begins
at once: the first sample is the moment a drummer's foot arrives. Times are seconds, frequencies Hz.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

RATE_HZ = 44_100

Sound = np.ndarray  # (n,) float64
Rng = np.random.Generator


def span(duration_s: float) -> Sound:
    """The times of `duration_s` of samples."""
    return np.arange(max(1, round(duration_s * RATE_HZ))) / RATE_HZ


def normal(sound: Sound) -> Sound:
    return sound / (np.abs(sound).max() + 1e-9)


def ends(sound: Sound, in_s: float, out_s: float) -> Sound:
    """Raised-cosine ends."""
    sound = sound.copy()
    for n, part in ((round(in_s * RATE_HZ), slice(None)), (round(out_s * RATE_HZ), slice(None, None, -1))):
        n = min(n, len(sound))
        if n > 1:
            sound[part][:n] *= 0.5 - 0.5 * np.cos(np.pi * np.arange(n) / n)
    return sound


@functools.lru_cache(maxsize=8)
def delays(n_fft: int) -> tuple[Sound, Sound]:
    """One and two samples of delay, at the bins of a transform."""
    z = np.exp(-2j * np.pi * np.arange(n_fft // 2 + 1) / n_fft)
    return z, z**2


def through(sound: Sound, *sections: tuple[str, float, float]) -> Sound:
    """Through filters of second order (kind, Hz, quality), kind low, high, band or a peak of so many dB: causal, same length.

    The response is that of the digital filter, evaluated at the bins of a padded transform: no loop over samples.
    """
    n_fft = 1 << (len(sound) + RATE_HZ // 8).bit_length()
    z, z2 = delays(n_fft)
    spectrum = np.fft.rfft(sound, n_fft)
    for kind, freq_hz, quality in sections:
        turn = 2 * np.pi * min(freq_hz, 0.45 * RATE_HZ) / RATE_HZ
        cos = np.cos(turn)
        if kind == "peak":  # quality is the gain in dB here, one octave and a half wide
            gain, alpha = 10 ** (quality / 40), np.sin(turn) / 2
            top = (1 + alpha * gain, -2 * cos, 1 - alpha * gain)
            bottom = (1 + alpha / gain, -2 * cos, 1 - alpha / gain)
        else:
            alpha = np.sin(turn) / (2 * quality)
            top = {
                "low": ((1 - cos) / 2, 1 - cos, (1 - cos) / 2),
                "high": ((1 + cos) / 2, -1 - cos, (1 + cos) / 2),
                "band": (alpha, 0.0, -alpha),
            }[kind]
            bottom = (1 + alpha, -2 * cos, 1 - alpha)
        spectrum *= (top[0] + top[1] * z + top[2] * z2) / (bottom[0] + bottom[1] * z + bottom[2] * z2)
    return np.fft.irfft(spectrum, n_fft)[: len(sound)]


def log_uniform(rng: Rng, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def glide(start_hz: float, end_hz: float, tau_s: float, t: Sound) -> Sound:
    """The phase, in radians, of a frequency that falls exponentially."""
    return 2 * np.pi * (end_hz * t + (start_hz - end_hz) * tau_s * (1 - np.exp(-t / tau_s)))


def brown(rng: Rng, n: int, exponent: float = 1.0) -> Sound:
    """Noise whose amplitude falls with frequency to the power of `exponent`: 0 white, .5 pink, 1 brown; unit RMS."""
    n_fft = 1 << max(n, 1024).bit_length()
    freqs = np.maximum(np.fft.rfftfreq(n_fft, 1 / RATE_HZ), 15.0)
    spectrum = (rng.standard_normal(len(freqs)) + 1j * rng.standard_normal(len(freqs))) / freqs**exponent
    noise = np.fft.irfft(spectrum, n_fft)[:n]
    return noise / (noise.std() + 1e-12)


# --- kicks -------------------------------------------------------------------------------------------------------------------


def click(rng: Rng, t: Sound) -> Sound:
    """The first milliseconds of a kick: a beater, a click, a burst."""
    kind = rng.integers(4)
    length_s = log_uniform(rng, 0.0008, 0.012)
    if kind == 0:
        return np.exp(-t / length_s) * np.sin(2 * np.pi * log_uniform(rng, 400, 4000) * t)
    noise = rng.standard_normal(len(t)) * np.exp(-t / length_s)
    if kind == 1:
        return normal(through(noise, ("high", log_uniform(rng, 800, 6000), 0.7)))
    if kind == 2:
        return normal(through(noise, ("band", log_uniform(rng, 800, 5000), rng.uniform(0.7, 2))))
    return normal(through(noise, ("low", log_uniform(rng, 800, 6000), 0.7)))


def electronic_kick(rng: Rng) -> Sound:
    """808, 909, house, techno, hard: a sine that falls in pitch, a click, sometimes driven."""
    style = rng.integers(5)
    end_hz = log_uniform(rng, 36, 68)
    start_hz = end_hz * log_uniform(rng, 1.3, 7)
    tau_s = log_uniform(rng, 0.008, 0.07)
    decay_s = log_uniform(rng, 0.06, 0.3)
    drive = 1.0
    if style == 0:  # 808: long, hardly falling
        start_hz, tau_s, decay_s = (
            end_hz * rng.uniform(1.1, 3),
            log_uniform(rng, 0.004, 0.02),
            log_uniform(rng, 0.2, 0.9),
        )
    elif style == 1:  # driven hard
        drive = log_uniform(rng, 2, 15)
        decay_s = log_uniform(rng, 0.1, 0.4)
    t = span(min(1.2, 5 * decay_s))
    phase = glide(start_hz, end_hz, tau_s, t)
    if rng.random() < 0.5:  # a second, quicker fall makes the knock
        phase += glide(log_uniform(rng, 300, 3000), 0.0, log_uniform(rng, 0.001, 0.006), t)
    hold_s = rng.uniform(0, 0.08) if rng.random() < 0.4 else 0.0
    body = np.sin(phase + rng.choice([0.0, np.pi / 2, np.pi])) * np.exp(-np.maximum(t - hold_s, 0) / decay_s)
    body = ends(body, rng.uniform(0, 0.003), 0.01)
    body += rng.choice([0.0, log_uniform(rng, 0.01, 0.6)], p=[0.35, 0.65]) * click(rng, t)
    body = np.tanh(drive * body) if drive > 1 else body
    if rng.random() < 0.4:
        body = through(body, ("low", log_uniform(rng, 150, 4000), 0.7))
    return normal(body)


def acoustic_kick(rng: Rng) -> Sound:
    """A skin's modes, each dying in its own time, a beater against it, the shell and the air around."""
    base_hz = log_uniform(rng, 42, 95)
    decay_s = log_uniform(rng, 0.04, 0.28)
    t = span(min(0.9, 6 * decay_s))
    body = np.zeros(len(t))
    bend = rng.uniform(0.0, 0.5)
    tau_s = log_uniform(rng, 0.008, 0.04)
    for ratio, level in ((1.0, 1.0), (1.59, 0.6), (2.14, 0.45), (2.3, 0.3), (2.65, 0.3), (3.2, 0.25), (4.1, 0.2)):
        hz = base_hz * ratio * rng.uniform(0.94, 1.06)
        level *= rng.uniform(0.0, 1.2) if ratio > 1 else 1.0
        phase = glide(hz * (1 + bend), hz, tau_s, t) + rng.uniform(-0.6, 0.6)
        body += level * np.sin(phase) * np.exp(-t / (decay_s / ratio ** rng.uniform(0.5, 1.3)))
    body = ends(normal(body), log_uniform(rng, 0.0005, 0.008), 0.02)
    # most drums are heard from outside, their beater hardly at all
    body += log_uniform(rng, 0.003, 0.4) * click(rng, t)
    if rng.random() < 0.6:  # the beater's dull part
        thump = through(
            rng.standard_normal(len(t)) * np.exp(-t / log_uniform(rng, 0.005, 0.04)),
            ("low", log_uniform(rng, 120, 500), 0.8),
        )
        body += rng.uniform(0, 0.5) * normal(thump)
    if rng.random() < 0.3:  # the snare's wires answer
        wires = through(rng.standard_normal(len(t)) * np.exp(-t / 0.06), ("high", 2500, 0.7))
        body += rng.uniform(0, 0.05) * normal(wires)
    if rng.random() < 0.6:
        scoop = rng.uniform(-9, 3)
        body = through(
            body, ("peak", log_uniform(rng, 250, 600), scoop), ("peak", log_uniform(rng, 50, 100), rng.uniform(0, 8))
        )
    if rng.random() < 0.5:
        body = through(body, ("low", log_uniform(rng, 150, 4000), 0.7))
    if rng.random() < 0.3:
        body = np.tanh(log_uniform(rng, 1, 5) * normal(body))
    return normal(body)


def kick(rng: Rng) -> Sound:
    """A kick of any kind."""
    made = acoustic_kick(rng) if rng.random() < 0.55 else electronic_kick(rng)
    if rng.random() < 0.12:  # layered
        other = electronic_kick(rng)
        n = max(len(made), len(other))
        made = normal(np.pad(made, (0, n - len(made))) + rng.uniform(0.3, 1) * np.pad(other, (0, n - len(other))))
    return made


# --- what else is struck -----------------------------------------------------------------------------------------------------


def tom(rng: Rng, base_hz: float | None = None) -> Sound:
    base_hz = log_uniform(rng, 75, 260) if base_hz is None else base_hz
    decay_s = log_uniform(rng, 0.08, 0.4)
    t = span(min(1.2, 5 * decay_s))
    phase = glide(base_hz * rng.uniform(1.05, 1.6), base_hz, log_uniform(rng, 0.02, 0.1), t)
    body = np.sin(phase) * np.exp(-t / decay_s)
    for ratio in (1.5, 1.74, 2.0, 2.44):
        body += rng.uniform(0, 0.5) * np.sin(ratio * phase) * np.exp(-t * ratio / decay_s)
    return normal(ends(body, 0.001, 0.02) + rng.uniform(0.02, 0.4) * click(rng, t))


def snare(rng: Rng) -> Sound:
    decay_s = log_uniform(rng, 0.05, 0.25)
    t = span(6 * decay_s)
    base_hz = log_uniform(rng, 130, 280)
    noise = rng.standard_normal(len(t)) * np.exp(-t / decay_s)
    noise = normal(
        through(noise, ("high", log_uniform(rng, 300, 3000), 0.7), ("low", log_uniform(rng, 5000, 16000), 0.7))
    )
    tone = sum(np.sin(glide(r * base_hz * 1.3, r * base_hz, 0.015, t)) / r for r in (1.0, 1.6, 2.2))
    tone = normal(tone * np.exp(-t / log_uniform(rng, 0.02, 0.15)))
    if rng.random() < 0.2:  # clap
        bursts = sum(np.where(t > d, np.exp(-(t - d) / 0.006), 0) for d in (0.0, 0.011, 0.023)) + np.exp(-t / decay_s)
        return normal(through(rng.standard_normal(len(t)) * bursts, ("band", log_uniform(rng, 900, 2200), 1.0)))
    return normal(ends(noise + log_uniform(rng, 0.1, 6) * tone, 0.0005, 0.01))


def metal(rng: Rng, decay_s: float) -> Sound:
    """A hi-hat, a ride, a crash, a shaker."""
    t = span(min(2.0, 5 * decay_s))
    noise = rng.standard_normal(len(t)) * np.exp(-t / decay_s)
    return normal(
        ends(through(noise, ("high", log_uniform(rng, 2500, 9000), rng.uniform(0.6, 1.5))), rng.uniform(0, 0.01), 0.01)
    )


def hand(rng: Rng) -> Sound:
    """Congas, bongos, rim shots, blocks, cowbells."""
    hz = log_uniform(rng, 150, 2000)
    t = span(0.35)
    tone = np.sin(glide(hz * rng.uniform(1, 1.2), hz, 0.02, t)) + rng.uniform(0, 0.6) * np.sin(
        2 * np.pi * hz * rng.uniform(1.4, 2.8) * t
    )
    return normal(tone * np.exp(-t / log_uniform(rng, 0.015, 0.12)) + rng.uniform(0, 0.4) * click(rng, t))


# --- what is played ----------------------------------------------------------------------------------------------------------


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
    kind = rng.choice(["sub", "808", "saw", "reese", "wobble", "fm", "finger", "pick", "slap", "upright", "square"])
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
    """Guitars, keys, strings, pads, leads: what it returns takes (Hz of the root, seconds) and plays a chord or a note."""
    kind = rng.choice(["strum", "power", "keys", "strings", "pad", "stab", "lead"])
    ratios = [(1.0, 1.26, 1.5, 2.0), (1.0, 1.19, 1.5, 2.0), (1.0, 1.5, 2.0), (1.0,), (1.0, 1.33, 1.78)][rng.integers(5)]
    if kind == "power":
        ratios = (1.0, 1.5, 2.0)
    cutoff_hz = log_uniform(rng, 500, 6000)
    drive = log_uniform(rng, 2, 20)
    attack_s = log_uniform(rng, 0.02, 0.4) if kind in ("strings", "pad") else log_uniform(rng, 0.001, 0.02)
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
            elif kind in ("strings", "pad", "lead"):
                made += harmonics(
                    hz * (1 + 0.004 * np.sin(2 * np.pi * vibrato_hz * t + voice)), t, cutoff_hz, 0.7, n_max=12
                )
            else:
                made += harmonics(hz, t, cutoff_hz * (0.3 + np.exp(-t / 0.15)), 0.8, n_max=12) * np.exp(-t / tau_s)
        made = normal(made)
        if kind == "power":
            made = through(np.tanh(drive * made), ("high", 90, 0.7), ("low", 5000, 0.7))
        return normal(ends(made, attack_s, min(0.08, duration_s / 3)))

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
