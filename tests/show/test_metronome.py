"""The fallback metronome: when it is seen, how fast and how high it goes, and that nothing of it ever jumps."""

import numpy as np
import pytest

from visualizer.show.metronome import HIGHEST, FallbackMetronome

STEP_S = 1 / 60


def run(clock, seconds, start_s=0.0, *, lost=True, bpm=120.0, confidence=0.9, offset_s=0.0):
    """Levels at 60 Hz from start_s on, with beats at offset_s + k * 60 / bpm."""
    times_s = start_s + STEP_S * np.arange(1, round(seconds / STEP_S) + 1)
    levels = []
    for time_s in times_s:
        phase = (time_s - offset_s) * bpm / 60 % 1.0
        clock.step(time_s, lost=lost, tempo_bpm=bpm, confidence=confidence, phase=phase)
        levels.append(clock.level_at(time_s))
    return times_s, np.array(levels)


def peaks_s(times_s, levels):
    inner = levels[1:-1]
    return times_s[1:-1][(inner > levels[:-2]) & (inner >= levels[2:])]


def test_it_is_not_seen_while_there_is_sound_nor_in_a_short_dropout():
    clock = FallbackMetronome()
    for lost_s in (0.3, 0.9):
        assert not run(clock, 5, lost=False)[1].any() and not clock.is_active
        assert not run(clock, lost_s, 5.0)[1].any()


def test_it_fades_in_and_goes_on_on_the_beats_that_were_heard():
    times_s, levels = run(FallbackMetronome(), 20, bpm=128, offset_s=0.123)
    assert not levels[times_s < 1.0].any()
    late = times_s > 3
    assert levels[late].max() == pytest.approx(HIGHEST, abs=0.01) and levels[late].min() < 0.01
    off_s = (peaks_s(times_s, levels)[6:] - 0.123) * 128 / 60 % 1.0
    assert np.all(np.minimum(off_s, 1 - off_s) < 0.05)
    assert np.abs(np.diff(levels)).max() < 0.12  # a swell, not a flash


@pytest.mark.parametrize(("bpm", "confidence", "expected_bpm"), [(128, 0.29, 100), (128, 0.31, 128), (174, 0.8, 87)])
def test_its_tempo(bpm, confidence, expected_bpm):
    clock = FallbackMetronome()
    times_s, levels = run(clock, 30, bpm=bpm, confidence=confidence)
    beats_s = peaks_s(times_s, levels)[3:]
    assert 60 / np.diff(beats_s).mean() == pytest.approx(expected_bpm, rel=0.01)
    assert clock.tempo_bpm == pytest.approx(expected_bpm)


def test_a_tempo_is_kept_to_when_it_is_forgotten_in_the_silence():
    clock = FallbackMetronome()
    run(clock, 4, bpm=140)
    times_s, levels = run(clock, 10, 4.0, bpm=140, confidence=0.05)
    assert 60 / np.diff(peaks_s(times_s, levels)).mean() == pytest.approx(140, rel=0.02)


def test_it_fades_out_and_never_jumps_whatever_comes():
    clock = FallbackMetronome()
    levels = [run(clock, 6, confidence=0.0)[1]]
    levels.append(run(clock, 5, 6.0, bpm=90, offset_s=0.4)[1])  # tapped
    levels.append(run(clock, 0.4, 11.0, lost=False, bpm=133)[1])
    levels.append(run(clock, 3, 11.4, bpm=60, offset_s=0.3)[1])  # lost again at once
    levels.append(run(clock, 3, 14.4, lost=False, bpm=150)[1])
    assert np.abs(np.diff(np.concatenate(levels))).max() < 0.12
    assert not levels[-1][-60:].any() and not clock.is_active


def test_it_does_not_depend_on_the_frame_rate():
    slow, fast = FallbackMetronome(), FallbackMetronome()
    run(fast, 5.0)
    for time_s in np.arange(1, 151) / 30:
        slow.step(time_s, lost=True, tempo_bpm=120, confidence=0.9, phase=time_s * 2 % 1)
    assert slow.level_at(5.0) == pytest.approx(fast.level_at(5.0), abs=0.02)
    assert FallbackMetronome().level_at(3.0) == 0.0
