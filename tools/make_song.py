"""Makes the demo song: demo/song.opus, and the times of its kicks in demo/song.kicks.txt.

    python tools/make_song.py [FOLDER]

36 seconds of melodic house at 118 beats a minute, written as numpy arrays: no samples, no plug-ins. The same seed gives
the same song. Times inside are seconds, positions in the score are bars and sixteenths.
"""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path

import numpy as np

RATE_HZ = 48_000
TEMPO_BPM = 118
SIXTEENTH_S = 60 / TEMPO_BPM / 4
BAR_S = 16 * SIXTEENTH_S
N_BARS = 18
LEAD_IN_S = 0.1  # silence, so that no player swallows the first kick
BREAK_BARS = (8, 9)  # no kick; the drop follows
LAST_BAR = 16  # one chord that rings out
N_SAMPLES = round((LEAD_IN_S + N_BARS * BAR_S) * RATE_HZ)
TITLE, ARTIST = "Cloud Kicks", "visualizer (synthesised by tools/make_song.py)"

# one chord a bar: root of the bass line, then the voices of the chord (MIDI note numbers)
A_MINOR_9 = (45, (55, 60, 64, 67, 71))
F_MAJOR_9 = (41, (57, 60, 64, 67, 72))
C_MAJOR_9 = (48, (55, 59, 64, 67, 74))
G_6_9 = (43, (55, 59, 62, 64, 69))
D_MINOR_9 = (50, (53, 57, 60, 64, 69))
E_MINOR_7_11 = (40, (55, 59, 62, 64, 69))
_ROUND = [A_MINOR_9, F_MAJOR_9, C_MAJOR_9, G_6_9]
CHORDS = [*_ROUND, *_ROUND, D_MINOR_9, E_MINOR_7_11, *_ROUND, F_MAJOR_9, G_6_9, C_MAJOR_9, C_MAJOR_9]

Stereo = np.ndarray  # (samples, 2) float64


def hertz(note: float) -> float:
    """Frequency of a MIDI note number, Hz; 69 is 440."""
    return 440.0 * 2.0 ** ((note - 69) / 12)


def at(bar: float, sixteenth: float = 0.0) -> float:
    """Seconds from the start to a place in the score."""
    return LEAD_IN_S + bar * BAR_S + sixteenth * SIXTEENTH_S


def seconds(duration_s: float) -> np.ndarray:
    return np.arange(round(duration_s * RATE_HZ)) / RATE_HZ


def fade(sound: np.ndarray, in_s: float, out_s: float) -> np.ndarray:
    """Raised-cosine ends, so that nothing begins or stops with a click."""
    sound = sound.copy()
    for n, part in ((round(in_s * RATE_HZ), slice(None)), (round(out_s * RATE_HZ), slice(None, None, -1))):
        n = min(n, len(sound))
        ramp = 0.5 - 0.5 * np.cos(np.pi * np.arange(n) / max(n, 1))
        view = sound[part][:n]
        view *= ramp if sound.ndim == 1 else ramp[:, None]
    return sound


def place(track: Stereo, start_s: float, sound: np.ndarray, gain: float = 1.0, pan: float = 0.0) -> None:
    """Add a sound (mono or stereo) to a track. pan: -1 left .. 1 right, constant power."""
    first = round(start_s * RATE_HZ)
    if first < 0:
        sound, first = sound[-first:], 0
    sound, angle = sound[: len(track) - first], (pan + 1) * np.pi / 4
    if sound.ndim == 1:
        sound = np.outer(sound, [np.cos(angle) * np.sqrt(2), np.sin(angle) * np.sqrt(2)])
    track[first : first + len(sound)] += gain * sound


def roomy(n: int) -> int:
    """A length of at least n samples that is quick to transform."""
    return min(m * 2 ** int(np.ceil(np.log2(n / m))) for m in (1, 3, 5, 9, 15))


