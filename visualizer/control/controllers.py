"""MIDI, OSC and Ableton Link as controllers of a show, and what is bound to what."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence

from ..clock import monotonic
from ..errors import BadInput, VisualizerError
from . import controls_file as file
from .addresses import OscMapping
from .backlog import Backlog
from .bindings import Controls, MidiBinding, OscBinding, checked_target
from .commands import Change, SetTempo
from .controller import Controller
from .learning import Learner, sentence
from .link import LinkSession
from .mapping import MidiMapping, Moved
from .midi import MidiInput
from .osc import LOOPBACK, PRIVATE, Network, OscInput, is_among, parse_place, parse_senders
from .oscbytes import Value
from .snapshot import Snapshot

log = logging.getLogger(__name__)

# A tempo as sure as this is worth handing on to whoever joins the Link session.
SURE = 0.5


class Board:
    """What is bound, and what is being learned: one for all controllers of a show. Its methods may be called by any thread.

    controls.yaml is read when it changes, and written when something was learned. bindings: target to control, for reading.
    """

    def __init__(self, *, now: Callable[[], float] = monotonic) -> None:
        """Raises BadInput for faults in controls.yaml."""
        self._now = now
        self._lock = threading.RLock()
        self._learner = Learner()
        self._values: Mapping[str, float | str] = {}
        self._presets: Sequence[str] = ()
        self._news: deque[str] = deque(maxlen=16)
        self._saving: list[threading.Thread] = []
        self._midi, self._osc = MidiMapping(), OscMapping()
        self._released = Backlog()
        self._stamp = file.stamp()
        self.bindings: dict[str, str] = {}
        self._take(file.load_controls())

    @property
    def learning(self) -> str:
        """The target that the next control moved is bound to, "" if none is."""
        return self._learner.target

    def learn(self, target: str) -> None:
        """Bind the next control moved to a target; "" calls it off. Raises BadInput for what there is not, naming the nearest."""
        with self._lock:
            self._learner.target = checked_target(target) if target else ""

    def tell(self, snapshot: Snapshot) -> None:
        """How the show stands."""
        self._values, self._presets = snapshot.values, snapshot.presets

    def news(self) -> str | None:
        """What was learned, and faults of the file, once."""
        return self._news.popleft() if self._news else None

    def hear_midi(self, moved: Moved) -> list[Change]:
        """What a movement asks for; one that was waited for is learned, and asks for nothing."""
        with self._lock:
            found = self._learner.hear_midi(moved)
            if found is None:
                return self._midi.hear(moved, self._values, self._presets, self._now())
            self._learned(found)
            return []

    def hear_osc(self, address: str, told: list[Value]) -> list[Change]:
        """What a message asks for. Raises ValueError for one that means nothing here."""
        with self._lock:
            found = self._learner.hear_osc(address, told)
            if found is None:
                return self._osc.hear(address, told, self._values, self._presets, self._now())
            self._learned(found)
            return []

    def lose_midi(self, port: str) -> list[Change]:
        """A MIDI port is gone; the commands that release what it holds."""
        with self._lock:
            return self._midi.lose(port)

    def released(self) -> list[Change]:
        """The commands that release what was held by controls that are no longer bound to it, once."""
        return self._released.take()

    def look(self) -> None:
        """Read controls.yaml if it has changed; with faults in it, what was bound stays."""
        stamp = file.stamp()
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            read = file.load_controls()
        except VisualizerError as error:
            log.warning("%s", error)
            self._news.append(f"{error}; the controls stay as they were")
            return
        with self._lock:
            if read != self._controls:
                self._take(read)
                log.info("controls.yaml was read again")

    def close(self) -> None:
        """Wait until what was learned is kept."""
        for thread in self._saving:
            thread.join(5.0)

    def _take(self, controls: Controls) -> None:
        self._controls = controls
        self._released.put([*self._midi.rebind(controls.midi), *self._osc.rebind(controls.osc.values())])
        told: dict[str, str] = {}
        for binding in (*controls.midi, *controls.osc.values()):
            told[binding.does] = f"{told[binding.does]}, {binding}" if binding.does in told else str(binding)
        self.bindings = told

    def _learned(self, binding: MidiBinding | OscBinding) -> None:
        self._learner.target = ""
        self._take(file.with_binding(self._controls, binding))
        self._news.append(sentence(binding))
        log.info("%s", sentence(binding))
        # a disk may be slow, and this is a port's own thread
        thread = threading.Thread(target=self._keep, args=(binding,), name="controls")
        self._saving = [*(one for one in self._saving if one.is_alive()), thread]
        thread.start()

    def _keep(self, binding: MidiBinding | OscBinding) -> None:
        try:
            file.learn(binding)
        except VisualizerError as error:
            log.warning("%s", error)
            self._news.append(f"{error}; what was learned holds for this show")


class _Bound:
    """What the controllers with bindings have in common."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._backlog = Backlog()

    @property
    def learning(self) -> str:
        """The target that the next control moved is bound to, "" if none is."""
        return self._board.learning

    @property
    def bindings(self) -> dict[str, str]:
        """Target to control: "beat.decay" to "CC 7 channel 1 of X"; of MIDI and OSC."""
        return self._board.bindings

    def learn(self, target: str) -> None:
        """See `Board.learn`."""
        self._board.learn(target)

    def poll(self) -> list[Change]:
        return [*self._backlog.take(), *self._board.released()]

    def tell(self, snapshot: Snapshot) -> None:
        self._board.tell(snapshot)


