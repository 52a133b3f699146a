"""Music without kicks moves the picture gently; what is no music does not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from visualizer.beat.without_kicks import (
    ABSENT_S,
    FADE_IN_S,
    FADE_OUT_S,
    N_KICKS,
    BreathFollower,
    breath_weight,
)
from visualizer.settings import BeatSettings

RATE_HZ = 22050
FRAME_S = 1 / 60
SETTLED_S = 5.0  # nothing is shown sooner: kicks must be absent first, and it fades in


def time_of(seconds):
    return np.arange(round(seconds * RATE_HZ)) / RATE_HZ


def sine(freq_hz, seconds=16.0, amplitude=0.3):
    return amplitude * np.sin(2 * np.pi * freq_hz * time_of(seconds))


def note(freq_hz, seconds, attack_s, release_s, n_harmonics):
    t = time_of(seconds)
    shape = np.minimum(1, t / attack_s) * np.clip((seconds - t) / release_s, 0, 1)
    return shape * sum(np.sin(2 * np.pi * freq_hz * n * t + n) / n for n in range(1, n_harmonics + 1))


def placed(notes, seconds=16.0):
    """Notes [(time_s, sound), ..] in silence."""
    sound = np.zeros(round(seconds * RATE_HZ))
    for time_s, one in notes:
        at = round(time_s * RATE_HZ)
        part = one[: max(0, len(sound) - at)]
        sound[at : at + len(part)] += part
    return sound


def pad():
    chords = [(220, 262, 330), (175, 220, 262), (196, 247, 294), (165, 208, 247)]
    return placed(
        [(4 * bar, 0.08 * note(hz, 4.5, 1.2, 1.5, 3)) for bar in range(4) for hz in chords[bar]],
    )


def strings():
    rng = np.random.default_rng(1)
    starts_s = np.cumsum(rng.choice([0.5, 1.0, 1.5], 16))
    return placed(
        [
            (at_s, rng.uniform(0.04, 0.1) * note(220 * 2 ** (rng.integers(0, 13) / 12), 1.3, 0.12, 0.4, 7))
            for at_s in starts_s
        ]
    )


def speech():
    """Syllables of a buzzing voice, and a pause now and then."""
    rng, at_s, syllables = np.random.default_rng(2), 0.0, []
    while at_s < 16:
        length_s = rng.uniform(0.1, 0.25)
        syllables.append((at_s, rng.uniform(0.02, 0.08) * note(rng.uniform(100, 160), length_s, 0.02, 0.05, 20)))
        at_s += length_s + rng.uniform(0.02, 0.08) + (0.7 if rng.random() < 0.15 else 0)
    return placed(syllables)


def drumless_break():
    """A break of a club track: a bass on eighths, hats, a lead that enters."""
    rng = np.random.default_rng(3)
    bass = [(at_s, 0.25 * note(55 * (1 + at_s % 4 // 2 / 3), 0.22, 0.01, 0.08, 5)) for at_s in np.arange(0, 16, 0.25)]
    hiss = np.exp(-time_of(0.1) / 0.02) * 0.05
    hats = [(at_s, hiss * rng.normal(0, 1, len(hiss))) for at_s in np.arange(0.125, 16, 0.25)]
    lead = [(at_s, 0.1 * note(440 * 2 ** (at_s % 3 / 12), 0.9, 0.02, 0.3, 6)) for at_s in np.arange(4.0, 16, 1.0)]
    return placed(bass + hats + lead)


def noise(level_db, exponent=0.0):
    """Noise of a level, dB of full scale: white, or with 1/f^exponent power."""
    n = 16 * RATE_HZ
    spectrum = np.fft.rfft(np.random.default_rng(4).normal(0, 1, n))
    freqs_hz = np.fft.rfftfreq(n, 1 / RATE_HZ)
    spectrum *= np.where(freqs_hz > 20, np.maximum(freqs_hz, 20) ** (-exponent / 2), 0)
    sound = np.fft.irfft(spectrum, n)
    return sound / sound.std() * 10 ** (level_db / 20)


def follow(sound, cuts=()):
    follower = BreathFollower(RATE_HZ, BeatSettings())
    for block in np.split(sound.astype(np.float32), sorted(cuts)):
        follower.push(block)
    return follower


def levels(sound, from_s=SETTLED_S):
    follower = follow(sound)
    return np.array([follower.level_at(t) for t in np.arange(from_s, len(sound) / RATE_HZ, FRAME_S)])


@pytest.mark.parametrize("gain_db", [0, -24])
@pytest.mark.parametrize("music", [pad, strings, speech, drumless_break])
def test_music_without_kicks_moves_the_picture_visibly_and_gently(music, gain_db):
    found = levels(music() * 10 ** (gain_db / 20))
    low, high = np.percentile(found, [5, 95])
    assert high - low > 0.17 and 0.25 < high < 0.7
    assert np.abs(np.diff(found)).max() < 0.065, "no jump from one display frame to the next"
    # not a flicker: it turns a few times a second at most
    turns = np.count_nonzero(np.diff(np.sign(np.diff(found[np.abs(np.gradient(found)) > 1e-4]))))
    assert turns / (16 - SETTLED_S) < 8


@pytest.mark.parametrize(
    ("sound", "most"),
    [
        (np.zeros(16 * RATE_HZ), 0.0),
        (noise(-70), 0.0),
        (noise(-60, exponent=2), 0.15),
        (noise(-20), 0.15),
        (sine(50, amplitude=10 ** (-47 / 20)), 0.03),
        (sine(55), 0.1),
        (sine(880), 0.1),
    ],
    ids=["silence", "white noise at the floor", "brown noise", "loud noise", "hum", "steady bass", "steady tone"],
)
def test_what_is_no_music_does_not_move_it(sound, most):
    found = levels(sound)
    assert found.max() <= most and np.ptp(found) <= most


def test_a_steady_tone_does_not_pump():
    assert np.all(np.diff(levels(sine(110))) < 1e-4), "it only comes to rest"


def test_each_note_of_a_slow_melody_is_seen():
    starts_s = np.arange(1.0, 15.0, 2.0)
    follower = follow(placed([(at_s, 0.2 * note(330 + 30 * at_s, 1.8, 0.02, 1.5, 4)) for at_s in starts_s]))
    for at_s in starts_s[2:]:
        assert max(follower.level_at(at_s + t) for t in np.arange(0.1, 0.6, 0.05)) > follower.level_at(at_s) + 0.15


def test_between_hops_and_after_the_newest_the_level_is_continuous():
    follower = follow(pad()[: 6 * RATE_HZ])
    fine = np.array([follower.level_at(t) for t in np.arange(4.0, 9.0, 0.001)])
    assert np.abs(np.diff(fine)).max() < 0.006
    assert follower.level_at(60.0) < 1e-9 and follower.level_at(-1.0) == 0.0


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, 4 * RATE_HZ), max_size=40))
def test_any_split_into_blocks_gives_the_same_level(cuts):
    sound, times_s = speech()[: 4 * RATE_HZ], np.arange(0, 4, 0.03)
    whole, split = follow(sound), follow(sound, cuts)
    assert [split.level_at(t) for t in times_s] == [whole.level_at(t) for t in times_s]


@pytest.mark.parametrize("rate_hz", [8000, 48000, 192000])
def test_every_sample_rate_is_followed(rate_hz):
    t = np.arange(3 * rate_hz) / rate_hz
    follower = BreathFollower(rate_hz, BeatSettings())
    follower.push((0.3 * np.sin(2 * np.pi * 440 * t) * (t > 1)).astype(np.float32))
    assert follower.level_at(0.9) == 0.0 and 0.3 < follower.level_at(1.6) < 0.8


# --- how much of it is shown


def weights(kicks_s, until_s):
    times_s = np.arange(0, until_s, FRAME_S)
    return times_s, np.array([breath_weight(t, [one for one in kicks_s if one <= t][-N_KICKS:]) for t in times_s])


def test_it_is_shown_some_seconds_after_the_last_kick():
    times_s, found = weights([1.0, 1.5, 2.0], 10.0)
    assert not found[times_s < 2.0 + ABSENT_S].any()
    assert np.all(found[times_s > 2.0 + ABSENT_S + FADE_IN_S] == 1)
    assert 0 < np.diff(found).max() < 0.02


def test_before_the_first_kick_too():
    assert breath_weight(ABSENT_S, []) == 0 and breath_weight(ABSENT_S + FADE_IN_S, []) == 1


@pytest.mark.parametrize("apart_s", [0.4, 1.0, 2.0, 3.0, 5.0])
def test_a_slow_rhythm_is_no_break(apart_s):
    times_s, found = weights(np.arange(1.0, 40.0, apart_s), 40.0)
    assert not found[times_s > 1.0 + 2 * apart_s].any()


def test_a_rhythm_with_a_pause_is_no_break():
    times_s, found = weights([bar + beat for bar in range(0, 40, 4) for beat in (0, 0.25, 1)], 40.0)
    assert not found[times_s > 5].any()


def test_a_break_does_not_make_the_next_one_late():
    _, found = weights([*np.arange(0, 10, 0.5), 30.0, 30.5, 31.0], 37.0)
    assert found[-1] == 1


def test_a_kick_ends_it_within_a_tenth_of_a_second():
    for kicks_s in ([20.0], [20.0, 20.08], [1.0, 20.0, 20.07, 20.14]):
        times_s, found = weights(kicks_s, 21.0)
        assert found[times_s < 20.0][-1] == 1
        assert not found[times_s >= kicks_s[-1] + FADE_OUT_S].any()
        falling = found[times_s >= 20.0]
        assert np.all(np.diff(falling) <= 0)
