"""The frame loop: dream frames put in their place as they arrive, variants crossed to, outputs, and drawing that
fails.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import islice

import numpy as np
import pytest

from tests.show.ramp import N_DEPTHS, SIZE, Frames, Steady, grey, preset
from visualizer.outputs.output import Output
from visualizer.presets.dreams import DreamFrame
from visualizer.render.canvas import Canvas
from visualizer.render.offscreen import Offscreen
from visualizer.render.picture import Picture
from visualizer.show.clocks import FrameClock
from visualizer.show.frame import LOST_AFTER, FrameLoop
from visualizer.show.guard import Guard
from visualizer.show.stage import Scene, Stage


def variant_of(variant, *, finished=True, depths=range(N_DEPTHS + 1), base=0):
    """A variant's frames; the grey of each shows where it belongs."""
    return [DreamFrame(variant, depth, grey(base + 50 * variant + 10 * depth), finished) for depth in depths]


class Pixels(Output):
    """Keeps the picture of every display frame."""

    name = "pixels"

    def __init__(self):
        self.pictures = []

    def present(self, canvas, sound, features):
        self.pictures.append(canvas.pixels().copy())


@pytest.fixture
def surface():
    with Offscreen(SIZE) as offscreen:
        yield offscreen


@pytest.fixture
def loop(surface):
    """loop(frames, n_variants, sound, outputs) -> a FrameLoop of 10 display frames a second."""

    def of(frames, n_variants=1, sound=None, outputs=(), guard=None, size=lambda: SIZE):
        picture = Picture(surface.ctx, SIZE, N_DEPTHS, n_variants=n_variants)
        stage = Stage(surface, Scene(picture, frames, preset(n_variants=n_variants)))
        guard = guard or Guard(raises=True)
        return FrameLoop(FrameClock(Fraction(10)), sound or Steady(), stage, Canvas(surface.ctx), outputs, guard, size)

    return of


@pytest.fixture
def show(loop):
    """show(frames, n, n_variants, sound) -> [(DisplayFrame, the grey drawn)] of n display frames."""

    def run(frames, n, n_variants=1, sound=None):
        pixels = Pixels()
        shown = list(islice(loop(frames, n_variants, sound, [pixels]).frames(), n))
        return [(one, int(picture[0, 0, 0])) for one, picture in zip(shown, pixels.pictures, strict=True)]

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
    last = [DreamFrame(0, N_DEPTHS, grey(40), True)]
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


# --- the order of a display frame


def test_a_display_frame_waits_advances_listens_draws_presents_and_then_does_the_rest(loop, monkeypatch):
    order = []

    class Noted(Pixels):
        def present(self, canvas, sound, features):
            order.append("present")

    def note(one, name, what):
        does = getattr(one, name)
        monkeypatch.setattr(one, name, lambda *given, **named: (order.append(what), does(*given, **named))[1])

    shows = loop(Frames(variant_of(0)), outputs=[Noted()])
    note(shows.clock, "wait", "wait"), note(shows.source, "listen", "listen"), note(shows, "after", "after")
    note(shows.stage, "advance", "advance"), note(shows.stage, "draw", "draw")
    list(islice(shows.frames(), 2))
    assert order == 2 * ["wait", "advance", "listen", "draw", "present", "after"]


def test_it_ends_with_its_source(loop):
    class Short(Steady):
        ended = False

        def take_in(self, time_s):
            self.ended = time_s > 0.5

    assert len(list(loop(Frames(variant_of(0)), sound=Short()).frames())) == 5


def test_with_nothing_to_draw_on_the_show_goes_on(loop):
    assert [one.depth for one in islice(loop(Frames(variant_of(0)), size=lambda: (0, 0)).frames(), 3)] == [4.0] * 3


def test_outputs_get_the_sound_only_if_one_of_them_needs_it(loop):
    class Sounding(Steady):
        n_taken = 0

        def take_sound(self):
            self.n_taken += 1
            return np.ones((10, 2), np.float32)

    class Needy(Pixels):
        needs_sound = True

        def present(self, canvas, sound, features):
            self.pictures.append(len(sound))

    for output, n_samples in ((Pixels(), 0), (Needy(), 20)):
        source = Sounding()
        list(islice(loop(Frames(variant_of(0)), sound=source, outputs=[output]).frames(), 2))
        assert source.n_taken * 10 == n_samples


def test_an_output_that_fails_costs_itself_only(loop):
    class Broken(Pixels):
        name = "broken"

        def present(self, canvas, sound, features):
            raise OSError("unplugged")

    guard, pixels = Guard(now=lambda: 0.0), Pixels()
    list(islice(loop(Frames(variant_of(0)), outputs=[Broken(), pixels], guard=guard).frames(), 3))
    assert len(pixels.pictures) == 3 and any("unplugged" in fault for fault in guard.faults())


def test_a_source_that_cannot_compute_what_a_look_needs_costs_the_look_only(loop):
    class Poor(Steady):
        def needs(self, names):
            raise MemoryError("no room")

    guard, pixels = Guard(now=lambda: 0.0), Pixels()
    list(islice(loop(Frames(variant_of(0)), sound=Poor(), outputs=[pixels], guard=guard).frames(), 2))
    assert len(pixels.pictures) == 2 and any("no room" in fault for fault in guard.faults())


# --- drawing that fails


def fails(*_):
    raise RuntimeError("no")


def test_where_drawing_fails_it_is_drawn_plainly(loop, monkeypatch):
    guard, pixels = Guard(now=lambda: 0.0), Pixels()
    shows = loop(Frames(variant_of(0)), sound=Steady(2.0), outputs=[pixels], guard=guard)
    monkeypatch.setattr(shows.stage, "_draw_scenes", fails)
    (shown,) = islice(shows.frames(), 1)
    assert shown.is_drawn and shown.depth == 2.0 and pixels.pictures[0][0, 0, 0] == 20
    assert any("drawing" in fault for fault in guard.faults()) and not shows.is_undrawable


def test_where_nothing_can_be_drawn_nothing_is_presented_and_the_graphics_count_as_lost(loop, monkeypatch):
    pixels = Pixels()
    shows = loop(Frames(variant_of(0)), outputs=[pixels], guard=Guard(now=lambda: 0.0))
    frames = shows.frames()
    next(frames)
    monkeypatch.setattr(shows.stage, "_draw_scenes", fails), monkeypatch.setattr(shows.stage, "draw_plainly", fails)
    for _ in range(LOST_AFTER):
        assert not shows.is_undrawable
        shown = next(frames)
        assert not shown.is_drawn and shown.n_baked == N_DEPTHS
    assert shows.is_undrawable and len(pixels.pictures) == 1


def test_with_a_guard_that_raises_a_fault_ends_the_loop(loop, monkeypatch):
    shows = loop(Frames(variant_of(0)))
    monkeypatch.setattr(shows.stage, "_draw_scenes", fails)
    with pytest.raises(RuntimeError, match="no"):
        next(shows.frames())
