"""MIDI input ports: list them, open them as they come and go, and read their messages."""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import re
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ..errors import DeviceError, UnknownDevice, VisualizerError, nearest
from ..processes import reserve_environment
from .mapping import Moved

log = logging.getLogger(__name__)

# How often the ports are listed, and how often the open ones are read, seconds.
LOOK_S, POLL_S = 1.0, 0.004
# How long `close` waits for a port that does not close, seconds.
CLOSE_S = 2.0
#: a port that returns what is sent to it: opened only when it is asked for
THROUGH = "midi through"
MISSING = "MIDI needs pylibremidi: pip install 'kickdream[midi]'"
#: names another MIDI system than the default of the platform, as libremidi calls it: "jack"
API_VARIABLE = "VISUALIZER_MIDI_API"
# Bytes after the status byte, by its upper four bits: note off, note on, key pressure, control change, program, pressure, bend.
_N_DATA = {0x8: 2, 0x9: 2, 0xA: 2, 0xB: 2, 0xC: 1, 0xD: 1, 0xE: 2}
_SYSEX = 0xF0


def moved_of(message: Any, port: str) -> Moved | None:
    """The movement that a MIDI message reports; None for a kind that has no meaning here (clock, pressure and the like).

    message: anything that gives its bytes by index. port: short name of the port. Raises ValueError for a message that cannot be used.
    """
    status = int(message[0])
    if status > _SYSEX:
        return None
    if status not in range(0x80, _SYSEX):
        raise ValueError("a system exclusive message" if status == _SYSEX else f"a message that begins with {status}")
    kind, channel = status >> 4, (status & 0xF) + 1
    data = [int(message[index + 1]) for index in range(_N_DATA[kind])]
    if max(data) > 127:
        raise ValueError(f"a data byte of {max(data)}; 127 is the largest")
    if kind == 0xB:
        return Moved("cc", data[0], channel, data[1], port)
    if kind in (0x8, 0x9):
        return Moved("note", data[0], channel, data[1] if kind == 0x9 else 0, port)
    if kind == 0xC:
        return Moved("program", data[0], channel, data[0], port)
    if kind == 0xE:
        return Moved("bend", 0, channel, data[0] | data[1] << 7, port)
    return None


def short_name(name: str) -> str:
    """A port's name without the numbers that ALSA assigns anew each time: "nanoKONTROL2:nanoKONTROL2 MIDI 1 20:0" loses its end,
    and its beginning where that is repeated."""
    name = re.sub(r" \d+:\d+$", "", name.strip())
    client, _, rest = name.partition(":")
    return rest if client and rest.startswith(client) else name


class PortList:
    """Lists the MIDI inputs, as often as asked. For one thread.

    The client with which it asks is kept: a new one each second would disturb a JACK server.
    """

    def __init__(self) -> None:
        """Raises VisualizerError where pylibremidi is missing."""
        self._library = load_library()
        self._observer: Any = None

    @property
    def api(self) -> Any:
        """The MIDI system in use. Raises DeviceError if there is none."""
        library, name = self._library, os.environ.get(API_VARIABLE, "")
        there = {library.get_api_name(api): api for api in library.available_apis()}
        asked = name or library.get_api_name(library.midi1_default_api())
        if asked in there:
            return there[asked]
        if name:
            raise DeviceError(
                f"{API_VARIABLE}={name[:40]}: there is no such MIDI system here; there are: {', '.join(there)}"
            )
        hint = f": /dev/snd/seq is missing (`modprobe snd-seq` brings it; with JACK set {API_VARIABLE}=jack)"
        raise DeviceError(f"there is no MIDI on this machine{hint if sys.platform.startswith('linux') else ''}")

    def ports(self) -> dict[str, Any]:
        """Full name to port, as the library has it, of each input. Raises DeviceError where there is no MIDI."""
        api, library = self.api, self._library
        try:
            if self._observer is None:
                self._observer = library.Observer(_observed(library), api)
            self._observer.poll()
            found = {_name(port, api, library): port for port in self._observer.get_input_ports()}
            is_there = bool(found) or api != library.API.JACK_MIDI or self._answers(api)
        except (OSError, ValueError, RuntimeError, TypeError) as fault:
            self.close()
            raise DeviceError(f"MIDI cannot be reached through {library.get_api_name(api)}: {_words(fault)}") from fault
        if not is_there:
            self.close()
            raise DeviceError("MIDI cannot be reached through jack: its server does not answer")
        return found

    def open(self, port: Any, on_message: Callable[[Any], object]) -> Any:
        """Open a port of `ports`; `poll` of what is returned calls on_message for each message. Raises DeviceError.

        on_message: must neither raise, which would end the process, nor refer to the open port, which would then never be freed.
        """
        library = self._library
        settings = library.InputConfiguration()
        settings.ignore_sysex = False  # it is counted
        settings.on_message = on_message
        opened = library.MidiIn(settings, self.api)
        if fault := opened.open_port(port, "visualizer"):
            raise DeviceError(str(fault))
        return opened

    def close(self) -> None:
        """Close the client."""
        self._observer = None

    def _answers(self, api: Any) -> bool:
        """Whether a port can be made at all: without a JACK server the list is empty, like the list of a server without ports."""
        return not self._library.MidiIn(self._library.InputConfiguration(), api).open_virtual_port("visualizer")


