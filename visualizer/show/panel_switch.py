"""Opens and closes the performer's panel during a show."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Protocol

from ..control.controller import PanelController
from ..errors import VisualizerError
from ..render.monitors import Area
from ..render.window import Window
from .controllers import Controllers

log = logging.getLogger(__name__)


class OpensPanel(Protocol):
    """Opens the performer's window; raises VisualizerError where that is not possible. avoid: the area that the
    audience sees.
    """

    def __call__(self, place: Area | None = None, *, avoid: Area | None = None) -> PanelController: ...


class PanelSwitch:
    """Opens and closes the panel. opens: None if there can be none. window: returns the show's own, whose monitor is
    avoided.

    last_place: where the panel's window was last.
    """

    def __init__(self, controllers: Controllers, opens: OpensPanel | None, window: Callable[[], Window]) -> None:
        self._controllers, self._opens, self._window = controllers, opens, window
        self._panel: PanelController | None = None
        self.last_place: Area | None = None

    @property
    def is_open(self) -> bool:
        """Whether it is open: the performer may have closed it."""
        return self._panel is not None and self._panel.is_open

    @property
    def place(self) -> Area | None:
        """Where its window is, or was last."""
        return self._panel.place or self.last_place if self._panel is not None else self.last_place

    def switch(self, is_open: bool) -> str | None:
        """Open or close it; returns why it cannot be opened."""
        self._close()
        return self._open(self._window()) if is_open else None

    def _open(self, window: Window) -> str | None:
        if self._opens is None:
            return "this show has no panel"
        avoid = window.window_place.place
        if window.is_fullscreen and window.monitor is not None:
            avoid = window.monitor.area
        try:
            self._panel = self._opens(self.last_place, avoid=avoid)
        except VisualizerError as fault:
            log.warning("%s", fault)
            return str(fault)
        self._controllers.add(self._panel)
        return None

    def _close(self) -> None:
        if self._panel is not None:
            self.last_place = self.place
            self._controllers.remove(self._panel)
            self._panel = None
