"""The panel's own process: draws the panel's window from the snapshots that arrive through a pipe, until that is
closed.
"""

from __future__ import annotations

import logging
import os
import signal
import time
from dataclasses import dataclass, field
from multiprocessing.connection import Connection

from ..clock import Stopwatch, monotonic
from ..control.commands import PressKey
from ..control.keys import Keymap, load_keys
from ..control.snapshot import Snapshot
from ..errors import VisualizerError
from ..processes import Outlet, log_through, lower_priority, redirect_streams
from ..render.monitors import Area
from .thumbnails import ThumbnailOptions, Thumbnails
from .ui import Ui
from .view import PanelView
from .window import PanelWindow

log = logging.getLogger(__name__)

#: the projection has priority on every core; `python -m benchmarks panel` measures what the panel costs it
NICENESS = 15
RATE_HZ = 30.0
#: the panel may use this fraction of a core: without a graphics card it is drawn less often, down to this rate
MAX_LOAD, MIN_RATE_HZ = 0.15, 10.0
HIDDEN_WAIT_S = 0.25
PLACE_POLL_S = 0.5


@dataclass(frozen=True)
class PanelOptions:
    """How a panel is opened. place, avoid: see `PanelWindow`; reports_controls: report the rectangle of each control,
    for tests.
    """

    title: str
    place: Area | None = None
    avoid: Area | None = None
    thumbnails: ThumbnailOptions = field(default_factory=ThumbnailOptions)
    reports_controls: bool = False


def run_panel(pipe: Connection, options: PanelOptions) -> None:
    """Show the panel until the performer closes it, the show closes the pipe, or an error, which is sent to the
    show.
    """
    lower_priority(NICENESS)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    redirect_streams(os.devnull, 0, 1, 2)  # drivers print to them, and the terminal is the show's
    # Mesa's software renderer: one thread is enough for the panel, the other cores are the projection's
    os.environ.setdefault("LP_NUM_THREADS", "1")
    outlet = Outlet(pipe)
    logger = log_through(lambda line: outlet.send("log", line))
    try:
        try:
            _show(pipe, outlet, options)
            outlet.send("closed")
        except (EOFError, BrokenPipeError, ConnectionResetError):
            return  # the show has ended
        except VisualizerError as error:
            outlet.send("error", str(error))
        except Exception as error:
            logger.exception("the panel stopped")
            outlet.send("error", f"the panel has stopped: {type(error).__name__}: {' '.join(str(error).split())}")
    except OSError:
        return


def user_keys() -> Keymap:
    """The user's key map; the default keys if keys.yaml cannot be read, since the panel only shows them."""
    try:
        return load_keys()
    except VisualizerError as fault:
        log.info("the panel shows the default keys: %s", fault)
        return Keymap()


def _show(pipe: Connection, outlet: Outlet, options: PanelOptions) -> None:
    """Draw until the performer closes the window. Raises EOFError or OSError when the show has ended."""
    with PanelWindow(options.title, place=options.place, avoid=options.avoid) as window:
        ui = Ui(window)
        view, thumbnails = PanelView(ui, user_keys()), Thumbnails(options.thumbnails)
        snapshot: Snapshot | None = None
        since_drawn, since_place_poll = Stopwatch(), Stopwatch()
        due_s = 0.0
        place: Area | None = None
        while not window.should_close:
            keys = window.events(max(due_s - monotonic(), 0.0))
            if keys:
                outlet.send("commands", [PressKey(key.name, key.place) for key in keys])
            if monotonic() < due_s:
                continue
            while pipe.poll():
                snapshot = pipe.recv()
            if since_place_poll.elapsed_s() > PLACE_POLL_S:
                since_place_poll = Stopwatch()
                if window.place != place:
                    place = window.place
                    outlet.send("place", place)
            if window.is_hidden:
                due_s = monotonic() + HIDDEN_WAIT_S
                continue
            began_s = monotonic()
            spent = Stopwatch(now=time.process_time)  # of the processor: that of other programs does not count
            if snapshot is not None:
                _update_thumbnails(window, thumbnails, snapshot)
            window.begin(since_drawn.elapsed_s())
            since_drawn = Stopwatch()
            commands = view.draw(snapshot, began_s)
            window.end()
            if commands:
                outlet.send("commands", commands)
            if options.reports_controls:
                outlet.send("controls", ui.controls)
            due_s = began_s + min(max(spent.elapsed_s() / MAX_LOAD, 1.0 / RATE_HZ), 1.0 / MIN_RATE_HZ)


def _update_thumbnails(window: PanelWindow, thumbnails: Thumbnails, snapshot: Snapshot) -> None:
    """Request the thumbnails that are missing, and hand those that are ready to the window."""
    is_baked = 0 < snapshot.n_dreams <= snapshot.n_baked
    thumbnails.request(snapshot.presets, baked=snapshot.preset if is_baked else "")
    for made in thumbnails.take():
        window.put_texture(made.preset, made.pixels)