class MidiController(_Bound):
    """Knobs, pads and keys. wanted: part of a port's name, "" for all ports."""

    name = "midi"

    def __init__(self, board: Board, wanted: str = "") -> None:
        """Raises VisualizerError where supriya-midi is missing. No MIDI on this machine is reported in `news`."""
        super().__init__(board)
        self._input = MidiInput(self._hear, wanted=wanted, on_look=board.look, on_lost=self._lose)

    def status(self) -> list[str]:
        heard = self._input
        ports = ", ".join(heard.names) or (heard.fault.partition(":")[0] if heard.fault else "no port")
        return [f"midi\t{ports}  n {heard.n_messages}  bad {heard.n_bad}{_dropped(self._backlog.n_dropped)}"]

    def news(self) -> str | None:
        return self._input.news() or self._board.news()

    def close(self) -> None:
        self._input.close()
        self._board.close()

    def _hear(self, moved: Moved) -> None:
        self._backlog.put(self._board.hear_midi(moved))

    def _lose(self, port: str) -> None:
        self._backlog.put(self._board.lose_midi(port))


class OscController(_Bound):
    """OSC over UDP. place: host and port, 0 for any that is free; allowed: networks that may send."""

    name = "osc"

    def __init__(self, board: Board, place: tuple[str, int], allowed: Sequence[Network] = PRIVATE) -> None:
        """Raises VisualizerError where python-osc is missing or the port is taken."""
        super().__init__(board)
        self._input = OscInput(place, self._hear, allowed=allowed, now=monotonic, on_look=board.look)
        log.info("OSC: listening at %s", self._input.place)

    @property
    def place(self) -> str:
        """Host and port that it listens at, for reading."""
        return self._input.place

    @property
    def port(self) -> int:
        """The port it listens at."""
        return self._input.port

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach it."""
        return is_among(self._input.host, LOOPBACK)

    def status(self) -> list[str]:
        heard = self._input
        dropped = _dropped(heard.n_dropped + self._backlog.n_dropped)
        refused = f"  refused {heard.n_refused}" if heard.n_refused else ""
        return [f"osc\t{heard.place}  n {heard.n_messages}  bad {heard.n_bad}{dropped}{refused}"]

    def news(self) -> str | None:
        return self._board.news()

    def close(self) -> None:
        self._input.close()
        self._board.close()

    def _hear(self, address: str, told: list[Value]) -> None:
        self._backlog.put(self._board.hear_osc(address, told))


class LinkController:
    """Tempo and beat of an Ableton Link session, while somebody else is in it."""

    name = "link"

    def __init__(self) -> None:
        """Raises VisualizerError where aalink is missing or cannot be used."""
        self._backlog = Backlog()
        self._news: deque[str] = deque(maxlen=4)
        self._leads = False
        self._session = LinkSession(self._hear, now=monotonic)

    def poll(self) -> list[Change]:
        return self._backlog.take()

    def tell(self, snapshot: Snapshot) -> None:
        """Of how the show stands only a tempo that is sure matters, and only while nobody else is in the session."""
        if snapshot.confidence >= SURE:
            self._session.suggest(snapshot.bpm)

    def status(self) -> list[str]:
        session = self._session
        if session.fault:
            return [f"link\tstopped: {session.fault}"]
        if not session.n_peers:
            return ["link\tnobody there"]
        return [f"link\t{session.n_peers} {'peer' if session.n_peers == 1 else 'peers'}  {session.bpm:.1f} BPM"]

    def news(self) -> str | None:
        return self._news.popleft() if self._news else None

    def close(self) -> None:
        self._session.close()

    def _hear(self, tempo: SetTempo) -> None:
        self._backlog.put([tempo])
        if (leads := tempo.bpm > 0) != self._leads:
            self._leads = leads
            self._news.append(
                f"Link leads the tempo: {tempo.bpm:.1f} BPM" if leads else "Link: nobody is there any more"
            )


def open_controllers(
    midi: str | None,
    osc: str | None,
    link: bool,
    *,
    osc_allow: str | None = None,
    say: Callable[[str], None] = log.info,
) -> list[Controller]:
    """The controllers asked for, listening already.

    midi: part of a port's name, "" for all ports; osc: "[HOST:]PORT", "" for 127.0.0.1:9000;
    None for neither. osc_allow: addresses and networks that may send OSC, beside this machine; None: private networks. say: called with a
    line where OSC is opened to the network. Raises VisualizerError with one line for an extra that is missing or a port that is taken, BadInput for faults in
    controls.yaml, `osc` or `osc_allow`.
    """
    if osc_allow is not None and osc is None:
        raise BadInput("--osc-allow is for --osc, which is missing; add it, or leave --osc-allow out")
    place = None if osc is None else parse_place(osc)
    allowed = PRIVATE if osc_allow is None else (*LOOPBACK, *parse_senders(osc_allow))
    board = Board() if midi is not None or osc is not None else None
    found: list[Controller] = []
    try:
        if midi is not None and board is not None:
            found.append(MidiController(board, midi))
        if place is not None and board is not None:
            found.append(listening := OscController(board, place, allowed))
            if not listening.is_local:
                senders = ", ".join(one.strip() for one in (osc_allow or "").split(","))
                whom = (
                    f"{senders} and this machine"
                    if osc_allow
                    else "private networks only; --osc-allow names the senders"
                )
                say(f"OSC listens at {listening.place}, for messages from {whom}")
        if link:
            found.append(LinkController())
    except BaseException:
        for one in found:
            one.close()
        raise
    return found


def _dropped(count: int) -> str:
    return f"  dropped {count}" if count else ""
