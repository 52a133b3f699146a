"""MIDI in the terminal: list the ports, show their messages, bind controls and list the bindings."""

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

WAIT_S = 0.2  # longest wait for a movement, so that Ctrl-C and a timeout are noticed
OPEN_S = 10.0  # longest time to open all inputs
MAX_QUEUED = 1000  # movements that wait to be printed; a terminal is slow


@dataclass(frozen=True)
class Port:
    """A MIDI input. name: the system's; short_name: without parts that change; n_bindings: its bindings in
    controls.yaml.
    """

    name: str
    short_name: str
    n_bindings: int


@dataclass(frozen=True)
class ListedBinding:
    """A binding of controls.yaml. control: "CC 7 channel 1 of X" or an OSC address; does: its target; more: its range
    and so on.
    """

    control: str
    does: str
    more: str


def ports() -> list[Port]:
    """List the MIDI inputs. Raises VisualizerError if supriya-midi or MIDI is missing, BadInput for faults in
    controls.yaml.
    """
    bindings = file.load_controls().midi
    return [
        Port(name, short_name(name), sum(one.port.lower() in short_name(name).lower() for one in bindings))
        for name in port_names()
    ]


def bindings() -> list[ListedBinding]:
    """List the bindings of controls.yaml. Raises BadInput for faults in it."""
    controls = file.load_controls()
    found = []
    for binding in (*controls.midi, *controls.osc.values()):
        fields = binding.model_dump(exclude_defaults=True)
        more = [
            f"{key} {fields[key]}" for key in ("low", "high", "value", "full", "relative", "pickup") if key in fields
        ]
        more += [key for key in ("hold", "fine") if fields.get(key)]
        found.append(ListedBinding(str(binding), binding.does, "  ".join(more)))
    return found


def where() -> str:
    """The file of the bindings."""
    return str(file.controls_file())


def forget(target: str) -> int:
    """Remove all bindings of `target`; returns how many there were. Raises BadInput, naming the nearest target, if
    there was none.
    """
    count = 0

    def change(controls: Controls) -> Controls:
        nonlocal count
        does = [one.does for one in (*controls.midi, *controls.osc.values())]
        count = does.count(target)
        if count == 0:
            bound = sorted(set(does))
            others = f"; bound are: {', '.join(bound)}" if bound else "; there are no bindings"
            raise BadInput(f"nothing is bound to {target[:60]!r}{nearest(target, bound)}{others}")
        return file.without(controls, target)

    file.change_controls(change)
    return count


class MidiMonitor:
    """Receives from the MIDI inputs. Use as a context. wanted: part of a port's name, "" for all; names: of the inputs
    opened.
    """

    def __init__(self, wanted: str = "") -> None:
        """Raises like `control.midi.check_port`, and DeviceError if there is no input."""
        check_port(wanted)
        self.names = [short_name(name) for name in chosen(port_names(), wanted)]
        if not self.names:
            raise DeviceError("there is no MIDI input; connect a controller; `visualizer midi ports` lists them")
        self._moved: queue.Queue[Moved] = queue.Queue(MAX_QUEUED)
        self._input = MidiInput(self._on_moved, wanted=wanted)
        if not self._input.looked.wait(OPEN_S):
            self._input.close()
            raise DeviceError(
                f"the MIDI inputs could not be opened within {OPEN_S:g} s; close other programs that use MIDI"
            )

    def __enter__(self) -> MidiMonitor:
        return self

    def __exit__(self, *_: object) -> None:
        self._input.close()

    @property
    def n_bad(self) -> int:
        """Number of messages that could not be decoded."""
        return self._input.n_bad

    def movements(self) -> Iterator[Moved | None]:
        """Yield each movement, and None every WAIT_S while nothing moves."""
        while True:
            try:
                yield self._moved.get(timeout=WAIT_S)
            except queue.Empty:
                yield None

    def news(self) -> str | None:
        """A message, once, when a port was connected or disconnected."""
        return self._input.news()

    def _on_moved(self, moved: Moved) -> None:
        if not self._moved.full():
            self._moved.put_nowait(moved)


def check_learnable(target: str) -> str:
    """Check that a target exists and controls.yaml can be read; returns it. Raises BadInput, naming the nearest
    target.
    """
    file.load_controls()
    return check_target(target, targets())


def learn(target: str, inputs: MidiMonitor, *, timeout_s: float) -> str:
    """Bind the next control that is moved to a target; returns a sentence about it.

    Raises BadInput for an unknown target, VisualizerError if nothing was moved within timeout_s seconds (controls.yaml
    is then unchanged) or the file cannot be written.
    """
    learner = Learner()
    learner.target = check_learnable(target)
    n_waits = 0
    for moved in inputs.movements():
        if moved is None:
            n_waits += 1
            if n_waits * WAIT_S >= timeout_s:
                raise VisualizerError(f"no control was moved within {timeout_s:g} s; nothing was bound")
        elif (binding := learner.midi(moved)) is not None:
            file.learn(binding)
            return sentence(binding)
    raise AssertionError("movements never end")


def monitor(inputs: MidiMonitor) -> Iterator[str]:
    """Yield a line for each movement with its targets, and for each port that is connected or disconnected."""
    mapping = MidiMapping(file.load_controls().midi)
    for moved in inputs.movements():
        while news := inputs.news():
            yield news
        if moved is not None:
            targets = mapping.targets(moved)
            yield f"{moved}{'  ->  ' if targets else ''}{', '.join(targets)}"
