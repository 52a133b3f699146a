"""The loop: frames put in their place as they come, variants crossed to the sound, each once it is there."""

from fractions import Fraction
from itertools import islice

import numpy as np
import pytest

from tests.show.greys import N_DEPTHS, SIZE, Frames, Steady, grey
from visualizer.presets.dreams import Placed
from visualizer.render.offscreen import Offscreen
from visualizer.render.picture import Picture
from visualizer.show.clocks import FrameClock
from visualizer.show.loop import display_frames
from visualizer.show.scene import Scene


def variant_of(variant, *, finished=True, depths=range(N_DEPTHS + 1), base=0):
    """A variant's frames; the grey of each tells where it belongs."""
    return [Placed(variant, depth, grey(base + 50 * variant + 10 * depth), finished) for depth in depths]


@pytest.fixture
def show():
    """show(frames, n, n_variants, sound) -> [(Shown, the grey drawn)] of n display frames at 10 a second."""

    def run(frames, n, n_variants=1, sound=None):
        seen = []
        with Offscreen(SIZE) as stage:
            picture = Picture(stage.ctx, SIZE, N_DEPTHS, n_variants=n_variants)
            clock = FrameClock(Fraction(10))
            for shown in islice(display_frames(stage, Scene(picture, frames, N_DEPTHS), clock, sound or Steady()), n):
                seen.append((shown, int(stage.read()[0, 0, 0])))
            picture.release()
        return seen

    return run


def test_one_variant_is_shown_as_deep_as_the_sound_says(show):
    ((shown, level),) = show(Frames(variant_of(0)), 1, sound=Steady(depth=2.5))
    assert (shown.depth, shown.variant, shown.n_baked) == (2.5, 0.0, N_DEPTHS)
    assert level == 25


@pytest.mark.parametrize(("place", "variant"), [(0.0, 0.0), (0.25, 0.5), (0.5, 1.0), (1.0, 2.0)])
def test_the_sound_moves_along_all_variants_that_are_there(show, place, variant):
    frames = Frames(variant_of(0) + variant_of(1) + variant_of(2))
    ((shown, level),) = show(frames, 1, 3, Steady(variant=place))
    assert shown.variant == variant
    assert level == pytest.approx(50 * variant + 40, abs=1)


def test_a_preview_shows_at_once_and_is_replaced_by_the_finished_frame(show):
    previews = variant_of(0, finished=False, base=100)
    last = [Placed(0, N_DEPTHS, grey(40), True)]
    seen = show(Frames(previews, [], last), 4)
    assert [level for _, level in seen] == [140, 140, 40, 40]
    assert [shown.n_baked for shown, _ in seen] == [0, 0, 1, 1], "what is finished is counted"


def test_a_frame_that_comes_twice_counts_once(show):
    seen = show(Frames(variant_of(0), variant_of(0)), 2)
    assert seen[-1][0].n_baked == N_DEPTHS


def test_the_finished_frames_of_all_variants_are_counted(show):
    seen = show(Frames(variant_of(0), variant_of(1, depths=[0, 1])), 2, 2)
    assert [shown.n_baked for shown, _ in seen] == [N_DEPTHS, N_DEPTHS + 1]


def test_a_variant_is_crossed_to_only_when_it_goes_as_deep_as_the_first_and_then_without_a_jump(show):
    behind = [[placed] for placed in variant_of(1)]
    seen = show(Frames(variant_of(0), *behind), 20, 2)
    variants = [shown.variant for shown, _ in seen]
    assert variants[: len(behind)] == [0.0] * len(behind), "not while it is shallower"
    steps = np.diff(variants)
    assert 0 < steps.max() < 0.6 and steps.min() >= 0
    assert variants[-1] == pytest.approx(1.0, abs=0.01)
    assert seen[-1][1] == pytest.approx(90, abs=1)


def test_variants_that_deepen_together_are_both_shown(show):
    polls = [[*variant_of(0, depths=[depth]), *variant_of(1, depths=[depth])] for depth in range(N_DEPTHS + 1)]
    seen = show(Frames(*polls), 25, 2)
    assert seen[0][0].variant == 0.0, "the image alone is no variant to cross to"
    assert np.diff([shown.variant for shown, _ in seen]).min() >= 0, (
        "the first one's lead of a depth takes nothing back"
    )
    assert seen[-1][0].variant == pytest.approx(1.0, abs=0.01)


def test_before_any_frame_nothing_is_drawn_and_nothing_fails(show):
    seen = show(Frames([], variant_of(0, depths=[0])), 2)
    assert [(shown.n_baked, shown.depth) for shown, _ in seen] == [(0, 0.0), (0, 0.0)]
