"""Controls of the panel: each function draws one with the `Ui` and returns what the user did with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

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
    VIOLET,
    WHITE,
    Colour,
    mixed,
)
from .ui import Box, Ui

FINE = 0.1  # speed of a slider with Shift held, relative to the mouse


class LearnTag(NamedTuple):
    """Shown on a control in learn mode. text: its binding, "" for none; can: it can be bound; waits: it waits for a
    knob or pad.
    """

    text: str = ""
    can: bool = False
    waits: bool = False


class SliderEvent(NamedTuple):
    """What the user did with a slider in this frame. position: where it was moved to, 0..1, None if it was not moved;
    pressed, released: the mouse button was.
    """

    position: float | None = None
    pressed: bool = False
    released: bool = False


NO_TAG = LearnTag()


def button(
    ui: Ui,
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
    is_open: bool = False,
) -> bool:
    """A button; True in the frame in which the mouse button goes down on it. colour: its filling while it is on; note:
    text under its label; is_open: what it opens is open.
    """
    box = ui.take(height)
    interaction = ui.interaction(name, box)
    ui.hint(hint)
    background = HOVERED if interaction.hovered or interaction.held else RAISED
    if is_on:
        background = mixed(colour, WHITE, 0.12) if interaction.hovered else colour
    ui.fill(box, background, 7)
    text_colour = (BLACK if sum(colour[:3]) > 380 else WHITE) if is_on else TEXT
    if is_open:
        ui.frame(box, WHITE, 1.5)
    inner = box.inside(min(6.0, box.h / ui.u / 8) * ui.u)
    if note:
        upper = Box(inner.x, inner.y, inner.w, inner.h * 0.62)
        lower = Box(inner.x, inner.y + inner.h * 0.6, inner.w, inner.h * 0.4)
        ui.write(upper, label, size, text_colour, bold=True, align=0.5)
        ui.write(lower, note, SMALL, text_colour if is_on else FAINT, align=0.5)
    else:
        ui.write(inner, label, size, text_colour, bold=is_on or size > BODY, align=0.5)
    _show_tag(ui, box, tag, at=0.5 if note else 0.98)
    return interaction.pressed


def slider(
    ui: Ui,
    name: str,
    label: str,
    position: float,
    text: str,
    *,
    note: str = "",
    hint: str = "",
    tag: LearnTag = NO_TAG,
    is_fixed: bool = False,
    moving: float | None = None,
) -> SliderEvent:
    """A slider at `position`, 0..1, with its value as `text`; Shift moves it finely. is_fixed: it cannot be moved, only
    pressed. moving: where the music has moved the value to, 0..1, None: nowhere.
    """
    box = ui.take(38.0)
    interaction = ui.interaction(name, box)
    ui.hint(hint)
    moved: float | None = None
    if (
        (interaction.held or interaction.released) and not is_fixed and box.w > 0
    ):  # the last movement may come together with the release
        if interaction.pressed and not ui.is_fine():
            moved = (ui.mouse_x() - box.x) / box.w
        elif dx := ui.imgui.get_io().mouse_delta.x:
            # with Shift it moves relative to its position, without it jumps to the mouse
            moved = position + dx / box.w * FINE if ui.is_fine() else (ui.mouse_x() - box.x) / box.w
        if moved is not None:
            position = moved = min(max(moved, 0.0), 1.0)
    ui.fill(box, HOVERED if interaction.hovered and not interaction.held else TRACK)
    full = Box(box.x, box.y, box.w * position, box.h)
    ui.fill(full, FILL_HELD if interaction.held else FILL)
    edge = min(max(box.x + box.w * position, box.x + 2 * ui.u), box.right - 2 * ui.u)
    ui.fill(
        Box(edge - 2 * ui.u, box.y, 4 * ui.u, box.h),
        WHITE if interaction.hovered or interaction.held else BLUE,
        2,
    )
    if moving is not None:
        x = box.x + (box.w - 5 * ui.u) * moving
        ui.fill(Box(min(x, edge), box.bottom - 4 * ui.u, abs(x - edge), 4 * ui.u), VIOLET, 0, 0.6)
        ui.fill(Box(x, box.bottom - 10 * ui.u, 5 * ui.u, 10 * ui.u), VIOLET, 2)
    inner = Box(box.x + 11 * ui.u, box.y, box.w - 22 * ui.u, box.h)
    used = ui.text_width(text, BODY, bold=True)
    room = inner.w - used - 12 * ui.u
    label_w = min(ui.text_width(label, BODY), room)
    for left, width in ((inner.x, label_w), (inner.right - used, used)):
        if left - 4 * ui.u < edge < left + width + 14 * ui.u:  # the handle must not cross out the text
            ui.fill(Box(left - 6 * ui.u, box.y + 6 * ui.u, width + 12 * ui.u, box.h - 12 * ui.u), FILL, 4)
    ui.write(inner, text, BODY, WHITE, bold=True, align=1.0)
    used = ui.write(Box(inner.x, inner.y, room, inner.h), label, BODY, TEXT)
    if note and room - used > 60 * ui.u:
        rest = Box(inner.x + used + 10 * ui.u, inner.y + ui.u, room - used - 10 * ui.u, inner.h)
        ui.write(rest, note, SMALL, AMBER)
    _show_tag(ui, box, tag)
    return SliderEvent(moved, interaction.pressed, interaction.released)


def choice(
    ui: Ui,
    name: str,
    label: str,
    choices: Sequence[str],
    chosen: str,
    *,
    hint: str = "",
    tag: LearnTag = NO_TAG,
) -> str | None:
    """Buttons of which one is on, side by side under a label, if there is one; returns the choice that was pressed."""
    head = ui.take(22.0) if label else None
    if head is not None:
        ui.write(head, label, SMALL, FAINT)
    pressed = None
    per_row = -(-len(choices) // n_choice_rows(ui.width, len(choices)))
    for start in range(0, len(choices), per_row):
        with ui.row(38.0, [1.0] * per_row):
            for one in choices[start : start + per_row]:
                if button(ui, f"{name}={one}", one, height=38.0, is_on=one == chosen, hint=hint):
                    pressed = one
    if head is not None:
        _show_tag(ui, head, tag, at=0.96)
    return pressed


def n_choice_rows(width: float, n_choices: int) -> int:
    """In how many rows the buttons of a choice stand. width: units."""
    return -(-n_choices // max(1, min(n_choices, int(width // 92))))


def thumbnail(
    ui: Ui,
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
    u = ui.u
    box = ui.take(height)
    interaction = ui.interaction(name, box)
    image = Box(box.x, box.y, box.w, box.h - 26 * u)
    found = ui.window.texture(texture_name)
    ui.fill(box, HOVERED if interaction.hovered else TRACK)
    if found is None:
        ui.write(image, "…", BODY, FAINT, align=0.5)
    else:
        texture, (width, height) = found
        # fill the box, cropping around the centre
        shape, wanted = width / height, image.w / max(image.h, 1.0)
        cut_x, cut_y = max(0.0, 1 - wanted / shape) / 2, max(0.0, 1 - shape / wanted) / 2
        ui.image(texture, image, (cut_x, cut_y), (1 - cut_x, 1 - cut_y))
    caption = Box(box.x + 7 * u, image.bottom, box.w - 14 * u, box.bottom - image.bottom)
    if is_shown:
        ui.fill(Box(box.x, image.bottom, box.w, box.bottom - image.bottom), BLUE)
        ui.frame(box, BLUE, 3)
        ui.write(caption, label, SMALL, BLACK, bold=True)
    else:
        ui.write(caption, label, SMALL, AMBER if is_coming else TEXT, bold=is_coming)
        if is_coming:
            ui.frame(box, mixed(TRACK, AMBER, 0.35 + 0.65 * blink), 3)
            plate = Box(image.x, image.y + image.h / 2 - 13 * u, image.w, 26 * u)
            ui.fill(plate, BLACK, 0, 0.72)
            ui.write(plate, "opening …", SMALL, AMBER, bold=True, align=0.5)
        elif interaction.hovered:
            ui.frame(box, WHITE, 1.5)
    _show_tag(ui, box, tag, at=0.02)
    return interaction.pressed


def fold(ui: Ui, name: str, label: str, is_open: bool, note: str = "") -> bool:
    """The header of a section that can be closed; True in the frame in which it is pressed."""
    box = ui.take(36.0)
    interaction = ui.interaction(name, box)
    u = ui.u
    ui.fill(box, HOVERED if interaction.hovered else RAISED)
    x, y, r = box.x + 18 * u, box.y + box.h / 2, 5 * u
    points = (
        [(x - r, y - r / 2), (x + r, y - r / 2), (x, y + r)]
        if is_open
        else [(x - r / 2, y - r), (x + r, y), (x - r / 2, y + r)]
    )
    ui.triangle(points, TEXT)
    used = ui.write(Box(box.x + 34 * u, box.y, box.w - 40 * u, box.h), label, BODY, TEXT, bold=True)
    ui.write(Box(box.x + 46 * u + used, box.y, box.w - 56 * u - used, box.h), note, SMALL, FAINT, align=1.0)
    return interaction.pressed


def heading(ui: Ui, text: str) -> None:
    """A heading."""
    ui.write(ui.take(20.0), text.upper(), SMALL, FAINT, bold=True)


def banner(ui: Ui, box: Box, text: str, background: Colour, colour: Colour, size: float = BODY) -> None:
    """A coloured band with centred text."""
    ui.fill(box, background, 0)
    ui.write(box.inside(4 * ui.u), text, size, colour, bold=True, align=0.5)


def _show_tag(ui: Ui, box: Box, tag: LearnTag, at: float = 0.5) -> None:
    """Draw the learn mode's tag on a control: its binding, or that it waits for a knob or pad."""
    if not (tag.can or tag.waits):
        return
    u = ui.u
    ui.frame(box, AMBER if tag.waits else mixed(TRACK, AMBER, 0.55), 3 if tag.waits else 1.5)
    text = "move a control …" if tag.waits else tag.text
    if text:
        width = min(ui.text_width(text, SMALL, bold=True) + 14 * u, box.w)
        height = 21 * u
        x = box.x + (box.w - width) * at
        if box.h > 50 * u:  # at the top of a thumbnail, below the label of a large button
            y = box.y + 4 * u if at < 0.5 else box.bottom - height - 4 * u
        else:
            y = box.y + (box.h - height) / 2
        plate = Box(x, y, width, height)
        ui.fill(plate, AMBER if tag.waits else mixed(BLACK, AMBER, 0.28), 5)
        ui.write(plate, text, SMALL, BLACK if tag.waits else WHITE, bold=True, align=0.5)
