"""The sections of the panel: sound, beat, depth, frame statistics, presets, parameters."""

from __future__ import annotations

from ..control.action import Action
from ..control.actions import find_actions
from ..control.capabilities import Capability
from ..control.commands import Act, Change, Learn, Set, ShowPreset, Unset
from ..control.keys import Keymap
from ..control.parameters import JOURNEY_SPEED, LOOK, NO_SOURCE, Parameter, base_parameters, movers
from ..control.snapshot import Snapshot
from ..oneline import preset_label
from . import gauges as gauges
from . import model as model
from . import style as style
from . import widgets as widgets
from .ui import Ui
from .widgets import NO_TAG, LearnTag

#: widths of the buttons beside a parameter of a look, units
_SOURCE_W, _LEARN_W = 86.0, 60.0


class Sections:
    """Draws the sections of the panel from a snapshot of the show, and collects the performer's commands.

    learns: learn mode: pressing a control binds it to the knob or pad that is moved next, instead of changing it.
    """

    def __init__(self, ui: Ui, keys: Keymap) -> None:
        self.ui, self._keys = ui, keys
        self.learns = self.more_is_open = False
        self._closed_looks: set[str] = set()  # groups of parameters
        self._moved = ""  # the parameter whose source is chosen now
        self.learn_target = ""  # requested for learning, and not confirmed by the show yet
        self.learn_requested_s = 0.0
        self._commands: list[Change] = []
        self._meters, self._bars, self._kick_flash = [model.Meter()], model.Bars(), model.Flash()
        self._pending = model.PendingValues()
        self._snapshot = Snapshot(0.0, "", "", ())
        self._parameters = base_parameters()  # with those of the look that is shown
        self._now_s = 0.0

    def update(self, snapshot: Snapshot, now_s: float, *, is_new: bool) -> None:
        """Take in a snapshot and the time, before each frame. is_new: it is not the snapshot of the frame before."""
        if snapshot.look != self._snapshot.look:
            self._parameters = base_parameters().with_look(snapshot.look)
        self._snapshot, self._now_s = snapshot, now_s
        peaks = snapshot.channel_peaks or (snapshot.peak,)
        if len(peaks) != len(self._meters):
            self._meters = [model.Meter() for _ in peaks]
        for meter, peak in zip(self._meters, peaks, strict=True):
            meter.update(peak if is_new else 0.0, now_s)
        self._bars.update(snapshot.spectrum_db, now_s)
        self._kick_brightness = self._kick_flash.brightness(snapshot.n_kicks, now_s)
        if snapshot.learning:
            self.learn_target = ""

    def take_commands(self) -> list[Change]:
        """The commands since the last call."""
        commands, self._commands = self._commands, []
        return commands

    def command(self, command: Change, target: str) -> None:
        """Add a command; in learn mode, bind `target` instead ("": it cannot be bound)."""
        if not self.learns:
            self._commands.append(command)
        elif target:
            self.learn(target)

    def learn(self, target: str) -> None:
        """Bind a target to the knob or pad that is moved next; "", or the target that waits already: cancel."""
        if target and target in (self._snapshot.learning, self.learn_target):
            target = ""
        self.learn_target, self.learn_requested_s = target, self._now_s
        self._commands.append(Learn(target))

    def tag(self, target: str) -> LearnTag:
        """The learn mode's tag for a control."""
        if not self.learns or not target:
            return NO_TAG
        bound = self._snapshot.bindings.get(target, "").replace(" channel ", " ch ")
        return LearnTag(bound, True, target == self._snapshot.learning)

    def is_on(self, switch: str) -> bool:
        """Whether a switch, such as "blackout", is on."""
        value = self._snapshot.values.get(switch, 0.0)
        return not isinstance(value, str) and value >= 0.5

    def sound(self) -> None:
        """The input: name, state, level, spectrum."""
        ui, snapshot, u = self.ui, self._snapshot, self.ui.u
        with ui.card(26 + 8 + 42 + 8 + 104):
            box = ui.take(26.0)
            has_signal = bool(snapshot.input) and not snapshot.input_state
            ui.disc(box.x + 8 * u, box.y + box.h / 2, 6 * u, style.GREEN if has_signal else style.AMBER)
            state, _, reason = (snapshot.input_state or ("" if snapshot.input else "no input")).partition(": ")
            used = ui.text_width(state, style.BODY, bold=True) if state else 0.0
            used = min(used, box.w * 0.55)
            ui.write(
                box._replace(x=box.x + 22 * u, w=box.w - 34 * u - used),
                snapshot.input or "sound",
                style.BODY,
                bold=True,
            )
            if state:
                ui.write(
                    box._replace(x=box.right - used, w=used + 1), state, style.BODY, style.AMBER, bold=True, align=1.0
                )
            gauges.meter(
                ui,
                [meter.level_db for meter in self._meters],
                max(meter.held_db for meter in self._meters),
                any(meter.is_clipped for meter in self._meters),
            )
            gauges.spectrum(ui, self._bars.bands_db, self._bars.held_db, self._band(), style.ORANGE, style.BLUE, reason)

    def _band(self) -> tuple[float, float] | None:
        """The band that the kick detector measures, as positions across the spectrum."""
        low, high = (self._snapshot.values.get(name) for name in ("beat.low_hz", "beat.high_hz"))
        if not isinstance(low, float | int) or not isinstance(high, float | int):
            return None
        return gauges.frequency_position(low), gauges.frequency_position(high)

    def beat(self) -> None:
        """Kick light, beat light, tempo and its buttons."""
        ui, snapshot = self.ui, self._snapshot
        phase = model.beat_phase(snapshot, self._now_s)
        has_tempo = Capability.TEMPO in snapshot.capabilities
        with ui.card(92 + (8 + 44 if has_tempo else 0)):
            with ui.row(92.0, (1.0, 1.0, 2.0)):
                gauges.light(ui, "KICK", self._kick_brightness, style.ORANGE, 92.0)
                gauges.light(ui, "BEAT", model.beat_brightness(phase, snapshot.confidence), style.GREEN, 92.0)
                note = f"from {snapshot.led_by}" if snapshot.led_by else f"confidence {snapshot.confidence:.0%}"
                known = phase is not None
                colour = style.VIOLET if snapshot.led_by else style.TEXT if snapshot.confidence >= 0.5 else style.FAINT
                gauges.number(
                    ui, f"{snapshot.bpm:.1f}" if known else "-", "BPM", note if known else "no tempo", 92.0, colour
                )
            if has_tempo:
                with ui.row(44.0, (2.0, 1.0, 1.0)):
                    for text, action in (("TAP", "tap"), ("half", "tempo_half"), ("double", "tempo_double")):
                        self._action(text, action, 44.0)

    def depth(self) -> None:
        """The depth shown, and how many dream frames are baked."""
        ui, snapshot = self.ui, self._snapshot
        n_depths = max(snapshot.n_depths, 1)
        baking = snapshot.n_baked < snapshot.n_dreams
        with ui.card(34 + 8 + (30 if baking else 18)):
            name = "depth (fallback metronome)" if snapshot.is_fallback else "depth"
            text = f"{snapshot.depth:.1f} / {n_depths}"
            gauges.bar(ui, name, snapshot.depth / n_depths, text, style.VIOLET, height=34.0, marks=min(n_depths, 40))
            if baking:
                baked = snapshot.n_baked / max(snapshot.n_dreams, 1)
                gauges.bar(ui, "baked", baked, f"{snapshot.n_baked} of {snapshot.n_dreams}", style.AMBER)
            else:
                text = (
                    f"{snapshot.n_baked} of {snapshot.n_dreams} dream frames baked"
                    if snapshot.n_dreams
                    else "nothing to bake"
                )
                ui.write(ui.take(18.0), text, style.SMALL, style.FAINT)

    def frame_statistics(self) -> None:
        """Rate and timing of the display frames."""
        ui, snapshot = self.ui, self._snapshot
        with ui.card(50.0), ui.row(50.0, (1.0, 1.25, 1.1, 1.25)):
            gauges.tile(ui, "fps", f"{snapshot.rate_hz:.0f}" if snapshot.rate_hz else "-")
            late = snapshot.rate_hz > 0 and snapshot.p95_ms > 1.6e3 / snapshot.rate_hz
            gauges.tile(
                ui,
                "p95 ms",
                f"{snapshot.p95_ms:.1f}" if snapshot.p95_ms else "-",
                style.AMBER if late else style.TEXT,
            )
            gauges.tile(ui, "dropped", f"{snapshot.n_dropped}")
            gauges.tile(ui, "latency ms", f"{snapshot.latency_ms:.0f}" if snapshot.latency_ms else "-")

    def buttons(self) -> None:
        """Small buttons for further actions."""
        self._buttons(model.small_buttons(self._snapshot.capabilities))

    def journey(self) -> None:
        """Buttons for a journey, and its speed; nothing where the preset has none."""
        if not self._snapshot.has_journey:
            return
        widgets.heading(self.ui, "journey")
        self._buttons(model.small_buttons(self._snapshot.capabilities, "journey"))
        self._control(self._parameters[JOURNEY_SPEED])

    def _buttons(self, actions: list[Action]) -> None:
        ui = self.ui
        across = model.n_buttons_across(ui.width, len(actions))
        for start in range(0, len(actions), across):
            with ui.row(40.0, [1.0] * across):
                for one in actions[start : start + across]:
                    is_on = one.name in self._parameters.switches and self.is_on(one.name)
                    text = one.button_on if is_on and one.button_on else one.button
                    self._action(text, one.name, 40.0, is_on=is_on)

    def presets(self) -> None:
        """A thumbnail for each preset."""
        ui, snapshot = self.ui, self._snapshot
        names = snapshot.presets
        across = model.n_thumbnails_across(ui.width, len(names))
        height = ((ui.width - 8.0 * (across - 1)) / across) * 9 / 16 + 26
        blink = 1.0 - (self._now_s * 2.0) % 1.0
        for start in range(0, len(names), across):
            with ui.row(height, [1.0] * across):
                for index, name in enumerate(names[start : start + across], start + 1):
                    target = f"preset_{index}" if f"preset_{index}" in find_actions() else ""
                    coming = snapshot.wanted == name and name != snapshot.preset
                    pressed = widgets.thumbnail(
                        ui,
                        f"preset:{name}",
                        preset_label(name),
                        height,
                        name,
                        is_shown=name == snapshot.preset,
                        is_coming=coming,
                        blink=blink,
                        tag=self.tag(target),
                    )
                    if pressed:
                        self.command(ShowPreset(name), target)
        with ui.row(36.0, (1.0, 1.0, 1.0)):
            self._action("< previous", "previous_preset", 36.0)
            self._action("save as new", "save_preset", 36.0)
            self._action("next >", "next_preset", 36.0)

    def main_controls(self) -> None:
        """The parameters used most in a show."""
        known = self._parameters
        for name in model.MAIN:
            if name in known:
                self._control(known[name])
        if model.MOTION in known:
            self._control(known[model.MOTION])

    def more_controls(self) -> None:
        """All other parameters, in a section that is closed at first."""
        ui = self.ui
        shown = {*model.MAIN, model.MOTION, *self._parameters.switches}
        if self._snapshot.has_journey:
            shown.add(JOURNEY_SPEED)
        rest = [one for one in self._parameters.values() if one.name not in shown and one.section != LOOK]
        note = "" if self.more_is_open else f"{len(rest)} parameters"
        if widgets.fold(ui, "more", "more parameters", self.more_is_open, note):
            self.more_is_open = not self.more_is_open
        if not self.more_is_open:
            return
        for rebakes, text in ((False, "sound and motion"), (True, "dream: each change bakes again")):
            if members := [one for one in rest if one.rebakes == rebakes]:
                widgets.heading(ui, text)
                for one in members:
                    self._control(one)

    def looks(self) -> None:
        """The parameters of the looks that are shown, each with what moves it."""
        groups: dict[str, list[Parameter]] = {}
        for one in self._snapshot.look:
            groups.setdefault(one.group, []).append(one)
        for group, members in groups.items():
            is_open = group not in self._closed_looks
            note = f"{len(members)} parameter{'s' if len(members) > 1 else ''}"
            title = f"look {group}" if group else "look"
            if widgets.fold(self.ui, f"look:{group}", title, is_open, note):
                self._closed_looks ^= {group}
            for one in members if is_open else ():
                self._look_parameter(one)

    def _look_parameter(self, one: Parameter) -> None:
        """A parameter of a look: its control, a button for what moves it, and a button to learn it."""
        ui, hint = self.ui, f"{one.description} ({one.name})"
        if one.kind == "choice":
            with ui.row(24.0, model.weights_beside(ui.width, (_LEARN_W,))):
                ui.write(ui.take(24.0), model.label(one), style.SMALL, style.FAINT)
                self._learn_button(one, 24.0)
            self._choice(one, "")
        elif one.kind == "switch":
            with ui.row(38.0, model.weights_beside(ui.width, (_LEARN_W,))):
                is_on = not one.is_event and self._value(one) == 1.0
                text = model.label(one) if one.is_event else f"{model.label(one)}: {'on' if is_on else 'off'}"
                if widgets.button(ui, one.name, text, height=38.0, is_on=is_on, hint=hint, tag=self.tag(one.name)):
                    self.command(Set(one.name, float(not is_on)), one.name)
                self._learn_button(one, 38.0)
        else:
            self._moved_parameter(one)

    def _moved_parameter(self, one: Parameter) -> None:
        """A number of a look."""
        ui, is_open = self.ui, self._moved == one.name
        source = str(self._snapshot.values.get(movers(one)[0].name, NO_SOURCE))
        is_formula = self._is_formula(one) and source == NO_SOURCE
        with ui.row(38.0, model.weights_beside(ui.width, (_SOURCE_W, _LEARN_W))):
            self._control(one)
            if widgets.button(
                ui,
                f"{one.name} source",
                "formula" if is_formula else "source" if source == NO_SOURCE else source.replace("_", " "),
                height=38.0,
                is_on=is_formula or source != NO_SOURCE,
                colour=style.DEEP_ICE if is_formula else style.VIOLET,
                size=style.SMALL,
                hint=one.expression if is_formula else f"what moves it: {source}",
                is_open=is_open,
            ):
                self._moved = "" if is_open else one.name
            self._learn_button(one, 38.0)
        if is_open:
            self._source_of(one, source)

    def _is_formula(self, one: Parameter) -> bool:
        """Whether the preset's expression moves it: no hand has set another number."""
        return bool(one.expression) and one.name in self._snapshot.moving and one.name not in self._snapshot.by_hand

    def _learn_button(self, one: Parameter, height: float) -> None:
        """A button that binds the knob that is moved next; it shows which one is bound."""
        bound = self._snapshot.bindings.get(one.name, "")
        waits = one.name in (self._snapshot.learning, self.learn_target)
        if widgets.button(
            self.ui,
            f"{one.name} learn",
            " ".join(bound.split()[:2]) if bound and not waits else "learn",
            height=height,
            is_on=waits or bool(bound),
            colour=style.AMBER if waits else style.FILL,
            size=style.SMALL,
            hint=f"bound to {bound}; press to bind another" if bound else "binds the knob that is moved next",
        ):
            self.learn(one.name)

    def _source_of(self, one: Parameter, source: str) -> None:
        """What moves a parameter: the source, the amount, the smoothing."""
        ui = self.ui
        of_source, amount, smoothing = movers(one)
        choices = [name.replace("_", " ") for name in of_source.choices]
        n_rows = widgets.n_choice_rows(ui.width - 20, len(choices))
        lines = ui.paragraph(one.expression, style.SMALL, (ui.width - 20) * ui.u, 2) if one.expression else []
        height = 22 + 8 + n_rows * 46 + 38 + 8 + 38 + 8 + 38 + sum(24 for _ in lines)
        with ui.card(height):
            for line in lines:
                ui.write(ui.take(16.0), line, style.SMALL, style.ICE)
            picked = widgets.choice(
                ui,
                of_source.name,
                f"{model.label(one)} is moved by",
                choices,
                source.replace("_", " "),
                hint=of_source.description,
                tag=self.tag(of_source.name),
            )
            if picked is not None and self.learns:
                self.learn(of_source.name)
            elif picked is not None:
                self._set(of_source, of_source.choices[choices.index(picked)])
            self._control(amount)
            self._control(smoothing)
            if widgets.button(ui, f"{one.name} unset", "as in the preset", height=38.0, size=style.SMALL):
                self.command(Unset(one.name), "")

    def _action(self, text: str, action: str, height: float, *, is_on: bool = False) -> None:
        key = self._keys.shown(action)
        hint = find_actions()[action].help + (f" ({key})" if key else "")
        if widgets.button(
            self.ui, action, text, height=height, is_on=is_on, colour=style.AMBER, hint=hint, tag=self.tag(action)
        ):
            self.command(Act(action), action)

    def _value(self, one: Parameter) -> float | str | None:
        return self._pending.value(one.name, self._snapshot.values.get(one.name), self._now_s)

    def _choice(self, one: Parameter, heading: str) -> None:
        """Buttons for a choice or a switch."""
        value, choices = self._value(one), one.choices or ("off", "on")
        chosen = "" if value is None else model.format_value(one, value)
        hint, tag = f"{one.description} ({one.name})", self.tag(one.name)
        picked = widgets.choice(self.ui, one.name, heading, choices, chosen, hint=hint, tag=tag)
        if picked is not None and self.learns:
            self.learn(one.name)
        elif picked is not None:
            self._set(one, picked if one.choices else float(picked == "on"))

    def _control(self, one: Parameter) -> None:
        """A slider or buttons for a parameter."""
        if one.kind in ("choice", "switch"):
            self._choice(one, model.label(one))
            return
        value, moving = self._value(one), self._snapshot.moving.get(one.name)
        shown = moving if moving is not None and self._is_formula(one) else value
        name, tag = model.label(one), self.tag(one.name)
        hint = f"{one.description} ({one.name})"
        event = widgets.slider(
            self.ui,
            one.name,
            name,
            model.slider_position(one, value) if value is not None else 0.0,
            model.format_value(one, shown) if shown is not None else "-",
            note="rebakes" if one.rebakes else "",
            moving=None if moving is None else model.slider_position(one, moving),
            hint=hint,
            tag=tag,
            is_fixed=self.learns or value is None,
        )
        if self.learns:
            if event.pressed:
                self.learn(one.name)
            return
        if event.position is not None:
            self._set(one, one.at(event.position))
        if event.released and (now := self._pending.release(one, self._now_s)) is not None:
            self._commands.append(Set(one.name, now))

    def _set(self, one: Parameter, value: float | str) -> None:
        now = self._pending.set(one, value, self._now_s)
        if now is not None:
            self._commands.append(Set(one.name, now))
