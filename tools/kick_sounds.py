"""The drums that the kick network is trained on, synthesised with numpy: no samples, no recordings.

Every function draws its parameters from a `numpy.random.Generator` and returns mono sound, (n,) float64, peak about 1;
the first sample is the moment of the hit. Times are in seconds, frequencies in Hz.
"""

from __future__ import annotations

import functools

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
    """Through filters of second order (kind, Hz, quality), kind low, high, band or a peak of so many dB: causal, same
    length.

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


# --- kicks -----------------------------------------------------------------------------------------------------------


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
        body += log_uniform(rng, 0.03, 1.2) * normal(thump)
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


def dull_kick(rng: Rng) -> Sound:
    """A damped drum, heard from across the room: a thud without a note."""
    t = span(0.3)
    thud = through(
        rng.standard_normal(len(t)) * np.exp(-t / log_uniform(rng, 0.01, 0.05)),
        ("low", log_uniform(rng, 60, 300), rng.uniform(0.6, 1.2)),
        ("high", log_uniform(rng, 20, 45), 0.7),
    )
    hz = log_uniform(rng, 45, 90)
    note = np.sin(glide(hz * rng.uniform(1, 1.4), hz, 0.02, t)) * np.exp(-t / log_uniform(rng, 0.015, 0.08))
    body = ends(normal(thud) + log_uniform(rng, 0.05, 1.5) * note, log_uniform(rng, 0.0005, 0.012), 0.02)
    return normal(normal(body) + log_uniform(rng, 0.003, 0.3) * click(rng, t))


def kick(rng: Rng) -> Sound:
    """A kick of any kind."""
    made = (acoustic_kick, electronic_kick, dull_kick)[rng.choice(3, p=[0.4, 0.42, 0.18])](rng)
    if rng.random() < 0.12:  # layered
        other = electronic_kick(rng)
        n = max(len(made), len(other))
        made = normal(np.pad(made, (0, n - len(made))) + rng.uniform(0.3, 1) * np.pad(other, (0, n - len(other))))
    return made


# --- what else is struck ---------------------------------------------------------------------------------------------


def tom(rng: Rng, base_hz: float | None = None) -> Sound:
    base_hz = log_uniform(rng, 75, 260) if base_hz is None else base_hz
    decay_s = log_uniform(rng, 0.08, 0.4)
    t = span(min(1.2, 5 * decay_s))
    phase = glide(base_hz * rng.uniform(1.05, 1.6), base_hz, log_uniform(rng, 0.02, 0.1), t)
    body = np.sin(phase) * np.exp(-t / decay_s)
    for ratio in (1.5, 1.74, 2.0, 2.44):
        body += rng.uniform(0, 0.5) * np.sin(ratio * phase) * np.exp(-t * ratio / decay_s)
    return normal(ends(body, 0.001, 0.02) + rng.uniform(0.02, 0.4) * click(rng, t))


def electronic_snare(rng: Rng) -> Sound:
    """A drum machine's: two falling tones, and noise that is often far softer than they are."""
    base_hz, bend = log_uniform(rng, 145, 245), log_uniform(rng, 1.1, 3)
    t = span(0.5)
    phase = glide(base_hz * bend, base_hz, log_uniform(rng, 0.004, 0.025), t)
    tone = np.sin(phase + rng.uniform(-1.5, 1.5)) * np.exp(-t / log_uniform(rng, 0.03, 0.2))
    tone += rng.uniform(0, 0.8) * np.sin(rng.uniform(1.4, 1.95) * phase) * np.exp(-t / log_uniform(rng, 0.02, 0.1))
    noise = rng.standard_normal(len(t)) * np.exp(-t / log_uniform(rng, 0.03, 0.25))
    noise = through(noise, ("high", log_uniform(rng, 500, 3500), 0.7), ("low", log_uniform(rng, 4000, 16000), 0.7))
    made = ends(normal(tone), log_uniform(rng, 0.0003, 0.004), 0.02) + log_uniform(rng, 0.02, 1.0) * normal(noise)
    return normal(np.tanh(log_uniform(rng, 1, 5) * made) if rng.random() < 0.3 else made)


def snare(rng: Rng) -> Sound:
    """A skin over wires, a drum machine's, or hands clapping."""
    if rng.random() < 0.35:
        return electronic_snare(rng)
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
    made = noise + log_uniform(rng, 0.1, 6) * tone
    if rng.random() < 0.7:  # the stick moves the skin, the stand and the bass drum beside it
        thump = through(
            rng.standard_normal(len(t)) * np.exp(-t / log_uniform(rng, 0.004, 0.03)),
            ("low", log_uniform(rng, 60, 250), 0.7),
        )
        made += log_uniform(rng, 0.03, 0.8) * np.abs(made).max() * normal(thump)
    return normal(ends(made, 0.0005, 0.01))


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
