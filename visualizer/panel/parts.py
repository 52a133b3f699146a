"""The parts of the performer's panel, one below the other: sound, beat, depth, figures, presets, controls."""

from __future__ import annotations

from ..control.actions import ACTIONS
from ..control.commands import Act, Change, Learn, Set, ShowPreset
from ..control.keys import Keymap
from ..control.parameters import Parameter, base_parameters
from ..control.snapshot import Snapshot
from ..presets.preset import label
from . import gauges as gauges
from . import model as model
from . import style as style
from . import widgets as widgets
from .sheet import Sheet
from .widgets import NO_TAG, Tag

#: the actions that have a button of their own besides the large ones: what is written on it, and its action
BUTTONS = (
    ("reset all", "reset"),
    ("next input", "next_input"),
    ("song before", "previous_song"),
    ("next song", "next_song"),
    ("lock keys", "lock"),
    ("fullscreen", "fullscreen"),
    ("next screen", "next_monitor"),
    ("figures", "help"),
    ("picture", "screenshot"),
)
SWITCHES = ("blackout", "freeze", "lock")


class Parts:
    """Draws parts of the panel on a sheet, from what the show tells, and gathers what is asked for.

    learns: whether pressing a control chooses what the next knob moved is bound to, in place of turning it.
    """

    def __init__(self, sheet: Sheet, keys: Keymap) -> None:
        self.sheet, self._keys = sheet, keys
        self.learns = self.more_is_open = False
        self.asked = ""  # what learning was asked for last
        self.asked_s = 0.0
        self._commands: list[Change] = []
        self._meters, self._bars, self._kicks = [model.Meter()], model.Bars(), model.Flash()
        self._turning = model.Turning()
        self._told = Snapshot(0.0, "", "", ())
        self._now_s = 0.0

    def see(self, snapshot: Snapshot, now_s: float, *, is_new: bool) -> None:
        """What the show tells, and the time now; before every picture. is_new: not the same as the last time."""
        self._told, self._now_s = snapshot, now_s
        peaks = snapshot.channel_peaks or (snapshot.peak,)
        if len(peaks) != len(self._meters):
            self._meters = [model.Meter() for _ in peaks]
        for meter, peak in zip(self._meters, peaks, strict=True):
            meter.see(peak if is_new else 0.0, now_s)
        self._bars.see(snapshot.spectrum_db, now_s)
        self._flash = self._kicks.brightness(snapshot.n_kicks, now_s)
        if snapshot.learning:
            self.asked = ""

    def take_commands(self) -> list[Change]:
        """What was asked for since the last call."""
        commands, self._commands = self._commands, []
        return commands

    def command(self, command: Change, target: str) -> None:
        """Command for something; while learning, that `target` be bound instead ("": it cannot be)."""
        if not self.learns:
            self._commands.append(command)
        elif target:
            self.learn(target)

    def learn(self, target: str) -> None:
        """Ask for a target to be bound, "" for none; the one that waits already is called off."""
        if target and target == self._told.learning:
            target = ""
        self.asked, self.asked_s = target, self._now_s
        self._commands.append(Learn(target))

    def tag(self, target: str) -> Tag:
        """What learning shows at a control."""
        if not self.learns or not target:
            return NO_TAG
        bound = self._told.bindings.get(target, "").replace(" channel ", " ch ")
        return Tag(bound, True, target == self._told.learning)

    def holds(self, switch: str) -> bool:
        """Whether a switch is on: "blackout"."""
        value = self._told.values.get(switch, 0.0)
        return not isinstance(value, str) and value >= 0.5

    def sound(self) -> None:
        """The input: its name and state, level, spectrum."""
        sheet, told, u = self.sheet, self._told, self.sheet.u
        with sheet.card(26 + 8 + 42 + 8 + 104):
            box = sheet.take(26.0)
            heard = bool(told.input) and not told.input_state
            sheet.disc(box.x + 8 * u, box.y + box.h / 2, 6 * u, style.GREEN if heard else style.AMBER)
            state = told.input_state or ("" if told.input else "no input")
            used = sheet.text_width(state, style.BODY, bold=True) if state else 0.0
            used = min(used, box.w * 0.55)
            sheet.write(
                box._replace(x=box.x + 22 * u, w=box.w - 34 * u - used), told.input or "sound", style.BODY, bold=True
            )
            if state:
                sheet.write(
                    box._replace(x=box.right - used, w=used + 1), state, style.BODY, style.AMBER, bold=True, align=1.0
                )
            gauges.meter(
                sheet,
                [meter.level_db for meter in self._meters],
                max(meter.held_db for meter in self._meters),
                any(meter.is_clipped for meter in self._meters),
            )
            gauges.spectrum(sheet, self._bars.bands_db, self._bars.held_db, self._band(), style.ORANGE, style.BLUE)

    def _band(self) -> tuple[float, float] | None:
        """Where across the spectrum a kick's strength is measured."""
        low, high = (self._told.values.get(name) for name in ("beat.low_hz", "beat.high_hz"))
        if not isinstance(low, float | int) or not isinstance(high, float | int):
            return None
        return gauges.frequency_share(low), gauges.frequency_share(high)

    def beat(self) -> None:
        """Kick and tempo: two lights, the tempo, and three buttons to lead it."""
        sheet, told = self.sheet, self._told
        phase = model.beat_phase(told, self._now_s)
        with sheet.card(92 + 8 + 44):
            with sheet.row(92.0, (1.0, 1.0, 2.0)):
                gauges.light(sheet, "KICK", self._flash, style.ORANGE, 92.0)
                gauges.light(sheet, "BEAT", model.beat_brightness(phase, told.confidence), style.GREEN, 92.0)
                note = f"{told.led_by} leads" if told.led_by else f"{told.confidence:.0%} sure"
                known = phase is not None
                colour = style.VIOLET if told.led_by else style.TEXT if told.confidence >= 0.5 else style.FAINT
                gauges.number(
                    sheet, f"{told.bpm:.1f}" if known else "-", "BPM", note if known else "no tempo", 92.0, colour
                )
            with sheet.row(44.0, (2.0, 1.0, 1.0)):
                for words, action in (("TAP", "tap"), ("half", "tempo_half"), ("double", "tempo_double")):
                    self._action(words, action, 44.0)

    def depth(self) -> None:
        """How deep the dream shown is, and how much of it is baked."""
        sheet, told = self.sheet, self._told
        n_depths = max(told.n_depths, 1)
        baking = told.n_baked < told.n_dreams
        with sheet.card(34 + 8 + (30 if baking else 18)):
            name = "depth, moving by itself" if told.moves_by_itself else "depth"
            text = f"{told.depth:.1f} / {n_depths}"
            gauges.bar(sheet, name, told.depth / n_depths, text, style.VIOLET, height=34.0, marks=min(n_depths, 40))
            if baking:
                baked = told.n_baked / max(told.n_dreams, 1)
                gauges.bar(sheet, "baked", baked, f"{told.n_baked} of {told.n_dreams}", style.AMBER)
            else:
                words = f"baked, {told.n_baked} of {told.n_dreams}" if told.n_dreams else "nothing to bake"
                sheet.write(sheet.take(18.0), words, style.SMALL, style.FAINT)

    def figures(self) -> None:
        """How the projection keeps up."""
        sheet, told = self.sheet, self._told
        with sheet.card(50.0), sheet.row(50.0, (1.0, 1.25, 1.1, 1.25)):
            gauges.tile(sheet, "fps", f"{told.rate_hz:.0f}" if told.rate_hz else "-")
            late = told.rate_hz > 0 and told.p95_ms > 1.6e3 / told.rate_hz
            gauges.tile(
                sheet, "p95 ms", f"{told.p95_ms:.1f}" if told.p95_ms else "-", style.AMBER if late else style.TEXT
            )
            gauges.tile(sheet, "dropped", f"{told.n_dropped}")
            gauges.tile(sheet, "latency ms", f"{told.latency_ms:.0f}" if told.latency_ms else "-")

    def buttons(self) -> None:
        """What else there is a key for."""
        sheet = self.sheet
        across = 3 if sheet.width < 640 else 6
        for start in range(0, len(BUTTONS), across):
            with sheet.row(40.0, [1.0] * across):
                for words, action in BUTTONS[start : start + across]:
                    locked = action == "lock" and self.holds("lock")
                    self._action("LOCKED" if locked else words, action, 40.0, is_on=locked)

    def presets(self) -> None:
        """Every preset as its picture."""
        sheet, told = self.sheet, self._told
        names = told.presets
        across = model.n_across(sheet.width, len(names))
        height = ((sheet.width - 8.0 * (across - 1)) / across) * 9 / 16 + 26
        blink = 1.0 - (self._now_s * 2.0) % 1.0
        for start in range(0, len(names), across):
            with sheet.row(height, [1.0] * across):
                for index, name in enumerate(names[start : start + across], start + 1):
                    target = f"preset_{index}" if f"preset_{index}" in ACTIONS else ""
                    coming = told.wanted == name and name != told.preset
                    pressed = widgets.picture(
                        sheet,
                        f"preset:{name}",
                        label(name),
                        height,
                        name,
                        is_shown=name == told.preset,
                        is_coming=coming,
                        blink=blink,
                        tag=self.tag(target),
                    )
                    if pressed:
                        self.command(ShowPreset(name), target)
        with sheet.row(36.0, (1.0, 1.0)):
            self._action("< preset before", "previous_preset", 36.0)
            self._action("next preset >", "next_preset", 36.0)

    def main_controls(self) -> None:
        """The controls that are turned in a show."""
        known = base_parameters()
        for name in model.MAIN:
            if name in known:
                self._control(known[name])
        if model.MOTION in known:
            self._control(known[model.MOTION])

    def more_controls(self) -> None:
        """Everything else that can be turned, folded away."""
        sheet = self.sheet
        rest = [one for one in base_parameters().values() if one.name not in (*model.MAIN, model.MOTION, *SWITCHES)]
        note = "" if self.more_is_open else f"{len(rest)} settings"
        if widgets.fold(sheet, "more", "everything else", self.more_is_open, note):
            self.more_is_open = not self.more_is_open
        if not self.more_is_open:
            return
        for rebakes, words in (
            (False, "hearing and moving"),
            (True, "the dream: each of these bakes it anew, once let go"),
        ):
            widgets.heading(sheet, words)
            for one in rest:
                if one.rebakes == rebakes:
                    self._control(one)

    def _action(self, words: str, action: str, height: float, *, is_on: bool = False) -> None:
        key = self._keys.shown(action)
        hint = f"{ACTIONS[action]} ({key})" if key else ACTIONS[action]
        if widgets.button(
            self.sheet, action, words, height=height, is_on=is_on, colour=style.AMBER, hint=hint, tag=self.tag(action)
        ):
            self.command(Act(action), action)

    def _control(self, one: Parameter) -> None:
        value = self._turning.value(one.name, self._told.values.get(one.name), self._now_s)
        name, tag = model.label(one), self.tag(one.name)
        hint = f"{one.description} ({one.name})"
        if one.kind in ("choice", "switch"):
            words = one.choices or ("off", "on")
            chosen = "" if value is None else model.shown_value(one, value)
            picked = widgets.choice(self.sheet, one.name, name, words, chosen, hint=hint, tag=tag)
            if picked is not None and self.learns:
                self.learn(one.name)
            elif picked is not None:
                self._set(one, picked if one.choices else float(picked == "on"))
            return
        told = value is not None
        turned = widgets.slider(
            self.sheet,
            one.name,
            name,
            model.share_of(one, value) if value is not None else 0.0,
            model.shown_value(one, value) if value is not None else "-",
            note="rebakes" if one.rebakes else "",
            hint=hint,
            tag=tag,
            is_fixed=self.learns or not told,
        )
        if self.learns:
            if turned.pressed:
                self.learn(one.name)
            return
        if turned.share is not None:
            self._set(one, one.at(turned.share))
        if turned.released and (now := self._turning.release(one, self._now_s)) is not None:
            self._commands.append(Set(one.name, now))

    def _set(self, one: Parameter, value: float | str) -> None:
        now = self._turning.turn(one, value, self._now_s)
        if now is not None:
            self._commands.append(Set(one.name, now))