def port_names() -> list[str]:
    """The full names of the MIDI inputs. Raises VisualizerError where pylibremidi is missing, DeviceError where there is no MIDI."""
    return list(PortList().ports())


def chosen(names: Sequence[str], wanted: str) -> list[str]:
    """Those to listen to. wanted: part of a name, "" for all but MIDI Through."""
    if not wanted:
        return [name for name in names if THROUGH not in name.lower()]
    exact = [name for name in names if wanted in (name, short_name(name))]
    return exact or [name for name in names if wanted.lower() in name.lower()]


def check_port(wanted: str) -> None:
    """Raises UnknownDevice, naming the ports there are, if none is called `wanted`; and as `port_names`."""
    names = port_names()
    if wanted and not chosen(names, wanted):
        known = ", ".join(short_name(name) for name in names) or "none"
        hint = nearest(wanted, [short_name(name) for name in names])
        raise UnknownDevice(
            f"no MIDI input matches {wanted!r}{hint}; there are: {known}. `visualizer midi ports` lists them."
        )


class _Open:
    """A port that is open. The library's own thread fills the inbox of the port; `read` empties it."""

    def __init__(self, ports: PortList, port: Any) -> None:
        """Raises DeviceError."""
        self._messages: deque[Any] = deque()
        self._port = ports.open(port, self._messages.append)

    def read(self) -> list[Any]:
        """The messages since the last call."""
        self._port.poll()
        found = list(self._messages)
        self._messages.clear()
        return found

    def close(self) -> None:
        self._port.close_port()


