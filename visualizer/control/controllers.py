"""MIDI, OSC and Ableton Link as controllers of a show, and their bindings."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence

from ..clock import monotonic
from ..errors import BadInput, VisualizerError
from . import controls_file as file
from .addresses import OscMapping
from .backlog import Backlog
from .bindings import Controls, MidiBinding, OscBinding, targets
from .bound_control import ShowInfo
from .commands import Change, Input, SetTempo
from .controller import Controller
from .learning import Learner, sentence
from .link import LinkSession, LinkTempo
from .mapping import MidiMapping, Moved
from .midi import MidiInput
from .osc import LOOPBACK, PRIVATE, Network, OscInput, is_among, parse_place, parse_senders
from .oscbytes import OscValue
from .parameters import Parameter, base_parameters
from .snapshot import Snapshot
from .targets import check_target

log = logging.getLogger(__name__)

# The least confidence, 0..1, with which the detected tempo is handed to the Link session.
CERTAIN = 0.5


class BoundControls:
    """The bindings of a show, and learning new ones: one for all its controllers. Its methods may be called by any
    thread.

    Reads controls.yaml when it changes, and writes it when a control was learned. bindings: the controls of each
    target, for people.
    """

    def __init__(self, *, now: Callable[[], float] = monotonic) -> None:
        """now: seconds. Raises BadInput for errors in controls.yaml."""
        self._now = now
        self._lock = threading.RLock()
        self._learner = Learner()
        self._show = ShowInfo()
        self._look: tuple[Parameter, ...] = ()
        self._news: deque[str] = deque(maxlen=16)
        self._saving: list[threading.Thread] = []
        self._midi, self._osc = MidiMapping(), OscMapping()
        self._released = Backlog()
        self._stamp = file.stamp()
        self.bindings: dict[str, str] = {}
        self._rebind(file.load_controls())

    @property
    def learning(self) -> str:
        """The target that the next control moved is bound to, "" if none."""
        return self._learner.target

    def learn(self, target: str) -> None:
        """Bind the next control that is moved to a target; "" cancels. Raises BadInput for an unknown target, naming
        the nearest.
        """
        with self._lock:
            self._learner.target = check_target(target, targets()) if target else ""

    def update(self, snapshot: Snapshot) -> None:
        """Take over the state of the show."""
        known = self._show
        parameters = known.parameters if snapshot.look == self._look else base_parameters().with_look(snapshot.look)
        self._look = snapshot.look
        self._show = ShowInfo(snapshot.values, snapshot.presets, parameters)

    def news(self) -> str | None:
        """What was learned, and errors in controls.yaml: each once."""
        return self._news.popleft() if self._news else None

    def midi_changes(self, moved: Moved) -> list[Change]:
        """The changes that a movement asks for; none if it was the control to be learned."""
        with self._lock:
            learned = self._learner.midi(moved)
            if learned is None:
                return self._midi.changes(moved, self._show, self._now())
            self._bind(learned)
            return []

    def osc_changes(self, address: str, values: list[OscValue]) -> list[Change]:
        """The changes that a message asks for; none if it was the control to be learned. Raises ValueError for one
        that cannot be used.
        """
        with self._lock:
            learned = self._learner.osc(address, values)
            if learned is None:
                return self._osc.changes(address, values, self._show, self._now())
            self._bind(learned)
            return []

    def disconnect_midi(self, port: str) -> list[Change]:
        """A MIDI port was unplugged; the changes that release what its controls hold."""
        with self._lock:
            return self._midi.disconnect(port)

    def take_released(self) -> list[Input]:
        """The changes that release what was held by controls whose binding is gone; each once."""
        return self._released.take()

    def reload(self) -> None:
        """Read controls.yaml if it has changed; if there are errors in it, the bindings stay."""
        stamp = file.stamp()
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            read = file.load_controls()
        except VisualizerError as error:
            log.warning("%s", error)
            self._news.append(f"{error}; the bindings stay as they were")
            return
        with self._lock:
            if read != self._controls:
                self._rebind(read)
                log.info("controls.yaml was read again")

    def close(self) -> None:
        """Wait until what was learned is saved."""
        for thread in self._saving:
            thread.join(5.0)

    def _rebind(self, controls: Controls) -> None:
        self._controls = controls
        self._released.put([*self._midi.rebind(controls.midi), *self._osc.rebind(controls.osc.values())])
        named: dict[str, str] = {}
        for binding in (*controls.midi, *controls.osc.values()):
            named[binding.does] = f"{named[binding.does]}, {binding}" if binding.does in named else str(binding)
        self.bindings = named

    def _bind(self, binding: MidiBinding | OscBinding) -> None:
        self._learner.target = ""
        self._rebind(file.with_binding(self._controls, binding))
        self._news.append(sentence(binding))
        log.info("%s", sentence(binding))
        # in a thread: a disk may be slow, and this is the thread of a port
        thread = threading.Thread(target=self._save, args=(binding,), name="controls")
        self._saving = [*(one for one in self._saving if one.is_alive()), thread]
        thread.start()

    def _save(self, binding: MidiBinding | OscBinding) -> None:
        try:
            file.learn(binding)
        except VisualizerError as error:
            log.warning("%s", error)
            self._news.append(f"{error}; the binding holds until the show ends")


class _BoundController(Controller):
    """What the controllers with bindings have in common."""

    can_learn = True

    def __init__(self, controls: BoundControls) -> None:
        self._controls = controls
        self._backlog = Backlog()

    @property
    def learning(self) -> str:
        return self._controls.learning

    @property
    def bindings(self) -> dict[str, str]:
        return self._controls.bindings

    def learn(self, target: str) -> None:
        self._controls.learn(target)

    def poll(self) -> list[Input]:
        return [*self._backlog.take(), *self._controls.take_released()]

    def update(self, snapshot: Snapshot) -> None:
        self._controls.update(snapshot)


class MidiController(_BoundController):
    """Knobs, pads and keys of MIDI. wanted: part of the name of a port, "" for all ports."""

    name = "midi"

    def __init__(self, controls: BoundControls, wanted: str = "") -> None:
        """Raises VisualizerError where supriya-midi is missing. No MIDI on this machine is reported in `news`."""
        super().__init__(controls)
        self._input = MidiInput(self._receive, wanted=wanted, on_look=controls.reload, on_lost=self._disconnect)

    def status(self) -> list[str]:
        source = self._input
        ports = ", ".join(source.names) or (source.fault.partition(":")[0] if source.fault else "no port")
        return [f"midi\t{ports}  n {source.n_messages}  bad {source.n_bad}{_dropped(self._backlog.n_dropped)}"]

    def news(self) -> str | None:
        return self._input.news() or self._controls.news()

    def close(self) -> None:
        self._input.close()
        self._controls.close()

    def _receive(self, moved: Moved) -> None:
        self._backlog.put(self._controls.midi_changes(moved))

    def _disconnect(self, port: str) -> None:
        self._backlog.put(self._controls.disconnect_midi(port))


class OscController(_BoundController):
    """OSC over UDP. place: host and port, 0 for any free port; allowed: networks that may send."""

    name = "osc"

    def __init__(self, controls: BoundControls, place: tuple[str, int], allowed: Sequence[Network] = PRIVATE) -> None:
        """Raises VisualizerError where python-osc is missing or the port is taken."""
        super().__init__(controls)
        self._input = OscInput(place, self._receive, allowed=allowed, now=monotonic, on_look=controls.reload)
        log.info("OSC: listening at %s", self._input.place)

    @property
    def place(self) -> str:
        """Host and port that it listens at, for people."""
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
        source = self._input
        dropped = _dropped(source.n_dropped + self._backlog.n_dropped)
        refused = f"  refused {source.n_refused}" if source.n_refused else ""
        return [f"osc\t{source.place}  n {source.n_messages}  bad {source.n_bad}{dropped}{refused}"]

    def news(self) -> str | None:
        return self._controls.news()

    def close(self) -> None:
        self._input.close()
        self._controls.close()

    def _receive(self, address: str, values: list[OscValue]) -> None:
        self._backlog.put(self._controls.osc_changes(address, values))


class LinkController(Controller):
    """Tempo and beat of an Ableton Link session, while there are other participants."""

    name = "link"

    def __init__(self) -> None:
        """Raises VisualizerError where aalink is missing or cannot be used."""
        self._tempo: deque[LinkTempo] = deque(maxlen=1)  # the newest that was not taken yet
        self._news: deque[str] = deque(maxlen=4)
        self._leads = False
        self._session = LinkSession(self._receive, now=monotonic)

    def poll(self) -> list[Input]:
        if not self._tempo:
            return []
        tempo = self._tempo.popleft()
        return [SetTempo(tempo.bpm, monotonic() - tempo.beat_s if tempo.bpm else 0.0)]

    def update(self, snapshot: Snapshot) -> None:
        """Hand the detected tempo to the session, if it is certain; it is used while there are no peers."""
        if snapshot.confidence >= CERTAIN:
            self._session.suggest(snapshot.bpm)

    def status(self) -> list[str]:
        session = self._session
        if session.fault:
            return [f"link\tstopped: {session.fault}"]
        if not session.n_peers:
            return ["link\tno peers"]
        return [f"link\t{session.n_peers} {'peer' if session.n_peers == 1 else 'peers'}  {session.bpm:.1f} BPM"]

    def news(self) -> str | None:
        return self._news.popleft() if self._news else None

    def close(self) -> None:
        self._session.close()

    def _receive(self, tempo: LinkTempo) -> None:
        self._tempo.append(tempo)
        if (leads := tempo.bpm > 0) != self._leads:
            self._leads = leads
            self._news.append(f"Link leads the tempo: {tempo.bpm:.1f} BPM" if leads else "Link: all peers have left")


def open_controllers(
    midi: str | None,
    osc: str | None,
    link: bool,
    *,
    osc_allow: str | None = None,
    say: Callable[[str], None] = log.info,
) -> list[Controller]:
    """Open the controllers asked for; they listen already.

    midi: part of a port's name, "" for all ports; osc: "[HOST:]PORT", "" for 127.0.0.1:9000; None for neither.
    osc_allow: addresses and networks that may send OSC besides this machine; None: private networks. say: called with
    a line if OSC is open to the network. Raises VisualizerError for a missing extra or a port that is in use,
    BadInput for errors in controls.yaml, `osc` or `osc_allow`.
    """
    if osc_allow is not None and osc is None:
        raise BadInput("--osc-allow needs --osc; add --osc, or leave --osc-allow out")
    place = None if osc is None else parse_place(osc)
    allowed = PRIVATE if osc_allow is None else (*LOOPBACK, *parse_senders(osc_allow))
    controls = BoundControls() if midi is not None or osc is not None else None
    found: list[Controller] = []
    try:
        if midi is not None and controls is not None:
            found.append(MidiController(controls, midi))
        if place is not None and controls is not None:
            found.append(listening := OscController(controls, place, allowed))
            if not listening.is_local:
                senders = ", ".join(one.strip() for one in (osc_allow or "").split(","))
                who = (
                    f"{senders} and this machine"
                    if osc_allow
                    else "private networks only; --osc-allow names the senders"
                )
                say(f"OSC listens at {listening.place}, for messages from {who}")
        if link:
            found.append(LinkController())
    except BaseException:
        for one in found:
            one.close()
        raise
    return found


def _dropped(count: int) -> str:
    return f"  dropped {count}" if count else ""
