"""Measures how fast pictures are drawn, in a window and offscreen.

    python -m benchmarks draw [--quick]

Without a display it starts an Xvfb.
"""

from __future__ import annotations

import contextlib
import os
import platform
import subprocess
import time
from collections.abc import Callable, Iterator

import numpy as np

N_DEPTHS = 20
SIZES = ((1280, 720), (1920, 1080))


def run(quick: bool) -> list[tuple[str, str]]:
    """Rows of (what, figure). quick: measure half a second for each figure instead of three."""
    from visualizer.render.offscreen import Offscreen
    from visualizer.render.picture import Picture

    seconds = 0.5 if quick else 3.0
    rows: list[tuple[str, str]] = []
    with display() as screen:
        for size in SIZES:
            rows += _window_rows(size, seconds, screen)
    for size in SIZES:
        name = f"{size[0]}x{size[1]}"
        with Offscreen(size) as stage:
            picture = Picture(stage.ctx, size, N_DEPTHS)
            put_s = _fill(picture)
            out = np.empty((size[1], size[0], 3), np.uint8)
            depths = falling_depths()

            def draw_and_read(picture=picture, stage=stage, out=out, depths=depths, size=size) -> None:
                picture.draw(next(depths), size)
                stage.read(out)

            rows.append((f"offscreen {name}: crossfade + read", f"{_rate(draw_and_read, seconds):.0f} fps"))
            rows.append((f"offscreen {name}: putting one dream frame", f"{put_s * 1e3:.1f} ms"))
            picture.release()
    return rows


def _window_rows(size: tuple[int, int], seconds: float, screen: str) -> list[tuple[str, str]]:
    from visualizer.render.hud import Hud
    from visualizer.render.picture import Picture
    from visualizer.render.window import Window

    name = f"{screen} {size[0]}x{size[1]}"
    with Window(size, "visualizer benchmark") as window:
        picture, hud, depths = Picture(window.ctx, size, N_DEPTHS), Hud(window.ctx), falling_depths()
        _fill(picture)

        def clear() -> None:
            window.ctx.clear(0.1, 0.2, 0.3)

        def crossfade() -> None:
            picture.draw(next(depths), window.framebuffer_size)

        def with_hud() -> None:
            crossfade()
            hud.draw(["one line", "another line"], window.framebuffer_size)

        rows = []
        for what, draw in (("clear", clear), ("crossfade", crossfade), ("crossfade + HUD", with_hud)):

            def frame(draw: Callable[[], None] = draw) -> None:
                draw()
                window.swap()
                window.events()

            rows.append((f"{name}: {what} + swap", f"{_rate(frame, seconds):.0f} fps"))
        hud.release()
        picture.release()
    return rows


def _rate(act: Callable[[], None], seconds: float) -> float:
    """How often a second `act` can be called; the first three calls, which compile, are not counted."""
    for _ in range(3):
        act()
    n_done, began_s = 0, time.perf_counter()
    while (passed_s := time.perf_counter() - began_s) < seconds:
        act()
        n_done += 1
    return n_done / passed_s


def _fill(picture) -> float:
    """Upload every dream frame. Returns the median time of one, seconds."""
    width, height = picture.frame_size
    noise = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    times_s = []
    for depth_index in range(picture.n_depths + 1):
        began_s = time.perf_counter()
        picture.put(depth_index, np.roll(noise, depth_index, axis=1))
        times_s.append(time.perf_counter() - began_s)
    return float(np.median(times_s))


def falling_depths() -> Iterator[float]:
    """Depths as after kicks: full depth, then 93 % of the previous one."""
    while True:
        depth = float(N_DEPTHS)
        while depth > 1:
            yield depth
            depth *= 0.93


@contextlib.contextmanager
def display() -> Iterator[str]:
    """The present display, or an Xvfb while inside. Yields its name for the table."""
    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or platform.system() != "Linux":
        yield "window"
        return
    with xvfb():
        yield "Xvfb"


@contextlib.contextmanager
def xvfb() -> Iterator[str]:
    """Run an Xvfb, with DISPLAY set, while inside. Yields its name, like ":1"."""
    before = os.environ.get("DISPLAY")
    reader, writer = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writer), "-screen", "0", "1920x1080x24", "-nolisten", "tcp", "-noreset"],
        pass_fds=[writer],
        stderr=subprocess.DEVNULL,
    )
    os.close(writer)
    with os.fdopen(reader) as answer:
        os.environ["DISPLAY"] = f":{answer.readline().strip()}"
    try:
        yield os.environ["DISPLAY"]
    finally:
        del os.environ["DISPLAY"]
        if before is not None:
            os.environ["DISPLAY"] = before
        server.terminate()
        server.wait(timeout=10)
