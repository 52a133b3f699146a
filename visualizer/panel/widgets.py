"""Controls of the panel: each function draws one on a canvas and returns what the user did with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .canvas import Box, Canvas
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

FINE = 0.1  # speed of a slider with Shift held, relative to the mouse


class LearnTag(NamedTuple):
    """Shown on a control in learn mode. text: its binding, "" for none; can: it can be bound; waits: it waits for a knob or pad."""

    text: str = ""
    can: bool = False
    waits: bool = False


class SliderEvent(NamedTuple):
    """What the user did with a slider in this frame. position: where it was moved to, 0..1, None if it was not moved; pressed, released:
    the mouse button was.
    """

    position: float | None = None
    pressed: bool = False
    released: bool = False


NO_TAG = LearnTag()


def button(
    canvas: Canvas,
    name: str,
    label: str,
    *,
    height: float = 40.0,
    is_on: bool = False,
    colour: Colour = BLUE,
    size: float = BODY,
    note: str = "",
    hint: str = "",
    tag: LearnTag = NO_TAG,
) -> bool:
    """A button; True in the frame in which the mouse button goes down on it. colour: its filling while it is on; note: text under its label."""
    box = canvas.take(height)
    interaction = canvas.interaction(name, box)
    canvas.hint(hint)
    background = HOVERED if interaction.hovered or interaction.held else RAISED
    if is_on:
        background = mixed(colour, WHITE, 0.12) if interaction.hovered else colour
    canvas.fill(box, background, 7)
    text_colour = (BLACK if sum(colour[:3]) > 380 else WHITE) if is_on else TEXT
    inner = box.inside(6 * canvas.u)
    if note:
        upper = Box(inner.x, inner.y, inner.w, inner.h * 0.62)
        lower = Box(inner.x, inner.y + inner.h * 0.6, inner.w, inner.h * 0.4)
        canvas.write(upper, label, size, text_colour, bold=True, align=0.5)
        canvas.write(lower, note, SMALL, text_colour if is_on else FAINT, align=0.5)
    else:
        canvas.write(inner, label, size, text_colour, bold=is_on or size > BODY, align=0.5)
    _show_tag(canvas, box, tag, at=0.5 if note else 0.98)
    return interaction.pressed


def slider(
    canvas: Canvas,
    name: str,
    label: str,
    position: float,
    text: str,
    *,
    note: str = "",
    hint: str = "",
    tag: LearnTag = NO_TAG,
    is_fixed: bool = False,
) -> SliderEvent:
    """A slider at `position`, 0..1, with its value as `text`; Shift moves it finely. is_fixed: it cannot be moved, only pressed."""
    box = canvas.take(38.0)
    interaction = canvas.interaction(name, box)
    canvas.hint(hint)
    moved: float | None = None
    if (
        (interaction.held or interaction.released) and not is_fixed and box.w > 0
    ):  # the last movement may come together with the release
        if interaction.pressed and not canvas.is_fine():
            moved = (canvas.mouse_x() - box.x) / box.w
        elif dx := canvas.imgui.get_io().mouse_delta.x:
            # with Shift it moves relative to its position, without it jumps to the mouse
            moved = position + dx / box.w * FINE if canvas.is_fine() else (canvas.mouse_x() - box.x) / box.w
        if moved is not None:
            position = moved = min(max(moved, 0.0), 1.0)
    canvas.fill(box, HOVERED if interaction.hovered and not interaction.held else TRACK)
    full = Box(box.x, box.y, box.w * position, box.h)
    canvas.fill(full, FILL_HELD if interaction.held else FILL)
    edge = min(max(box.x + box.w * position, box.x + 2 * canvas.u), box.right - 2 * canvas.u)
    canvas.fill(
        Box(edge - 2 * canvas.u, box.y, 4 * canvas.u, box.h),
        WHITE if interaction.hovered or interaction.held else BLUE,
        2,
    )
    inner = Box(box.x + 11 * canvas.u, box.y, box.w - 22 * canvas.u, box.h)
    used = canvas.text_width(text, BODY, bold=True)
    if edge > inner.right - used - 4 * canvas.u:  # the handle must not cross out the value
        canvas.fill(
            Box(inner.right - used - 6 * canvas.u, box.y + 6 * canvas.u, used + 12 * canvas.u, box.h - 12 * canvas.u),
            FILL,
            4,
        )
    canvas.write(inner, text, BODY, WHITE, bold=True, align=1.0)
    room = inner.w - used - 12 * canvas.u
    used = canvas.write(Box(inner.x, inner.y, room, inner.h), label, BODY, TEXT)
    if note and room - used > 60 * canvas.u:
        rest = Box(inner.x + used + 10 * canvas.u, inner.y + canvas.u, room - used - 10 * canvas.u, inner.h)
        canvas.write(rest, note, SMALL, AMBER)
    _show_tag(canvas, box, tag)
    return SliderEvent(moved, interaction.pressed, interaction.released)


def choice(
    canvas: Canvas,
    name: str,
    label: str,
    choices: Sequence[str],
    chosen: str,
    *,
    hint: str = "",
    tag: LearnTag = NO_TAG,
) -> str | None:
    """Buttons of which one is on, side by side under a label; returns the choice that was pressed."""
    head = canvas.take(22.0)
    canvas.write(head, label, SMALL, FAINT)
    pressed = None
    per_row = max(1, min(len(choices), int(canvas.width // 92)))
    n_rows = -(-len(choices) // per_row)
    per_row = -(-len(choices) // n_rows)
    for start in range(0, len(choices), per_row):
        with canvas.row(38.0, [1.0] * per_row):
            for one in choices[start : start + per_row]:
                if button(canvas, f"{name}={one}", one, height=38.0, is_on=one == chosen, hint=hint):
                    pressed = one
    _show_tag(canvas, head, tag, at=0.96)
    return pressed


def thumbnail(
    canvas: Canvas,
    name: str,
    label: str,
    height: float,
    texture_name: str,
    *,
    is_shown: bool = False,
    is_coming: bool = False,
    blink: float = 0.0,
    tag: LearnTag = NO_TAG,
) -> bool:
    """A preset's thumbnail with its label under it; True in the frame in which it is pressed.

    Parameters
    ----------
    height : units.
    texture_name : its texture in the window; "…" is drawn while there is none.
    is_shown, is_coming : it is the preset shown, it is being opened.
    blink : brightness of its outline while it is being opened, 0..1.
    """
    u = canvas.u
    box = canvas.take(height)
    interaction = canvas.interaction(name, box)
    image = Box(box.x, box.y, box.w, box.h - 26 * u)
    found = canvas.window.texture(texture_name)
    canvas.fill(box, HOVERED if interaction.hovered else TRACK)
    if found is None:
        canvas.write(image, "…", BODY, FAINT, align=0.5)
    else:
        texture, (width, height) = found
        # fill the box, cropping around the centre
        shape, wanted = width / height, image.w / max(image.h, 1.0)
        cut_x, cut_y = max(0.0, 1 - wanted / shape) / 2, max(0.0, 1 - shape / wanted) / 2
        canvas.image(texture, image, (cut_x, cut_y), (1 - cut_x, 1 - cut_y))
    caption = Box(box.x + 7 * u, image.bottom, box.w - 14 * u, box.bottom - image.bottom)
    if is_shown:
        canvas.fill(Box(box.x, image.bottom, box.w, box.bottom - image.bottom), BLUE)
        canvas.frame(box, BLUE, 3)
        canvas.write(caption, label, SMALL, BLACK, bold=True)
    else:
        canvas.write(caption, label, SMALL, AMBER if is_coming else TEXT, bold=is_coming)
        if is_coming:
            canvas.frame(box, mixed(TRACK, AMBER, 0.35 + 0.65 * blink), 3)
            plate = Box(image.x, image.y + image.h / 2 - 13 * u, image.w, 26 * u)
            canvas.fill(plate, BLACK, 0, 0.72)
            canvas.write(plate, "opening …", SMALL, AMBER, bold=True, align=0.5)
        elif interaction.hovered:
            canvas.frame(box, WHITE, 1.5)
    _show_tag(canvas, box, tag, at=0.02)
    return interaction.pressed


def fold(canvas: Canvas, name: str, label: str, is_open: bool, note: str = "") -> bool:
    """The header of a section that can be closed; True in the frame in which it is pressed."""
    box = canvas.take(36.0)
    interaction = canvas.interaction(name, box)
    u = canvas.u
    canvas.fill(box, HOVERED if interaction.hovered else RAISED)
    x, y, r = box.x + 18 * u, box.y + box.h / 2, 5 * u
    points = (
        [(x - r, y - r / 2), (x + r, y - r / 2), (x, y + r)]
        if is_open
        else [(x - r / 2, y - r), (x + r, y), (x - r / 2, y + r)]
    )
    canvas.triangle(points, TEXT)
    used = canvas.write(Box(box.x + 34 * u, box.y, box.w - 40 * u, box.h), label, BODY, TEXT, bold=True)
    canvas.write(Box(box.x + 46 * u + used, box.y, box.w - 56 * u - used, box.h), note, SMALL, FAINT, align=1.0)
    return interaction.pressed


def heading(canvas: Canvas, text: str) -> None:
    """A heading."""
    canvas.write(canvas.take(20.0), text.upper(), SMALL, FAINT, bold=True)


def banner(canvas: Canvas, box: Box, text: str, background: Colour, colour: Colour, size: float = BODY) -> None:
    """A coloured band with centred text."""
    canvas.fill(box, background, 0)
    canvas.write(box.inside(4 * canvas.u), text, size, colour, bold=True, align=0.5)


def _show_tag(canvas: Canvas, box: Box, tag: LearnTag, at: float = 0.5) -> None:
    """Draw the learn mode's tag on a control: its binding, or that it waits for a knob or pad."""
    if not (tag.can or tag.waits):
        return
    u = canvas.u
    canvas.frame(box, AMBER if tag.waits else mixed(TRACK, AMBER, 0.55), 3 if tag.waits else 1.5)
    text = "move a control …" if tag.waits else tag.text
    if text:
        width = min(canvas.text_width(text, SMALL, bold=True) + 14 * u, box.w)
        height = 21 * u
        x = box.x + (box.w - width) * at
        if box.h > 50 * u:  # at the top of a thumbnail, below the label of a large button
            y = box.y + 4 * u if at < 0.5 else box.bottom - height - 4 * u
        else:
            y = box.y + (box.h - height) / 2
        plate = Box(x, y, width, height)
        canvas.fill(plate, AMBER if tag.waits else mixed(BLACK, AMBER, 0.28), 5)
        canvas.write(plate, text, SMALL, BLACK if tag.waits else WHITE, bold=True, align=0.5)
