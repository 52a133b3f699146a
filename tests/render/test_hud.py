from __future__ import annotations

import numpy as np
import pytest

from tests.fixtures.pulse import wait_until
from tests.render.pictures import noise
from visualizer.render import hud as hud_module
from visualizer.render.hud import Hud
from visualizer.render.picture import Picture
from visualizer.render.text import system_font_files

SIZE = (640, 360)


@pytest.fixture
def scene(offscreen):
    """draw(lines, notice) -> (the picture with the HUD, the picture without)."""
    stage = offscreen(SIZE)
    picture, hud = Picture(stage.ctx, SIZE, 1), Hud(stage.ctx)
    frame = noise(SIZE, 3)
    picture.put(0, frame)

    def draw(lines: list[str], notice: str | None = None, size: tuple[int, int] = SIZE) -> np.ndarray:
        picture.draw(0, SIZE)
        hud.draw(lines, size, notice)
        return stage.read()

    draw.frame, draw.stage, draw.hud = frame, stage, hud
    return draw


def test_text_appears_at_the_top_left_and_goes_without_a_trace(scene):
    with_text = scene(["Depth 3.2 of 20", "60 fps"])
    changed = np.any(with_text != scene.frame, axis=-1)
    rows, columns = np.nonzero(changed)
    assert 4 <= rows.min() <= 20
    assert 4 <= columns.min() <= 20
    assert rows.max() < SIZE[1] / 3
    assert columns.max() < SIZE[0] / 2
    assert np.array_equal(scene([]), scene.frame)


def test_a_notice_appears_at_the_bottom_in_the_middle(scene):
    rows, columns = np.nonzero(np.any(scene([], "Playing silently") != scene.frame, axis=-1))
    assert rows.min() > SIZE[1] * 0.8
    assert rows.max() < SIZE[1] - 4
    assert (columns.min() + columns.max()) / 2 == pytest.approx((SIZE[0] - 1) / 2, abs=1)
    assert np.array_equal(scene([], ""), scene.frame)


def test_a_long_notice_takes_several_lines(scene):
    """At 640x360 a fault of a look is longer than a line."""
    short, long, endless = (
        np.flatnonzero(np.any(scene([], text) != scene.frame, axis=(1, 2)))
        for text in (
            "x",
            f"{'/a/long/path' * 8}/own.fs:12: 'colour' : undeclared identifier | c = colour;",
            "word " * 79,
        )
    )
    assert len(long) > 1.3 * len(short) and len(long) <= len(endless) < 4 * len(short)
    assert short.max() == long.max() == endless.max() < SIZE[1] - 4


def test_the_panel_is_put_over_the_picture_pixel_for_pixel(scene):
    """Against the blend computed by hand from the panel's own pixels."""
    layout = hud_module.Layout.of(SIZE)
    panel = hud_module.draw_text_box(("Sharp",), layout).astype(float)
    height, width = panel.shape[:2]
    place = (slice(layout.margin_px, layout.margin_px + height), slice(layout.margin_px, layout.margin_px + width))
    expected = panel[..., :3] + scene.frame[place] * (1 - panel[..., 3:] / 255)
    assert np.abs(scene(["Sharp"])[place] - expected).max() <= 1.01


def test_it_is_readable_over_the_busiest_picture(scene):
    """Noise of full contrast: behind the text at most a third of it is left."""
    seen = scene(["Mmmm"])
    layout = hud_module.Layout.of(SIZE)
    behind = seen[
        layout.margin_px + 2 : layout.margin_px + layout.padding_px - 1, layout.margin_px + 10 : layout.margin_px + 45
    ]
    assert behind.max() < 90
    assert seen[layout.margin_px : layout.margin_px + 40, layout.margin_px : 120].max() > 235


def test_text_that_stays_is_drawn_from_what_is_there(scene, monkeypatch):
    drawn = []

    def counting(*args, **kwargs):
        drawn.append(args[0])
        return hud_draw_panel(*args, **kwargs)

    hud_draw_panel = hud_module.draw_text_box
    monkeypatch.setattr(hud_module, "draw_text_box", counting)
    first = scene(["a", "b"], "n")
    for _ in range(3):
        assert np.array_equal(scene(["a", "b"], "n"), first)
    assert drawn == [("a", "b"), ("n",)]
    assert not np.array_equal(scene(["a", "c"], "n"), first)
    assert drawn[2:] == [("a", "c")]


def test_the_next_picture_is_whole_again(scene):
    """The HUD leaves no blending, no viewport of its own behind."""
    scene(["x"], "y")
    assert np.array_equal(scene([]), scene.frame)
    assert scene.stage.ctx.error == "GL_NO_ERROR"


@pytest.mark.parametrize("size", [(0, 0), (5, 5)])
def test_no_room_no_words(scene, size):
    assert np.array_equal(scene(["x"], "y", size), scene.frame)


def test_releasing_twice_is_fine(scene):
    scene(["x"])
    scene.hud.release()
    scene.hud.release()


