"""MIDI ports: found by name, opened, watched as they come and go, and listened to."""

from __future__ import annotations

import ctypes
import logging
import re
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ..errors import DeviceError, UnknownDevice, VisualizerError, nearest
from ..processes import reserve_environment
from .mapping import BEND_RANGE, Moved

log = logging.getLogger(__name__)

# So often the ports are looked for, seconds.
LOOK_S = 1.0
# So long `close` waits for a port that does not let go, seconds.
CLOSE_S = 2.0
#: a port that brings back what is sent to it: only listened to if it is asked for
THROUGH = "midi through"
MISSING = "MIDI needs mido and python-rtmidi: pip install 'kickdream[midi]'"
_SEQUENCER = Path("/dev/snd/seq")
# Clocks and the like come often, and mean nothing here.
_UNHEARD = {"clock", "active_sensing", "start", "stop", "continue", "reset", "songpos", "song_select", "tune_request"}
_UNHEARD |= {"aftertouch", "polytouch", "quarter_frame"}


def moved_of(message: Any, port: str) -> Moved | None:
    """What a mido message tells of a control; None for a kind that means nothing here. Raises ValueError for one that cannot be used."""
    kind = message.type
    if kind == "control_change":
        return Moved("cc", message.control, message.channel + 1, message.value, port)
    if kind in ("note_on", "note_off"):
        velocity = message.velocity if kind == "note_on" else 0
        return Moved("note", message.note, message.channel + 1, velocity, port)
    if kind == "program_change":
        return Moved("program", message.program, message.channel + 1, message.program, port)
    if kind == "pitchwheel":
        return Moved("bend", 0, message.channel + 1, message.pitch + BEND_RANGE, port)
    if kind in _UNHEARD:
        return None
    raise ValueError(f"a {kind} message")


def short_name(name: str) -> str:
    """A port's name without the numbers ALSA gives it anew each time: "nanoKONTROL2:nanoKONTROL2 MIDI 1 20:0" loses its end, and its
    beginning where that is said twice."""
    name = re.sub(r" \d+:\d+$", "", name.strip())
    client, _, rest = name.partition(":")
    return rest if client and rest.startswith(client) else name


class PortList:
    """The names of the MIDI inputs there are, asked for as often as one likes. Belongs to one thread.

    rtmidi is asked through one client that stays: a new one each time disturbs a JACK server, and brings the process down where that
    has died with ports of ours open.
    """

    def __init__(self) -> None:
        """Raises VisualizerError where mido is missing."""
        self._mido = _mido()
        self._client: Any = None

    def names(self) -> list[str]:
        """The names, each once. Raises DeviceError where there is no MIDI. Ports that are not named are to be closed before the next call."""
        mido = self._mido
        is_rtmidi = mido.backend.name == "mido.backends.rtmidi"
        api = mido.backend.api or ""
        if is_rtmidi and sys.platform.startswith("linux") and api in ("", "LINUX_ALSA") and not _SEQUENCER.exists():
            raise DeviceError(
                f"there is no MIDI on this machine: {_SEQUENCER} is missing (`modprobe snd-seq` brings it; with JACK set "
                "MIDO_BACKEND=mido.backends.rtmidi/UNIX_JACK)"
            )
        try:
            names = self._ask_rtmidi(api) if is_rtmidi else mido.get_input_names()
        except (OSError, ValueError, ImportError, AttributeError, RuntimeError) as fault:
            self.close()
            through = f"{mido.backend.name}{f'/{api}' if api else ''}"
            raise DeviceError(f"MIDI cannot be reached through {through}: {_words(fault)}") from fault
        return list(dict.fromkeys(str(name) for name in names))

    def close(self) -> None:
        """Give the client back."""
        client, self._client = self._client, None
        if client is not None:
            client.delete()

    def _ask_rtmidi(self, api: str) -> list[str]:
        import rtmidi

        if self._client is None:
            if not hasattr(rtmidi, f"API_{api or 'UNSPECIFIED'}"):
                raise ValueError(f"there is no {api}")
            self._client = rtmidi.MidiIn(getattr(rtmidi, f"API_{api or 'UNSPECIFIED'}"))
        names: list[str] = self._client.get_ports()
        return names


def port_names() -> list[str]:
    """The names of the MIDI inputs there are. Raises VisualizerError where mido is missing, DeviceError where there is no MIDI."""
    ports = PortList()
    try:
        return ports.names()
    finally:
        ports.close()


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


