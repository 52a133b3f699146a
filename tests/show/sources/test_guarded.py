"""A source that fails while it is listened to, as the frame loop sees it."""

import pytest

from visualizer.beat.features import Features
from visualizer.control.snapshot import Meters
from visualizer.show.guard import RECOVERY_S, Guard
from visualizer.show.metronome import AFTER_S, FADE_IN_S
from visualizer.show.source import Capability, Source
from visualizer.show.sources.guarded import GuardedSource


class Failing(Source):
    """A source that fails, or has no sound, when a test says so."""

    capabilities = frozenset({Capability.PAUSE, Capability.WAKES})
    title = "failing"

    def __init__(self):
        self.fails = self.lost = False
        self.n_taken = self.n_restarted = 0
        self.now_s = 0.0

    @property
    def is_lost(self):
        return self.lost

    def _may_fail(self):
        if self.fails:
            raise RuntimeError("no")

    def position_s(self):
        self._may_fail()
        return 7.0 + self.now_s

    def take_in(self, time_s):
        self.n_taken += 1
        self._may_fail()

    def features_at(self, time_s):
        self._may_fail()
        phase = time_s * 128 / 60 % 1
        return Features(time_s, level=0.2, variant=0.5, bpm=128.0, beat_phase=phase, confidence=0.9)

    def restart_analysis(self):
        self.n_restarted += 1

    def wait_for_kick(self, timeout_s):
        self._may_fail()
        return True

    def meters(self):
        return Meters(level=0.2)


@pytest.fixture
def guarded():
    source = Failing()
    guard = Guard(now=lambda: source.now_s)
    return source, guard, GuardedSource(source, guard)


def run(source, guarded, seconds, frame_s=0.02):
    found = []
    for _ in range(round(seconds / frame_s)):
        source.now_s += frame_s
        found.append(guarded.listen(guarded.position_s))
    return found


def levels(features):
    return [one.level for one in features]


def test_what_works_goes_through_as_it_is(guarded):
    source, guard, guarded = guarded
    found = run(source, guarded, 1.0)
    assert set(levels(found)) == {0.2} and {one.variant for one in found} == {0.5}
    assert guarded.wait_for_kick(0.0) and guarded.position_s() == 7.0 + source.now_s
    assert guard.faults() == () and not guarded.is_fallback and not found[-1].is_fallback
    assert guarded.capabilities == source.capabilities and guarded.title == "failing"
    assert not guarded.ended and not guarded.is_paused and guarded.status() == [] and guarded.samples_at(1.0) == 48000
    assert guarded.meters() == Meters(level=0.2) or guarded.meters().level == 0.2


def test_while_the_analysis_fails_time_goes_on_and_the_metronome_moves_the_picture(guarded):
    source, guard, guarded = guarded
    run(source, guarded, 0.2)
    before_s = guarded.position_s()
    source.fails = True
    found = run(source, guarded, AFTER_S + FADE_IN_S + 2.0)
    assert guarded.position_s() == pytest.approx(before_s + AFTER_S + FADE_IN_S + 2.0, abs=0.05)
    assert min(levels(found[-50:])) < 0.1 and max(levels(found[-50:])) > 0.45 and found[-1].is_fallback
    assert guarded.meters().is_fallback and any("analysis" in fault for fault in guard.faults())
    assert guarded.status() == ["beat\tfallback metronome"]
    assert found[-1].variant == 0.0 and not guarded.wait_for_kick(0.0)
    assert source.n_restarted >= 1, "with a new analysis where the old one goes on failing"
    assert source.n_taken < 40, "and it is not tried for every display frame"


def test_while_there_is_no_sound_the_metronome_beats_in_the_tempo_that_is_known(guarded):
    source, guard, guarded = guarded
    run(source, guarded, 0.2)
    source.lost = True
    found = run(source, guarded, 12.0)[300:]
    late = levels(found)
    tops_s = [b.time_s for a, b, c in zip(found, found[1:], found[2:], strict=False) if a.level < b.level >= c.level]
    assert max(late) > 0.5 and guarded.is_fallback and guard.faults() == ()
    off = [abs((top_s * 128 / 60 + 0.5) % 1 - 0.5) for top_s in tops_s]
    assert len(tops_s) > 5 and max(off) < 0.12
    source.lost = False
    assert set(levels(run(source, guarded, 3.0)[-10:])) == {0.2} and not guarded.is_fallback


def test_when_it_works_again_the_music_moves_the_picture_again(guarded):
    source, guard, guarded = guarded
    source.fails = True
    run(source, guarded, 4.0)
    source.fails = False
    found = run(source, guarded, 5.0 + RECOVERY_S + 1.5)
    assert set(levels(found[-10:])) == {0.2} and guard.faults() == () and not guarded.is_fallback


def test_the_analysis_is_restarted_once_for_each_failure_and_not_for_each_frame_after_it(guarded):
    source, _, guarded = guarded
    source.fails = True
    while source.n_taken < 3:
        run(source, guarded, 0.02)
    source.fails = False
    n_restarted = source.n_restarted
    run(source, guarded, RECOVERY_S + 1.0)
    assert source.n_restarted <= n_restarted + 1


def test_one_bad_block_is_not_felt(guarded):
    source, _, guarded = guarded
    run(source, guarded, 0.5)
    source.fails = True
    run(source, guarded, 0.02)
    source.fails = False
    assert set(levels(run(source, guarded, 3.0))) == {0.2} and source.n_restarted <= 1


def test_the_sample_rate_is_that_of_the_source(guarded):
    source, _, guarded = guarded
    source.sample_rate_hz = 44_100
    assert guarded.sample_rate_hz == 44_100 and guarded.samples_at(1.0) / guarded.sample_rate_hz == 1.0
