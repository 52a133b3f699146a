"""Devices are found by number, name and part of a name; what is missing is said with the way out."""

from __future__ import annotations

import builtins
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.pulse import Pulse, wait_until
from visualizer import processes
from visualizer.audio import devices, portaudio
from visualizer.audio.capture import Capture
from visualizer.audio.devices import Device, find_input, find_output, list_devices
from visualizer.errors import BadInput, DeviceError, SoundHangs, UnknownDevice

ROOT = Path(__file__).resolve().parents[2]


def device(index: int, name: str, n_inputs: int = 2, n_outputs: int = 0, **more: Any) -> Device:
    return Device(index, name, "ALSA", n_inputs, n_outputs, 48_000, **more)


SOME = [
    device(0, "HDMI", 0, 2),
    device(1, "USB Microphone"),
    device(2, "usb microphone (rear)"),
    device(3, "Line", is_default_input=True),
    device(4, "7"),
    device(7, "Loopback"),
]


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (None, 3),
        (1, 1),
        ("1", 1),
        ("USB Microphone", 1),
        ("usb microphone", 1),
        ("rear", 2),
        ("LINE", 3),
        ("loop", 7),
        (" 3 ", 3),
    ],
)
def test_find_input(wanted: str | int | None, index: int) -> None:
    assert find_input(wanted, SOME).index == index


def test_a_number_goes_before_a_name_of_digits() -> None:
    assert find_input("7", SOME).index == 7


@pytest.mark.parametrize("wanted", ["HDMI", 0, 99, -1, "nothing like it", "", "  ", "é\n"])
def test_unknown_input_lists_what_there_is(wanted: str | int) -> None:
    with pytest.raises(UnknownDevice) as caught:
        find_input(wanted, SOME)
    message = str(caught.value)
    assert "3 'Line'" in message and "HDMI" not in message.replace("'HDMI'; ", "").replace("matches 'HDMI'", "")
    assert "\n" not in message
    assert isinstance(caught.value, BadInput)
    assert caught.value.status == 2


def test_ambiguous_and_mistyped_names() -> None:
    with pytest.raises(UnknownDevice, match="1 'USB Microphone', 2 'usb microphone \\(rear\\)'; give the number"):
        find_input("micro", SOME)
    with pytest.raises(UnknownDevice, match="did you mean 'Loopback'"):
        find_input("Lopback", SOME)


def test_no_device_at_all() -> None:
    with pytest.raises(DeviceError, match="no sound input") as caught:
        find_input(None, [])
    assert caught.value.status == 1
    with pytest.raises(DeviceError, match="no sound output"):
        find_output(None, [device(1, "USB Microphone")])


def test_without_a_default_the_first_is_taken() -> None:
    assert find_output(None, SOME).index == 0


class _OddPortAudio:
    """Stands for PyAudio on a machine whose drivers report odd things."""

    def get_default_input_device_info(self) -> dict[str, Any]:
        raise OSError("No Default Input Device Available")

    get_default_output_device_info = get_default_input_device_info

    def get_device_count(self) -> int:
        return 3

    def get_host_api_info_by_index(self, _: int) -> dict[str, Any]:
        return {"name": b"W\xc4SAPI"}

    def get_device_info_by_index(self, index: int) -> dict[str, Any]:
        if index == 1:
            raise OSError(-9996, "Invalid device")
        name = b"L\xe4utsprecher\n\x1b[31m" if index == 0 else "Mik☃\u202e"
        return {
            "index": index,
            "name": name,
            "hostApi": 0,
            "maxInputChannels": 1,
            "maxOutputChannels": 0,
            "defaultSampleRate": 44_100.0,
        }


def test_odd_names_are_made_printable_and_odd_devices_passed_over() -> None:
    found = list_devices(_OddPortAudio())
    assert [d.index for d in found] == [0, 2]
    assert found[0].name == "L\ufffdutsprecher??[31m"
    assert found[0].host_api == "W\ufffdSAPI"
    assert found[1].name == "Mik☃?"
    assert not any(d.is_default_input for d in found)


def test_pulse_is_listed_and_stderr_stays_empty(pulse: Pulse, capfd: pytest.CaptureFixture[str]) -> None:
    found = list_devices()
    assert {"pulse", "default"} <= {d.name for d in found}
    assert any(d.is_default_input for d in found) and any(d.is_default_output for d in found)
    assert find_input("pulse", found).n_inputs > 0
    assert capfd.readouterr().err == ""


