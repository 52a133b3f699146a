"""The presets and dream frames of a recorded session: opened when they are asked for, or ahead of time in a thread."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from ..errors import BadInput, VisualizerError
from ..oneline import plain
from ..presets.loaded import LoadedPreset, Overrides, edited, open_preset
from ..presets.preset import FILE_NAME, read_preset
from ..session.events import CLOCK_HZ, DreamEvent, EditEvent, Event, PresetEvent
from ..session.reader import MOST_DREAM_PIXELS, RecordedSession

log = logging.getLogger(__name__)

#: so long before its time a file is read, seconds
AHEAD_S = 4.0
#: dream frames kept in memory, bytes: half of it for those that are still to come
MOST_BYTES = 256_000_000


class SessionFiles:
    """Opens the presets of a session, and reads its dream frames, when they are asked for.

    bakes: whether the dreams of presets are baked, and their networks needed. dream_size: of these, px; None: as
    recorded.
    """

    #: how many dream frames are put into a picture for one display frame, see `Scene`
    at_most: int | None = None

    def __init__(
        self, session: RecordedSession, *, bakes: bool = False, dream_size: tuple[int, int] | None = None
    ) -> None:
        self._session, self._bakes, self._dream_size = session, bakes, dream_size

    def coming(self, events: Iterable[Event]) -> Iterator[Event]:
        """The same events; what they name may be read earlier."""
        return iter(events)

    def preset(self, event: PresetEvent) -> LoadedPreset:
        """The copy of a preset, as it was shown. Raises VisualizerError."""
        return recorded_preset(self._session, event, bakes=self._bakes, size=self._dream_size)

    def edit(self, event: EditEvent, loaded: LoadedPreset) -> LoadedPreset:
        """A preset that is shown, as it was edited. Raises BadInput."""
        folder = self._session.preset(event)
        return replace(edited(loaded, read_preset(folder)), folder=folder)

    def dream(self, event: DreamEvent) -> np.ndarray | None:
        """A dream frame, (height, width, 3) uint8; None if it is not there yet. Raises BadInput."""
        return self._session.dream(event)

    def close(self) -> None:
        """Read nothing any more."""


class FilesAhead(SessionFiles):
    """Reads in a thread, ahead of time: nobody who draws waits for it, but a dream frame may come a little late."""

    at_most = 2

    def __init__(self, session: RecordedSession, *, bakes: bool = False) -> None:
        super().__init__(session, bakes=bakes)
        self._turn = threading.Condition()
        self._asked: deque[DreamEvent] = deque()  # before all others
        self._expected: deque[DreamEvent | PresetEvent] = deque()
        self._loaded: dict[int, LoadedPreset] = {}  # presets to come, by scene
        self._frames: OrderedDict[str, np.ndarray | BadInput] = OrderedDict()  # by hash, those used last at the end
        self._unused: set[str] = set()
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name="session files", daemon=True)
        self._thread.start()

    def coming(self, events: Iterable[Event]) -> Iterator[Event]:
        with self._turn:  # a replay goes on elsewhere: what was expected does not come
            self._expected.clear()
            self._unused.clear()
            self._loaded.clear()
        return self._coming(events)

    def preset(self, event: PresetEvent) -> LoadedPreset:
        with self._turn:
            loaded = self._loaded.pop(event.scene, None)
        return super().preset(event) if loaded is None else loaded

    def dream(self, event: DreamEvent) -> np.ndarray | None:
        with self._turn:
            found = self._frames.get(event.sha256)
            if found is None:
                if all(one.sha256 != event.sha256 for one in self._asked):
                    self._asked.append(event)
            else:
                self._frames.move_to_end(event.sha256)
                self._unused.discard(event.sha256)
            self._turn.notify()
        if isinstance(found, BadInput):
            raise found
        return found

    def close(self) -> None:
        with self._turn:
            self._is_closed = True
            self._turn.notify()
        self._thread.join()

    def _coming(self, events: Iterable[Event]) -> Iterator[Event]:
        waiting: deque[Event] = deque()
        for event in events:
            if isinstance(event, DreamEvent | PresetEvent):
                with self._turn:
                    self._expected.append(event)
                    self._turn.notify()
            waiting.append(event)
            while event.at - waiting[0].at > AHEAD_S * CLOCK_HZ:
                yield waiting.popleft()
        yield from waiting

    # -- on the thread that reads -------------------------------------------------------------------------------------

    def _run(self) -> None:
        while (event := self._next()) is not None:
            if isinstance(event, PresetEvent):
                self._open(event)
            elif event.sha256 not in self._frames:
                self._read(event)

    def _next(self) -> DreamEvent | PresetEvent | None:
        with self._turn:
            while not self._is_closed:
                if self._asked:
                    return self._asked.popleft()
                if self._expected and self._n_bytes(self._unused) < MOST_BYTES // 2:
                    return self._expected.popleft()
                self._turn.wait()
        return None

    def _open(self, event: PresetEvent) -> None:
        try:
            loaded = super().preset(event)
        except VisualizerError:  # it is reported when it is asked for
            return
        with self._turn:
            self._loaded[event.scene] = loaded

    def _read(self, event: DreamEvent) -> None:
        frame: np.ndarray | BadInput
        try:
            frame = self._session.dream(event)
        except BadInput as fault:
            frame = fault
        with self._turn:
            self._frames[event.sha256] = frame
            self._unused.add(event.sha256)
            for sha256 in [*self._frames]:
                if self._n_bytes(self._frames) <= MOST_BYTES:
                    break
                if sha256 not in self._unused:
                    del self._frames[sha256]

    def _n_bytes(self, keys: Iterable[str]) -> int:
        frames = (self._frames.get(key) for key in keys)
        return sum(frame.nbytes for frame in frames if isinstance(frame, np.ndarray))


def recorded_preset(
    session: RecordedSession, event: PresetEvent, *, bakes: bool, size: tuple[int, int] | None = None
) -> LoadedPreset:
    """The copy of a preset, with what the user had asked for instead of its values. bakes: whether its dream is baked,
    and its network needed. size: of the dream frames, px; None: as recorded.

    Raises BadInput, and DreamError for a network that is needed and has not been fetched.
    """
    folder, size = session.preset(event), size or (event.width, event.height)
    if size[0] * size[1] > MOST_DREAM_PIXELS:
        raise BadInput(f"{plain(folder)}: dream frames of {size[0]}x{size[1]} are too large")
    overrides = Overrides(
        image=folder / event.image if event.image else None,
        seed=event.seed,
        network=event.network,
        layer=event.layer,
        # with a file named, none is looked for: where nothing is baked, a network that was not fetched is no fault
        weights=None if bakes else folder / FILE_NAME,
        dream=tuple(event.dream.items()),
        journey=event.journey,
    )
    return replace(open_preset(str(folder), size=size, overrides=overrides), name=event.name, reference=event.reference)
