"""Which control does what: one line of controls.yaml as a value, and what it may be bound to."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from ..errors import BadInput, nearest
from .actions import ACTIONS
from .parameters import Parameter, base_parameters

#: before a preset's name; alone it is the preset of the number that is sent
PRESET = "preset"
Relative = Literal["twos", "offset", "sign"]


def targets() -> list[str]:
    """Everything that a control can be bound to, but presets by their name ("preset:club")."""
    return list(dict.fromkeys([*base_parameters(), *ACTIONS, PRESET]))


def checked_target(text: str) -> str:
    """`text` if it is a target. Raises BadInput, naming the nearest."""
    known = targets()
    if text in known or (text.startswith(f"{PRESET}:") and text.removeprefix(f"{PRESET}:").strip()):
        return text
    raise BadInput(
        f"there is nothing called {text[:60]!r} to control{nearest(text, known)}; there are: {', '.join(known)}, {PRESET}:NAME"
    )


class Binding(BaseModel):
    """What a control does.

    does: an action, a setting that can be turned, "preset:NAME", or "preset" (of the number sent). low, high: the part of a
    setting's range that a knob covers, in the setting's unit, high below low: the other way round. value: what a press sets it
    to. hold: on while held, where a press else turns it on and off. pickup: a knob takes hold once it passes the value.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    does: str = Field(description="an action, a setting, preset:NAME or preset")
    low: float | None = Field(default=None, description="where a knob begins, in the setting's unit")
    high: float | None = Field(default=None, description="where a knob ends, in the setting's unit")
    value: float | str | None = Field(default=None, description="what a press sets the setting to")
    hold: bool = Field(default=False, description="on while held")
    pickup: bool | None = Field(default=None, description="whether a knob waits until it passes the value")

    @model_validator(mode="before")
    @classmethod
    def _preset_by_name(cls, told: Any) -> Any:
        """`preset: club` is `does: preset:club`."""
        if not isinstance(told, dict | BaseModel):
            raise ValueError("needs a section, like {cc: 7, does: beat.sensitivity}")
        if isinstance(told, dict) and PRESET in told:
            if "does" in told or not isinstance(told[PRESET], str) or not told[PRESET].strip():
                raise ValueError("preset needs a preset's name, and stands in place of does")
            told = {**{key: told[key] for key in told if key != PRESET}, "does": f"{PRESET}:{told[PRESET]}"}
        return told

    @field_validator("does")
    @classmethod
    def _target_exists(cls, does: str) -> str:
        try:
            return checked_target(does)
        except BadInput as fault:
            raise ValueError(str(fault)) from None

    @model_validator(mode="after")
    def _values_fit(self) -> Binding:
        one = self.parameter
        turned = one is not None and one.kind in ("number", "whole")
        for key in ("low", "high"):
            if getattr(self, key) is not None and not turned:
                raise ValueError(f"{key} is for a setting that is a number, and {self.does} is none")
        if self.value is not None and one is None:
            raise ValueError(f"value is for a setting, and {self.does} is none")
        if self.hold and (one is None or one.kind != "switch"):
            raise ValueError("hold is for blackout, freeze and lock")
        if self.hold and self.value is not None:
            raise ValueError("hold and value exclude each other")
        try:
            for asked in (self.low, self.high, self.value):
                if one is not None and asked is not None:
                    one.checked(asked)
        except BadInput as fault:
            raise ValueError(str(fault)) from None
        return self

    @property
    def parameter(self) -> Parameter | None:
        """The setting that it turns; None for an action or a preset."""
        return base_parameters().get(self.does)

    @property
    def shares(self) -> tuple[float, float]:
        """Where a knob begins and ends on the setting's slider, 0..1 each."""
        one = self.parameter
        if one is None:
            return 0.0, 1.0
        low = 0.0 if self.low is None else one.share_of(self.low)
        return low, 1.0 if self.high is None else one.share_of(self.high)