class MidiInput:
    """Reads MIDI inputs, and lists once a second which there are, on a thread of its own; `close` ends it.

    on_moved: called for each movement, on that thread. wanted: part of a port's name, "" for all ports. on_look: called there once
    a second. n_messages: messages read so far; n_bad: of those the ones that could not be used: system exclusive, malformed, or
    one that on_moved failed for.
    """

    def __init__(
        self,
        on_moved: Callable[[Moved], None],
        *,
        wanted: str = "",
        on_look: Callable[[], None] | None = None,
        look_s: float = LOOK_S,
    ) -> None:
        """Raises VisualizerError where pylibremidi is missing."""
        self._list = PortList()
        self._on_moved, self._wanted, self._on_look, self._look_s = on_moved, wanted, on_look, look_s
        self.n_messages = self.n_bad = 0
        self.fault = ""
        self._ports: dict[str, _Open] = {}
        self._known: set[str] = set()  # short names of ports that were open before
        self._refused: set[str] = set()
        self._news: deque[str] = deque(maxlen=16)
        self._ending = threading.Event()
        self.looked = threading.Event()  # set once the ports were listed
        self._thread = threading.Thread(target=self._run, name="midi ports", daemon=True)
        self._thread.start()

    @property
    def names(self) -> list[str]:
        """The open ports, by their short names."""
        return [short_name(name) for name in list(self._ports)]

    def news(self) -> str | None:
        """A port that came or went, once."""
        return self._news.popleft() if self._news else None

    def close(self) -> None:
        """Close the ports; waits 2 s at most."""
        self._ending.set()
        self._thread.join(CLOSE_S)

    def _run(self) -> None:
        while not self._ending.is_set():
            self._look()
            self.looked.set()
            if self._on_look is not None:
                try:
                    self._on_look()
                except VisualizerError as error:
                    log.warning("%s", error)
            for _ in range(max(1, round(self._look_s / POLL_S))):
                if self._ending.wait(POLL_S if self._ports else self._look_s) or not self._ports:
                    break
                self._read()
        for name in list(self._ports):
            self._close(name)
        self._list.close()

    def _look(self) -> None:
        """Open the ports that came, and close those that went."""
        try:
            found = self._list.ports()
            self.fault = ""
        except VisualizerError as error:
            if str(error) != self.fault:
                self.fault = str(error)
                log.warning("%s", error)
                self._news.append(self.fault)
            found = {}
        names = chosen(list(found), self._wanted)
        for name in [name for name in self._ports if name not in names]:
            self._close(name)
            self._report(f"MIDI: {short_name(name)} is gone")
        self._refused &= set(names)
        for name in names:
            if name not in self._ports:
                self._open(name, found[name])

    def _open(self, name: str, port: Any) -> None:
        try:
            self._ports[name] = _Open(self._list, port)
        except (VisualizerError, OSError, RuntimeError) as fault:
            if name not in self._refused:
                self._refused.add(name)
                self._report(f"MIDI: {short_name(name)} cannot be opened: {_words(fault)}")
            return
        self._refused.discard(name)
        short = short_name(name)
        if short in self._known:
            self._report(f"MIDI: {short} is back")
        else:
            log.info("MIDI: listening to %s", short)
        self._known.add(short)

    def _close(self, name: str) -> None:
        try:
            self._ports.pop(name).close()
        except (OSError, RuntimeError) as fault:
            log.info("MIDI: %s: %s", name, fault)

    def _report(self, line: str) -> None:
        log.warning("%s", line)
        self._news.append(line)

    def _read(self) -> None:
        for name, port in self._ports.items():
            short = short_name(name)
            for message in port.read():
                self._handle(message, short)

    def _handle(self, message: Any, port: str) -> None:
        try:
            moved = moved_of(message, port)
            if moved is None:
                return
            self._on_moved(moved)
        except Exception as fault:
            self.n_bad += 1
            if self.n_bad <= 5:
                log.warning("MIDI: %s: not used: %s", port, fault, exc_info=not isinstance(fault, ValueError))
        self.n_messages += 1


def load_library() -> Any:
    """The module pylibremidi. Raises VisualizerError where it is missing."""
    reserve_environment()
    is_linux = sys.platform.startswith("linux")
    if is_linux:
        # the library's own copy of libjack is too old for today's servers: that of the system, loaded first, takes its place
        with contextlib.suppress(OSError):
            ctypes.CDLL("libjack.so.0", mode=ctypes.RTLD_GLOBAL)
    try:
        import pylibremidi
    except ImportError as fault:
        raise VisualizerError(f"{MISSING} ({_words(fault)})") from fault
    if is_linux:
        pylibremidi.available_apis()  # this loads libasound
        _silence_libraries()
    return pylibremidi


def _observed(library: Any) -> Any:
    """How the ports are listed: those of programs as well."""
    settings = library.ObserverConfiguration()
    settings.track_virtual = True
    if sys.platform == "darwin":
        # CoreMIDI's list changes only for a process that has a client, and the library makes one only for a callback
        settings.input_added = lambda port: None
    return settings


def _name(port: Any, api: Any, library: Any) -> str:
    """A port's full name: on ALSA "CLIENT:PORT NUMBER:NUMBER"."""
    if api == library.API.ALSA_SEQ:
        return f"{port.device_name}:{port.port_name} {port.port & 0xFFFFFFFF}:{port.port >> 32}"
    return str(port.display_name)


def _words(fault: BaseException) -> str:
    return " ".join(str(fault).split()) or type(fault).__name__


def _silence_libraries() -> None:
    """Keep ALSA and JACK from writing to the terminal, which listing the ports would have them do every second."""
    try:
        no_op = ctypes.CDLL(None).getpid
        loaded = {
            line.split(maxsplit=5)[5]
            for line in Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace").splitlines()
            if "/libjack" in line or "/libasound" in line
        }
    except (OSError, AttributeError, IndexError):
        return
    for library in loaded:
        for setter in ("snd_lib_error_set_handler", "jack_set_error_function", "jack_set_info_function"):
            try:
                getattr(ctypes.CDLL(library), setter)(no_op)
            except (OSError, AttributeError):
                continue