def shaped(sound: np.ndarray, low_hz: float = 0.0, high_hz: float = 0.0, order: int = 2) -> np.ndarray:
    """Keep what lies between low_hz and high_hz (0: no limit), with Butterworth slopes and no delay."""
    n = roomy(len(sound) + RATE_HZ // 4)  # room for the tails, which would wrap around
    freqs = np.fft.rfftfreq(n, 1 / RATE_HZ)
    response = np.ones_like(freqs)
    if high_hz:
        response /= np.sqrt(1 + (freqs / high_hz) ** (2 * order))
    if low_hz:
        response /= np.sqrt(1 + (low_hz / np.maximum(freqs, 1e-3)) ** (2 * order))
    if sound.ndim == 2:
        response = response[:, None]
    return np.fft.irfft(np.fft.rfft(sound, n, axis=0) * response, n, axis=0)[: len(sound)]


def swept(sound: Stereo, cutoff_hz: np.ndarray, resonance: float) -> Stereo:
    """A low-pass whose cutoff moves: cutoff_hz (samples,). Overlapping windows, each filtered by itself."""
    size, hop = 2048, 512
    window = np.sqrt(np.hanning(size + 1)[:size])
    freqs = np.fft.rfftfreq(size, 1 / RATE_HZ)
    padded = np.pad(sound, ((size, size), (0, 0)))
    out = np.zeros_like(padded)
    for start in range(0, len(padded) - size, hop):
        cutoff = cutoff_hz[np.clip(start - size // 2, 0, len(cutoff_hz) - 1)]
        ratio = freqs / cutoff
        response = 1 / np.sqrt(1 + ratio**4) + resonance * np.exp(-((np.log2(np.maximum(ratio, 1e-6)) / 0.35) ** 2))
        spectrum = np.fft.rfft(padded[start : start + size] * window[:, None], axis=0)
        out[start : start + size] += np.fft.irfft(spectrum * response[:, None], axis=0) * window[:, None]
    return out[size:-size] / (size / hop / 2)


def saw(freq_hz: float, t: np.ndarray, phase: float) -> np.ndarray:
    """Band-limited sawtooth: the step is rounded off by a polynomial (PolyBLEP)."""
    step = freq_hz / RATE_HZ
    position = (freq_hz * t + phase) % 1.0
    wave = 2 * position - 1
    rising = position < step
    wave[rising] -= 2 * (x := position[rising] / step) - x**2 - 1
    falling = position > 1 - step
    wave[falling] -= (x := (position[falling] - 1) / step) ** 2 + 2 * x + 1
    return wave


def reverb(dry: Stereo, decay_s: float, rng: np.random.Generator) -> Stereo:
    """Convolution with decaying noise, its highs dying first. Decay to -60 dB."""
    t = seconds(decay_s * 1.2)
    tail = np.zeros((len(t), 2))
    for high_hz, share in ((900, 1.0), (3000, 0.62), (9000, 0.34)):
        noise = shaped(rng.standard_normal((len(t), 2)), 180, high_hz, 1)
        tail += noise * np.exp(-6.9 * t / (decay_s * share))[:, None]
    tail = np.concatenate([np.zeros((round(0.018 * RATE_HZ), 2)), fade(tail, 0.004, 0.2)])  # the wall is 3 m away
    tail /= np.sqrt((tail**2).sum(axis=0))
    n = roomy(len(dry) + len(tail))
    return np.fft.irfft(np.fft.rfft(dry, n, axis=0) * np.fft.rfft(tail, n, axis=0), n, axis=0)[: len(dry)]


def ping_pong(dry: Stereo, delay_s: float, feedback: float, n_echoes: int) -> Stereo:
    """Echoes that swap sides, each duller than the last."""
    wet, echo = np.zeros_like(dry), dry
    for _ in range(n_echoes):
        shift = round(delay_s * RATE_HZ)
        echo = shaped(np.concatenate([np.zeros((shift, 2)), echo[:-shift]])[:, ::-1], 250, 3800, 1) * feedback
        wet += echo
    return wet


# instruments


def kick(rng: np.random.Generator) -> np.ndarray:
    """A sine that falls from 1 kHz to 52 Hz, and the beater's tick."""
    t = seconds(0.34)
    freq = 52 + 130 * np.exp(-t / 0.030) + 820 * np.exp(-t / 0.0035)
    loud = np.exp(-((t / 0.17) ** 1.5)) + 0.9 * np.exp(-t / 0.014)
    body = np.sin(2 * np.pi * np.cumsum(freq) / RATE_HZ) * loud
    tick = shaped(rng.standard_normal(len(t)), 2500, 9000) * np.exp(-t / 0.004)
    return fade(body + 0.16 * tick, 0.0004, 0.06)


def hat(rng: np.random.Generator, decay_s: float) -> np.ndarray:
    t = seconds(min(decay_s * 7, 0.6))
    metal = sum(np.sign(np.sin(2 * np.pi * f * t + p)) for f, p in zip((3170, 4210, 5437, 6679), range(4), strict=True))
    return fade(shaped(rng.standard_normal(len(t)) + 0.35 * metal, 7500, 15000, 2) * np.exp(-t / decay_s), 0.0006, 0.02)


def clap(rng: np.random.Generator) -> np.ndarray:
    t = seconds(0.3)
    hands = sum(np.where(t >= s, np.exp(-(t - s) / d), 0) for s, d in ((0, 0.004), (0.010, 0.004), (0.021, 0.075)))
    return fade(shaped(rng.standard_normal(len(t)), 900, 3600, 1) * hands, 0.001, 0.05)


def bass_note(note: int, duration_s: float) -> np.ndarray:
    """Warm and round: a sine, a little of its octave and fifth above, pressed gently."""
    t = seconds(duration_s + 0.06)
    turn = 2 * np.pi * hertz(note) * t
    bright = np.exp(-t / 0.16)
    wave = np.sin(turn) + (0.20 + 0.25 * bright) * np.sin(2 * turn) + (0.05 + 0.16 * bright) * np.sin(3 * turn)
    return fade(np.tanh(1.2 * wave * (0.65 + 0.35 * np.exp(-t / 0.25))), 0.006, 0.06)


def chord_sound(notes: tuple[int, ...], duration_s: float, rng: np.random.Generator) -> Stereo:
    """Seven saws a note, slightly out of tune and spread from left to right."""
    t = seconds(duration_s)
    out = np.zeros((len(t), 2))
    for note in notes:
        for cents, pan in zip((-11, -7, -3, 0, 3, 7, 11), (-0.9, 0.6, -0.3, 0.0, 0.3, -0.6, 0.9), strict=True):
            place(out, 0.0, saw(hertz(note + cents / 100), t, rng.random()), 0.07, pan)
    return out


def pluck(note: int, rng: np.random.Generator) -> np.ndarray:
    """A small bell: one sine bends another, and the bending fades fast."""
    t = seconds(0.7)
    turn = 2 * np.pi * hertz(note) * t
    wave = np.sin(turn + 1.7 * np.exp(-t / 0.06) * np.sin(2 * turn) + rng.random() * 0.2)
    return fade((wave + 0.12 * np.sin(4 * turn) * np.exp(-t / 0.05)) * np.exp(-t / 0.17), 0.002, 0.1)


def lead_note(note: int, duration_s: float) -> np.ndarray:
    """A soft flute-like voice whose vibrato comes late."""
    t = seconds(duration_s + 0.25)
    vibrato = 0.16 * np.clip((t - 0.25) / 0.4, 0, 1) * np.sin(2 * np.pi * 5.1 * t)
    turn = 2 * np.pi * np.cumsum(hertz(note) * 2 ** (vibrato / 12)) / RATE_HZ
    return fade(np.sin(turn) + 0.32 * np.sin(2 * turn) + 0.10 * np.sin(3 * turn), 0.045, 0.25)


# the score


def kick_score() -> list[tuple[float, float]]:
    """(seconds, strength) of every kick, in the order of time."""
    score = []
    for bar in range(LAST_BAR):
        if bar in BREAK_BARS:
            continue
        steps = {0: 1.0, 4: 0.94, 8: 0.98, 12: 0.94}
        if bar in (3, 13):
            steps[14] = 0.78  # a push into the next bar
        if bar in (5, 11):
            steps[7] = 0.72
        if bar in (7, 15):
            del steps[12]  # a held breath before the break and before the end
        score += [(at(bar, step), strength) for step, strength in steps.items()]
    return [*sorted(score), (at(LAST_BAR), 1.0)]


def ducking(amount: float, release_s: float) -> np.ndarray:
    """The gain that makes room for each kick: (samples, 1), 1 - amount at the kick, back to 1 after release_s."""
    gain = np.ones(N_SAMPLES)
    shape = 1 - amount * fade(np.exp(-((seconds(release_s * 2) / release_s) ** 2) * 3), 0.004, 0.02)
    for start_s, strength in kick_score():
        first = round(start_s * RATE_HZ) - round(0.004 * RATE_HZ)
        part = gain[max(first, 0) : first + len(shape)]
        np.minimum(part, 1 - (1 - shape[-first if first < 0 else 0 :][: len(part)]) * strength, out=part)
    return gain[:, None]


def curve(*points: tuple[float, float]) -> np.ndarray:
    """A line through (bar, value) over the whole song, straight in the logarithm: (samples,)."""
    bars, values = zip(*points, strict=True)
    return np.exp(np.interp(np.arange(N_SAMPLES) / RATE_HZ / BAR_S, bars, np.log(values)))


def empty() -> Stereo:
    return np.zeros((N_SAMPLES, 2))


def play_kicks(rng: np.random.Generator) -> Stereo:
    track, sound = empty(), kick(rng)
    for start_s, strength in kick_score():
        place(track, start_s, sound, strength)
    return track


def play_bass() -> Stereo:
    track = empty()
    for bar in range(2, LAST_BAR):
        root = CHORDS[bar][0]
        if bar in BREAK_BARS:
            place(track, at(bar), bass_note(root, BAR_S * 0.97), 0.7)
            continue
        steps = [(2, 0, 1.6), (6, 0, 1.6), (7, 12, 0.7), (10, 0, 1.6), (13, 7, 0.8), (14, 12, 1.4)]
        for step, above, length in steps if bar % 4 != 3 else [*steps[:3], (10, 0, 1.6), (12.0, 7, 1.6), (14, 2, 1.6)]:
            place(track, at(bar, step), bass_note(root + above, length * SIXTEENTH_S), 0.75 if above else 1.0)
    place(track, at(LAST_BAR), fade(bass_note(36, BAR_S * 1.6), 0.01, BAR_S * 1.3), 0.9)
    return track


def play_hats_and_claps(rng: np.random.Generator) -> tuple[Stereo, Stereo]:
    hats, claps = empty(), empty()
    for bar in range(2, LAST_BAR):
        full = bar >= 4 and bar not in BREAK_BARS
        for step in range(16):
            swing = 0.10 if step % 2 else 0.0
            if bar in BREAK_BARS and (bar == BREAK_BARS[1] or step % 4 != 2):
                continue
            accent = {0: 0.35, 2: 0.8}.get(step % 4, 0.22 if full else 0.0)
            gain = accent * rng.uniform(0.85, 1.1)
            place(hats, at(bar, step + swing), hat(rng, 0.024 + 0.012 * rng.random()), gain, 0.25 if step % 2 else -0.1)
            if full and step % 4 == 2:
                place(hats, at(bar, step), hat(rng, 0.09), 0.45 if bar < BREAK_BARS[0] else 0.6, 0.15)
        if full:
            for step in (4, 12):
                place(claps, at(bar, step), clap(rng), rng.uniform(0.95, 1.05), 0.05)
    for step in range(16):  # the roll that climbs into the drop
        place(claps, at(BREAK_BARS[1], step), clap(rng), 0.10 + 0.75 * (step / 15) ** 2, 0.3 * np.sin(step))
    t = seconds(2.6)
    for bar, gain in ((4, 0.5), (10, 0.9), (LAST_BAR, 0.7)):  # a cymbal where a part begins
        crash = shaped(rng.standard_normal((len(t), 2)), 4200, 13000, 1) * np.exp(-t / 0.7)[:, None]
        place(hats, at(bar), fade(crash, 0.002, 0.5), 0.34 * gain)
    return hats, claps


def play_chords(rng: np.random.Generator) -> Stereo:
    track = empty()
    for bar in range(LAST_BAR):
        sound = chord_sound(CHORDS[bar][1], BAR_S + 0.12, rng)
        place(track, at(bar), fade(sound, 0.06 if bar else 0.01, 0.14))
    last = chord_sound((*CHORDS[LAST_BAR][1], 76), 2 * BAR_S, rng)
    t = seconds(2 * BAR_S)[: len(last)]
    place(track, at(LAST_BAR), fade(last * np.exp(-t / 1.9)[:, None], 0.02, 1.9))
    opening = curve(
        (0, 600), (4, 1900), (7.9, 3200), (8, 900), (9.95, 8000), (10, 6000), (15.9, 4200), (16, 4000), (18, 500)
    )
    return swept(track, opening, 0.28)


def play_arpeggio(rng: np.random.Generator) -> Stereo:
    track = empty()
    figure = (0, 2, 4, 1, 3, 4, 2, 3)
    for bar in range(1, LAST_BAR + 1):
        voices = CHORDS[bar][1]
        for index, step in enumerate(
            range(0, 16, 2) if bar < 4 or bar == LAST_BAR else (0, 2, 3, 5, 6, 8, 10, 11, 13, 14)
        ):
            voice = voices[figure[(index + bar) % 8]]
            note = voice + (24 if (index + bar) % 5 == 4 and voice < 68 else 12)
            gain = (0.5 if bar < 4 else 0.8) * rng.uniform(0.7, 1.0) * (1 - 0.09 * index if bar == LAST_BAR else 1)
            place(track, at(bar, step), pluck(note, rng), gain, 0.5 * np.sin(1.7 * step + bar))
    return track


def play_lead() -> Stereo:
    track = empty()
    melody = [  # bar, sixteenth, length, note
        *[(10, 0, 6, 76), (10, 6, 2, 74), (10, 8, 7, 71), (11, 0, 6, 72), (11, 6, 4, 69), (11, 10, 5, 67)],
        *[(12, 0, 6, 71), (12, 6, 2, 72), (12, 8, 7, 74), (13, 0, 10, 71), (13, 12, 4, 74)],
        *[(14, 0, 6, 76), (14, 6, 4, 79), (14, 10, 6, 76), (15, 0, 6, 74), (15, 6, 6, 71), (16, 0, 20, 76)],
    ]
    for bar, step, length, note in melody:
        place(track, at(bar, step), lead_note(note, length * SIXTEENTH_S), 1.0, -0.08)
    return track


def play_riser(rng: np.random.Generator) -> Stereo:
    n = round(2 * BAR_S * RATE_HZ)
    rise = np.linspace(0, 1, n)
    noise = swept(shaped(rng.standard_normal((n, 2)), 500, 0, 1), 500 * 20**rise, 0.8)
    track = empty()
    place(track, at(BREAK_BARS[0]), fade(noise * (rise**2.2)[:, None], 0.05, 0.03))
    return track


def limited(mix: Stereo, ceiling: float) -> Stereo:
    """Keep every sample under `ceiling` by turning the gain down 3 ms before a peak and up again after it."""
    look = round(0.003 * RATE_HZ)
    peak = np.abs(mix).max(axis=1)
    held = np.pad(peak, (look, look), mode="edge")
    held = np.lib.stride_tricks.sliding_window_view(held, 2 * look + 1).max(axis=1)
    wanted = np.minimum(1.0, ceiling / np.maximum(held, 1e-9))
    window = np.hanning(2 * look + 3)[1:-1]
    smooth = np.convolve(np.pad(wanted, look, mode="edge"), window / window.sum(), mode="valid")
    return mix * smooth[:, None]


def render(seed: int = 2) -> np.ndarray:
    """The song: (samples, 2) float32 at 48 kHz, peak at -1 dBFS."""
    rng = np.random.default_rng(seed)
    kicks, bass = play_kicks(rng), play_bass()
    hats, claps = play_hats_and_claps(rng)
    chords, arpeggio, lead, riser = play_chords(rng), play_arpeggio(rng), play_lead(), play_riser(rng)
    deep, light = ducking(0.85, 0.30), ducking(0.55, 0.26)
    chords = 0.62 * shaped(chords + 0.6 * shaped(chords, 1500, 0, 1), 150, 0, 1) * deep
    arpeggio = 0.19 * (arpeggio + ping_pong(arpeggio, 3 * SIXTEENTH_S, 0.55, 6)) * light
    lead, riser, hats, claps = 0.085 * lead * light, 0.15 * riser, 0.23 * hats, 0.52 * claps
    room = reverb(0.40 * chords + 0.45 * arpeggio + 0.30 * claps + 0.8 * lead + 0.06 * hats + 0.3 * riser, 2.4, rng)
    mix = 0.62 * kicks + 0.27 * bass * deep + chords + arpeggio + lead + hats + claps + riser + 0.6 * room * light
    mix = limited(fade(shaped(mix, 28, 19_000, 4), 0.0, 0.8), 1.35)
    return (mix * (10 ** (-1 / 20) / np.abs(mix).max())).astype(np.float32)


def write_opus(path: Path, song: np.ndarray) -> None:
    """Encode (samples, 2) float32 at 48 kHz as Opus in Ogg, 160 kbit/s, without dates or random numbers in the file."""
    import av

    with av.open(str(path), "w", format="ogg") as container:
        container.flags |= 0x0400  # AVFMT_FLAG_BITEXACT
        container.metadata.update({"title": TITLE, "artist": ARTIST})
        stream = container.add_stream("libopus", rate=RATE_HZ, layout="stereo", options={"application": "audio"})
        stream.bit_rate = 160_000
        stream.metadata.update({"title": TITLE, "artist": ARTIST})
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(song.reshape(1, -1)), format="flt", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = RATE_HZ, 0, Fraction(1, RATE_HZ)
        for packet in [*stream.encode(frame), *stream.encode()]:
            container.mux(packet)


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    write_opus(folder / "song.opus", render())
    (folder / "song.kicks.txt").write_text("".join(f"{start_s:.4f}\n" for start_s, _ in kick_score()), encoding="utf-8")
    print(f"{folder / 'song.opus'}: {N_SAMPLES / RATE_HZ:.1f} s")


if __name__ == "__main__":
    main()
