"""Sound devices: listing, choosing and opening them through PortAudio."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from ..errors import DeviceError, SoundHangs, UnknownDevice, nearest
from ..files.remembered import remembered_input, remembered_output
from ..processes import reserve_environment
from .portaudio import (
    THREAD,
    call_with_timeout,
    close_quietly,
    one_line,
    silence_libraries,
    terminate,
    unsupported_reason,
)
from .soundserver import ServerError, SoundServer, server_hangs

log = logging.getLogger(__name__)

# PortAudio's name for PulseAudio or PipeWire, and this program's host API name for that server's own sources and sinks.
PULSE, SERVER_API = "pulse", "PulseAudio"
LOOK_S, SERVER_S = 3.0, 1.0
USUAL_RATES_HZ = (44_100, 48_000, 88_200, 96_000, 192_000)
_WAY_OUT = (
    "install PortAudio (Debian/Ubuntu: apt-get install portaudio19-dev; macOS: brew install portaudio), "
    "then PyAudio (python -m pip install --force-reinstall PyAudio)"
)


@dataclass(frozen=True)
class Device:
    """A sound device of PortAudio, or a source or sink of the sound server that PortAudio reaches as "pulse".

    source: the sound server's name of it, "" for a device of PortAudio; description: a readable name where it differs
    from `name`; opened_as: PortAudio's index if it is not `index`; is_mixed: the sound server delivers its channels
    only mixed.
    """

    index: int
    name: str
    host_api: str
    n_inputs: int
    n_outputs: int
    default_rate_hz: int
    is_default_input: bool = False
    is_default_output: bool = False
    description: str = ""
    source: str = ""
    opened_as: int | None = None
    is_mixed: bool = False

    @property
    def portaudio_index(self) -> int:
        """PortAudio's index of the device to open."""
        return self.index if self.opened_as is None else self.opened_as

    @property
    def is_loopback(self) -> bool:
        """Whether it records what this machine plays (a monitor or loopback) instead of a microphone or line."""
        return self.n_inputs > 0 and (self.source.endswith(".monitor") or "loopback" in self.name.lower())


def open_portaudio(*, timeout_s: float | None = None) -> Any:
    """Create a `pyaudio.PyAudio` without output on stderr; close it with `close_portaudio`.

    timeout_s: ANSWER_S if None. Raises DeviceError; SoundHangs, a DeviceError, on a timeout. SIGINT and SIGTERM
    interrupt the wait.
    """
    try:
        import pyaudio
    except ImportError as error:
        raise DeviceError(f"PyAudio cannot be loaded ({one_line(error)}); {_WAY_OUT}") from error
    silence_libraries()
    try:
        return call_with_timeout(pyaudio.PyAudio, terminate, timeout_s)
    except SoundHangs:
        raise
    except Exception as error:
        raise DeviceError(f"PortAudio cannot be started ({one_line(error)}); {_WAY_OUT}") from error


def close_portaudio(portaudio: Any, stream: Any = None, *, timeout_s: float = 0.8) -> None:
    """Close a stream (if any) and its PyAudio. Returns within timeout_s even if the device hangs.

    Closing a device that is gone can take half a second, or never return.
    """
    closed = threading.Event()

    def close() -> None:
        if stream is not None:
            close_quietly(stream.close)
        close_quietly(lambda: terminate(portaudio))
        closed.set()

    THREAD.make(close)
    if timeout_s > 0 and not closed.wait(timeout_s):
        log.warning("a sound device cannot be closed; it is abandoned")


def open_stream(portaudio: Any, what: str, *, source: str = "", **arguments: Any) -> Any:
    """Call `portaudio.open(**arguments)`. Raises DeviceError, with `what` as the name of the device in the message.

    source: the sound server's source (for an output: sink) to open through the device "pulse". Raises SoundHangs, a
    DeviceError, if the stream is not open within ANSWER_S; a stream that opens later is closed.
    """
    # With this variable set, PulseAudio's ALSA plug-in reports a wrong latency (200: 144 ms off) or accepts no sound
    # (10). Recording works with it, so the user may set it; playback needs the true latency.
    is_misleading = arguments.get("output") and "PULSE_LATENCY_MSEC" in os.environ
    environment = {"PULSE_LATENCY_MSEC": "0"} if is_misleading else {}  # 0 has the effect of not set
    environment |= {"PULSE_SINK" if arguments.get("output") else "PULSE_SOURCE": source} if source else {}

    def open_it() -> Any:
        with _environment(environment):
            stream = portaudio.open(**arguments)
        THREAD.was_open = True
        return stream

    try:
        return call_with_timeout(open_it, lambda late: late.close())
    except (OSError, ValueError, SystemError) as error:
        raise DeviceError(
            f"{what} cannot be opened at {arguments.get('rate')} Hz ({one_line(error)}); "
            "`visualizer devices` lists the devices"
        ) from error