# --- the keys


KEYS = [f"K{number}\twhat the key does" for number in range(8)]


@pytest.fixture
def keyed(offscreen):
    """keyed(size, lines, keys) -> where words were drawn over black, (H, W) bool."""

    def draw(size, lines, keys):
        stage = offscreen(size)
        hud = Hud(stage.ctx)
        stage.ctx.clear(1.0, 1.0, 1.0)
        hud.draw(lines, size, None, keys)
        return stage.read().min(axis=-1) < 200

    return draw


def test_the_keys_stand_at_the_top_right_beside_the_figures(keyed):
    dark = keyed((1280, 720), ["Depth 3"], KEYS)
    rows, columns = np.nonzero(dark)
    assert columns.max() > 1280 - 30 and rows.min() < 30
    assert not dark[:, 400:800].any(), "two panels with the picture between them"


def test_where_they_do_not_fit_beside_they_stand_below(keyed):
    dark = keyed((500, 700), ["figures " * 6], KEYS)
    top = dark[:, 20:60].any(axis=1)
    gaps = np.flatnonzero(np.diff(top.astype(int)))
    assert len(gaps) == 4, "one panel under the other"
    assert not dark[:, 480:].any()


def test_where_they_do_not_fit_below_their_letters_are_smaller(keyed):
    many = [f"K{number}\twhat the key does" for number in range(16)]
    lines = ["wide figures that leave nothing beside them"] * 7
    dark = keyed((800, 800), lines, many)
    alone = keyed((800, 800), [], many)
    bottom = np.flatnonzero(dark.any(axis=1)).max()
    assert bottom < 800 - 4
    width = np.ptp(np.flatnonzero(dark[bottom - 20].astype(int)))
    assert width < 0.9 * np.ptp(np.flatnonzero(alone[100].astype(int)))


def test_where_one_column_is_too_long_the_keys_stand_in_two(keyed):
    many = [f"K{number}\twhat the key does" for number in range(21)]
    wide = ["figures that leave no room beside them, in eight lines that are long, " * 2] * 8
    below = slice(165, None)
    two, one = (np.nonzero(keyed((640, 360), wide, keys)[below]) for keys in (many, many[:9]))
    assert two[1].max() > 1.6 * one[1].max(), "a second column"
    assert two[0].max() < 360 - 165 - 4


def test_a_notice_leaves_the_keys_legible(offscreen):
    """It is written beside a list of keys that reaches down to the bottom."""
    size, keys = (1280, 720), [f"K{number}\twhat the key does" for number in range(21)]
    stage = offscreen(size)
    hud = Hud(stage.ctx)
    seen = []
    for notice in ("", "a notice that is as long as the whole picture is wide, and that says what to do about it " * 2):
        stage.ctx.clear(1.0, 1.0, 1.0)
        hud.draw(["Depth 3"], size, notice, keys)
        seen.append(stage.read()[:, 1280 - 260 :])
    assert np.array_equal(*seen)


def test_a_notice_stands_beside_the_figures_where_the_keys_fill_the_rest(offscreen):
    size, keys = (640, 360), [f"Shift+K{number}\tall that the key does here" for number in range(21)]
    stage = offscreen(size)
    hud = Hud(stage.ctx)
    seen = []
    for notice in ("", "a notice that is as long as the whole picture is wide, and that says what to do about it"):
        stage.ctx.clear(1.0, 1.0, 1.0)
        hud.draw(["frame\t16.6 / 20.2 / 22.4 ms  (50 / 95 / 99 %)"] * 8, size, notice, keys)
        seen.append(stage.read())
    rows, columns = np.nonzero((seen[0] != seen[1]).any(axis=2))
    assert len(rows) > 1000 and rows.max() < 165 and columns.min() > 250, "at the top right, and nowhere else"


def test_where_nothing_fits_the_figures_stand_alone(keyed):
    lines = [f"figure {number} of many that fill it all" for number in range(20)]
    assert np.array_equal(keyed((320, 180), lines, KEYS), keyed((320, 180), lines, []))


def test_fonts_of_the_system_are_looked_for_before_a_letter_is_missing(offscreen):
    """With thousands of them that takes longer than a display frame."""
    system_font_files.cache_clear()
    hud = Hud(offscreen(SIZE).ctx)
    wait_until(lambda: system_font_files.cache_info().currsize == 1, "nobody looks")
    hud.release()


def test_text_is_written_once_and_shown_as_often_as_asked(scene):
    drawn = scene(["x"], "y")
    scene.hud.write(["x"], scene.stage.framebuffer_size, "y")
    boxes = scene.hud._boxes
    scene.hud.write(["x"], scene.stage.framebuffer_size, "y")
    assert scene.hud._boxes is boxes, "the same text is not written again"
    scene([], None)
    scene.hud.write(["x"], scene.stage.framebuffer_size, "y")
    scene.hud.show()
    assert np.array_equal(scene.stage.read(), drawn)
