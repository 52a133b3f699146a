"""Check PortAudio, the sound server, the devices, and that the input of `live` delivers a signal."""

from __future__ import annotations

import math
import os
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import DeviceError
from .finding import FAULT, OK, WARNING, Finding, of_error
from .machine import version_of

if TYPE_CHECKING:
    from ...audio.capture import Capture
    from ...audio.devices import Device

FIRST_S = 8.0  # to the first block: an idle sound server may need more than two seconds, on a busy machine longer
SERVER_S = 3.0  # to the server's answer, on a busy machine
LISTEN_S = 2.0  # longest wait for a sample that is not zero
MIN_LISTEN_S = 0.8  # for a meaningful peak, and to notice channels that cancel each other
POLL_S = 0.02

# Prefixes of the names of Bluetooth outputs in PulseAudio and PipeWire.
_BLUETOOTH = ("bluez_sink.", "bluez_output.")

_RESTART = "restart it: `systemctl --user restart pipewire pipewire-pulse wireplumber`, or `pulseaudio -k`"
_CONNECT = "connect one and check that the system lists it"
_ALLOW = "System Settings, Privacy & Security, Microphone: allow the terminal, then restart the terminal"


def sound() -> Iterator[Finding]:
    """Check that PortAudio loads, the sound server answers, inputs and outputs exist, and the input delivers a
    signal.
    """
    from ...audio.devices import close_portaudio, list_devices, open_portaudio

    if sys.platform.startswith("linux"):
        server = _server()
        yield server
        if server.state == FAULT:
            return  # it hangs, and PortAudio would hang with it
    try:
        portaudio = open_portaudio()
    except DeviceError as error:
        yield of_error("PortAudio", error)
        return
    try:
        yield Finding("PortAudio", OK, f"loads (PyAudio {version_of('PyAudio')})")
        devices = list_devices(portaudio)
    finally:
        close_portaudio(portaudio)
    inputs = [device for device in devices if device.n_inputs > 0]
    outputs = [device for device in devices if device.n_outputs > 0]
    yield _listed("inputs", inputs, [d for d in inputs if d.is_default_input], FAULT, "`live` has no input")
    yield _listed("outputs", outputs, [d for d in outputs if d.is_default_output], WARNING, "`play` is silent")
    if outputs:
        yield from _output(outputs)
    if inputs:
        yield from _input(inputs)


def _server() -> Finding:
    from ...audio.soundserver import ServerError, SoundServer

    try:
        with SoundServer(answer_s=SERVER_S) as server:
            n_sources = len(server.sources())
    except ServerError as error:
        if error.hangs:
            return Finding("sound server", FAULT, str(error), _RESTART)
        return Finding(
            "sound server",
            WARNING,
            f"no PulseAudio or PipeWire ({error}): a sound device can be used by only one program at a time",
            "start it: `systemctl --user start pipewire-pulse`, or `pulseaudio --start`",
        )
    return Finding("sound server", OK, f"answers; {_count(n_sources, 'source')}", facts={"n_sources": n_sources})


def _listed(name: str, devices: Sequence[Device], default: Sequence[Device], state: str, lost: str) -> Finding:
    apis = sorted({device.host_api for device in devices})
    facts = {
        "n_devices": len(devices),
        "host_apis": apis,
        "has_default": bool(default),
        "devices": [
            {
                "host_api": device.host_api,
                "n_channels": device.n_inputs if name == "inputs" else device.n_outputs,
                "rate_hz": device.default_rate_hz,
                "is_default": device in default,
            }
            for device in devices
        ],
    }
    if not devices:
        return Finding(name, state, f"none: {lost}", _not_allowed() or _CONNECT, facts)
    shown = f"; the default is {default[0].name!r}" if default else "; no default"
    return Finding(name, OK, f"{len(devices)} ({', '.join(apis)}){shown}", facts=facts, private=_names(default))


def _output(outputs: Sequence[Device]) -> Iterator[Finding]:
    """Check the output that `play` would use, and its delay."""
    from ...audio.devices import find_output
    from ...files.remembered import remembered_delay_ms, remembered_output

    wanted = remembered_output()
    device = next((one for one in outputs if one.name == wanted), None) or find_output(None, outputs)
    if wanted is not None and device.name != wanted:
        yield Finding(
            "chosen output",
            WARNING,
            f"{wanted!r}, which was chosen last, is not connected: `play` uses the default output",
            "connect it, or choose another: `visualizer play SONG --output-device NAME` (or `default`)",
            private=(wanted,),
        )
    delay_ms, private = remembered_delay_ms(device.name), _names([device])
    label = repr(device.description or device.name)
    if delay_ms:
        said = (
            f"{label} has a delay of {delay_ms:g} ms: `play` shows the picture {'later' if delay_ms > 0 else 'earlier'}"
        )
        yield Finding("output", OK, said, "", {"delay_ms": delay_ms}, private)
    elif device.name.startswith(_BLUETOOTH):
        said = f"{label} is a Bluetooth loudspeaker, which is usually 150 to 300 ms late, and no delay is set"
        way_out = "`visualizer play SONG --delay-ms 200` sets one; `visualizer latency` with a microphone measures it"
        yield Finding("output", WARNING, said, way_out, {"delay_ms": 0.0}, private)


