from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from visualizer.render import text as text_module
from visualizer.render.text import Layout, draw_text_box, printable, text_box_size, wrapped

HD = Layout.of((1280, 720))
HOSTILE = [
    "\x00\x1b[31mred\x07",
    "a\nb\r\nc\td",
    "\u202eright to left\u2066",
    "\ud800half\udfff",
    "👩‍👩‍👧‍👦🏳️‍🌈",
    "שלום عليكم",
    "日本語の歌",
    "e" + "\u0301" * 300,
    "﷽" * 50,
    "\ufeff\u200b\u200d",
    "x" * 100_000,
    "%s {0} <b>",
]


def ink(panel: np.ndarray) -> np.ndarray:
    return panel[..., 0] > 120


def test_text_is_light_on_a_dark_translucent_panel_with_round_corners():
    panel = draw_text_box(["Depth 12.4 of 20"], HD)
    assert panel.dtype == np.uint8
    assert panel.shape[2] == 4
    assert panel[0, 0, 3] == 0, "corner"
    empty = panel[panel.shape[0] // 2, 2]
    assert empty[:3].tolist() == [0, 0, 0]
    assert 150 < empty[3] < 220, "the picture shines through, but not much"
    assert ink(panel).sum() > 200
    assert (panel[..., :3] <= panel[..., 3:]).all(), "premultiplied"


@pytest.mark.parametrize(
    "size", [(320, 240), (640, 360), (1280, 720), (1920, 1080), (3840, 2160), (1080, 1920), (200, 700)]
)
def test_letters_grow_with_the_picture_and_lie_within_it(size):
    layout = Layout.of(size)
    panel = draw_text_box(["M" * 10, "Ég"], layout)
    assert panel.shape[1] <= size[0] - 2 * layout.margin_px
    assert panel.shape[0] <= size[1] - 2 * layout.margin_px
    rows = np.nonzero(ink(panel[: layout.padding_px + layout.line_px]).any(1))[0]
    capital_px = rows.max() - rows.min() + 1
    assert capital_px >= max(7, 0.013 * min(size[1], size[0])), "too small to be read"


def test_no_letter_is_cut_at_the_edges_of_its_line():
    for size in ((320, 240), (1280, 720), (3840, 2160)):
        layout = Layout.of(size)
        panel = draw_text_box(["ÅÉgjpqy|()_,"], layout)
        inside = slice(layout.padding_px, layout.padding_px + layout.line_px)
        assert not ink(panel)[inside][0].any()
        assert not ink(panel)[inside][-1].any()
        assert not ink(panel)[:, -layout.padding_px :].any()


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_is_drawn_within_the_panel(text):
    panel = draw_text_box([text, "sane"], HD)
    assert panel.shape[1] <= HD.max_width_px
    assert panel.shape[0] == 2 * HD.line_px + 2 * HD.padding_px
    assert not ink(panel)[:, : HD.padding_px - 1].any()
    assert not ink(panel)[:, -HD.padding_px + 1 :].any()


@settings(max_examples=150, deadline=None)
@given(
    lines=st.lists(st.text(st.characters(exclude_categories=()), max_size=60), max_size=4),
    width=st.integers(1, 400),
    height=st.integers(1, 300),
)
def test_any_text_fits_any_picture(lines, width, height):
    layout = Layout.of((width, height))
    if layout is None:
        return
    panel = draw_text_box(lines, layout)
    if panel is None:
        assert not any(printable(line) for line in lines)
    else:
        assert panel.shape[1] <= width
        assert panel.shape[0] <= height


def test_what_is_too_long_ends_in_an_ellipsis():
    """The end of the cut line is drawn just as the end of a line that ends in dots by itself."""
    long = draw_text_box(["x" * 500], HD)
    assert long.shape[1] <= HD.max_width_px
    columns = np.nonzero(ink(long).any(0))[0]
    baseline_rows = np.nonzero(ink(long)[:, columns.max() - 3 : columns.max() + 1].any(1))[0]
    assert baseline_rows.max() - baseline_rows.min() < HD.text_px / 4, "the last sign is a dot"
    assert columns.max() > HD.max_width_px * 0.95, "the room there is is used"


def test_a_text_is_divided_at_spaces_into_lines_that_fit():
    layout = Layout.of((640, 360))
    fault = (
        "/home/someone/.config/visualizer/looks/my-own-look.fs:12: 'colour' : undeclared identifier | "
        + "x = colour; " * 6
    )
    lines = wrapped(fault, layout, 3)
    assert 1 < len(lines) <= 3 and " ".join(lines) == fault.strip()
    for line in lines:
        assert text_box_size((line,), layout, steady=False) == text_box_size(
            (line,), dataclasses.replace(layout, max_width_px=10_000), steady=False
        )
    assert wrapped("a" * 300, layout, 9) and "".join(wrapped("a" * 300, layout, 9)) == "a" * 300, "without a space"
    assert wrapped("a b", layout, 3) == ("a b",) and wrapped("", layout, 3) == ("",)
    assert len(wrapped("word " * 79, layout, 2)) == 2


def test_too_many_lines_end_in_an_ellipsis():
    panel = draw_text_box([f"line {index}" for index in range(500)], HD)
    assert panel.shape[0] <= 720 - 2 * HD.margin_px
    assert panel.shape[0] == HD.max_lines * HD.line_px + 2 * HD.padding_px


@pytest.mark.parametrize("size", [(0, 0), (1, 1), (30, 30), (2000, 12)])
def test_a_picture_too_small_for_text_gets_none(size):
    assert Layout.of(size) is None


@pytest.mark.parametrize("lines", [[], [""], ["", "  ", "\x00\u200b"]])
def test_nothing_said_is_nothing_drawn(lines):
    assert draw_text_box(lines, HD) is None


def test_the_panel_does_not_tremble_while_figures_change():
    widths = {draw_text_box([f"01:{second:02} / 03:45"], HD).shape[1] for second in range(60)}
    assert len(widths) == 1


@pytest.fixture
def no_system_fonts(monkeypatch):
    """A machine with no fonts but Pillow's own."""
    monkeypatch.setattr(text_module, "_SYSTEM_FONTS", ())
    caches = (text_module.system_font_files, text_module._system_fonts, text_module._glyph, text_module._typeset)
    for cache in caches:
        cache.cache_clear()
    yield
    for cache in caches:
        cache.cache_clear()


@pytest.mark.parametrize(
    ("text", "spelt"), [("Café Ñandú", "Cafe Nandu"), ("← x → —", "< x > -"), ("Привет", "??????")]
)
def test_without_fonts_on_the_system_letters_are_spelt_with_what_there_is(no_system_fonts, text, spelt):
    assert np.array_equal(draw_text_box([text], HD), draw_text_box([spelt], HD))


def test_a_font_of_the_system_writes_what_the_own_one_lacks(no_system_fonts, monkeypatch):
    """Stood in for by Pillow's own at twice the size, said to have it."""
    own = text_module._own_font
    monkeypatch.setattr(text_module, "_system_fonts", lambda text_px: (own(2 * text_px),))
    monkeypatch.setattr(text_module, "_has", lambda font, letter: letter != "Ж" or font is not own(HD.text_px))
    text_module._glyph.cache_clear()
    assert text_module._glyph("Ж", HD.text_px) == (own(2 * HD.text_px), "Ж")
    assert [run for _font, run in text_module._runs("aЖb", HD.text_px)] == ["a", "Ж", "b"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("two  columns", "two  columns"),
        ("a\tb\nc", "a b c"),
        ("\u202eabc", "abc"),
        ("\ud83d", "?"),
        ("← 5 s → — ×", "< 5 s > - x"),
        ("end  ", "end"),
        ("cafe\u0301", "caf\u00e9"),
    ],
)
def test_tidy(text, shown):
    assert printable(text) == shown


def test_a_tab_lines_up_second_columns():
    layout = Layout.of((1280, 720))
    assert layout is not None
    wide = draw_text_box(["a\tX", "a much longer name\tX"], layout)
    alone = draw_text_box(["a much longer name\tX"], layout)
    assert wide is not None and alone is not None and wide.shape[1] == alone.shape[1]
    first, second = (wide[layout.padding_px + n * layout.line_px :][: layout.line_px, :, 0] for n in (0, 1))
    x = np.flatnonzero((first.max(axis=0) > 100) & (np.arange(wide.shape[1]) > layout.padding_px + layout.text_px))
    assert len(x) and np.array_equal(first[:, x], second[:, x])


def test_a_tab_after_text_without_end_leaves_room_for_what_follows():
    layout = Layout.of((320, 240))
    assert layout is not None
    panel = draw_text_box(["x" * 300 + "\t" + "y" * 300, "\t", "\t\tz"], layout)
    assert panel is not None and panel.shape[1] <= layout.max_width_px
