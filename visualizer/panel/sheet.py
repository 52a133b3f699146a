"""What the panel's controls are drawn on: columns that scroll, rows of cells, letters cut to the room there is."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from ..render.monitors import Area
from ..render.text import ELLIPSIS, tidy
from .style import BACKGROUND, BODY, CARD, RAISED, TEXT, Colour, packed
from .window import PanelWindow


class Box(NamedTuple):
    """A rectangle in the window, in its units: left, top, width, height."""

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
        """The same without a margin on each side."""
        return Box(self.x + margin, self.y + margin, max(self.w - 2 * margin, 0.0), max(self.h - 2 * margin, 0.0))

    def contains(self, other: Box) -> bool:
        """Whether `other` lies wholly in it, but for what rounding adds."""
        return (
            self.x <= other.x + 1
            and self.y <= other.y + 1
            and other.right <= self.right + 1
            and other.bottom <= self.bottom + 1
        )


class Touch(NamedTuple):
    """What the mouse does with a box. pressed: has just gone down on it; held: down since; released: has just let go of it."""

    pressed: bool
    held: bool
    hovered: bool
    released: bool


class Sheet:
    """Places boxes one below the other in the column that is open, and draws in them.

    u: one unit of height or width, in the window's units; where: each control that can be reached now, by name.
    """

    def __init__(self, window: PanelWindow) -> None:
        self.window, self.imgui = window, window.imgui
        self.u = 1.0
        self.where: dict[str, Area] = {}
        self._x = self._y = self._width = 0.0
        self._cells: list[tuple[float, float]] | None = None
        self._clip = Box(0, 0, 0, 0)
        self._ink: Any = None
        flags = self.imgui.WindowFlags_
        self._page_flags = (
            flags.no_decoration
            | flags.no_background  # the window was cleared with it; without a graphics card each layer costs a millisecond
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
        """The whole window. zoom: how much larger all is drawn in one of that width and height, in units of the monitor's scale."""
        imgui, scale = self.imgui, self.window.scale
        self.u = scale * zoom(*(length / scale for length in self.window.size))
        self.where = {}
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
        """A column in a box. gap: between two boxes, units; scrolls: where it is too long."""
        imgui = self.imgui
        imgui.set_cursor_screen_pos((box.x, box.y))
        flags = 0 if scrolls else imgui.WindowFlags_.no_scrollbar | imgui.WindowFlags_.no_scroll_with_mouse
        imgui.begin_child(name, (max(box.w, 1.0), max(box.h, 1.0)), 0, flags)
        start = imgui.get_cursor_screen_pos()
        self._x, self._y, self._width = start.x, start.y, imgui.get_content_region_avail().x
        self._gap, self._clip, self._ink = gap * self.u, box, imgui.get_window_draw_list()
        try:
            yield
        finally:
            imgui.set_cursor_screen_pos((self._x, self._y))
            imgui.dummy((1, 1))  # so that it knows how long it has become
            imgui.end_child()

    @property
    def width(self) -> float:
        """What a box of the open column has, in units."""
        return self._width / self.u

    @contextmanager
    def row(self, height: float, shares: Sequence[float]) -> Iterator[None]:
        """Boxes side by side, of these shares of the width. height: units."""
        gap = self._gap
        room = self._width - gap * (len(shares) - 1)
        x, total, cells = self._x, sum(shares), []
        for share in shares:
            cells.append((x, room * share / total))
            x += room * share / total + gap
        self._cells, top = cells, self._y
        try:
            yield
        finally:
            self._cells = None
            self._y = top + height * self.u + gap

    @contextmanager
    def card(self, height: float) -> Iterator[None]:
        """An edge around the boxes placed in it. height: of those and their gaps, units."""
        u, gap = self.u, self._gap
        pad = 10 * u
        before = self._x, self._width
        # its edge alone: without a graphics card, filling it takes a third of the time that all else does
        self.frame(Box(self._x, self._y, self._width, height * u + 2 * pad), CARD, 1.5, 10)
        end = self._y + height * u + 2 * pad + gap
        self._x, self._width, self._y = self._x + pad, self._width - 2 * pad, self._y + pad
        try:
            yield
        finally:
            (self._x, self._width), self._y = before, end

    def space(self, height: float) -> None:
        """Leave room. height: units."""
        self._y += height * self.u

    def take(self, height: float) -> Box:
        """The next box. height: units."""
        if self._cells:
            x, width = self._cells.pop(0)
            return Box(x, self._y, width, height * self.u)
        box = Box(self._x, self._y, self._width, height * self.u)
        self._y += box.h + self._gap
        return box

    def is_seen(self, box: Box) -> bool:
        """Whether any of a box is within what is scrolled to."""
        return box.y < self._clip.bottom and box.bottom > self._clip.y

    def touch(self, name: str, box: Box) -> Touch:
        """Make a box a control of that name."""
        imgui = self.imgui
        imgui.set_cursor_screen_pos((box.x, box.y))
        imgui.invisible_button(name, (max(box.w, 1.0), max(box.h, 1.0)))
        if self._clip.contains(box):
            self.where[name] = (round(box.x), round(box.y), round(box.w), round(box.h))
        return Touch(
            imgui.is_item_activated(), imgui.is_item_active(), imgui.is_item_hovered(), imgui.is_item_deactivated()
        )

    def hint(self, words: str) -> None:
        """Words beside the mouse while it rests on the control placed last."""
        imgui = self.imgui
        if words and imgui.is_item_hovered(imgui.HoveredFlags_.delay_normal | imgui.HoveredFlags_.stationary):
            style = self._style
            style.window_padding = imgui.ImVec2(10 * self.u, 8 * self.u)
            imgui.push_font(self.window.fonts.plain, BODY * self.u)
            imgui.begin_tooltip()
            imgui.push_text_wrap_pos(330 * self.u)
            imgui.text_unformatted(words)
            imgui.pop_text_wrap_pos()
            imgui.end_tooltip()
            imgui.pop_font()
            style.window_padding = imgui.ImVec2(0, 0)

    def mouse_x(self) -> float:
        """Where the mouse is across the window."""
        return float(self.imgui.get_io().mouse_pos.x)

    def is_fine(self) -> bool:
        """Whether Shift is held: what is turned turns a tenth as fast."""
        return bool(self.imgui.get_io().key_shift)

    def fill(self, box: Box, colour: Colour, rounding: float = 6.0, opacity: float = 1.0) -> None:
        """Fill a box. rounding: of its corners, units."""
        if box.w > 0 and box.h > 0 and opacity > 0:
            ink = packed(colour, opacity)
            self._ink.add_rect_filled((box.x, box.y), (box.right, box.bottom), ink, rounding * self.u)

    def frame(self, box: Box, colour: Colour, thickness: float = 2.0, rounding: float = 6.0) -> None:
        """The edge of a box, drawn inside it."""
        half = thickness * self.u / 2
        inner = box.inside(half)
        ink = packed(colour)
        self._ink.add_rect(
            (inner.x, inner.y), (inner.right, inner.bottom), ink, rounding=rounding * self.u, thickness=2 * half
        )

    def disc(self, x: float, y: float, radius: float, colour: Colour, opacity: float = 1.0) -> None:
        """A filled circle; all in the window's units."""
        self._ink.add_circle_filled((x, y), radius, packed(colour, opacity), 40)

    def ring(self, x: float, y: float, radius: float, colour: Colour, thickness: float) -> None:
        """A circle; all in the window's units."""
        self._ink.add_circle((x, y), radius, packed(colour), 40, thickness=thickness)

    def triangle(self, points: Sequence[tuple[float, float]], colour: Colour) -> None:
        """A filled triangle; its corners in the window's units."""
        self._ink.add_triangle_filled(*points, packed(colour))

    def image(self, texture: Any, box: Box, corner: tuple[float, float], far: tuple[float, float]) -> None:
        """A picture's part between two corners, 0..1, in a box with round corners."""
        white = packed((255, 255, 255, 255))
        self._ink.add_image_rounded(texture, (box.x, box.y), (box.right, box.bottom), corner, far, white, 6 * self.u)

    def text_width(self, words: str, size: float, *, bold: bool = False) -> float:
        """How wide a line would be, in the window's units. size: of the letters, units."""
        return self._measured(words, self._letters(size), bold)

    def _letters(self, size: float) -> int:
        """How high letters are, in the window's units: whole ones, as imgui measures and draws only those alike."""
        return max(round(size * self.u), 1)

    @functools.lru_cache(maxsize=2048)  # noqa: B019  there is one sheet in a process, as long as that lives
    def _measured(self, words: str, size: int, bold: bool) -> float:
        imgui = self.imgui
        imgui.push_font(self.window.fonts.bold if bold else self.window.fonts.plain, size)
        width = float(imgui.calc_text_size(words).x)
        imgui.pop_font()
        return width

    def write(
        self,
        box: Box,
        words: str,
        size: float = BODY,
        colour: Colour = TEXT,
        *,
        bold: bool = False,
        align: float = 0.0,
        down: float = 0.5,
    ) -> float:
        """One line in a box, cut with an ellipsis where it is too long; how wide it is.

        size: units. align: 0 left, 1 right; down: 0 at the top of the box, 1 at its bottom.
        """
        line = self._cut(tidy(words), size, max(box.w, 0.0), bold)
        letters = self._letters(size)
        width, height = self.text_width(line, size, bold=bold), letters * 1.17
        font = self.window.fonts.bold if bold else self.window.fonts.plain
        x, y = box.x + (box.w - width) * align, box.y + (box.h - height) * down
        self._ink.add_text(font, letters, (round(x), round(y)), packed(colour), line)
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

    def paragraph(self, words: str, size: float, width: float, most: int) -> list[str]:
        """A text broken into lines of at most `width`, in the window's units; the last of at most `most` lines holds the rest."""
        lines: list[str] = []
        for word in tidy(words).split(" "):
            if lines and (len(lines) == most or self.text_width(f"{lines[-1]} {word}", size) <= width):
                lines[-1] += f" {word}"
            else:
                lines.append(word)
        return lines