def _input(inputs: Sequence[Device]) -> Iterator[Finding]:
    """Listen briefly to the input that `live` would use."""
    from ...audio.capture import Capture
    from ...audio.devices import find_input
    from ...files.remembered import remembered_input

    wanted = remembered_input()
    try:
        device = find_input(wanted, inputs)
    except DeviceError:
        yield Finding(
            "chosen input",
            WARNING,
            f"{wanted!r}, which was chosen last, is not connected: `live` waits for it",
            "connect it, or choose another: `visualizer live --device NAME` (or `--device default`)",
            private=(wanted or "",),
        )
        device = find_input(None, inputs)
    try:
        with Capture(device.index) as capture:
            capture.start()
            yield _signal(capture)
    except DeviceError as error:
        found = of_error("input", error)
        yield Finding(
            "input",
            FAULT,
            found.said,
            _not_allowed() or "check that no other program uses it",
            private=_names([device]),
        )


def _signal(capture: Capture) -> Finding:
    from ...clock import Stopwatch

    device, pause, watch = capture.device, threading.Event(), Stopwatch()
    peak, first_s = 0.0, -1.0
    while watch.elapsed_s() < (FIRST_S if first_s < 0 else first_s + LISTEN_S):
        if capture.stopped:
            break
        capture.drain()
        if first_s < 0 and capture.has_delivered:
            first_s = watch.elapsed_s()
        peak = max(peak, *capture.take_peaks())
        if peak > 0 and watch.elapsed_s() >= first_s + MIN_LISTEN_S:
            break
        pause.wait(POLL_S)
    facts = {
        "host_api": device.host_api,
        "n_channels": device.n_inputs,
        "rate_hz": capture.sample_rate_hz,
        "is_loopback": device.is_loopback,
        "first_block_s": round(first_s, 3) if first_s >= 0 else None,
        "peak_dbfs": round(20 * math.log10(peak), 1) if peak > 0 else None,
        "n_overruns": capture.n_overruns,
    }
    private = _names([device])
    label = repr(device.description or device.name)
    if first_s < 0:
        why = f" ({capture.stopped})" if capture.stopped else ""
        said = f"{label} can be opened, but delivers no sample within {FIRST_S:g} s{why}"
        way_out = "disconnect and connect it again, restart the sound server, or choose another with --device"
        return Finding("input", FAULT, said, way_out, facts, private)
    form = f"{_count(device.n_inputs, 'channel')} at {capture.sample_rate_hz} Hz"
    if capture.mix_note:
        way_out = "connect a balanced cable to one channel, or invert one of the two in the mixer; --channels 1 takes channel 1 alone"
        return Finding("input", WARNING, f"{label} works, but {capture.mix_note}", way_out, facts, private)
    if peak > 0:
        said = f"{label} works: {form}, peak {facts['peak_dbfs']:.0f} dBFS"
        return Finding("input", OK, said, "", facts, private)
    if device.is_loopback:
        said = f"{label} records what this machine plays, and nothing is playing"
        way_out = (
            "play something; or to follow the sound of a room, choose a microphone: `visualizer live --device NAME`"
        )
        return Finding("input", WARNING, said, way_out, facts, private)
    said = f"{label} delivers only zeros: {'macOS does not allow its use' if _is_mac() else 'it is muted'}"
    return Finding("input", FAULT, said, only_zeros(sys.platform), facts, private)


def only_zeros(platform: str) -> str:
    """What to do about an input that delivers only zeros. platform: as sys.platform."""
    if platform == "darwin":
        return f"macOS delivers zeros until the microphone is allowed: {_ALLOW}"
    if platform == "win32":
        return "Settings, Privacy, Microphone: allow desktop apps; and check that it is not muted"
    return "check that it is connected and not muted (pavucontrol or alsamixer), or choose another with --device"


def _is_mac() -> bool:
    return sys.platform == "darwin"


def _not_allowed() -> str:
    """The way out if this user may not use the sound cards; "" otherwise."""
    try:
        cards = list(Path("/dev/snd").glob("pcm*"))
    except OSError:
        cards = []
    if cards and not any(os.access(card, os.R_OK | os.W_OK) for card in cards):
        return "this user may not use the sound cards: `sudo usermod -aG audio $USER`, then log in again"
    return ""


def _names(devices: Sequence[Device]) -> tuple[str, ...]:
    """The names that people gave them: "Anna's headphones"."""
    return tuple(name for device in devices for name in (device.name, device.description) if name)


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
