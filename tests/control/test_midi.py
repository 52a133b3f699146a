"""MIDI through real virtual ports: read, counted, flooded, unplugged and back; and without MIDI."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.fixtures.midi import CLOCK, CONTROL, NOTE_OFF, NOTE_ON, PROGRAM, Midi
from tests.fixtures.pulse import wait_until
from visualizer.control.backlog import Backlog
from visualizer.control.bindings import MidiBinding
from visualizer.control.bound_control import ShowInfo
from visualizer.control.commands import Act, Set
from visualizer.control.mapping import MidiMapping, Moved
from visualizer.control.midi import API_VARIABLE, MidiInput, check_port, chosen, moved_of, port_names, short_name
from visualizer.errors import DeviceError, UnknownDevice, VisualizerError


@contextmanager
def listening(on_moved, wanted: str = "") -> Iterator[MidiInput]:
    one = MidiInput(on_moved, wanted=wanted, look_s=0.1)
    try:
        yield one
    finally:
        one.close()


def test_movements_are_read_and_bad_messages_are_counted(midi: Midi) -> None:
    heard: list[Moved] = []
    knobs = midi.plug_in("Knobs")
    with listening(heard.append) as one:
        wait_until(lambda: one.names == ["Knobs out"])
        knobs.send(CONTROL, 7, 64)
        knobs.send(CLOCK)
        knobs.send(0xF0, 1, 2, 3, 0xF7)
        knobs.send(CONTROL, 1, 200)  # no value has 8 bits
        knobs.send(NOTE_ON | 15, 36, 1)
        wait_until(lambda: one.n_messages == 4)
        assert heard == [Moved("cc", 7, 1, 64, "Knobs out"), Moved("note", 36, 16, 1, "Knobs out")]
        assert one.n_bad == 2
        knobs.close()
        assert wait_until(one.news) == "MIDI: Knobs out is gone"
        knobs = midi.plug_in("Knobs")
        assert wait_until(one.news) == "MIDI: Knobs out is back" and one.news() is None
        knobs.send(PROGRAM, 3)
        wait_until(lambda: len(heard) == 3)
    knobs.close()


def test_a_flood_leaves_one_change_of_a_parameter_and_presses_come_through(midi: Midi) -> None:
    backlog = Backlog()
    mapping = MidiMapping([MidiBinding(cc=7, does="beat.decay"), MidiBinding(note=1, does="tap")])
    pads, other = midi.plug_in("Pads"), midi.plug_in("Other")
    heard: list[Moved] = []
    presses = threading.Event()

    def hear(moved: Moved) -> None:
        heard.append(moved)
        backlog.put(mapping.changes(moved, ShowInfo(), 0.0))
        if moved.kind == "note":
            presses.set()

    with listening(hear, "pads") as one:
        wait_until(lambda: one.names == ["Pads out"])
        for count in range(1000):  # a JACK port holds some hundreds at once, and throws the rest away
            pads.send(CONTROL, 7, count % 128)
        wait_until(lambda: one.n_messages > 100)

        def pressed() -> bool:
            pads.send(NOTE_ON, 1, 9)
            return presses.is_set()

        wait_until(pressed)
        commands = backlog.take()
        assert (
            [type(command) for command in commands].count(Set) == 1
            and Act("tap") in commands
            and backlog.n_dropped == 0
        )
        other.send(NOTE_ON, 99, 9)

        def last_one() -> bool:
            pads.send(NOTE_ON, 2, 9)
            return any(moved.kind == "note" and moved.number == 2 for moved in heard)

        wait_until(last_one)
    assert {moved.port for moved in heard} == {"Pads out"}, "only the port asked for is listened to"
    pads.close()
    other.close()


def test_ports_by_name(midi: Midi) -> None:
    pads = midi.plug_in("Pads")
    wait_until(lambda: any("Pads" in name for name in port_names()))
    check_port("")
    check_port("pads")
    with pytest.raises(
        UnknownDevice, match="no MIDI input matches 'Padz out' .did you mean 'Pads out'.*visualizer midi ports"
    ):
        check_port("Padz out")
    pads.close()


def test_what_messages_mean() -> None:
    told = [
        ([NOTE_OFF, 5, 64], Moved("note", 5, 1, 0, "X")),
        ([NOTE_ON, 5, 0], Moved("note", 5, 1, 0, "X")),
        ([0xE2, 0, 0], Moved("bend", 0, 3, 0, "X")),
        ([0xE0, 127, 127], Moved("bend", 0, 1, 16383, "X")),
        ([0xE0, 0, 64], Moved("bend", 0, 1, 8192, "X")),
        ([0xD0, 5], None),
        ([0xFE], None),
    ]
    assert [moved_of(message, "X") for message, _ in told] == [moved for _, moved in told]
    assert Moved("bend", 0, 1, 16383, "X").share == Moved("cc", 1, 1, 127, "X").share == 1.0
    assert str(Moved("cc", 7, 1, 64, "X")) == "CC 7 channel 1 = 64 of X"


def test_names() -> None:
    assert short_name("nanoKONTROL2:nanoKONTROL2 MIDI 1 20:0") == "nanoKONTROL2 MIDI 1"
    assert short_name("system:midi_capture_1") == "system:midi_capture_1"
    assert short_name("Launchpad Mini") == "Launchpad Mini"
    names = ["Midi Through:Midi Through Port-0 14:0", "nano:nano MIDI 1 20:0", "nano:nano MIDI 10 21:0"]
    assert chosen(names, "") == names[1:]
    assert chosen(names, "through") == names[:1]
    assert chosen(names, "nano MIDI 1") == names[1:2], "the whole name before a part of it"
    assert chosen(names, "NANO") == names[1:]


@pytest.mark.parametrize(
    ("api", "why"),
    [
        ("", "there is no MIDI on this machine"),
        ("alsa", "there is no MIDI on this machine"),
        ("jack", "MIDI cannot be used through jack: "),
        ("nonsense", "VISUALIZER_MIDI_API=nonsense: unknown MIDI system; known: "),
    ],
)
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux has these")
@pytest.mark.skipif(Path("/dev/snd/seq").exists(), reason="this machine has MIDI")
def test_without_midi_one_line_reports_it_and_nothing_is_printed(
    api: str, why: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("JACK_DEFAULT_SERVER", "nobody")
    monkeypatch.setenv(API_VARIABLE, api)
    with pytest.raises(DeviceError) as raised:
        port_names()
    assert why in str(raised.value) and "\n" not in str(raised.value)
    with listening(lambda _: None) as one:
        wait_until(one.looked.is_set)
        wait_until(lambda: one.news() == str(raised.value))
    assert capfd.readouterr() == ("", "")


def test_without_the_extra_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "supriya_midi", None)
    with pytest.raises(VisualizerError, match=r"pip install 'kickdream\[midi\]'"):
        MidiInput(lambda _: None)


# seen in a process of its own: JACK's library brings a process down that asks it for too much after its server has died
_SERVER_DIES = """
import sys, time
from visualizer.control.midi import MidiInput
one = MidiInput(lambda moved: None, look_s=0.05)
while not one.names: time.sleep(0.01)
print("open", flush=True)
sys.stdin.readline()
for _ in range(5):
    one.looked.clear()
    one.looked.wait(60)
one.close()
print("closed", flush=True)
"""


def test_a_sound_server_that_dies_does_not_end_the_process(own_jack: Midi) -> None:
    pads = subprocess.Popen(
        [sys.executable, "-c", "from tests.fixtures.midi import Controller; p = Controller('Pads'); input()"],
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=own_jack.env,
    )
    show = subprocess.Popen(
        [sys.executable, "-c", _SERVER_DIES], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=own_jack.env
    )
    assert show.stdout is not None and show.stdout.readline() == "open\n"
    own_jack.kill()
    out, _ = show.communicate("\n", timeout=120)
    pads.kill()
    pads.communicate()
    assert (out, show.returncode) == ("closed\n", 0)
