"""Where the pictures come from that a journey is led to during a show: files dropped on the window, a camera, a folder
that is watched, and the preset.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from ..pictures.frame_grabber import FrameGrabber
from ..pictures.picture_folder import PictureFolder
from .stage import NO_JOURNEY, Scene

log = logging.getLogger(__name__)

#: so many dropped files wait at most
_MOST_WAITING = 100


@dataclass(frozen=True)
class PictureOptions:
    """Where a show gets pictures. camera, opens_camera: see `FrameGrabber`; folder: that is watched, None for none."""

    camera: str | None = None
    folder: Path | None = None
    opens_camera: bool = True


class PictureSources:
    """Hands pictures to the journey that is shown. scene: returns the scene on the stage. answer, say: called with
    lines for the user: about what was asked for, and about what went wrong. say returns whether it shows the line: not
    if it has a moment ago.
    """

    def __init__(
        self,
        options: PictureOptions,
        scene: Callable[[], Scene],
        answer: Callable[[str], None],
        say: Callable[[str], bool],
    ) -> None:
        self._scene, self._answer, self._say = scene, answer, say
        self._grabber = FrameGrabber(options.camera, opens=options.opens_camera)
        self._folder = PictureFolder(options.folder) if options.folder is not None else None
        self._dropped: deque[Path] = deque(maxlen=_MOST_WAITING)

    @property
    def requests(self) -> Mapping[str, Callable[[str], str | None]]:
        """What is done for each kind of request of the state."""
        return {"grab_picture": self._grab, "newest_picture": self._newest, "next_picture": self._next}

    def follow(self, dropped: Iterable[Path]) -> None:
        """Hand on what has come since the display frame before. dropped: files dropped on the window: of several the
        next one follows once the one before is seen.
        """
        scene = self._scene()
        self._dropped.extend(dropped)
        if self._dropped and not scene.is_led:
            self._answer(scene.lead_to(self._dropped.popleft()))
        if scene.travel is None:
            self._dropped.clear()  # one line is enough for all
        if (picture := self._grabber.poll()) is not None:
            self._answer(scene.lead_to(picture))
        if self._folder is not None and (picture := self._folder.poll()) is not None:
            if scene.travel is None:  # it has arrived by itself: a line about each would be in the way
                log.info("%s: %s", picture, NO_JOURNEY)
            else:
                self._answer(scene.lead_to(picture))
        for source in (self._grabber, self._folder):
            if source is not None and (line := source.news()) is not None and not self._say(line):
                self._answer(line)  # it was asked for again

    def close(self) -> None:
        """Close camera and folder."""
        with ExitStack() as stack:
            stack.callback(self._grabber.close)
            if self._folder is not None:
                stack.callback(self._folder.close)

    def _grab(self, _: str) -> str:
        return NO_JOURNEY if self._scene().travel is None else self._grabber.grab()

    def _newest(self, _: str) -> str:
        if self._folder is None:
            return "no folder is watched; start the show with --pictures FOLDER"
        return NO_JOURNEY if self._scene().travel is None else self._folder.want_newest()

    def _next(self, _: str) -> str:
        return self._scene().lead_to_next()
