"""Layout and drawing primitives of the panel: columns that scroll, rows of cells, text cut to fit."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from ..render.monitors import Area
from ..render.text import ELLIPSIS, printable
from .style import BACKGROUND, BODY, CARD, RAISED, TEXT, Colour, packed
from .window import PanelWindow


class Box(NamedTuple):
    """A rectangle in the window's coordinates: left, top, width, height."""

    x: float
    y: float
    w: float
    h: float

    @property
    def right(self) -> float:
        return self.x + self.w

    @property
    def bottom(self) -> float:
        return self.y + self.h

    def inside(self, margin: float) -> Box:
        """The box reduced by a margin on each side."""
        return Box(self.x + margin, self.y + margin, max(self.w - 2 * margin, 0.0), max(self.h - 2 * margin, 0.0))

    def contains(self, other: Box) -> bool:
        """Whether `other` lies completely in it, up to rounding."""
        return (
            self.x <= other.x + 1
            and self.y <= other.y + 1
            and other.right <= self.right + 1
            and other.bottom <= self.bottom + 1
        )


class Interaction(NamedTuple):
    """What the mouse does with a control in this frame. pressed, released: its button was; held: it is still
    pressed.
    """

    pressed: bool
    held: bool
    hovered: bool
    released: bool


class Ui:
    """Places boxes from top to bottom in the current column, and draws in them.

    u: one unit of layout in the window's coordinates; controls: the rectangle of each control that is visible now, by
    name.
    """

    def __init__(self, window: PanelWindow) -> None:
        self.window, self.imgui = window, window.imgui
        self.u = 1.0
        self.controls: dict[str, Area] = {}
        self._x = self._y = self._width = 0.0
        self._cells: list[tuple[float, float]] | None = None
        self._clip = Box(0, 0, 0, 0)
        self._draw_list: Any = None
        flags = self.imgui.WindowFlags_
        self._page_flags = (
            flags.no_decoration
            # the window is cleared with that colour; without a graphics card each filled layer costs a millisecond
            | flags.no_background
            | flags.no_move
            | flags.no_saved_settings
            | flags.no_bring_to_front_on_focus
            | flags.no_nav
        )
        style = self.imgui.get_style()
        for name in ("window_padding", "item_spacing", "frame_padding"):
            setattr(style, name, self.imgui.ImVec2(0, 0))
        style.window_border_size = style.child_border_size = 0.0
        style.window_min_size = self.imgui.ImVec2(1, 1)
        colours = self.imgui.Col_
        for which, colour in (
            (colours.window_bg, BACKGROUND),
            (colours.scrollbar_bg, BACKGROUND),
            (colours.scrollbar_grab, RAISED),
        ):
            style.set_color_(which, self.imgui.ImVec4(*(part / 255 for part in colour)))
        self._style = style

    @contextmanager
    def page(self, zoom: Callable[[float, float], float]) -> Iterator[Box]:
        """Begin the page that fills the window. zoom: gives the enlargement for a window's width and height, both at a
        monitor scale of 1.
        """
        imgui, scale = self.imgui, self.window.scale
        self.u = scale * zoom(*(length / scale for length in self.window.size))
        self.controls = {}
        width, height = self.window.size
        self._style.scrollbar_size = 12 * self.u
        self._style.scrollbar_rounding = 6 * self.u
        imgui.set_next_window_pos((0, 0))
        imgui.set_next_window_size((width, height))
        imgui.begin("page", None, self._page_flags | self.imgui.WindowFlags_.no_scroll_with_mouse)
        try:
            yield Box(0, 0, width, height)
        finally:
            imgui.end()

    @contextmanager
    def column(self, name: str, box: Box, *, gap: float = 8.0, scrolls: bool = False) -> Iterator[None]:
        """Begin a column in a box. gap: between two boxes, units; scrolls: it can be scrolled if it is too long."""
        imgui = self.imgui
        imgui.set_cursor_screen_pos((box.x, box.y))
        flags = 0 if scrolls else imgui.WindowFlags_.no_scrollbar | imgui.WindowFlags_.no_scroll_with_mouse
        imgui.begin_child(name, (max(box.w, 1.0), max(box.h, 1.0)), 0, flags)
        start = imgui.get_cursor_screen_pos()
        self._x, self._y, self._width = start.x, start.y, imgui.get_content_region_avail().x
        self._gap, self._clip, self._draw_list = gap * self.u, box, imgui.get_window_draw_list()
        try:
            yield
        finally:
            imgui.set_cursor_screen_pos((self._x, self._y))
            imgui.dummy((1, 1))  # tells imgui the height of the content
            imgui.end_child()

    @property
    def width(self) -> float:
        """Width of a box of the current column, units."""
        return self._width / self.u

    @contextmanager
    def row(self, height: float, weights: Sequence[float]) -> Iterator[None]:
        """Place boxes side by side, with widths in proportion to `weights`. height: units."""
        gap = self._gap
        room = self._width - gap * (len(weights) - 1)
        x, total, cells = self._x, sum(weights), []
        for weight in weights:
            cells.append((x, room * weight / total))
            x += room * weight / total + gap
        self._cells, top = cells, self._y
        try:
            yield
        finally:
            self._cells = None
            self._y = top + height * self.u + gap

    @contextmanager
    def card(self, height: float) -> Iterator[None]:
        """Draw an outline around the boxes placed inside. height: of those and their gaps, units."""
        u, gap = self.u, self._gap
        pad = 10 * u
        before = self._x, self._width
        # only the outline: without a graphics card, filling it takes a third of the time of everything else
        self.frame(Box(self._x, self._y, self._width, height * u + 2 * pad), CARD, 1.5, 10)
        end = self._y + height * u + 2 * pad + gap
        self._x, self._width, self._y = self._x + pad, self._width - 2 * pad, self._y + pad
        try:
            yield
        finally:
            (self._x, self._width), self._y = before, end

    def space(self, height: float) -> None:
        """Leave a vertical gap. height: units."""
        self._y += height * self.u

    def take(self, height: float) -> Box:
        """Take the next box. height: units."""
        if self._cells:
            x, width = self._cells.pop(0)
            return Box(x, self._y, width, height * self.u)
        box = Box(self._x, self._y, self._width, height * self.u)
        self._y += box.h + self._gap
        return box

    def interaction(self, name: str, box: Box) -> Interaction:
        """Make a box a control with this name, and return what the mouse does with it."""
        imgui = self.imgui
        imgui.set_cursor_screen_pos((box.x, box.y))
        imgui.invisible_button(name, (max(box.w, 1.0), max(box.h, 1.0)))
        if self._clip.contains(box):
            self.controls[name] = (round(box.x), round(box.y), round(box.w), round(box.h))
        return Interaction(
            imgui.is_item_activated(), imgui.is_item_active(), imgui.is_item_hovered(), imgui.is_item_deactivated()
        )

    def hint(self, text: str) -> None:
        """Show a text beside the mouse while it rests on the last control."""
        imgui = self.imgui
        if text and imgui.is_item_hovered(imgui.HoveredFlags_.delay_normal | imgui.HoveredFlags_.stationary):
            style = self._style
            style.window_padding = imgui.ImVec2(10 * self.u, 8 * self.u)
            imgui.push_font(self.window.fonts.plain, BODY * self.u)
            imgui.begin_tooltip()
            imgui.push_text_wrap_pos(330 * self.u)
            imgui.text_unformatted(text)
            imgui.pop_text_wrap_pos()
            imgui.end_tooltip()
            imgui.pop_font()
            style.window_padding = imgui.ImVec2(0, 0)

    def mouse_x(self) -> float:
        """Horizontal position of the mouse in the window."""
        return float(self.imgui.get_io().mouse_pos.x)

    def is_fine(self) -> bool:
        """Whether Shift is held, for fine adjustment."""
        return bool(self.imgui.get_io().key_shift)

    def fill(self, box: Box, colour: Colour, rounding: float = 6.0, opacity: float = 1.0) -> None:
        """Fill a box. rounding: radius of its corners, units."""
        if box.w > 0 and box.h > 0 and opacity > 0:
            self._draw_list.add_rect_filled(
                (box.x, box.y), (box.right, box.bottom), packed(colour, opacity), rounding * self.u
            )

    def frame(self, box: Box, colour: Colour, thickness: float = 2.0, rounding: float = 6.0) -> None:
        """Draw the outline of a box, inside it."""
        half = thickness * self.u / 2
        inner = box.inside(half)
        self._draw_list.add_rect(
            (inner.x, inner.y),
            (inner.right, inner.bottom),
            packed(colour),
            rounding=rounding * self.u,
            thickness=2 * half,
        )

    def disc(self, x: float, y: float, radius: float, colour: Colour, opacity: float = 1.0) -> None:
        """Draw a filled circle, in the window's coordinates."""
        self._draw_list.add_circle_filled((x, y), radius, packed(colour, opacity), 40)

    def ring(self, x: float, y: float, radius: float, colour: Colour, thickness: float) -> None:
        """Draw a circle, in the window's coordinates."""
        self._draw_list.add_circle((x, y), radius, packed(colour), 40, thickness=thickness)

    def triangle(self, points: Sequence[tuple[float, float]], colour: Colour) -> None:
        """Draw a filled triangle. points: its corners in the window's coordinates."""
        self._draw_list.add_triangle_filled(*points, packed(colour))

    def image(self, texture: Any, box: Box, corner: tuple[float, float], far: tuple[float, float]) -> None:
        """Draw the part of a texture between two corners, 0..1, in a box with rounded corners."""
        white = packed((255, 255, 255, 255))
        self._draw_list.add_image_rounded(
            texture, (box.x, box.y), (box.right, box.bottom), corner, far, white, 6 * self.u
        )

    def text_width(self, text: str, size: float, *, bold: bool = False) -> float:
        """Width of a line of text in the window's coordinates. size: of the font, units."""
        return self._measured(text, self._font_px(size), bold)

    def _font_px(self, size: float) -> int:
        """Font size in the window's coordinates: an integer, because imgui measures and draws text alike only at
        those.
        """
        return max(round(size * self.u), 1)

    @functools.lru_cache(maxsize=2048)  # noqa: B019  a process has one Ui for its whole life
    def _measured(self, text: str, size: int, bold: bool) -> float:
        imgui = self.imgui
        imgui.push_font(self.window.fonts.bold if bold else self.window.fonts.plain, size)
        width = float(imgui.calc_text_size(text).x)
        imgui.pop_font()
        return width

    def write(
        self,
        box: Box,
        text: str,
        size: float = BODY,
        colour: Colour = TEXT,
        *,
        bold: bool = False,
        align: float = 0.0,
        down: float = 0.5,
    ) -> float:
        """Draw one line of text in a box, cut with an ellipsis if it is too long; returns its width.

        size: of the font, units; align: 0 left .. 1 right; down: 0 top .. 1 bottom of the box.
        """
        line = self._cut(printable(text), size, max(box.w, 0.0), bold)
        font_px = self._font_px(size)
        width, height = self.text_width(line, size, bold=bold), font_px * 1.17
        font = self.window.fonts.bold if bold else self.window.fonts.plain
        x, y = box.x + (box.w - width) * align, box.y + (box.h - height) * down
        self._draw_list.add_text(font, font_px, (round(x), round(y)), packed(colour), line)
        return width

    def _cut(self, line: str, size: float, room: float, bold: bool) -> str:
        if self.text_width(line, size, bold=bold) <= room:
            return line
        low, high = 0, len(line)
        while low < high:
            middle = (low + high + 1) // 2
            if self.text_width(line[:middle].rstrip() + ELLIPSIS, size, bold=bold) <= room:
                low = middle
            else:
                high = middle - 1
        return line[:low].rstrip() + ELLIPSIS if low else ""

    def paragraph(self, text: str, size: float, width: float, max_lines: int) -> list[str]:
        """Break a text into at most `max_lines` lines of at most `width`, in the window's coordinates; the last line
        gets all of the rest.
        """
        lines: list[str] = []
        for word in printable(text).split(" "):
            if lines and (len(lines) == max_lines or self.text_width(f"{lines[-1]} {word}", size) <= width):
                lines[-1] += f" {word}"
            else:
                lines.append(word)
        return lines