def test_no_noise_on_a_machine_without_any_sound(tmp_path: Path) -> None:
    """With the system's own ALSA configuration, where every plug-in complains and JACK finds no server."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PULSE", "ALSA", "XDG"))}
    environment |= {"PULSE_SERVER": f"unix:{tmp_path}/none", "XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path)}
    code = "from visualizer.audio.devices import list_devices\nassert isinstance(list_devices(), list)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "")


def test_sound_server_down(mortal_pulse: Pulse) -> None:
    mortal_pulse.stop()
    assert list_devices() == []
    with pytest.raises(DeviceError, match="no sound input"):
        Capture()
    mortal_pulse.start()
    assert list_devices()


@pytest.mark.parametrize("why", ["No module named 'pyaudio'", "libportaudio.so.2: cannot open shared object file\nx"])
def test_pyaudio_missing_or_broken(monkeypatch: pytest.MonkeyPatch, why: str) -> None:
    real = builtins.__import__

    def refuse(name: str, *arguments: Any, **more: Any) -> Any:
        if name == "pyaudio":
            raise ImportError(why)
        return real(name, *arguments, **more)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(DeviceError) as caught:
        list_devices()
    message = str(caught.value)
    assert "install PortAudio" in message and "\n" not in message


def test_a_device_that_does_not_close_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    stuck = threading.Event()

    class Stuck:
        def close(self) -> None:
            stuck.wait(600)

        def terminate(self) -> None:
            raise OSError("gone")

    monkeypatch.setattr(portaudio, "ANSWER_S", 0.05)
    closing = threading.Thread(target=devices.close_portaudio, args=(Stuck(), Stuck()), kwargs={"timeout_s": 0.05})
    closing.start()
    closing.join(60)
    assert not closing.is_alive()
    with pytest.raises(SoundHangs, match="hangs"):
        devices.open_portaudio()
    stuck.set()


def test_a_server_that_hangs_is_given_up_and_found_again(
    mortal_pulse: Pulse, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    opened = devices.open_portaudio()
    output = find_output("pulse", list_devices(opened))
    mortal_pulse.freeze()
    with monkeypatch.context() as hasty:
        hasty.setattr(portaudio, "ANSWER_S", 0.2)
        with pytest.raises(SoundHangs):  # and this thread goes on
            devices.takes_rate(opened, output, 2, 48_000)
        with pytest.raises(SoundHangs, match="no answer within 0.2 s"):
            devices.open_stream(opened, "x", format=1, channels=1, rate=48_000, input=True)
        devices.close_portaudio(opened, timeout_s=0.0)
        with pytest.raises(SoundHangs):
            list_devices()
    os.write(2, b"stderr is back\n")
    mortal_pulse.freeze(False)
    assert {"pulse", "default"} <= {device.name for device in list_devices()}
    assert capfd.readouterr().err == "stderr is back\n"


def test_a_device_that_hangs_while_it_is_closed_is_noticed(
    mortal_pulse: Pulse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portaudio, "HANG_S", 0.3)
    capture = Capture()
    capture.start()
    wait_until(lambda: capture.has_delivered, "no sound")
    mortal_pulse.freeze()
    assert not portaudio.THREAD.hangs()
    capture.close()
    wait_until(portaudio.THREAD.hangs, "it is not noticed")
    mortal_pulse.freeze(False)
    wait_until(lambda: not portaudio.THREAD.hangs(), "it hangs on")
    assert list_devices()


@pytest.mark.parametrize(
    ("kind", "changed"), [("input", ("PULSE_SOURCE", "mic")), ("output", ("PULSE_LATENCY_MSEC", "0"))]
)
def test_opening_a_stream_neither_adds_nor_removes_a_variable(
    monkeypatch: pytest.MonkeyPatch, kind: str, changed: tuple[str, str]
) -> None:
    """C code on other threads reads the environment meanwhile, without a lock."""
    monkeypatch.delenv("PULSE_SOURCE", raising=False)
    processes.reserve_environment()
    monkeypatch.setenv("PULSE_LATENCY_MSEC", "200")
    before = dict(os.environ)
    seen: list[dict[str, str]] = []

    class PortAudio:
        def open(self, **_: Any) -> None:
            seen.append(dict(os.environ))

    devices.open_stream(PortAudio(), "x", source="mic" if kind == "input" else "", **{kind: True})
    assert seen == [before | dict([changed])] and dict(os.environ) == before


@pytest.mark.parametrize("kind", ["input", "output"])
def test_rates_that_a_device_takes(pulse: Pulse, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """The same whether PortAudio is asked past PyAudio, or through it where its library cannot be reached."""
    opened = devices.open_portaudio()
    try:
        index = find_output("pulse", list_devices(opened)).portaudio_index
        assert portaudio._library() is not None or not sys.platform.startswith("linux")
        for _ in range(2):
            assert portaudio.unsupported_reason(opened, kind, index, 2, 48_000) == ""
            assert "sample rate" in portaudio.unsupported_reason(opened, kind, index, 2, 7)
            monkeypatch.setattr(portaudio, "_library", lambda: None)
    finally:
        devices.close_portaudio(opened)


def test_importing_the_room_loads_nothing_heavy() -> None:
    code = (
        "import sys, visualizer.audio.playback, visualizer.audio.capture, visualizer.audio.decode, visualizer.audio.devices\n"
        "heavy = {'av', 'pyaudio', 'torch', 'moderngl'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
