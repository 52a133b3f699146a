"""Bindings: which control does what. One line of controls.yaml as a value, checked against its target."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from ..errors import BadInput, nearest
from .actions import find_actions
from .parameters import LOOK, Parameter, base_parameters
from .targets import PRESET, check_target

Relative = Literal["twos", "offset", "sign"]


def targets() -> list[str]:
    """Everything that a control can be bound to, but for "preset:NAME" and "look.NAME"."""
    return list(dict.fromkeys([*base_parameters(), *find_actions(), PRESET]))


class Binding(BaseModel):
    """What a control does.

    does: its target: an action, a parameter, "preset:NAME", or "preset" (the preset of the number sent). low, high:
    the part of the parameter's range that a knob covers, in the parameter's unit; high below low reverses the knob.
    value: what a press sets the parameter to. hold: on while held, where a press otherwise toggles. pickup: a knob
    has no effect until it passes the value.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    does: str = Field(description="an action, a parameter, preset:NAME or preset")
    low: float | None = Field(default=None, description="lower end of a knob, in the parameter's unit")
    high: float | None = Field(default=None, description="upper end of a knob, in the parameter's unit")
    value: float | str | None = Field(default=None, description="what a press sets the parameter to")
    hold: bool = Field(default=False, description="on while held")
    pickup: bool | None = Field(default=None, description="whether a knob has no effect until it passes the value")

    @model_validator(mode="before")
    @classmethod
    def _preset_by_name(cls, data: Any) -> Any:
        """`preset: club` is `does: preset:club`."""
        if not isinstance(data, dict | BaseModel):
            raise ValueError("needs a section, like {cc: 7, does: beat.sensitivity}")
        if isinstance(data, dict) and PRESET in data:
            if "does" in data or not isinstance(data[PRESET], str) or not data[PRESET].strip():
                raise ValueError("preset needs the name of a preset, and replaces does")
            data = {**{key: data[key] for key in data if key != PRESET}, "does": f"{PRESET}:{data[PRESET]}"}
        return data

    @field_validator("does")
    @classmethod
    def _target_exists(cls, does: str) -> str:
        try:
            return check_target(does, targets())
        except BadInput as fault:
            raise ValueError(str(fault)) from None

    @model_validator(mode="after")
    def _values_fit(self) -> Binding:
        if self.is_of_look:  # what a look declares is known only while it is shown
            return self
        one = self.parameter
        is_number = one is not None and one.kind in ("number", "whole")
        for key in ("low", "high"):
            if getattr(self, key) is not None and not is_number:
                raise ValueError(f"{key} needs a parameter that is a number, and {self.does} is none")
        if self.value is not None and one is None:
            raise ValueError(f"value needs a parameter, and {self.does} is none")
        if self.hold and (one is None or one.kind != "switch"):
            raise ValueError(f"hold needs a switch: {', '.join(base_parameters().switches)}")
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
        """The parameter that it sets, of those that every show has; None for an action, a preset or a look's
        parameter.
        """
        return base_parameters().get(self.does)

    @property
    def is_of_look(self) -> bool:
        """Whether it sets a parameter that only some looks have."""
        return self.does.startswith(f"{LOOK}.")

    @property
    def is_knob(self) -> bool:
        """Whether it follows the position of the control, and not whether it is pressed."""
        if self.is_of_look:
            return self.value is None and not self.hold
        return self.parameter is not None and self.parameter.kind != "switch" and self.value is None

    def shares(self, one: Parameter) -> tuple[float, float]:
        """The ends of a knob as positions 0..1 on the slider of the parameter."""
        low = 0.0 if self.low is None else one.share_of(self.low)
        return low, 1.0 if self.high is None else one.share_of(self.high)


