"""MIDI input ports: list them, open them when they are plugged in, and read their messages."""

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
from ..processes import redirect_stderr, reserve_environment
from .mapping import Moved

log = logging.getLogger(__name__)

# How often the ports are listed, and how often the open ones are read, seconds.
LOOK_S, POLL_S = 1.0, 0.004
# How long `close` waits for a port that does not close, seconds.
CLOSE_S = 2.0
#: a port that echoes what is sent to it: opened only when it is asked for by name
THROUGH = "midi through"
MISSING = "MIDI needs supriya-midi: pip install 'kickdream[midi]'"
#: environment variable with another MIDI system than the platform's default, as RtMidi calls it: "jack"
API_VARIABLE = "VISUALIZER_MIDI_API"
SEQUENCER = Path("/dev/snd/seq")
# Messages that a port holds until they are read.
N_WAITING = 4096
# Bytes after the status byte, by its upper four bits: note off, note on, key pressure, control change, program,
# pressure, bend.
_N_DATA = {0x8: 2, 0x9: 2, 0xA: 2, 0xB: 2, 0xC: 1, 0xD: 1, 0xE: 2}
_SYSEX = 0xF0


def moved_of(message: Sequence[int], port: str) -> Moved | None:
    """The movement that a MIDI message reports; None for a kind that has no meaning here (clock, pressure and the
    like).

    message: its bytes. port: short name of the port. Raises ValueError for a message that cannot be used.
    """
    status = message[0]
    if status > _SYSEX:
        return None
    if status not in range(0x80, _SYSEX):
        raise ValueError("a system exclusive message" if status == _SYSEX else f"a message that begins with {status}")
    kind, channel = status >> 4, (status & 0xF) + 1
    data = message[1:]
    if len(data) != _N_DATA[kind] or max(data) > 127:
        raise ValueError(f"a malformed message, {' '.join(f'{byte:02x}' for byte in message[:8])}")
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
    """The name of a port without the numbers that ALSA assigns each time it is plugged in, and without a repeated
    client name: "nanoKONTROL2:nanoKONTROL2 MIDI 1 20:0" is "nanoKONTROL2 MIDI 1".
    """
    name = re.sub(r" \d+:\d+$", "", name.strip())
    client, _, rest = name.partition(":")
    return rest if client and rest.startswith(client) else name


class PortList:
    """Lists and opens the MIDI inputs. For one thread.

    The client that lists them is kept: making one each second disturbs a JACK server, and ends the process if the
    server has died while this program had ports open.
    """

    def __init__(self) -> None:
        """Raises VisualizerError where supriya-midi is missing."""
        self._library = load_library()
        self._client: Any = None

    def names(self) -> list[str]:
        """The names of the inputs, each once. Raises DeviceError if there is no MIDI."""
        api = self._api()
        try:
            with redirect_stderr():  # JACK and RtMidi write there, and raise as well
                if self._client is None:
                    self._client = self._new_client(api)
                return list(dict.fromkeys(self._client.get_ports()))
        except self._faults as fault:
            self.close()
            name = self._library.get_api_name(api)
            raise DeviceError(f"MIDI cannot be used through {name}: {_words(fault)}") from fault

    def open(self, name: str) -> Any:
        """Open a port; `get_message` of the object returned polls it. Raises DeviceError.

        No callback is used: the library holds the GIL while it closes a port, and waits for a callback that needs the
        GIL.
        """
        client = None
        try:
            with redirect_stderr():
                client = self._new_client(self._api())
                client.ignore_types(sysex=False)  # sysex messages are counted as bad
                client.open_port(client.get_ports().index(name), "visualizer")
        except self._faults as fault:
            if client is not None:
                client.delete()
            raise DeviceError(_words(fault)) from fault
        return client

    def close(self) -> None:
        """Close the client."""
        client, self._client = self._client, None
        if client is not None:
            client.delete()

    @property
    def _faults(self) -> tuple[type[Exception], ...]:
        return (self._library.RtMidiError, RuntimeError, ValueError, OSError)

    def _api(self) -> Any:
        """The MIDI system in use. Raises DeviceError if there is none."""
        library, name = self._library, os.environ.get(API_VARIABLE, "")
        there = {library.get_api_name(api): api for api in library.get_compiled_apis()}
        if name and name not in there:
            raise DeviceError(f"{API_VARIABLE}={name[:40]}: unknown MIDI system; known: {', '.join(there)}")
        if sys.platform.startswith("linux") and name in ("", "alsa") and not SEQUENCER.exists():
            raise DeviceError(
                f"there is no MIDI on this machine: {SEQUENCER} is missing (`modprobe snd-seq` loads it; with JACK set {API_VARIABLE}=jack)"
            )
        return there[name] if name else next(iter(there.values()))

    def _new_client(self, api: Any) -> Any:
        return self._library.MidiIn(api, "visualizer", N_WAITING)