def takes_rate(
    portaudio: Any, device: Device, n_channels: int, rate_hz: int, *, kind: Literal["input", "output"] = "output"
) -> bool:
    """Whether a device supports float32 sound at this rate. Raises SoundHangs."""
    fault = call_with_timeout(lambda: unsupported_reason(portaudio, kind, device.portaudio_index, n_channels, rate_hz))
    if fault:
        log.info("%s %r does not support %d Hz: %s", kind, device.name, rate_hz, fault)
    return not fault


def rates_of(portaudio: Any, device: Device) -> tuple[int, ...]:
    """The common sample rates that a device supports, and its default rate, Hz, ascending.

    For a source or sink of the sound server only its own rate: the server resamples to any other.
    """
    rates_hz = {device.default_rate_hz}
    if not device.source:
        kind: Literal["input", "output"] = "input" if device.n_inputs else "output"
        n_channels = max(1, min(2, device.n_inputs or device.n_outputs))
        rates_hz |= {rate for rate in USUAL_RATES_HZ if takes_rate(portaudio, device, n_channels, rate, kind=kind)}
    return tuple(sorted(rates_hz))


def list_devices(portaudio: Any = None, *, timeout_s: float | None = None) -> list[Device]:
    """All devices present now, in PortAudio's order; empty if there is none. Raises DeviceError.

    portaudio: an open PyAudio; without it one is opened and closed, see `open_portaudio` for timeout_s. PortAudio reads
    the list of devices anew only when no other PyAudio is open.
    """
    if portaudio is None:
        portaudio = open_portaudio(timeout_s=timeout_s)
        try:
            return list_devices(portaudio)
        finally:
            close_portaudio(portaudio)
    default_input = _default_index(portaudio.get_default_input_device_info)
    default_output = _default_index(portaudio.get_default_output_device_info)
    devices = []
    for index in range(portaudio.get_device_count()):
        try:
            info = portaudio.get_device_info_by_index(index)
            host_api = portaudio.get_host_api_info_by_index(info["hostApi"])["name"]
        except OSError as error:
            log.info("sound device %d cannot be queried: %s", index, one_line(error))
            continue
        devices.append(
            Device(
                index=index,
                name=_text(info["name"]),
                host_api=_text(host_api),
                n_inputs=int(info["maxInputChannels"]),
                n_outputs=int(info["maxOutputChannels"]),
                default_rate_hz=round(info["defaultSampleRate"]),
                is_default_input=index == default_input,
                is_default_output=index == default_output,
            )
        )
    return _with_sources_and_sinks(devices)


@dataclass(frozen=True)
class ListedDevice:
    """A device, the sample rates it supports, Hz, and whether `live` or `play` remembers it as the one to use."""

    device: Device
    rates_hz: tuple[int, ...]
    is_remembered: bool


def list_devices_with_rates() -> list[ListedDevice]:
    """List every device with its sample rates, by index. Raises DeviceError if the sound system cannot be reached."""
    chosen_input, chosen_output = remembered_input(), remembered_output()
    portaudio = open_portaudio()
    try:
        return [
            ListedDevice(
                device,
                rates_of(portaudio, device),
                (device.n_inputs > 0 and device.name == chosen_input)
                or (device.n_outputs > 0 and device.name == chosen_output),
            )
            for device in list_devices(portaudio)
        ]
    finally:
        close_portaudio(portaudio)


def list_devices_at_start() -> list[Device]:
    """`list_devices` with short timeouts, for the start of a show: a sound system that hangs must not delay the first
    picture.

    Raises SoundHangs after LOOK_S, or after SERVER_S if the sound server does not answer; DeviceError as
    `list_devices`.
    """
    if server_hangs(answer_s=SERVER_S):
        raise SoundHangs("the sound server does not answer; restart it")
    return list_devices(timeout_s=LOOK_S)


