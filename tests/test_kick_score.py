"""The figures of benchmarks/kick.py, and the stages that tools/kick_hops.py shows of the follower."""

import numpy as np
import pytest

from benchmarks.annotated import annotated
from benchmarks.kick import BASS_DB, BASS_HZ, bass_raised, folder_rows
from benchmarks.kick_score import FPS, Track, correlation, ideal_level, late, score, without_inaudible
from tests.sounds import kicks, write_wav
from tools.kick_hops import inputs_of, onsets_of, probabilities
from visualizer.beat import KickFollower
from visualizer.beat.kick_decision import shipped_decision
from visualizer.beat.network import shipped_weights
from visualizer.settings import BeatSettings


@pytest.mark.parametrize("seed", range(40))
def test_as_many_pairs_as_mir_eval_finds(seed):
    import mir_eval

    rng = np.random.default_rng(seed)
    kicks_s, onsets_s = (np.sort(rng.uniform(0, 5, rng.integers(1, 80))) for _ in range(2))
    for window_s in (0.03, 0.05, 0.1):
        pairs = late(kicks_s, onsets_s, window_s)
        assert len(pairs) == len(mir_eval.util.match_events(kicks_s, onsets_s, window_s))
        assert all(abs(late_s) <= window_s for late_s in pairs)


def test_a_score_pools_kicks_and_averages_false_onsets_over_the_songs():
    kicks_s = np.array([1.0, 2.0, 3.0, 4.0])
    level = ideal_level(kicks_s, 10 * FPS)
    right = Track(kicks_s, kicks_s + 0.01, level, 10.0)
    early_and_late = Track(kicks_s, np.array([1.04, 1.96, 7.0]), level, 10.0)
    none = Track(np.zeros(0), np.array([5.0, 6.0]), level, 30.0)
    of_all = score([right, early_and_late, none])
    assert (of_all.n_songs, of_all.n_kicks) == (3, 8)
    assert of_all.f50 == pytest.approx(2 * 6 / (8 + 9)) and of_all.f30 == pytest.approx(2 * 4 / (8 + 9))
    assert of_all.median_ms == pytest.approx(10) and of_all.p95_ms == pytest.approx(32.5)
    assert of_all.correlation == pytest.approx(1), "of the songs with kicks alone"
    assert of_all.false_a_minute == pytest.approx((0 + 6 + 4) / 3)
    assert str(score([none])) == "false 4.0 a minute"


def test_a_level_that_never_moves_has_no_correlation():
    assert correlation(np.zeros(100), np.array([0.5])) == 0


def test_the_ideal_level_jumps_at_the_next_frame_and_falls_to_93_percent_in_a_thirtieth():
    level = ideal_level(np.array([0.1001]), 60)
    assert not level[:7].any() and level[7] == 1 and level[9] == pytest.approx(0.93)


def test_reports_at_inaudible_events_alone_are_left_out():
    times_s, inaudible = np.array([1.0, 1.03, 2.0]), np.array([True, False, True])
    kept_s = without_inaudible(np.array([1.01, 1.99, 3.0]), times_s, inaudible)
    assert kept_s.tolist() == [1.01, 3.0]
    assert without_inaudible(kept_s, np.zeros(0), np.zeros(0, bool)).tolist() == [1.01, 3.0]


def test_the_rest_of_a_mix_is_raised_to_8_db_over_the_drums_in_the_low_bands():
    rng = np.random.default_rng(1)
    t = np.arange(44100) / 44100
    drums = np.sin(2 * np.pi * 60 * t) * np.exp(-(t % 0.5) / 0.1)
    bass = np.sin(2 * np.pi * 80 * t) + 0.1 * rng.standard_normal(len(t))
    bass -= drums * (bass @ drums) / (drums @ drums)
    raised = bass_raised(0.5 * drums + 0.2 * bass, np.append(drums, np.zeros(9)), 44100)
    assert np.abs(raised).max() == pytest.approx(0.9)
    part = drums * (raised @ drums) / (drums @ drums)
    low = np.fft.rfftfreq(len(t), 1 / 44100) < BASS_HZ
    of_drums, of_rest = ((np.abs(np.fft.rfft(x)[low]) ** 2).sum() for x in (part, raised - part))
    assert 10 * np.log10(of_rest / of_drums) == pytest.approx(BASS_DB, abs=0.1)


def test_a_folder_of_annotated_sound_is_scored(tmp_path):
    sound = kicks(44100, (0.5, 1.5), 2.0)
    write_wav(tmp_path / "two kicks.wav", np.stack([sound, sound], axis=1), 44100)
    (tmp_path / "two kicks.kicks.txt").write_text("1.5 loud\n0.5\n\n")
    write_wav(tmp_path / "silence.wav", np.zeros(4000), 8000)
    (tmp_path / "silence.kicks.txt").write_text("")
    (tmp_path / "no sound.kicks.txt").write_text("1\n")
    read = [
        (name, len(sound), rate_hz, list(times_s)) for name, sound, rate_hz, times_s in annotated(tmp_path, "kicks")
    ]
    assert read == [("silence", 4000, 8000, []), ("two kicks", 2 * 44100, 44100, [0.5, 1.5])]
    rows = list(folder_rows(tmp_path, per_track=True))
    assert [what for what, _ in rows] == [
        f"{tmp_path.name}/silence, 0 kicks, 0 onsets",
        f"{tmp_path.name}/two kicks, 2 kicks, 2 onsets",
        f"{tmp_path.name}, 2 songs, 2 kicks",
    ]
    assert rows[-1][1].startswith("F50 1.000")


def test_the_stages_hop_by_hop_give_the_onsets_of_the_follower():
    sound = kicks(48000, np.arange(0.3, 4, 0.4), 4.0) + 0.2 * kicks(48000, np.arange(0.45, 4, 0.3), 4.0)
    network, decision = probabilities(shipped_weights(), shipped_decision(), *inputs_of(sound, 48000))
    assert len(network) == len(decision) == 600
    onsets_s = [onset.time_s for onset in KickFollower(48000, BeatSettings()).push(sound)]
    assert len(onsets_s) > 5 and onsets_of(decision).tolist() == pytest.approx(onsets_s)
