"""From sound to features: the same whatever the blocks, in their place, and computed only where they are needed."""

import functools
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.beat.test_bands import sine
from tests.sounds import kicks
from visualizer.beat import Analyzer, Features, Hit, KickFollower
from visualizer.beat.analyzer import LOOK_AHEAD_S, SOUND_S
from visualizer.beat.features import BANDS, NEVER_S, RELATIVE, SOUND, TEMPO, VARIANT
from visualizer.beat.sound import SoundBlock, block_samples, spectrum, waveform
from visualizer.errors import BadInput
from visualizer.settings import BeatSettings

RATE_HZ = 44100
ALL = BANDS | TEMPO | RELATIVE | {VARIANT, SOUND}
BEATS_S = np.arange(0.5, 7.9, 0.5)
HATS_S = BEATS_S + 0.25


def hats(times_s, seconds):
    """Short bright noises."""
    noise = np.diff(np.random.default_rng(3).normal(0, 0.2, round(seconds * RATE_HZ)), append=0)
    sound = np.zeros(len(noise))
    for time_s in times_s:
        start = round(time_s * RATE_HZ)
        n = min(round(0.05 * RATE_HZ), len(sound) - start)
        sound[start : start + n] += noise[:n] * np.exp(-np.arange(n) / RATE_HZ / 0.012)
    return sound.astype(np.float32)


SONG = kicks(RATE_HZ, BEATS_S, 8.0, 0.7) + hats(HATS_S, 8.0)


def analyzed(sound=SONG, needs=ALL, cuts=(), **options):
    analyzer = Analyzer(RATE_HZ, BeatSettings(), needs, **options)
    for block in np.split(sound, sorted(cuts)):
        analyzer.push(block)
    analyzer.finish()
    return analyzer


def of(analyzer, times_s, ahead_s=0.0):
    """Features at times, as plain values."""
    found = [analyzer.features_at(time_s, ahead_s) for time_s in times_s]
    return [tuple(_plain(getattr(one, field.name)) for field in fields(Features)) for one in found]


def _plain(value):
    return value.samples.tobytes() if isinstance(value, SoundBlock) else value


TIMES_S = np.arange(-0.1, 7.9, 0.037)
KINDS = {"causal": {}, "live": {"is_live": True}, "known": {"is_known": True}}


@functools.cache
def whole(kind):
    """The features of the song analysed in one piece."""
    return of(analyzed(**KINDS[kind]), TIMES_S, LOOK_AHEAD_S)


@settings(max_examples=8, deadline=None)
@given(st.lists(st.integers(0, len(SONG)), max_size=40), st.sampled_from(list(KINDS)))
def test_any_split_into_blocks_gives_the_same_features(cuts, kind):
    assert of(analyzed(cuts=cuts, **KINDS[kind]), TIMES_S, LOOK_AHEAD_S) == whole(kind)


@pytest.mark.parametrize("kind", ["causal", "known"])
def test_of_known_sound_a_time_has_the_same_features_however_far_the_analysis_is(kind):
    """A player analyses up to two seconds ahead, an export as far as it must."""
    analyzer, found = Analyzer(RATE_HZ, BeatSettings(), ALL, **KINDS[kind]), []
    for time_s in TIMES_S:
        while (at := analyzer._n_samples) < min(len(SONG), round((time_s + analyzer.needs_ahead_s) * RATE_HZ)):
            analyzer.push(SONG[at : at + 1000])
            if at + 1000 >= len(SONG):
                analyzer.finish()
        found += of(analyzer, [time_s], LOOK_AHEAD_S)
    names = [field.name for field in fields(Features)]
    # earlier sound is no longer kept for a spectrum
    kept = len(TIMES_S) - int((SOUND_S - block_samples(RATE_HZ) / RATE_HZ) / 0.037) + 1
    for index, (mine, other) in enumerate(zip(found, whole(kind), strict=True)):
        n_compared = len(names) if index > kept else len(names) - 1
        assert dict(zip(names[:n_compared], mine, strict=False)) == dict(zip(names[:n_compared], other, strict=False))


def test_the_number_of_the_beat_never_falls_when_the_tempo_is_needed_again():
    analyzer, half = Analyzer(RATE_HZ, BeatSettings(), TEMPO), len(SONG) // 2
    analyzer.push(SONG[:half])
    before = analyzer.features_at(analyzer.end_s).beat_number
    analyzer.set_needs(())
    analyzer.set_needs(TEMPO)
    assert analyzer.features_at(analyzer.end_s).beat_number >= before > 4
    analyzer.push(SONG[half:])
    assert analyzer.features_at(analyzer.end_s).beat_number > before


