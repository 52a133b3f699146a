"""MIDI, OSC and Link as a show uses them: changes, learning, a file that changes, and their reports."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pythonosc.udp_client import SimpleUDPClient

from tests.fixtures.midi import CONTROL, NOTE_ON, Midi
from tests.fixtures.pulse import wait_until
from visualizer.control import controls_file as file
from visualizer.control.bindings import Controls, MidiBinding, OscBinding
from visualizer.control.commands import Act, Set, ShowPreset
from visualizer.control.controllers import BoundControls, MidiController, OscController, open_controllers
from visualizer.control.snapshot import Snapshot
from visualizer.errors import BadInput, VisualizerError

NOW = Snapshot(0.0, "Club", "club", ("calm", "club"), values={"beat.decay": 0.5, "beat.sensitivity": 1.0})


@pytest.fixture
def opened() -> Iterator[list]:
    """Controllers to be closed at the end."""
    found: list = []
    yield found
    for one in found:
        one.close()


def commands(controller, n: int = 1) -> list:
    """The next so many commands."""
    found: list = []

    def came() -> bool:
        found.extend(controller.poll())
        return len(found) >= n

    wait_until(came)
    return found


def told(controller) -> str:
    return wait_until(controller.news)


def test_none_is_asked_for() -> None:
    assert open_controllers(None, None, False) == []


def test_osc_as_a_show_has_it(opened: list) -> None:
    [osc] = open_controllers(None, "0", False)
    opened.append(osc)
    osc.update(NOW)
    client = SimpleUDPClient("127.0.0.1", osc.port)
    client.send_message("/visualizer/preset", 1)
    client.send_message("/visualizer/set/beat/decay", 0.25)
    client.send_message("/visualizer/tap", [])
    assert commands(osc, 3) == [ShowPreset("calm"), Set("beat.decay", 0.25), Act("tap")]
    client.send_message("/visualizer/preset", 3)
    for value in (None, b"blob", [1], "on", float("nan")):
        client.send_message("/visualizer/blackout", [value])
    wait_until(lambda: osc.status() == [f"osc\t127.0.0.1:{osc.port}  n 9  bad 6"])
    assert osc.poll() == []


def test_osc_opened_to_the_network_names_who_may_send(opened: list) -> None:
    lines: list[str] = []
    opened += open_controllers(None, "0.0.0.0:0", False, say=lines.append)
    opened += open_controllers(None, "0.0.0.0:0", False, osc_allow="192.168.7.0/24,10.0.0.5", say=lines.append)
    opened += open_controllers(None, "0", False, say=lines.append)
    [private, named] = lines
    assert private.endswith("from private networks only; --osc-allow names the senders")
    assert named.endswith("from 192.168.7.0/24, 10.0.0.5 and this machine")
    client = SimpleUDPClient("127.0.0.1", opened[1].port)
    client.send_message("/visualizer/action/quit", [])
    client.send_message("/visualizer/action/leave_fullscreen", [])
    client.send_message("/visualizer/tap", [])
    assert commands(opened[1]) == [Act("tap")]
    assert opened[1].status() == [f"osc\t0.0.0.0:{opened[1].port}  n 3  bad 2"]


def test_an_own_address_may_end_the_show(opened: list) -> None:
    file.learn(OscBinding(address="/my/end", does="quit"))
    [osc] = open_controllers(None, "0", False)
    opened.append(osc)
    SimpleUDPClient("127.0.0.1", osc.port).send_message("/my/end", 1.0)
    assert commands(osc) == [Act("quit")]


def test_senders_without_osc_and_invalid_senders_are_refused() -> None:
    with pytest.raises(BadInput, match="--osc-allow needs --osc"):
        open_controllers("", None, False, osc_allow="10.0.0.5")
    with pytest.raises(BadInput, match="'stage' is no list of addresses"):
        open_controllers(None, "0", False, osc_allow="stage")


def test_learning_by_osc_is_saved_and_reported(opened: list) -> None:
    osc = OscController(BoundControls(), ("127.0.0.1", 0))
    opened.append(osc)
    client = SimpleUDPClient("127.0.0.1", osc.port)
    with pytest.raises(BadInput, match="did you mean 'beat.decay'"):
        osc.learn("beat.dekay")
    osc.learn("beat.decay")
    assert osc.learning == "beat.decay"
    client.send_message("/1/fader1", 0.25)
    assert told(osc) == "/1/fader1 now sets beat.decay"
    assert osc.learning == "" and osc.bindings == {"beat.decay": "/1/fader1"} and osc.poll() == []
    client.send_message("/1/fader1", 1.0)
    assert commands(osc) == [Set("beat.decay", pytest.approx(0.999))]
    wait_until(lambda: file.load_controls().osc)
    osc.learn("tap")
    osc.learn("")
    client.send_message("/1/fader2", 1.0)
    wait_until(lambda: "bad 1" in osc.status()[0], what="called off, it means nothing")
    assert set(file.load_controls().osc) == {"/1/fader1"}


def test_a_binding_that_cannot_be_saved_holds_until_the_show_ends(opened: list) -> None:
    osc = OscController(BoundControls(), ("127.0.0.1", 0))
    opened.append(osc)
    file.controls_file().parent.write_text("a file where the folder should be")
    osc.learn("tap")
    SimpleUDPClient("127.0.0.1", osc.port).send_message("/1/x", 1.0)
    assert told(osc) == "/1/x now does tap"
    assert "cannot be written" in (line := told(osc)) and line.endswith("; the binding holds until the show ends")
    assert osc.bindings == {"tap": "/1/x"}


def test_midi_learns_and_picks_up_and_survives_unplugging(midi: Midi, opened: list) -> None:
    knobs = midi.plug_in("Knobs")
    [one] = open_controllers("knobs", None, False)
    assert isinstance(one, MidiController)
    opened.append(one)
    one.update(NOW)
    wait_until(lambda: one.status()[0].startswith("midi\tKnobs out  n 0"))
    one.learn("beat.decay")
    for value in (10, 11):
        knobs.send(CONTROL, 7, value)
    assert told(one) == "CC 7 channel 1 of Knobs out now sets beat.decay"
    assert one.bindings == {"beat.decay": "CC 7 channel 1 of Knobs out"} and one.learning == ""
    wait_until(lambda: file.load_controls().midi == [MidiBinding(cc=7, channel=1, port="Knobs out", does="beat.decay")])
    for value in (20, 30, 120):
        knobs.send(CONTROL, 7, value)
    assert commands(one) == [Set("beat.decay", pytest.approx(0.1 + 0.899 * 120 / 127))], (
        "nothing before it passed the value"
    )
    knobs.close()
    assert told(one) == "MIDI: Knobs out is gone"


def test_a_pad_held_while_its_controller_is_unplugged_is_released(midi: Midi, opened: list) -> None:
    file.controls_file().parent.mkdir()
    file.controls_file().write_text("midi: [{note: 36, does: blackout, hold: true}]\n")
    pads = midi.plug_in("Pads")
    [one] = open_controllers("pads", None, False)
    opened.append(one)
    wait_until(lambda: one.status()[0].startswith("midi\tPads out"))
    pads.send(NOTE_ON, 36, 100)
    assert commands(one) == [Set("blackout", 1.0)]
    pads.close()
    assert commands(one) == [Set("blackout", 0.0)]
    assert told(one) == "MIDI: Pads out is gone"


def test_what_is_held_is_released_when_its_binding_goes(opened: list) -> None:
    bound = Controls.model_validate({"osc": {"/1/pad": {"does": "blackout", "hold": True}}})
    file.change_controls(lambda _: bound)
    controls = BoundControls()
    osc = OscController(controls, ("127.0.0.1", 0))
    opened.append(osc)
    client = SimpleUDPClient("127.0.0.1", osc.port)
    client.send_message("/1/pad", 1.0)
    assert commands(osc) == [Set("blackout", 1.0)]
    file.change_controls(lambda _: file.without(bound, "blackout"))
    controls.reload()
    assert commands(osc) == [Set("blackout", 0.0)]


def test_the_file_is_read_again_when_it_changes(opened: list) -> None:
    controls = BoundControls()
    file.change_controls(lambda _: Controls(midi=[MidiBinding(cc=1, does="tap")]))
    controls.reload()
    assert controls.bindings == {"tap": "CC 1"}
    file.controls_file().write_text("midi:\n- does: tap\n")
    controls.reload()
    assert ":2: midi.0" in controls.news() and controls.news() is None and controls.bindings == {"tap": "CC 1"}
    controls.reload()
    assert controls.news() is None, "said once"


def test_errors_in_the_file_are_reported_before_the_show(home) -> None:
    file.controls_file().parent.mkdir()
    file.controls_file().write_text("midi:\n- does: tap\n")
    with pytest.raises(BadInput, match=":2: midi.0"):
        open_controllers(None, "0", False)


def test_a_port_in_use_and_a_missing_extra_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        with pytest.raises(VisualizerError, match="cannot listen for OSC at 127.0.0.1"):
            open_controllers(None, str(other.getsockname()[1]), False)
    for package, midi, osc, link in (
        ("supriya_midi", "", None, False),
        ("pythonosc", None, "0", False),
        ("aalink", None, None, True),
    ):
        for name in [name for name in sys.modules if name == package or name.startswith(f"{package}.")]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.setitem(sys.modules, package, None)
        with pytest.raises(VisualizerError, match="pip install 'kickdream"):
            open_controllers(midi, osc, link)


@pytest.mark.skipif(Path("/dev/snd/seq").exists(), reason="this machine has MIDI")
def test_without_midi_a_show_goes_on_and_reports_it(opened: list) -> None:
    [one] = open_controllers("", None, False)
    opened.append(one)
    assert "there is no MIDI on this machine" in told(one)
    assert one.status() == ["midi\tthere is no MIDI on this machine  n 0  bad 0"] and one.poll() == []


def test_link_reports_its_peers(alone_in_link: None, opened: list) -> None:
    pytest.importorskip("aalink")
    [one] = open_controllers(None, None, True)
    opened.append(one)
    [line] = one.status()
    assert line == "link\tno peers" or "BPM" in line, "somebody else on this network may be there"