class MidiInput:
    """Listens to MIDI inputs, and looks once a second which there are. Its own thread does that; `close` ends it.

    on_moved: called for each movement, on the threads of the ports: quick, and safe for several threads. wanted: part of a name, ""
    for all ports. on_look: called once a second, on the thread of this. n_messages: heard so far; n_bad: of those that could not
    be used: system exclusive, malformed, or one that on_moved failed for.
    """

    def __init__(
        self,
        on_moved: Callable[[Moved], None],
        *,
        wanted: str = "",
        on_look: Callable[[], None] | None = None,
        look_s: float = LOOK_S,
    ) -> None:
        """Raises VisualizerError where mido is missing."""
        self._mido = _mido()
        self._list = PortList()
        self._on_moved, self._wanted, self._on_look, self._look_s = on_moved, wanted, on_look, look_s
        self.n_messages = self.n_bad = 0
        self.fault = ""
        self._ports: dict[str, Any] = {}
        self._known: set[str] = set()  # ports that were open once
        self._refused: set[str] = set()
        self._news: deque[str] = deque(maxlen=16)
        self._ending = threading.Event()
        self.looked = threading.Event()  # set once the ports were looked for
        self._thread = threading.Thread(target=self._watch, name="midi ports", daemon=True)
        self._thread.start()

    @property
    def names(self) -> list[str]:
        """The ports listened to, by their short names."""
        return [short_name(name) for name in list(self._ports)]

    def news(self) -> str | None:
        """A port that came or went, once."""
        return self._news.popleft() if self._news else None

    def close(self) -> None:
        """Let the ports go; waits for that 2 s at most."""
        self._ending.set()
        self._thread.join(CLOSE_S)

    def _watch(self) -> None:
        while not self._ending.is_set():
            self._look()
            self.looked.set()
            if self._on_look is not None:
                try:
                    self._on_look()
                except VisualizerError as error:
                    log.warning("%s", error)
            self._ending.wait(self._look_s)
        for name in list(self._ports):
            self._let_go(name)
        self._list.close()

    def _look(self) -> None:
        """Open what is there, and let go of what is not."""
        try:
            found = self._list.names()
            names = chosen(found, self._wanted)
            self.fault = ""
        except VisualizerError as error:
            if str(error) != self.fault:
                self.fault = str(error)
                log.warning("%s", error)
                self._news.append(self.fault)
            found = names = []
        for name in [name for name in self._ports if name not in names]:
            self._let_go(name)
            self._tell(f"MIDI: {short_name(name)} is gone")
        if not found:
            self._list.close()  # after the ports: perhaps the server is dead
        self._refused &= set(names)
        for name in names:
            if name not in self._ports:
                self._open(name)

    def _open(self, name: str) -> None:
        try:
            self._ports[name] = self._listened_to(name)
        except (OSError, ValueError, RuntimeError, AttributeError) as fault:
            if name not in self._refused:
                self._refused.add(name)
                self._tell(f"MIDI: {short_name(name)} cannot be opened: {_words(fault)}")
            return
        self._refused.discard(name)
        short = short_name(name)
        if short in self._known:
            self._tell(f"MIDI: {short} is back")
        else:
            log.info("MIDI: listening to %s", short)
        self._known.add(short)

    def _listened_to(self, name: str) -> Any:
        """The port, open. mido throws malformed messages away unseen: where it lets us, the bytes are taken before that."""
        short = short_name(name)
        port = self._mido.open_input(name, callback=lambda message: self._hear(message, short))
        raw: Any = getattr(port, "_rt", None)
        if hasattr(raw, "set_callback"):
            raw.set_callback(lambda told, _: self._hear_bytes(told[0], short))
        return port

    def _let_go(self, name: str) -> None:
        try:
            self._ports.pop(name).close()
        except (OSError, ValueError, RuntimeError, AttributeError) as fault:
            log.info("MIDI: %s: %s", name, fault)

    def _tell(self, line: str) -> None:
        log.warning("%s", line)
        self._news.append(line)

    def _hear_bytes(self, data: list[int], port: str) -> None:
        """A message as a port's thread gets it."""
        try:
            message = self._mido.Message.from_bytes(data)
        except (ValueError, TypeError, IndexError, KeyError) as fault:
            self._count_bad(fault, port)
            return
        self._hear(message, port)

    def _hear(self, message: Any, port: str) -> None:
        try:
            moved = moved_of(message, port)
            if moved is not None:
                self._on_moved(moved)
                self.n_messages += 1
        except Exception as fault:  # noqa: BLE001  nothing may leave by way of a port's own thread
            self._count_bad(fault, port)

    def _count_bad(self, fault: Exception, port: str) -> None:
        self.n_messages += 1
        self.n_bad += 1
        if self.n_bad <= 5:
            log.warning("MIDI: %s: not used: %s", port, fault, exc_info=not isinstance(fault, ValueError))


def _mido() -> Any:
    """mido, with what its own backend needs. Raises VisualizerError where that is missing."""
    try:
        import mido

        if mido.backend.name == "mido.backends.rtmidi":
            import rtmidi  # noqa: F401
    except ImportError as fault:
        raise VisualizerError(f"{MISSING} ({_words(fault)})") from fault
    if sys.platform.startswith("linux"):
        _silence_libraries()
    return mido


def _words(fault: BaseException) -> str:
    return " ".join(str(fault).split()) or type(fault).__name__


def _silence_libraries() -> None:
    """Keep ALSA and JACK from writing to the terminal, which a watch would have them do every second."""
    reserve_environment()
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
