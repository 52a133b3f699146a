"""`visualizer devices` as a user types it: the lists, the JSON, and the meter on a terminal."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.running import here, refused, visualizer
from tests.fixtures.pulse import Pulse, wait_until
from visualizer.audio import portaudio
from visualizer.cli.options import parse_channels
from visualizer.cli.run import run as run_here
from visualizer.errors import BadInput
from visualizer.files.remembered import remember_input, remember_output


def test_inputs_and_outputs_with_all_that_is_known(pulse: Pulse) -> None:
    remember_input(Pulse.source)
    remember_output(Pulse.sink)
    run = visualizer("devices")
    assert run.returncode == 0 and run.stderr == ""
    inputs, outputs = run.stdout.split("\n\n")[:2]
    for word in ("input", " ch ", "rates, Hz", "host API", "description", "pulse", "ALSA", "44100* 48000"):
        assert word in inputs
    monitor = next(line for line in inputs.splitlines() if Pulse.source in line)
    for word in ("2 ", "48000", "PulseAudio", "default, chosen, loopback", "Monitor of Null Output"):
        assert word in monitor
    assert outputs.startswith("index  output") and "pulse" in outputs and "monitor" not in outputs
    assert "default, chosen" in next(line for line in outputs.splitlines() if Pulse.sink in line)


def test_as_json(pulse: Pulse) -> None:
    run = visualizer("devices", "--json")
    assert run.returncode == 0 and run.stderr == ""
    devices = json.loads(run.stdout)
    assert [device["index"] for device in devices] == list(range(len(devices)))
    assert next(device for device in devices if device["name"] == Pulse.source) == {
        "index": 2,
        "name": Pulse.source,
        "description": "Monitor of Null Output",
        "host_api": "PulseAudio",
        "n_inputs": 2,
        "n_outputs": 0,
        "rate_hz": 48000,
        "rates_hz": [48000],
        "is_default_input": True,
        "is_default_output": False,
        "is_loopback": True,
        "is_chosen": False,
    }


def test_as_json_without_any_device(pulse: Pulse, tmp_path) -> None:
    run = visualizer("devices", "--json", PULSE_SERVER=f"unix:{tmp_path}/none")
    assert run.returncode == 0 and json.loads(run.stdout) == []


@pytest.mark.parametrize("words", [["devices"], ["devices", "--json"]])
def test_a_sound_server_that_hangs_is_given_up(
    mortal_pulse: Pulse, words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(portaudio, "ANSWER_S", 0.2)
    mortal_pulse.freeze()
    try:
        assert run_here(words) == 1
    finally:
        mortal_pulse.freeze(False)
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and err.startswith("visualizer: the sound system hangs")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_can_be_ended_while_the_sound_server_hangs(mortal_pulse: Pulse, number: int) -> None:
    mortal_pulse.freeze()
    # it would wait for the sound system longer than this test
    patient = "import sys; from visualizer.audio import portaudio; portaudio.ANSWER_S = 1000.0"
    command = [sys.executable, "-c", f"{patient}; from visualizer.cli import main; main(['devices'])"]
    program = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        running = Path(f"/proc/{program.pid}")
        wait_until(lambda: b"devices" in (running / "cmdline").read_bytes(), "the program was not started")
        wait_until(lambda: "pcm_pulse" in (running / "maps").read_text(), "the sound system was not asked")
        program.send_signal(number)
        assert program.communicate(timeout=60) == ("", "visualizer: interrupted\n")
        assert program.returncode == 1
    finally:
        program.kill()
        mortal_pulse.freeze(False)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--device", "x"], ["--device works with --meter only"]),
        (["--channels", "1"], ["--channels works with --meter only"]),
        (["--gain", "3"], ["--gain works with --meter only"]),
        (["--meter"], ["needs a terminal", "devices --json"]),
        (["--meter", "--json"], ["--json works with the list only"]),
        (["x"], ["x"]),
    ],
)
def test_wrong_use(words: list[str], said: list[str]) -> None:
    refused(here("devices", *words), *said)


@pytest.mark.parametrize(("text", "channels"), [(None, ()), ("3,4", (3, 4)), ("1-3, 2,8", (1, 2, 3, 8)), (" 5 ", (5,))])
def test_channels(text: str | None, channels: tuple[int, ...]) -> None:
    assert parse_channels(text) == channels


@pytest.mark.parametrize("text", ["", "0", "a", "1,", "-1", "4-2", "1.5", "0-3", "1;2", "9999"])
def test_channels_that_cannot_be_read(text: str) -> None:
    with pytest.raises(BadInput, match="--channels .* like 3,4"):
        parse_channels(text)


@pytest.mark.parametrize("end", [b"x", b"\x03"])
def test_the_meter_draws_until_a_key(terminal, mortal_pulse: Pulse, end: bytes) -> None:
    mortal_pulse.plug_in("mic")
    screen = terminal("devices", "--meter", "--device", "mic")
    wait_until(lambda: "-6.0 dBFS" in screen.last("ch 1"), "no level was drawn")
    wait_until(lambda: "Sine source at 100 Hz" in screen.raw and "good" in screen.raw, "no name, no word")
    screen.type(end)
    assert screen.ended() == 0
    assert "Traceback" not in screen.raw


def test_the_meter_of_an_input_that_is_not_there(terminal, pulse: Pulse) -> None:
    screen = terminal("devices", "--meter", "--device", "theremin")
    assert screen.ended() == 2 and "no input matches 'theremin'" in screen.raw
