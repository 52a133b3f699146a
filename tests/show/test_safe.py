"""Sound that fails underneath, as the loop sees them."""

import pytest

from visualizer.show.guard import WELL_S, Guard
from visualizer.show.pulse import AFTER_S, FADE_IN_S
from visualizer.show.safe import SafeSound


class Act:
    """Sound that fails when it is told to."""

    def __init__(self):
        self.sound, self.fails, self.n_pumped, self.n_anew = self, False, 0, 0
        self.now_s = 0.0

    def _may_fail(self):
        if self.fails:
            raise RuntimeError("no")

    def position_s(self):
        self._may_fail()
        return 7.0 + self.now_s

    def pump(self, time_s):
        self.n_pumped += 1
        self._may_fail()

    def level_at(self, time_s):
        self._may_fail()
        return 0.2

    def variant_at(self, time_s):
        self._may_fail()
        return 0.5

    def begin_anew(self):
        self.n_anew += 1

    def listen(self, timeout_s):
        self._may_fail()
        return True


@pytest.fixture
def hearing():
    act = Act()
    guard = Guard(now=lambda: act.now_s)
    sound = SafeSound(act, guard)
    return act, guard, sound


def run(act, sound, seconds, hop_s=0.02):
    levels = []
    for _ in range(round(seconds / hop_s)):
        act.now_s += hop_s
        sound.pump(sound.position_s())
        levels.append(sound.level_at(sound.position_s()))
    return levels


def test_what_works_goes_through_as_it_is(hearing):
    act, guard, sound = hearing
    assert set(run(act, sound, 1.0)) == {0.2}
    assert sound.variant_at(0.0) == 0.5 and sound.listen(0.0) and sound.position_s() == 7.0 + act.now_s
    assert guard.faults() == () and not sound.moves_by_itself


def test_while_hearing_fails_time_goes_on_and_the_picture_moves_by_itself(hearing):
    act, guard, sound = hearing
    run(act, sound, 0.2)
    before_s = sound.position_s()
    act.fails = True
    levels = run(act, sound, AFTER_S + FADE_IN_S + 2.0)
    assert sound.position_s() == pytest.approx(before_s + AFTER_S + FADE_IN_S + 2.0, abs=0.05)
    assert min(levels[-50:]) < 0.1 and max(levels[-50:]) > 0.45, "a pulse"
    assert sound.moves_by_itself and any("analysis" in fault for fault in guard.faults())
    assert sound.variant_at(0.0) == 0.0 and not sound.listen(0.0)
    assert act.n_anew >= 1, "with new followers where the old ones go on failing"
    assert act.n_pumped < 40, "and it is not tried at every display frame"


def test_when_it_works_again_the_music_moves_the_picture_again(hearing):
    act, guard, sound = hearing
    act.fails = True
    run(act, sound, 4.0)
    act.fails = False
    levels = run(act, sound, 5.0 + WELL_S + 1.5)
    assert set(levels[-10:]) == {0.2} and guard.faults() == () and not sound.moves_by_itself


def test_new_followers_are_made_once_for_each_failure_and_not_for_each_frame_after_it(hearing):
    act, _, sound = hearing
    act.fails = True
    while act.n_pumped < 3:
        run(act, sound, 0.02)
    act.fails = False
    n_anew = act.n_anew
    run(act, sound, WELL_S + 1.0)
    assert act.n_anew <= n_anew + 1


def test_one_bad_block_is_not_felt(hearing):
    act, _, sound = hearing
    run(act, sound, 0.5)
    act.fails = True
    with_fault = run(act, sound, 0.02)
    act.fails = False
    assert set(run(act, sound, 3.0)) == {0.2} and act.n_anew <= 1 and with_fault[0] >= 0.0