def find_input(wanted: str | int | None, devices: Sequence[Device]) -> Device:
    """The input with a number, a name or part of a name (case is ignored); the default input for None.

    An exact match comes before a partial one, a name before a description. Raises UnknownDevice if none or several
    match, DeviceError if there is no input at all.
    """
    return _find(wanted, [device for device in devices if device.n_inputs > 0], "input")


def find_output(wanted: str | int | None, devices: Sequence[Device]) -> Device:
    """The output with a number, a name or part of a name; the default output for None. Raises as `find_input`."""
    return _find(wanted, [device for device in devices if device.n_outputs > 0], "output")


def _find(wanted: str | int | None, devices: list[Device], kind: str) -> Device:
    if not devices:
        raise DeviceError(f"there is no sound {kind} on this machine; connect one, or start the sound server")
    found = _listed(devices)
    if wanted is None:
        defaults = [d for d in devices if (d.is_default_input if kind == "input" else d.is_default_output)]
        return defaults[0] if defaults else devices[0]
    text = str(wanted).strip()
    matches = [device for device in devices if str(device.index) == text]
    if isinstance(wanted, str):
        if not text:
            raise UnknownDevice(f"the name of the {kind} is empty; there are: {found}")
        for same in (
            str.__eq__,
            lambda name, part: name.lower() == part.lower(),
            lambda name, part: part.lower() in name.lower(),
        ):
            matches = matches or [device for device in devices if same(device.name, text)]
            matches = matches or [device for device in devices if same(device.description, text)]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise UnknownDevice(f"{kind} {text!r} matches several: {_listed(matches)}; give the number")
    hint = nearest(text, [device.name for device in devices])
    raise UnknownDevice(f"no {kind} matches {text!r}{hint}; there are: {found}")


def _listed(devices: Sequence[Device]) -> str:
    return ", ".join(f"{device.index} {device.name!r}" for device in devices)


def _with_sources_and_sinks(devices: list[Device]) -> list[Device]:
    """The devices and, if PortAudio has the device "pulse", the sound server's sources and sinks, numbered after them.

    The server's default source and sink replace PortAudio's defaults.
    """
    pulse = next((d for d in devices if d.name == PULSE and d.host_api == "ALSA" and d.n_inputs > 0), None)
    if pulse is None:
        return devices
    try:
        with SoundServer() as server:
            default_source, sources = server.default_source(), server.sources()
            default_sink, sinks = server.default_sink(), server.sinks()
    except ServerError as error:
        log.info("the sound server's sources and sinks are not known: %s", error)
        return devices
    if any(source.name == default_source for source in sources):
        devices = [replace(device, is_default_input=False) for device in devices]
    if any(sink.name == default_sink for sink in sinks):
        devices = [replace(device, is_default_output=False) for device in devices]
    first = max(device.index for device in devices) + 1
    found = [
        Device(
            index=index,
            name=source.name,
            host_api=SERVER_API,
            n_inputs=source.n_channels,
            n_outputs=0,
            default_rate_hz=source.rate_hz,
            is_default_input=source.name == default_source,
            description=source.description,
            source=source.name,
            opened_as=pulse.portaudio_index,
            is_mixed=not source.is_plain,
        )
        for index, source in enumerate(sources, first)
    ]
    found += [
        Device(
            index=index,
            name=sink.name,
            host_api=SERVER_API,
            n_inputs=0,
            n_outputs=sink.n_channels,
            default_rate_hz=sink.rate_hz,
            is_default_output=sink.name == default_sink,
            description=sink.description,
            source=sink.name,
            opened_as=pulse.portaudio_index,
        )
        for index, sink in enumerate(sinks, first + len(found))
    ]
    return devices + found


@contextlib.contextmanager
def _environment(changes: dict[str, str]) -> Iterator[None]:
    """Change the values of existing environment variables while inside: libpulse reads them when it opens a stream."""
    reserve_environment(chooses_output="PULSE_SINK" in changes)
    before = {name: os.environ[name] for name in changes}
    os.environ.update(changes)
    try:
        yield
    finally:
        os.environ.update(before)


def _default_index(ask: Callable[[], Any]) -> int | None:
    try:
        return int(ask()["index"])
    except OSError:
        return None


def _text(name: str | bytes) -> str:
    """A device name from PyAudio, which returns bytes if it could not decode it, with unprintable characters as "?"."""
    if isinstance(name, bytes):
        name = name.decode("utf-8", "replace")
    return "".join(character if character.isprintable() else "?" for character in name)
