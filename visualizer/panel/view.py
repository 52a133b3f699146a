"""Layout of the panel: a fixed header and footer, and columns between them that scroll."""

from __future__ import annotations

from ..control.commands import Act, Change
from ..control.keys import Keymap
from ..control.snapshot import Snapshot
from ..oneline import preset_label
from . import gauges as gauges
from . import model as model
from . import style as style
from . import widgets as widgets
from .sections import Sections
from .ui import Box, Ui

MARGIN = 10.0


class PanelView:
    """Draws a snapshot of the show, and returns the performer's commands."""

    def __init__(self, ui: Ui, keys: Keymap) -> None:
        """keys: shown on the buttons."""
        self.sections = Sections(ui, keys)
        self._keys = keys
        self._ui = ui
        self._last: Snapshot | None = None

    def draw(self, snapshot: Snapshot | None, now_s: float) -> list[Change]:
        """Draw a frame. snapshot: of the show, None before the first one has come; now_s: `monotonic` seconds, as in
        the snapshot.
        """
        ui, sections = self._ui, self.sections
        with ui.page(model.zoom) as page:
            if snapshot is None:
                with ui.column("empty", page):
                    ui.write(page, "waiting for the show …", style.LARGE, style.FAINT, align=0.5)
                return []
            sections.update(snapshot, now_s, is_new=snapshot is not self._last)
            self._last = snapshot
            top = self._header(page, snapshot, now_s)
            bottom = self._footer(page)
            margin = MARGIN * ui.u
            body = Box(page.x + margin, top, page.w - 2 * margin, bottom - top)
            self._columns(body, snapshot)
            if sections.is_on("blackout") or sections.is_on("freeze"):
                # around the whole window: visible without looking at it
                with ui.column("edge", Box(0, 0, 1, 1)):
                    draw_list = ui.imgui.get_foreground_draw_list()
                    colour = style.RED if sections.is_on("blackout") else style.ICE
                    draw_list.add_rect((0, 0), (page.w, page.h), style.packed(colour), thickness=5 * ui.u)
        return sections.take_commands()

    def _header(self, page: Box, snapshot: Snapshot, now_s: float) -> float:
        """Draw coloured bands for exceptional states, the preset's title and the last notice; returns the lower
        edge.
        """
        ui, u, sections = self._ui, self._ui.u, self.sections
        y = page.y
        for text, background, colour, is_shown in self._bands(snapshot, now_s):
            if is_shown:
                large = text in ("BLACKOUT IS ON", "FROZEN")
                band = Box(page.x, y, page.w, (44 if large else 30) * u)
                with ui.column(f"band {text[:8]}", band):
                    widgets.banner(ui, band, text, background, colour, style.LARGE if large else style.BODY)
                y += band.h
        head = Box(page.x + MARGIN * u, y, page.w - 2 * MARGIN * u, 38 * u)
        with ui.column("head", head):
            title = preset_label(snapshot.preset) or snapshot.title
            used = ui.write(head, title, style.LARGE, style.WHITE, bold=True)
            rest = head._replace(x=head.x + used + 14 * u, w=head.w - used - 14 * u)
            ui.write(rest, snapshot.notice, style.BODY, style.FAINT, align=1.0)
        y = head.bottom
        if snapshot.faults:
            n_lines = sum(len(ui.paragraph(one, style.SMALL, head.w - 24 * u, 3)) for one in snapshot.faults[:4])
            box = Box(head.x, y, head.w, (n_lines * 19 + 6) * u)
            with ui.column("faults", box, gap=2.0):
                gauges.fault_lines(ui, snapshot.faults[:4])
            y = box.bottom
        return y + 2 * u if sections.learns or snapshot.learning or snapshot.faults else y

    def _bands(self, snapshot: Snapshot, now_s: float) -> list[tuple[str, style.Colour, style.Colour, bool]]:
        sections = self.sections
        age_s = now_s - snapshot.time_s
        is_waiting = bool(sections.learn_target) and not snapshot.learning
        learn = "LEARN: choose a control or a button"
        if snapshot.learning:
            learn = f"LEARN: move the knob or pad for {snapshot.learning}"
        elif is_waiting and now_s - sections.learn_requested_s > 1.0:
            learn = "LEARN: no MIDI is open; start the show with --midi"
        return [
            ("BLACKOUT IS ON", style.DEEP_RED, style.WHITE, sections.is_on("blackout")),
            ("FROZEN", style.DEEP_ICE, style.WHITE, sections.is_on("freeze")),
            (f"no update from the show for {age_s:.0f} s", style.AMBER, style.BLACK, age_s > model.NO_SNAPSHOT_S),
            (learn, style.AMBER, style.BLACK, bool(sections.learns or snapshot.learning or is_waiting)),
            (f"RECORDING   {snapshot.recording}", style.DEEP_RED, style.WHITE, bool(snapshot.recording)),
            ("the keys are locked", style.AMBER, style.BLACK, sections.is_on("lock")),
        ]

    def _footer(self, page: Box) -> float:
        """Draw the large buttons; returns the upper edge."""
        ui, sections, u = self._ui, self.sections, self._ui.u
        height = 76.0 if page.h > 640 * u else 60.0
        top = page.bottom - (height + 16) * u
        box = Box(page.x + MARGIN * u, top + 8 * u, page.w - 2 * MARGIN * u, (height + 8) * u)
        with ui.column("foot", box), ui.row(height, (5.0, 4.0, 2.5)):
            dark, frozen = sections.is_on("blackout"), sections.is_on("freeze")
            if widgets.button(
                ui,
                "blackout",
                "BLACKOUT",
                height=height,
                is_on=dark,
                colour=style.RED,
                size=style.LARGE,
                note="press to show the picture" if dark else self._keys.shown("blackout"),
                tag=sections.tag("blackout"),
            ):
                sections.command(Act("blackout"), "blackout")
            if widgets.button(
                ui,
                "freeze",
                "FROZEN" if frozen else "FREEZE",
                height=height,
                is_on=frozen,
                colour=style.ICE,
                size=style.LARGE,
                note="press to continue" if frozen else self._keys.shown("freeze"),
                tag=sections.tag("freeze"),
            ):
                sections.command(Act("freeze"), "freeze")
            hint = "binds a knob or pad: choose a control or button here, then move the knob or press the pad"
            if widgets.button(
                ui, "learn", "LEARN", height=height, is_on=sections.learns, colour=style.AMBER, hint=hint
            ):
                sections.learns = not sections.learns
                if not sections.learns and ((self._last and self._last.learning) or sections.learn_target):
                    sections.learn("")
        return top

    def _columns(self, body: Box, snapshot: Snapshot) -> None:
        ui, sections, u = self._ui, self.sections, self._ui.u
        n_columns = model.n_columns(body.w / u, body.h / u)
        gap = 12 * u
        shares = {1: (1.0,), 2: (1.0, 1.12), 3: (1.0, 1.25, 1.0)}[n_columns]
        x, room = body.x, body.w - gap * (n_columns - 1)
        boxes = []
        for share in shares:
            width = room * share / sum(shares)
            boxes.append(Box(x, body.y, width, body.h))
            x += width + gap
        with ui.column("first", boxes[0], scrolls=True):
            sections.sound()
            sections.beat()
            sections.depth()
            sections.frame_statistics()
            if n_columns > 1:
                sections.buttons()
            else:
                self._rest(n_columns)
        if n_columns > 1:
            with ui.column("second", boxes[1], scrolls=True):
                self._rest(n_columns)
        if n_columns > 2:
            with ui.column("third", boxes[2], scrolls=True):
                sections.main_controls()
                sections.looks()
                sections.more_controls()

    def _rest(self, n_columns: int) -> None:
        sections = self.sections
        sections.presets()
        sections.journey()
        if n_columns < 3:
            sections.main_controls()
            sections.looks()
            if n_columns == 1:
                sections.buttons()
            sections.more_controls()
