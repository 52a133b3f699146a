"""The panel's controls: each draws itself on a sheet and returns what was done with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .sheet import Box, Sheet
from .style import (
    AMBER,
    BLACK,
    BLUE,
    BODY,
    FAINT,
    FILL,
    FILL_HELD,
    HOVERED,
    RAISED,
    SMALL,
    TEXT,
    TRACK,
    WHITE,
    Colour,
    mixed,
)

FINE = 0.1  # of the way the mouse goes, with Shift held


class Tag(NamedTuple):
    """What learning shows at a control. text: what it is bound to, "" for nothing; can: it can be chosen; waits: it was chosen, and waits."""

    text: str = ""
    can: bool = False
    waits: bool = False


class Turned(NamedTuple):
    """What was done with a slider. share: where it was moved to, 0..1, None if it was not; pressed: it was just taken hold of;
    released: it was just let go.
    """

    share: float | None = None
    pressed: bool = False
    released: bool = False


NO_TAG = Tag()


def button(
    sheet: Sheet,
    name: str,
    label: str,
    *,
    height: float = 40.0,
    is_on: bool = False,
    colour: Colour = BLUE,
    size: float = BODY,
    note: str = "",
    hint: str = "",
    tag: Tag = NO_TAG,
) -> bool:
    """True when it is pressed, at once and not when it is let go. colour: that it is filled with while it is on; note: under its label."""
    box = sheet.take(height)
    touch = sheet.touch(name, box)
    sheet.hint(hint)
    ground = HOVERED if touch.hovered or touch.held else RAISED
    if is_on:
        ground = mixed(colour, WHITE, 0.12) if touch.hovered else colour
    sheet.fill(box, ground, 7)
    ink = (BLACK if sum(colour[:3]) > 380 else WHITE) if is_on else TEXT
    inner = box.inside(6 * sheet.u)
    if note:
        upper = Box(inner.x, inner.y, inner.w, inner.h * 0.62)
        lower = Box(inner.x, inner.y + inner.h * 0.6, inner.w, inner.h * 0.4)
        sheet.write(upper, label, size, ink, bold=True, align=0.5)
        sheet.write(lower, note, SMALL, ink if is_on else FAINT, align=0.5)
    else:
        sheet.write(inner, label, size, ink, bold=is_on or size > BODY, align=0.5)
    _show_tag(sheet, box, tag, at=0.5 if note else 0.98)
    return touch.pressed


def slider(
    sheet: Sheet,
    name: str,
    label: str,
    share: float,
    text: str,
    *,
    note: str = "",
    hint: str = "",
    tag: Tag = NO_TAG,
    is_fixed: bool = False,
) -> Turned:
    """A slider at `share`, 0..1, with its value as `text`; with Shift held it moves finely. is_fixed: it only notices being pressed."""
    box = sheet.take(38.0)
    touch = sheet.touch(name, box)
    sheet.hint(hint)
    moved: float | None = None
    if (touch.held or touch.released) and not is_fixed and box.w > 0:  # a last move may come with its end
        if touch.pressed and not sheet.is_fine():
            moved = (sheet.mouse_x() - box.x) / box.w
        elif dx := sheet.imgui.get_io().mouse_delta.x:
            # Shift goes on from where the slider is, without it goes where the mouse is
            moved = share + dx / box.w * FINE if sheet.is_fine() else (sheet.mouse_x() - box.x) / box.w
        if moved is not None:
            share = moved = min(max(moved, 0.0), 1.0)
    sheet.fill(box, HOVERED if touch.hovered and not touch.held else TRACK)
    full = Box(box.x, box.y, box.w * share, box.h)
    sheet.fill(full, FILL_HELD if touch.held else FILL)
    edge = min(max(box.x + box.w * share, box.x + 2 * sheet.u), box.right - 2 * sheet.u)
    sheet.fill(Box(edge - 2 * sheet.u, box.y, 4 * sheet.u, box.h), WHITE if touch.hovered or touch.held else BLUE, 2)
    inner = Box(box.x + 11 * sheet.u, box.y, box.w - 22 * sheet.u, box.h)
    used = sheet.text_width(text, BODY, bold=True)
    if edge > inner.right - used - 4 * sheet.u:  # the handle must not strike the value through
        sheet.fill(
            Box(inner.right - used - 6 * sheet.u, box.y + 6 * sheet.u, used + 12 * sheet.u, box.h - 12 * sheet.u),
            FILL,
            4,
        )
    sheet.write(inner, text, BODY, WHITE, bold=True, align=1.0)
    room = inner.w - used - 12 * sheet.u
    used = sheet.write(Box(inner.x, inner.y, room, inner.h), label, BODY, TEXT)
    if note and room - used > 60 * sheet.u:
        rest = Box(inner.x + used + 10 * sheet.u, inner.y + sheet.u, room - used - 10 * sheet.u, inner.h)
        sheet.write(rest, note, SMALL, AMBER)
    _show_tag(sheet, box, tag)
    return Turned(moved, touch.pressed, touch.released)


def choice(
    sheet: Sheet, name: str, label: str, words: Sequence[str], chosen: str, *, hint: str = "", tag: Tag = NO_TAG
) -> str | None:
    """Words of which one is chosen, side by side under their label; the one that was pressed."""
    head = sheet.take(22.0)
    sheet.write(head, label, SMALL, FAINT)
    pressed = None
    per_row = max(1, min(len(words), int(sheet.width // 92)))
    n_variants = -(-len(words) // per_row)
    per_row = -(-len(words) // n_variants)
    for start in range(0, len(words), per_row):
        with sheet.row(38.0, [1.0] * per_row):
            for word in words[start : start + per_row]:
                if button(sheet, f"{name}={word}", word, height=38.0, is_on=word == chosen, hint=hint):
                    pressed = word
    _show_tag(sheet, head, tag, at=0.96)
    return pressed


def picture(
    sheet: Sheet,
    name: str,
    label: str,
    height: float,
    shows: str,
    *,
    is_shown: bool = False,
    is_coming: bool = False,
    blink: float = 0.0,
    tag: Tag = NO_TAG,
) -> bool:
    """A preset as its picture with its label under it; True when it is pressed. height: units; shows: the name of the picture in the
    window; a mark while there is none; is_coming: it is being opened; blink: 0..1, how bright its edge is meanwhile.
    """
    u = sheet.u
    box = sheet.take(height)
    touch = sheet.touch(name, box)
    image = Box(box.x, box.y, box.w, box.h - 26 * u)
    found = sheet.window.picture(shows)
    sheet.fill(box, HOVERED if touch.hovered else TRACK)
    if found is None:
        sheet.write(image, "…", BODY, FAINT, align=0.5)
    else:
        texture, (width, height) = found
        # filled, the middle kept
        shape, wanted = width / height, image.w / max(image.h, 1.0)
        cut_x, cut_y = max(0.0, 1 - wanted / shape) / 2, max(0.0, 1 - shape / wanted) / 2
        sheet.image(texture, image, (cut_x, cut_y), (1 - cut_x, 1 - cut_y))
    words = Box(box.x + 7 * u, image.bottom, box.w - 14 * u, box.bottom - image.bottom)
    if is_shown:
        sheet.fill(Box(box.x, image.bottom, box.w, box.bottom - image.bottom), BLUE)
        sheet.frame(box, BLUE, 3)
        sheet.write(words, label, SMALL, BLACK, bold=True)
    else:
        sheet.write(words, label, SMALL, AMBER if is_coming else TEXT, bold=is_coming)
        if is_coming:
            sheet.frame(box, mixed(TRACK, AMBER, 0.35 + 0.65 * blink), 3)
            plate = Box(image.x, image.y + image.h / 2 - 13 * u, image.w, 26 * u)
            sheet.fill(plate, BLACK, 0, 0.72)
            sheet.write(plate, "opening …", SMALL, AMBER, bold=True, align=0.5)
        elif touch.hovered:
            sheet.frame(box, WHITE, 1.5)
    _show_tag(sheet, box, tag, at=0.02)
    return touch.pressed


def fold(sheet: Sheet, name: str, label: str, is_open: bool, note: str = "") -> bool:
    """The head of a part that can be folded away; True when it is pressed."""
    box = sheet.take(36.0)
    touch = sheet.touch(name, box)
    u = sheet.u
    sheet.fill(box, HOVERED if touch.hovered else RAISED)
    x, y, r = box.x + 18 * u, box.y + box.h / 2, 5 * u
    points = (
        [(x - r, y - r / 2), (x + r, y - r / 2), (x, y + r)]
        if is_open
        else [(x - r / 2, y - r), (x + r, y), (x - r / 2, y + r)]
    )
    sheet.triangle(points, TEXT)
    used = sheet.write(Box(box.x + 34 * u, box.y, box.w - 40 * u, box.h), label, BODY, TEXT, bold=True)
    sheet.write(Box(box.x + 46 * u + used, box.y, box.w - 56 * u - used, box.h), note, SMALL, FAINT, align=1.0)
    return touch.pressed


def heading(sheet: Sheet, words: str) -> None:
    """The name of what follows."""
    sheet.write(sheet.take(20.0), words.upper(), SMALL, FAINT, bold=True)


def lines(sheet: Sheet, words: str, size: float, colour: Colour, most: int = 3) -> None:
    """A text over as many lines as it needs, at most so many."""
    for line in sheet.paragraph(words, size, sheet.width * sheet.u, most):
        sheet.write(sheet.take(size * 1.1), line, size, colour)


def banner(sheet: Sheet, box: Box, words: str, ground: Colour, ink: Colour, size: float = BODY) -> None:
    """A band with words in its middle."""
    sheet.fill(box, ground, 0)
    sheet.write(box.inside(4 * sheet.u), words, size, ink, bold=True, align=0.5)


def _show_tag(sheet: Sheet, box: Box, tag: Tag, at: float = 0.5) -> None:
    """What learning has to show at a control: what it is bound to, that it can be chosen, that it waits for a control to be moved."""
    if not (tag.can or tag.waits):
        return
    u = sheet.u
    sheet.frame(box, AMBER if tag.waits else mixed(TRACK, AMBER, 0.55), 3 if tag.waits else 1.5)
    words = "move a control …" if tag.waits else tag.text
    if words:
        width = min(sheet.text_width(words, SMALL, bold=True) + 14 * u, box.w)
        height = 21 * u
        x = box.x + (box.w - width) * at
        if box.h > 50 * u:  # on a picture above, on a large button below its name
            y = box.y + 4 * u if at < 0.5 else box.bottom - height - 4 * u
        else:
            y = box.y + (box.h - height) / 2
        plate = Box(x, y, width, height)
        sheet.fill(plate, AMBER if tag.waits else mixed(BLACK, AMBER, 0.28), 5)
        sheet.write(plate, words, SMALL, BLACK if tag.waits else WHITE, bold=True, align=0.5)