class MidiBinding(Binding):
    """What a control on a MIDI port does: a control change, a note, a program change or the pitch bend, exactly one of them.

    channel 1..16, None: any; port: part of a port's name, "": any. fine: the control change is the upper half of 14 bits,
    number + 32 the lower. relative: how a control change tells steps (two's complement; from 64; with a sign), None: a place.
    """

    cc: int | None = Field(default=None, ge=0, le=127, description="number of a control change")
    note: int | None = Field(default=None, ge=0, le=127, description="number of a note")
    program: int | Literal["any"] | None = Field(default=None, description="0 .. 127, or any")
    bend: bool = Field(default=False, description="the pitch bend wheel")
    channel: int | None = Field(default=None, ge=1, le=16, description="any, unless named")
    port: str = Field(default="", max_length=200, description="part of a port's name; any, unless named")
    fine: bool = Field(default=False, description="14 bits: this number and the one 32 higher")
    relative: Relative | None = Field(default=None, description="how an endless knob tells its steps")

    @model_validator(mode="after")
    def _one_control(self) -> MidiBinding:
        named = [self.cc is not None, self.note is not None, self.program is not None, self.bend]
        if sum(named) != 1:
            raise ValueError("needs one of: cc: NUMBER, note: NUMBER, program: NUMBER or any, bend: true")
        if isinstance(self.program, int) and not 0 <= self.program <= 127:
            raise ValueError(f"program {self.program} is out of range; allowed: 0 .. 127, or any")
        if self.fine and (self.cc is None or self.cc > 31):
            raise ValueError("fine is for cc 0 .. 31, whose lower half is 32 .. 63")
        if self.relative and (self.cc is None or self.fine or self.parameter is None or self.value is not None):
            raise ValueError("relative is for a cc that turns a setting")
        if self.hold and self.program is not None:
            raise ValueError("hold is for what can be let go, and a program change cannot")
        if self.does == PRESET and self.program != "any":
            raise ValueError("preset without a name is for program: any, whose number is the preset's")
        return self

    @property
    def control(self) -> tuple[str, int | None]:
        """Its kind ("cc", "note", "program", "bend") and number, None: any."""
        if self.cc is not None:
            return "cc", self.cc
        if self.note is not None:
            return "note", self.note
        if self.program is not None:
            return "program", None if self.program == "any" else self.program
        return "bend", None

    def shares_control(self, other: MidiBinding) -> bool:
        """Whether one movement could mean both."""
        mine, its = self.port.lower(), other.port.lower()
        return (
            self.control == other.control
            and (self.channel is None or other.channel is None or self.channel == other.channel)
            and (mine in its or its in mine)
        )

    def __str__(self) -> str:
        """For reading: "CC 7 channel 1 of nanoKONTROL2"."""
        kind, number = self.control
        words = [{"cc": "CC", "bend": "pitch bend"}.get(kind, kind)]
        words += [str(number)] if number is not None else ["any"] if kind == "program" else []
        words += [f"channel {self.channel}"] if self.channel is not None else []
        words += [f"of {self.port}"] if self.port else []
        return " ".join(words)


class OscBinding(Binding):
    """What an OSC address does. full: the number that is sent at the upper end; 0 is the lower."""

    address: str = Field(default="", description="the address")
    full: float = Field(default=1.0, gt=0, le=1e9, description="the number at the upper end")

    @model_validator(mode="before")
    @classmethod
    def _in_words(cls, told: Any) -> Any:
        """`/1/fader1: beat.decay`, or a section."""
        known = [*(key for key in cls.model_fields if key != "address"), PRESET]
        if isinstance(told, str):
            return {"does": told}
        if not isinstance(told, dict):
            raise ValueError(f"needs what it does, like beat.decay, or a section with the keys {', '.join(known)}")
        for key in told:
            if key not in (*known, "address"):
                raise ValueError(f"unknown key {key!r}{nearest(key, known)}; allowed: {', '.join(known)}")
        return told

    def __str__(self) -> str:
        return self.address


class Controls(BaseModel):
    """controls.yaml: what the user bound."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    midi: list[MidiBinding] = Field(default_factory=list, max_length=2000)
    osc: dict[Annotated[str, AfterValidator(lambda told: check_address(told))], OscBinding] = Field(
        default_factory=dict, max_length=2000
    )

    @field_validator("midi", mode="before")
    @classmethod
    def _may_be_empty(cls, told: Any) -> Any:
        if not isinstance(told, list | None):
            raise ValueError("needs a list, with lines like '- {cc: 7, does: beat.sensitivity}'")
        return told or []

    @model_validator(mode="after")
    def _addresses(self) -> Controls:
        """Each binding is told its address."""
        for address, binding in self.osc.items():
            object.__setattr__(binding, "address", address)
        return self


def check_address(address: str) -> str:
    """`address`. Raises ValueError unless `address` can be bound: it begins with /, has no spaces or pattern signs, and is not ours."""
    if (
        not address.startswith("/")
        or len(address) > 200
        or not address.isprintable()
        or set(address) & set(" #*,?[]{}")
    ):
        raise ValueError(
            f"{address[:60]!r} is no OSC address; one begins with / and has no spaces or any of #*,?[]{{}}"
        )
    if address.startswith("/visualizer/"):
        raise ValueError(f"{address} has its meaning already; addresses under /visualizer/ cannot be bound")
    return address
