"""Playing a file: the picture follows what is heard at this instant."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..audio.decode import Song
from ..audio.playback import Playback, SilentPlayback
from ..audio.streams import silence_note
from ..store.cache import FrameCache
from .controller import Controller
from .look import Look
from .onscreen import Report, Staging, run
from .panel_link import open_panel
from .snapshot import Heard
from .sound import PlayedSound

if TYPE_CHECKING:
    from .lifeline import Lifeline

SEEK_S = 5.0
TAKES = frozenset({"pause", "seek_back", "seek_forward"})


def minutes(seconds: float | None) -> str:
    """A position in a song for reading: 75.2 -> "1:15"; "?" if unknown."""
    return "?" if seconds is None else f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


class Play:
    """A song played through the speakers, or silently on an exact clock while no output takes the sound.

    say: called with each line of `news`.
    """

    def __init__(
        self,
        playback: Playback | SilentPlayback,
        song: Song,
        name: str,
        look: Look,
        say: Callable[[str], None] = lambda line: None,
    ) -> None:
        self.playback = playback
        self.sound = PlayedSound(
            playback, song.sample_rate_hz, look.settings.beat, look.n_depths, n_rows=len(look.rows)
        )
        self._song = song
        self._name = name
        self._say = say

    def start(self) -> None:
        self.playback.start()

    def position_s(self) -> float:
        return self.playback.position_s

    def do(self, action: str) -> str | None:
        if action == "pause":
            if self.playback.paused:
                self.playback.resume()
            else:
                self.playback.pause()
        elif action in ("seek_back", "seek_forward"):
            self.playback.seek(self.playback.position_s + (SEEK_S if action == "seek_forward" else -SEEK_S))
        return None

    def heard(self) -> Heard:
        """What there is to show of the sound."""
        return self.sound.heard()._replace(
            input=f"{self._name}  {minutes(self.playback.position_s)} / {minutes(self._song.duration_s)}",
            input_state="paused" if self.playback.paused else self.playback.lost or "",
        )

    def go_to(self, position_s: float, *, paused: bool = False) -> None:
        """Go on from a position in the song, seconds, or stand there."""
        if position_s > 0:
            self.playback.seek(position_s)
        if paused:
            self.playback.pause()

    @property
    def is_paused(self) -> bool:
        """Whether the song stands still."""
        return self.playback.paused

    def set_look(self, look: Look) -> None:
        self.sound.set_beat(look.settings.beat, look.n_depths, len(look.rows))

    def status(self) -> list[str]:
        where = f"{minutes(self.playback.position_s)} / {minutes(self._song.duration_s)}"
        return [
            f"song\t{self._name}  {where}{'  paused' if self.playback.paused else ''}",
            f"sound\t{self.playback.lost or 'ok'}   underruns {self.playback.n_underruns}",
        ]

    def news(self) -> str | None:
        line = self.playback.news()
        if line:
            self._say(line)
        return line

    def over(self) -> bool:
        return self.playback.ended


def play(
    path: Path,
    look: Look,
    cache: FrameCache,
    *,
    device: str | int | None = None,
    stream: int | None = None,
    staging: Staging | None = None,
    controllers: Callable[[], Sequence[Controller]] = tuple,
    lifeline: Lifeline | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> Report:
    """Play the sound file `path` in a window until it ends. stream: number of its sound stream, see `Song`. say: called with a line
    the user should read. controllers, lifeline: see `run`.

    Raises BadInput for a file that cannot be played, UnknownDevice for a device asked for and not there, GraphicsError.
    """
    with ExitStack() as stack:
        song = stack.enter_context(Song(path, stream=stream))
        if note := silence_note(path, stream):
            say(note)
        # a show that goes on after a crash waits for the output that it had
        must_be_there = lifeline is None or lifeline.resume is None
        playback = stack.enter_context(Playback(song, device=device, must_be_there=must_be_there))
        act = Play(playback, song, path.name, look, say=say)
        return run(
            look,
            act,
            cache,
            title=f"{path.name} - visualizer",
            staging=staging,
            takes=TAKES,
            controllers=controllers,
            opens_panel=partial(open_panel, size=look.size, wish=look.wish),
            lifeline=lifeline,
        )