def port_names() -> list[str]:
    """The full names of the MIDI inputs. Raises VisualizerError where supriya-midi is missing, DeviceError where
    there is no MIDI.
    """
    ports = PortList()
    try:
        return ports.names()
    finally:
        ports.close()


def chosen(names: Sequence[str], wanted: str) -> list[str]:
    """The ports to listen to. wanted: part of a name, "" for all but MIDI Through."""
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


class MidiInput:
    """Reads MIDI inputs in a thread of its own, which also lists the ports once a second; `close` ends it.

    on_moved: called for each movement, in that thread. wanted: part of a port's name, "" for all ports. on_look:
    called there once a second; on_lost: called there with the short name of a port that was unplugged. n_messages:
    messages read so far; n_bad: those of them that could not be used: system exclusive, malformed, or on_moved
    failed.
    """

    def __init__(
        self,
        on_moved: Callable[[Moved], None],
        *,
        wanted: str = "",
        on_look: Callable[[], None] | None = None,
        on_lost: Callable[[str], None] | None = None,
        look_s: float = LOOK_S,
    ) -> None:
        """Raises VisualizerError where supriya-midi is missing."""
        self._list = PortList()
        self._on_moved, self._on_look, self._on_lost = on_moved, on_look, on_lost
        self._wanted, self._look_s = wanted, look_s
        self.n_messages = self.n_bad = 0
        self.fault = ""
        self._ports: dict[str, Any] = {}
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
        """A port that was plugged in or unplugged; each once."""
        return self._news.popleft() if self._news else None

    def close(self) -> None:
        """Close the ports; waits at most 2 s."""
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
        """Open new ports, and close those that are gone."""
        try:
            found = self._list.names()
            self.fault = ""
        except VisualizerError as error:
            if str(error) != self.fault:
                self.fault = str(error)
                log.warning("%s", error)
                self._news.append(self.fault)
            found = []
        names = chosen(found, self._wanted)
        for name in [name for name in self._ports if name not in names]:
            self._close(name)
            self._report(f"MIDI: {short_name(name)} is gone")
            if self._on_lost is not None:
                self._on_lost(short_name(name))
        if not found:
            self._list.close()  # after the ports were closed: the server may be dead
        self._refused &= set(names)
        for name in names:
            if name not in self._ports:
                self._open(name)

    def _open(self, name: str) -> None:
        try:
            self._ports[name] = self._list.open(name)
        except VisualizerError as fault:
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
        self._ports.pop(name).delete()

    def _report(self, line: str) -> None:
        log.warning("%s", line)
        self._news.append(line)

    def _read(self) -> None:
        for name, port in self._ports.items():
            short = short_name(name)
            while message := port.get_message():
                self._handle(message[0], short)

    def _handle(self, message: Sequence[int], port: str) -> None:
        try:
            moved = moved_of(message, port)
            if moved is None:
                return
            self._on_moved(moved)
        except Exception as fault:
            self.n_bad += 1
            if self.n_bad <= 5:
                log.warning("MIDI: %s: message ignored: %s", port, fault, exc_info=not isinstance(fault, ValueError))
        self.n_messages += 1


def load_library() -> Any:
    """The module supriya_midi. Raises VisualizerError where it is missing."""
    reserve_environment()
    if sys.platform.startswith("linux"):
        # the library's copy of libjack is too old for current servers: load that of the system first, so that it is
        # used
        with contextlib.suppress(OSError):
            ctypes.CDLL("libjack.so.0", mode=ctypes.RTLD_GLOBAL)
    try:
        import supriya_midi
    except ImportError as fault:
        raise VisualizerError(f"{MISSING} ({_words(fault)})") from fault
    return supriya_midi


def _words(fault: BaseException) -> str:
    return " ".join(str(fault).split()) or type(fault).__name__