def test_kicks_are_counted_and_their_time_is_known():
    analyzer = analyzed(needs=())
    ahead_s = analyzer.kicks.latency_s
    before = analyzer.features_at(0.45, ahead_s)
    assert (before.n_kicks, before.kick, before.kick_time_s, before.level) == (0, False, NEVER_S, 0.0)
    first, second = analyzer.features_at(0.52, ahead_s), analyzer.features_at(0.6, ahead_s)
    assert first.kick and first.n_kicks == 1 and first.level > 0.5 and 0 <= first.kick_time_s < 0.03
    assert not second.kick and second.kick_time_s == pytest.approx(first.kick_time_s + 0.08)
    assert 0.8 < second.kick_strength <= 1.0
    last = analyzer.features_at(7.9, ahead_s)
    assert last.kick and last.n_kicks == analyzer.n_kicks == len(BEATS_S)


def test_hats_are_counted_and_fade():
    analyzer = analyzed(needs=())
    at = [analyzer.features_at(time_s + 0.02) for time_s in HATS_S[2:]]
    assert np.mean([one.hat > 0.6 for one in at]) > 0.8
    assert np.mean([analyzer.features_at(time_s - 0.03).hat < 0.1 for time_s in HATS_S[2:]]) > 0.8
    assert analyzer.features_at(7.9).n_hats == pytest.approx(len(HATS_S), abs=3)


class BassFollower(KickFollower):
    """Reports a bass note every half second, as a network that detects them does."""

    def push(self, samples):
        before_s = self.time_s
        onsets = super().push(samples)
        notes_s = [time_s for time_s in BEATS_S.tolist() if before_s <= time_s < self.time_s]
        self.hits = [hit for hit in self.hits if hit.drum != "bass"]  # those that the network reports
        self.hits += [Hit("bass", time_s, 0.8) for time_s in notes_s]
        return onsets


def test_bass_notes_are_counted_and_fade(monkeypatch):
    monkeypatch.setattr("visualizer.beat.analyzer.KickFollower", BassFollower)
    first = analyzed(SONG[: 4 * RATE_HZ], needs=())
    before, on, after = (first.features_at(time_s) for time_s in (0.4, 1.0, 1.2))
    assert (before.n_bass_notes, before.bass_note) == (0, 0.0)
    assert (on.n_bass_notes, on.bass_note) == (2, 1.0) and 0 < after.bass_note < 0.1
    second = Analyzer(RATE_HZ, BeatSettings(), start_s=4.0)
    second.count_from(first.counts())
    assert second.features_at(4.0).n_bass_notes == 7


def test_bands_and_variant_follow_a_note():
    analyzer = analyzed(np.concatenate([sine(200, 1.5), sine(5000, 1.5)]))
    low, high, none = (analyzer.features_at(time_s) for time_s in (1.4, 2.9, -1.0))
    assert low.bass > 0.9 and low.high < 0.05 and low.loudness > 0.9 and low.variant < 0.05
    assert high.high > 0.9 and high.bass < 0.2 and high.variant > 0.6
    assert (none.bass, none.high, none.loudness, none.variant) == (0, 0, 0, 0)


@pytest.mark.parametrize("is_live", [False, True])
def test_the_beat_is_counted_and_on_the_kicks(is_live):
    analyzer = analyzed(is_live=is_live)
    found = [analyzer.features_at(time_s) for time_s in np.arange(5.0, 7.9, 0.01)]
    assert found[-1].bpm == pytest.approx(120, abs=2) and found[-1].confidence > 0.3
    on_beat = [analyzer.features_at(time_s).beat_phase for time_s in BEATS_S[-5:]]
    assert max(min(phase, 1 - phase) for phase in on_beat) < 0.1
    numbers = np.array([one.beat_number for one in found])
    assert set(np.diff(numbers)) <= {0, 1} and numbers[-1] - numbers[0] in (5, 6)
    places = np.array([one.beat_number + one.beat_phase for one in found])
    assert np.diff(places).max() < 0.1 and np.diff(places).min() > -0.05
    assert all(one.bar_phase == pytest.approx((one.beat_number % 4 + one.beat_phase) / 4) for one in found)


def test_a_live_tempo_that_is_tapped_is_known_at_once():
    analyzer = analyzed(np.zeros(3 * RATE_HZ, np.float32), is_live=True)
    for time_s in (1.0, 1.6, 2.2, 2.8):
        analyzer.tempo.tap(time_s)
    features = analyzer.features_at(3.1)
    assert (
        features.bpm == pytest.approx(100) and features.beat_phase == pytest.approx(0.5) and features.confidence > 0.5
    )


