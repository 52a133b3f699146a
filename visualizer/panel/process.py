"""What runs in the performer's panel's own process: its window, drawn from what comes through a pipe, until that closes."""

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
from .sheet import Sheet
from .thumbnails import Pictured, Thumbnails
from .view import PanelView
from .window import PanelWindow

log = logging.getLogger(__name__)

NICENESS = 15  # the projection comes first, on every core; what it still costs, `python -m benchmarks.panel` tells
RATE_HZ = 30.0
#: drawing takes this share of a core at most: without a graphics card it is drawn less often, down to this often
SHARE, LEAST_RATE_HZ = 0.15, 10.0
HIDDEN_WAIT_S = 0.25
PLACE_LOOK_S = 0.5


@dataclass(frozen=True)
class Orders:
    """What a panel begins with. place, avoid: see `PanelWindow`; tells_where: tell where each control is, as a test must know."""

    title: str
    place: Area | None = None
    avoid: Area | None = None
    pictured: Pictured = field(default_factory=Pictured)
    tells_where: bool = False


def child(pipe: Connection, orders: Orders) -> None:
    """The process: show the panel until the performer closes it, the show closes the pipe, or something fails, which is told."""
    lower_priority(NICENESS)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    redirect_streams(os.devnull, 0, 1, 2)  # whatever a driver prints, the terminal is the show's
    # Mesa's software renderer: one thread draws a panel well enough, the other cores are the projection's
    os.environ.setdefault("LP_NUM_THREADS", "1")
    outlet = Outlet(pipe)
    logger = log_through(lambda line: outlet.send("log", line))
    try:
        try:
            _show(pipe, outlet, orders)
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


def own_keys() -> Keymap:
    """The keys of this user; the defaults where keys.yaml cannot be read any more: they are only told here."""
    try:
        return load_keys()
    except VisualizerError as fault:
        log.info("the panel tells the default keys: %s", fault)
        return Keymap()


def _show(pipe: Connection, outlet: Outlet, orders: Orders) -> None:
    """Draw until the performer closes the window. Raises EOFError or OSError when the show has gone."""
    with PanelWindow(orders.title, place=orders.place, avoid=orders.avoid) as window:
        sheet = Sheet(window)
        view, thumbnails = PanelView(sheet, own_keys()), Thumbnails(orders.pictured)
        snapshot: Snapshot | None = None
        since_drawn, since_placed = Stopwatch(), Stopwatch()
        due_s = 0.0
        place: Area | None = None
        where: dict[str, Area] = {}
        while not window.should_close:
            keys = window.events(max(due_s - monotonic(), 0.0))
            if keys:
                outlet.send("commands", [PressKey(key.name, key.place) for key in keys])
            if monotonic() < due_s:
                continue
            while pipe.poll():
                snapshot = pipe.recv()
            if since_placed.elapsed_s() > PLACE_LOOK_S:
                since_placed = Stopwatch()
                if window.place != place:
                    place = window.place
                    outlet.send("place", place)
            if window.is_hidden:
                due_s = monotonic() + HIDDEN_WAIT_S
                continue
            began_s, spent = monotonic(), Stopwatch(now=time.process_time)  # what other programs take is not counted
            if snapshot is not None:
                _picture(window, thumbnails, snapshot)
            window.begin(since_drawn.elapsed_s())
            since_drawn = Stopwatch()
            commands = view.draw(snapshot, began_s)
            window.end()
            if commands:
                outlet.send("commands", commands)
            if orders.tells_where and sheet.where != where:
                where = sheet.where
                outlet.send("where", where)
            due_s = began_s + min(max(spent.elapsed_s() / SHARE, 1.0 / RATE_HZ), 1.0 / LEAST_RATE_HZ)


def _picture(window: PanelWindow, thumbnails: Thumbnails, snapshot: Snapshot) -> None:
    """Ask for the pictures of presets that have none, and put up one that has come."""
    is_baked = 0 < snapshot.n_dreams <= snapshot.n_baked
    thumbnails.want(snapshot.presets, baked=snapshot.preset if is_baked else "")
    for made in thumbnails.take():
        window.put_picture(made.preset, made.pixels)
