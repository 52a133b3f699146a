"""MIDI from the terminal: which ports there are, what they send, and what is bound."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from dataclasses import dataclass

from ..control import controls_file as file
from ..control.bindings import Controls, targets
from ..control.learning import Learner, sentence
from ..control.mapping import MidiMapping, Moved
from ..control.midi import MidiInput, check_port, chosen, port_names, short_name
from ..control.targets import check_target
from ..errors import BadInput, DeviceError, VisualizerError, nearest

# So often a wait looks whether it was called off, seconds.
WAIT_S = 0.2
# So long at most until all inputs are open, seconds.
LOOKED_S = 10.0
# Movements that wait to be told; a terminal is slow.
MOST = 1000


@dataclass(frozen=True)
class Port:
    """A MIDI input. name: as the system calls it; short_name: what it keeps being called. n_bindings: what controls.yaml has for it."""

    name: str
    short_name: str
    n_bindings: int


@dataclass(frozen=True)
class Bound:
    """A line of controls.yaml. control: "CC 7 channel 1 of X" or an OSC address; does: its target; more: range and the like."""

    control: str
    does: str
    more: str


def ports() -> list[Port]:
    """Every MIDI input. Raises VisualizerError where supriya-midi or MIDI is missing, BadInput for faults in controls.yaml."""
    bindings = file.load_controls().midi
    return [
        Port(name, short_name(name), sum(one.port.lower() in short_name(name).lower() for one in bindings))
        for name in port_names()
    ]


def bindings() -> list[Bound]:
    """What is bound, as controls.yaml has it. Raises BadInput for faults in it."""
    controls = file.load_controls()
    found = []
    for binding in (*controls.midi, *controls.osc.values()):
        told = binding.model_dump(exclude_defaults=True)
        more = [f"{key} {told[key]}" for key in ("low", "high", "value", "full", "relative", "pickup") if key in told]
        more += [key for key in ("hold", "fine") if told.get(key)]
        found.append(Bound(str(binding), binding.does, "  ".join(more)))
    return found


def where() -> str:
    """The file that the bindings are kept in."""
    return str(file.controls_file())


def forget(target: str) -> int:
    """Unbind everything that does `target`; how many controls those were. Raises BadInput, naming the nearest, if none did."""
    count = 0

    def change(controls: Controls) -> Controls:
        nonlocal count
        does = [one.does for one in (*controls.midi, *controls.osc.values())]
        count = does.count(target)
        if count == 0:
            bound = sorted(set(does))
            there = f"; bound are: {', '.join(bound)}" if bound else "; nothing is"
            raise BadInput(f"nothing is bound to {target[:60]!r}{nearest(target, bound)}{there}")
        return file.without(controls, target)

    file.change_controls(change)
    return count


class Listening:
    """The MIDI inputs, listened to. Use as a context. wanted: part of a port's name, "" for all. names: those that are there."""

    def __init__(self, wanted: str = "") -> None:
        """Raises as `control.midi.check_port`, and DeviceError if there is no input at all."""
        check_port(wanted)
        self.names = [short_name(name) for name in chosen(port_names(), wanted)]
        if not self.names:
            raise DeviceError("there is no MIDI input; is a controller plugged in? `visualizer midi ports` lists them")
        self._moved: queue.Queue[Moved] = queue.Queue(MOST)
        self._input = MidiInput(self._hear, wanted=wanted)
        if not self._input.looked.wait(LOOKED_S):
            self._input.close()
            raise DeviceError(f"the MIDI inputs could not be opened within {LOOKED_S:g} s; does another program hang?")

    def __enter__(self) -> Listening:
        return self

    def __exit__(self, *_: object) -> None:
        self._input.close()

    @property
    def n_bad(self) -> int:
        """Messages that could not be used."""
        return self._input.n_bad

    def movements(self) -> Iterator[Moved | None]:
        """Each movement; None now and then, while nothing moves."""
        while True:
            try:
                yield self._moved.get(timeout=WAIT_S)
            except queue.Empty:
                yield None

    def news(self) -> str | None:
        """A port that came or went, once."""
        return self._input.news()

    def _hear(self, moved: Moved) -> None:
        if not self._moved.full():
            self._moved.put_nowait(moved)


def check_learnable(target: str) -> str:
    """`target`, if there is such a thing and controls.yaml can be read. Raises BadInput, naming the nearest."""
    file.load_controls()
    return check_target(target, targets())


def learn(target: str, listening: Listening, *, timeout_s: float) -> str:
    """Wait for a control to be moved, and bind it to a target; what was bound, for reading.

    Raises BadInput for a target that there is not, VisualizerError if nothing was moved in timeout_s seconds (controls.yaml
    is then as it was) or it cannot be written.
    """
    learner = Learner()
    learner.target = check_learnable(target)
    n_waits = 0
    for moved in listening.movements():
        if moved is None:
            n_waits += 1
            if n_waits * WAIT_S >= timeout_s:
                raise VisualizerError(f"nothing was moved in {timeout_s:g} s; nothing is bound")
        elif (binding := learner.midi(moved)) is not None:
            file.learn(binding)
            return sentence(binding)
    raise AssertionError("movements never end")


def monitor(listening: Listening) -> Iterator[str]:
    """A line for each movement, with what it is bound to; and for ports that come and go."""
    mapping = MidiMapping(file.load_controls().midi)
    for moved in listening.movements():
        while news := listening.news():
            yield news
        if moved is not None:
            does = mapping.targets(moved)
            yield f"{moved}{'  ->  ' if does else ''}{', '.join(does)}"
