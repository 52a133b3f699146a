"""The performer's panel as a whole: what stays in sight above and below, and the columns between that scroll."""

from __future__ import annotations

from ..control.commands import Act, Change
from ..control.keys import Keymap
from ..control.snapshot import Snapshot
from ..presets.preset import label
from . import gauges as gauges
from . import model as model
from . import style as style
from . import widgets as widgets
from .parts import Parts
from .sheet import Box, Sheet

MARGIN = 10.0


class PanelView:
    """Draws what the show tells, and returns what the performer asks for."""

    def __init__(self, sheet: Sheet, keys: Keymap) -> None:
        """keys: told on the buttons."""
        self.parts = Parts(sheet, keys)
        self._keys = keys
        self._sheet = sheet
        self._last: Snapshot | None = None

    def draw(self, snapshot: Snapshot | None, now_s: float) -> list[Change]:
        """One picture. snapshot: how the show stands, None before it has said so; now_s: `monotonic` seconds, as in the snapshot."""
        sheet, parts = self._sheet, self.parts
        with sheet.page(model.zoom) as page:
            if snapshot is None:
                with sheet.column("empty", page):
                    sheet.write(page, "waiting for the show …", style.LARGE, style.FAINT, align=0.5)
                return []
            parts.see(snapshot, now_s, is_new=snapshot is not self._last)
            self._last = snapshot
            top = self._header(page, snapshot, now_s)
            bottom = self._footer(page)
            margin = MARGIN * sheet.u
            body = Box(page.x + margin, top, page.w - 2 * margin, bottom - top)
            self._columns(body, snapshot)
            if parts.holds("blackout") or parts.holds("freeze"):
                # around everything: seen from the corner of an eye
                with sheet.column("edge", Box(0, 0, 1, 1)):
                    ink = sheet.imgui.get_foreground_draw_list()
                    colour = style.RED if parts.holds("blackout") else style.ICE
                    ink.add_rect((0, 0), (page.w, page.h), style.packed(colour), thickness=5 * sheet.u)
        return parts.take_commands()

    def _header(self, page: Box, told: Snapshot, now_s: float) -> float:
        """The title, what is unusual in bands of colour, and the line said last; where it ends."""
        sheet, u, parts = self._sheet, self._sheet.u, self.parts
        y = page.y
        for words, ground, ink, is_so in self._bands(told, now_s):
            if is_so:
                large = ground in (style.DEEP_RED, style.DEEP_ICE)
                band = Box(page.x, y, page.w, (44 if large else 30) * u)
                with sheet.column(f"band {words[:8]}", band):
                    widgets.banner(sheet, band, words, ground, ink, style.LARGE if large else style.BODY)
                y += band.h
        head = Box(page.x + MARGIN * u, y, page.w - 2 * MARGIN * u, 38 * u)
        with sheet.column("head", head):
            words = label(told.preset) or told.title
            used = sheet.write(head, words, style.LARGE, style.WHITE, bold=True)
            rest = head._replace(x=head.x + used + 14 * u, w=head.w - used - 14 * u)
            sheet.write(rest, told.notice, style.BODY, style.FAINT, align=1.0)
        y = head.bottom
        if told.faults:
            n_lines = sum(len(sheet.paragraph(one, style.SMALL, head.w - 24 * u, 3)) for one in told.faults[:4])
            box = Box(head.x, y, head.w, (n_lines * 19 + 6) * u)
            with sheet.column("faults", box, gap=2.0):
                gauges.lines_of_faults(sheet, told.faults[:4])
            y = box.bottom
        return y + 2 * u if parts.learns or told.faults else y

    def _bands(self, told: Snapshot, now_s: float) -> list[tuple[str, style.Colour, style.Colour, bool]]:
        parts = self.parts
        silent_s = now_s - told.time_s
        waits = parts.learns and parts.asked and not told.learning and now_s - parts.asked_s > 1.0
        learn = "LEARN: press what a knob or pad shall do"
        if told.learning:
            learn = f"LEARN: now move the control for {told.learning}"
        elif waits:
            learn = "LEARN: no MIDI is open; start the show with --midi"
        return [
            ("BLACKOUT IS ON", style.DEEP_RED, style.WHITE, parts.holds("blackout")),
            ("FROZEN", style.DEEP_ICE, style.WHITE, parts.holds("freeze")),
            (f"no word from the show for {silent_s:.0f} s", style.AMBER, style.BLACK, silent_s > model.SILENT_S),
            (learn, style.AMBER, style.BLACK, parts.learns),
            ("the keys are locked", style.AMBER, style.BLACK, parts.holds("lock")),
        ]

    def _footer(self, page: Box) -> float:
        """The buttons that must be found without looking; where it begins."""
        sheet, parts, u = self._sheet, self.parts, self._sheet.u
        height = 76.0 if page.h > 640 * u else 60.0
        top = page.bottom - (height + 16) * u
        box = Box(page.x + MARGIN * u, top + 8 * u, page.w - 2 * MARGIN * u, (height + 8) * u)
        with sheet.column("foot", box), sheet.row(height, (5.0, 4.0, 2.0)):
            dark, frozen = parts.holds("blackout"), parts.holds("freeze")
            if widgets.button(
                sheet,
                "blackout",
                "BLACKOUT",
                height=height,
                is_on=dark,
                colour=style.RED,
                size=style.LARGE,
                note="on: press for light" if dark else self._keys.shown("blackout"),
                tag=parts.tag("blackout"),
            ):
                parts.command(Act("blackout"), "blackout")
            if widgets.button(
                sheet,
                "freeze",
                "FROZEN" if frozen else "FREEZE",
                height=height,
                is_on=frozen,
                colour=style.ICE,
                size=style.LARGE,
                note="on: press to go on" if frozen else self._keys.shown("freeze"),
                tag=parts.tag("freeze"),
            ):
                parts.command(Act("freeze"), "freeze")
            hint = "press a control or button here, then move the knob or pad that shall do it"
            if widgets.button(
                sheet, "learn", "LEARN", height=height, is_on=parts.learns, colour=style.AMBER, hint=hint
            ):
                parts.learns = not parts.learns
                if not parts.learns and ((self._last and self._last.learning) or parts.asked):
                    parts.learn("")
        return top

    def _columns(self, body: Box, told: Snapshot) -> None:
        sheet, parts, u = self._sheet, self.parts, self._sheet.u
        n_columns = model.n_columns(body.w / u, body.h / u)
        gap = 12 * u
        shares = {1: (1.0,), 2: (1.0, 1.12), 3: (1.0, 1.25, 1.0)}[n_columns]
        x, room = body.x, body.w - gap * (n_columns - 1)
        boxes = []
        for share in shares:
            width = room * share / sum(shares)
            boxes.append(Box(x, body.y, width, body.h))
            x += width + gap
        with sheet.column("first", boxes[0], scrolls=True):
            parts.sound()
            parts.beat()
            parts.depth()
            parts.figures()
            if n_columns > 1:
                parts.buttons()
            else:
                self._rest(told, n_columns)
        if n_columns > 1:
            with sheet.column("second", boxes[1], scrolls=True):
                self._rest(told, n_columns)
        if n_columns > 2:
            with sheet.column("third", boxes[2], scrolls=True):
                parts.main_controls()
                parts.more_controls()

    def _rest(self, told: Snapshot, n_columns: int) -> None:
        parts = self.parts
        parts.presets()
        if n_columns < 3:
            parts.main_controls()
            if n_columns == 1:
                parts.buttons()
            parts.more_controls()