class MidiBinding(Binding):
    """What a control on a MIDI port does: a control change, a note, a program change or the pitch bend, exactly one
    of them.

    channel 1..16, None: any; port: part of a port's name, "": any. fine: the control change is the upper half of 14
    bits, number + 32 the lower. relative: how a control change encodes steps (two's complement; offset from 64; with
    a sign), None: it sends a position.
    """

    cc: int | None = Field(default=None, ge=0, le=127, description="number of a control change")
    note: int | None = Field(default=None, ge=0, le=127, description="number of a note")
    program: int | Literal["any"] | None = Field(default=None, description="0 .. 127, or any")
    bend: bool = Field(default=False, description="the pitch bend wheel")
    channel: int | None = Field(default=None, ge=1, le=16, description="any, unless named")
    port: str = Field(default="", max_length=200, description="part of a port's name; any, unless named")
    fine: bool = Field(default=False, description="14 bits: this number and the one 32 higher")
    relative: Relative | None = Field(default=None, description="how an endless knob encodes its steps")

    @model_validator(mode="after")
    def _one_control(self) -> MidiBinding:
        named = [self.cc is not None, self.note is not None, self.program is not None, self.bend]
        if sum(named) != 1:
            raise ValueError("needs one of: cc: NUMBER, note: NUMBER, program: NUMBER or any, bend: true")
        if isinstance(self.program, int) and not 0 <= self.program <= 127:
            raise ValueError(f"program {self.program} is out of range; allowed: 0 .. 127, or any")
        if self.fine and (self.cc is None or self.cc > 31):
            raise ValueError("fine is for cc 0 .. 31, whose lower half is 32 .. 63")
        if self.relative and (
            self.cc is None or self.fine or not (self.parameter or self.is_of_look) or self.value is not None
        ):
            raise ValueError("relative needs a cc that sets a parameter")
        if self.hold and self.program is not None:
            raise ValueError("hold needs a control that can be released, and a program change cannot")
        if self.does == PRESET and self.program != "any":
            raise ValueError("preset without a name is for program: any, whose number is the preset's")
        return self

    @property
    def control(self) -> tuple[str, int | None]:
        """Kind ("cc", "note", "program", "bend") and number of the control, None: any."""
        if self.cc is not None:
            return "cc", self.cc
        if self.note is not None:
            return "note", self.note
        if self.program is not None:
            return "program", None if self.program == "any" else self.program
        return "bend", None

    def shares_control(self, other: MidiBinding) -> bool:
        """Whether one movement could be of both."""
        own, its = self.port.lower(), other.port.lower()
        return (
            self.control == other.control
            and (self.channel is None or other.channel is None or self.channel == other.channel)
            and (own in its or its in own)
        )

    def __str__(self) -> str:
        """For people: "CC 7 channel 1 of nanoKONTROL2"."""
        kind, number = self.control
        words = [{"cc": "CC", "bend": "pitch bend"}.get(kind, kind)]
        words += [str(number)] if number is not None else ["any"] if kind == "program" else []
        words += [f"channel {self.channel}"] if self.channel is not None else []
        words += [f"of {self.port}"] if self.port else []
        return " ".join(words)


class OscBinding(Binding):
    """What an OSC address does. full: the number that is sent at the upper end; 0 is sent at the lower."""

    address: str = Field(default="", description="the address")
    full: float = Field(default=1.0, gt=0, le=1e9, description="the number at the upper end")

    @model_validator(mode="before")
    @classmethod
    def _target_alone(cls, data: Any) -> Any:
        """`/1/fader1: beat.decay`, or a section."""
        known = [*(key for key in cls.model_fields if key != "address"), PRESET]
        if isinstance(data, str):
            return {"does": data}
        if not isinstance(data, dict):
            raise ValueError(f"needs what it does, like beat.decay, or a section with the keys {', '.join(known)}")
        for key in data:
            if key not in (*known, "address"):
                raise ValueError(f"unknown key {key!r}{nearest(key, known)}; allowed: {', '.join(known)}")
        return data

    def __str__(self) -> str:
        return self.address


class Controls(BaseModel):
    """controls.yaml: what the user bound."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    midi: list[MidiBinding] = Field(default_factory=list, max_length=2000)
    osc: dict[Annotated[str, AfterValidator(lambda address: check_address(address))], OscBinding] = Field(
        default_factory=dict, max_length=2000
    )

    @field_validator("midi", mode="before")
    @classmethod
    def _may_be_empty(cls, data: Any) -> Any:
        if not isinstance(data, list | None):
            raise ValueError("needs a list, with lines like '- {cc: 7, does: beat.sensitivity}'")
        return data or []

    @model_validator(mode="after")
    def _addresses(self) -> Controls:
        """Put its address into each binding."""
        for address, binding in self.osc.items():
            object.__setattr__(binding, "address", address)
        return self


def check_address(address: str) -> str:
    """`address`. Raises ValueError unless it can be bound: it begins with /, has no spaces or pattern characters, and
    is not below /visualizer/.
    """
    if (
        not address.startswith("/")
        or len(address) > 200
        or not address.isprintable()
        or set(address) & set(" #*,?[]{}")
    ):
        raise ValueError(
            f"{address[:60]!r} is no OSC address; it must begin with / and have no spaces and none of #*,?[]{{}}"
        )
    if address.startswith("/visualizer/"):
        raise ValueError(f"{address} has a meaning already; addresses under /visualizer/ cannot be bound")
    return address
