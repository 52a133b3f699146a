"""`visualizer midi` as a user types it, with controllers plugged into virtual ports."""

from __future__ import annotations

import itertools
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cli.running import here, refused, visualizer
from tests.fixtures.midi import CONTROL, Midi
from tests.fixtures.pulse import wait_until
from visualizer.control import controls_file as file
from visualizer.control.bindings import Controls, MidiBinding

started: list[subprocess.Popen[str]] = []


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    yield
    for process in started:
        process.kill()
        process.wait(60)
    started.clear()


class Running:
    """A command that waits for controls."""

    def __init__(self, midi: Midi, *words: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "visualizer", "midi", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=midi.env,
        )
        assert self.process.stderr is not None
        started.append(self.process)
        self.waits_for = self.process.stderr.readline()

    def ended(self) -> tuple[int, str, str]:
        out, said = self.process.communicate(timeout=60)
        return self.process.returncode, out, said


@pytest.fixture
def knobs(midi: Midi) -> Any:
    port = midi.plug_in("Knobs")
    yield port
    port.close()


def turn(port: Any, *values: int) -> None:
    for value in values:
        port.send(CONTROL, 7, value)


def test_ports(midi: Midi, knobs: Any) -> None:
    file.change_controls(lambda _: Controls(midi=[MidiBinding(cc=7, port="knobs", does="tap")]))
    run = here("midi", "ports")
    assert (run.returncode, run.stderr) == (0, "") and "Knobs out  (1 bound)\n" in run.stdout
    run = here("midi", "ports", "--json")
    [found] = [one for one in json.loads(run.stdout) if one["short_name"] == "Knobs out"]
    assert set(found) == {"name", "short_name", "n_bindings"} and found["n_bindings"] == 1


def test_learning_a_knob_listing_and_forgetting_it(midi: Midi, knobs: Any) -> None:
    run = Running(midi, "learn", "beat.sensitivity", "--port", "knobs")
    assert run.waits_for == "move a control for beat.sensitivity (Knobs out); Ctrl-C to cancel\n"
    values = itertools.cycle(range(128))
    wait_until(lambda: turn(knobs, next(values)) or run.process.poll() is not None)
    said = f"saved in {file.controls_file()}\n"
    assert run.ended() == (0, "CC 7 channel 1 of Knobs out now sets beat.sensitivity\n", said)
    assert file.load_controls().midi == [MidiBinding(cc=7, channel=1, port="Knobs out", does="beat.sensitivity")]
    assert here("midi", "bindings").stdout == "CC 7 channel 1 of Knobs out  beat.sensitivity\n"
    refused(here("midi", "forget", "beat.decay"), "nothing is bound to 'beat.decay'", "bound are: beat.sensitivity")
    assert here("midi", "forget", "beat.sensitivity").stdout == "one control unbound from beat.sensitivity\n"
    assert file.load_controls() == Controls()
    assert "nothing is bound" in here("midi", "bindings").stdout


def test_learning_called_off_or_in_vain_leaves_the_file_as_it_was(midi: Midi, knobs: Any) -> None:
    file.change_controls(lambda _: Controls(midi=[MidiBinding(cc=7, does="tap")]))
    before = file.controls_file().read_bytes()
    run = Running(midi, "learn", "blackout", "--timeout", "0.2")
    assert run.ended() == (1, "", "visualizer: no control was moved within 0.2 s; nothing was bound\n")
    run = Running(midi, "learn", "blackout")
    run.process.send_signal(signal.SIGINT)
    assert run.ended() == (1, "", "visualizer: cancelled; nothing was bound\n")
    assert file.controls_file().read_bytes() == before


def test_monitor(midi: Midi, knobs: Any) -> None:
    file.change_controls(lambda _: Controls(midi=[MidiBinding(cc=7, does="beat.decay")]))
    run = Running(midi, "monitor")
    assert "listening to Knobs out" in run.waits_for
    lines: list[str] = []
    reading = threading.Thread(target=lambda: lines.extend(run.process.stdout or ()), daemon=True)
    reading.start()
    wait_until(lambda: turn(knobs, 5) or lines, "no message has come")  # JACK may let the first ones go
    run.process.send_signal(signal.SIGINT)
    assert run.process.wait(60) == 0
    reading.join(60)
    assert set(lines) == {"CC 7 channel 1 = 5 of Knobs out  ->  beat.decay\n"}
    assert run.process.stderr is not None and run.process.stderr.read() == ""


def test_wrong_use(midi: Midi) -> None:
    refused(here("midi", "learn", "beat.sensitivty"), "did you mean 'beat.sensitivity'?")
    refused(here("midi", "learn", "tap", "--timeout", "0"), "--timeout 0 is out of range")
    refused(here("midi", "monitor", "--port", "theremin"), "no MIDI input matches 'theremin'", "midi ports")


def test_where_there_is_no_midi() -> None:
    run = visualizer("midi", "ports", VISUALIZER_MIDI_API="jack", JACK_DEFAULT_SERVER="nobody")
    refused(run, "MIDI cannot be used through jack: ", status=1)