def test_the_spectrum_and_the_waveform_are_those_of_the_time_asked_for():
    analyzer = analyzed(np.concatenate([sine(1000, 1.0), sine(4000, 1.0)]))
    for time_s, hz in ((0.9, 1000), (1.9, 4000)):
        sound = analyzer.features_at(time_s).sound
        assert sound.samples.shape == (2, block_samples(RATE_HZ)) and sound.rate_hz == RATE_HZ
        assert int(np.argmax(spectrum(sound))) == pytest.approx(hz * 2048 / RATE_HZ, abs=2)
        assert np.abs(waveform(sound)).max() > 0.4
    assert not analyzer.features_at(-1.0).sound.samples.any()


def test_what_nobody_needs_is_not_computed(monkeypatch):
    def none(*_):
        raise AssertionError("nobody asked for it")

    for name in ("VariantFollower", "TempoFollower", "RelativeBandFollower", "_Sound"):
        monkeypatch.setattr(f"visualizer.beat.analyzer.{name}", none)
    features = analyzed(needs={"level", "kick", "hat"}).features_at(5.0)
    assert (features.bass, features.bpm, features.md_bass, features.sound) == (0.0, 0.0, 1.0, None)


def test_needs_may_change_while_it_runs():
    analyzer = analyzed(SONG[: 2 * RATE_HZ], needs=())
    analyzer.set_needs({"bass", SOUND, "bpm", "md_bass"})
    assert analyzer.features_at(1.9).bass == 0.0, "not analysed then"
    analyzer.push(SONG[2 * RATE_HZ :])
    features = analyzer.features_at(7.6)
    assert (
        features.bass > 0
        and spectrum(features.sound).max() > 0.5
        and features.md_bass != 1.0
        and features.bpm == pytest.approx(120, abs=2)
    )
    assert features.n_kicks == len(BEATS_S) and features.variant == 0.0
    phase = analyzer.features_at(7.5).beat_phase
    assert min(phase, 1 - phase) < 0.1, "in its place, although it began later"
    analyzer.set_needs(())
    assert analyzer.features_at(7.6).bass == 0.0 and analyzer.features_at(7.6).sound is None


def test_other_bands_begin_again_and_other_settings_do_not():
    analyzer = analyzed(sine(1000, 2.0))
    assert analyzer.features_at(1.9).mid > 0.9
    analyzer.set_beat(BeatSettings(decay=0.9))
    assert analyzer.features_at(1.9).mid > 0.9
    analyzer.set_beat(BeatSettings(high_low_hz=900.0))
    analyzer.push(sine(1000, 2.0))
    assert analyzer.features_at(3.9).high > 0.9 and analyzer.features_at(1.9).mid == 0.0


def test_an_analyzer_that_replaces_another_counts_on_in_the_time_of_the_source():
    first = analyzed(SONG[: 4 * RATE_HZ], is_live=True)
    before = first.features_at(3.99)
    second = Analyzer(RATE_HZ, BeatSettings(), is_live=True, start_s=4.0)
    second.count_from(first.counts())
    second.push(SONG[4 * RATE_HZ :])
    after = second.features_at(7.9)
    assert before.n_kicks == 7 and after.n_kicks == len(BEATS_S) and after.time_s == 7.9
    assert before.beat_number < after.beat_number <= before.beat_number + 10 and after.n_hats > before.n_hats
    assert second.end_s == pytest.approx(8.0, abs=0.02)


def test_after_a_seek_a_kick_that_is_long_past_is_no_news():
    analyzer = analyzed(needs=())
    assert not analyzer.features_at(0.9).kick and analyzer.features_at(1.05).kick
    assert analyzed(needs=()).features_at(0.53).kick, "one that has just come is"


def test_of_stereo_the_mean_is_analysed_and_both_channels_are_kept():
    left, right = sine(1000, 1.0), 0.25 * sine(4000, 1.0)
    stereo = Analyzer(RATE_HZ, BeatSettings(), ALL)
    stereo.push(np.stack([left, right], axis=1))
    mono = analyzed((left + right) * np.float32(0.5))
    mine, other = stereo.features_at(0.9), mono.features_at(0.9)
    assert np.array_equal(mine.sound.samples[1], right[: round(0.9 * RATE_HZ)][-block_samples(RATE_HZ) :])
    assert np.array_equal(*other.sound.samples), "mono is on both sides"
    assert np.array_equal(spectrum(mine.sound), spectrum(other.sound))
    assert of(stereo, [0.9])[0][:-1] == of(mono, [0.9])[0][:-1]


def test_bad_sound_is_refused_and_bad_samples_are_silence():
    analyzer = Analyzer(RATE_HZ, BeatSettings(), ALL)
    with pytest.raises(BadInput, match="one-dimensional block of floats"):
        analyzer.push(np.zeros((4, 3), np.float32))
    analyzer.push(np.full(RATE_HZ, np.nan, np.float32))
    assert not analyzer.features_at(0.9).sound.samples.any() and analyzer.features_at(0.9).level == 0.0
