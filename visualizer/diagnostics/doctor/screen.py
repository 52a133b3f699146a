"""The screen: a display, a window's OpenGL, the default look drawn without a window, and letters."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import GraphicsError, VisualizerError
from .finding import FAULT, OK, WARNING, Finding, of_error

if TYPE_CHECKING:
    import numpy as np

N_DRAWN = 8
# What a refresh at 60 Hz leaves for drawing.
REFRESH_S = 1 / 60
_SOFTWARE = ("llvmpipe", "softpipe", "swrast", "software", "swiftshader", "gdi generic", "basic render")


def window() -> Iterator[Finding]:
    """There is a display, a window gets OpenGL 3.3 on it, and the screen saver can be held off."""
    from ...render.monitors import list_monitors

    try:
        monitors = list_monitors()
    except GraphicsError as error:
        found = of_error("display", error, way_out="connect a monitor and log in to a desktop")
        yield replace(found, private=_hosts())
        return
    facts: dict[str, Any] = {
        "monitors": [
            {"size": list(one.area[2:]), "refresh_hz": one.refresh_hz, "scale": one.scale} for one in monitors
        ],
        "session": os.environ.get("XDG_SESSION_TYPE", ""),
    }
    if monitors:
        shown = ", ".join(
            f"{one.area[2]}x{one.area[3]}" + (f" at {one.refresh_hz:g} Hz" if one.refresh_hz else "")
            for one in monitors
        )
        yield Finding("display", OK, f"{len(monitors)} monitor{'s' * (len(monitors) > 1)}: {shown}", facts=facts)
    else:
        yield Finding("display", WARNING, "no monitor is switched on", "plug one in and switch it on", facts)
    try:
        yield _driver("window", _window_info(), hint=True)
    except GraphicsError as error:
        yield of_error("window", error)
        return
    yield _saver()


def _window_info() -> dict[str, Any]:
    """What the driver says of itself in a window, which nobody sees. Raises GraphicsError."""
    from ...render.gl import leave, take_over, wrap_context
    from ...render.glfw_library import (
        GlfwLoader,
        no_context_message,
        no_display_message,
        quiet_glfw,
        set_window_hints,
        start,
    )

    with quiet_glfw() as glfw:

        def let_go() -> None:
            glfw.make_context_current(None)

        if not start(glfw):
            raise GraphicsError(no_display_message())
        try:
            take_over(let_go)
            set_window_hints(glfw)
            glfw.window_hint(glfw.VISIBLE, False)
            handle = glfw.create_window(64, 64, "visualizer", None, None)
            if not handle:
                raise GraphicsError(no_context_message(glfw))
            glfw.make_context_current(handle)
            return dict(wrap_context(GlfwLoader(glfw, handle), standalone=False).info)
        finally:
            leave(let_go)
            glfw.terminate()


def _driver(name: str, info: dict[str, Any], *, hint: bool) -> Finding:
    """The driver by its own words. hint: say what to do where it draws without a graphics card."""
    renderer, version = str(info["GL_RENDERER"]), str(info["GL_VERSION"])
    facts = {
        "vendor": info["GL_VENDOR"],
        "renderer": renderer,
        "version": version,
        "most_layers": info["GL_MAX_ARRAY_TEXTURE_LAYERS"],
        "largest_texture_px": info["GL_MAX_TEXTURE_SIZE"],
        "is_software": is_software(renderer),
    }
    said = f"OpenGL {version.split()[0]}: {renderer}"
    if is_software(renderer) and hint:
        return Finding(
            name,
            WARNING,
            f"{said}: software, which draws on the CPU that the dream needs",
            _driver_hint(),
            facts,
        )
    return Finding(name, OK, said, facts=facts)


def _hosts() -> tuple[str, ...]:
    """Displays of other machines: drivers tell them by the machine's name."""
    asked = (os.environ.get(name, "") for name in ("DISPLAY", "WAYLAND_DISPLAY"))
    return tuple(display for display in asked if display and not display.startswith((":", "wayland-")))


def is_software(renderer: str) -> bool:
    """Whether a renderer by that name draws on the CPU."""
    return any(word in renderer.lower() for word in _SOFTWARE)


def _driver_hint() -> str:
    general = "install the graphics card's own driver; over ssh or in a virtual machine there may be none"
    if not sys.platform.startswith("linux"):
        return general
    nodes = list(Path("/dev/dri").glob("renderD*"))
    if nodes and not any(os.access(node, os.R_OK | os.W_OK) for node in nodes):
        return "this user may not use the graphics card: `sudo usermod -aG video,render $USER`, then log in again"
    return general


def _saver() -> Finding:
    from ...render.awake import kept_awake

    with kept_awake() as is_held:
        if is_held:
            return Finding("screen saver", OK, "can be held off during a show")
    return Finding(
        "screen saver",
        WARNING,
        "the desktop does not let it be held off: the screen may darken or lock during a show",
        "switch off blanking and locking in the desktop's settings (X11: `xset s off -dpms`)",
    )


def drawing() -> Iterator[Finding]:
    """OpenGL 3.3 without a window, as `export` uses it; the default look fits into the card, and how long it takes to draw."""
    import numpy as np

    from ...clock import Stopwatch
    from ...looks.look import find_look
    from ...render.offscreen import Offscreen
    from ...render.picture import Picture
    from ...settings import DEFAULT_SIZE

    has_window = _has_display()
    try:
        stage = Offscreen(DEFAULT_SIZE)
    except VisualizerError as error:
        yield of_error("drawing", error)
        return
    with stage:
        # where there is a display the window has told it
        driver = _driver("drawing", dict(stage.ctx.info), hint=not has_window)
        yield driver
        n_depths, n_variants, shader = _default_look()
        n_frames = (n_depths + 1) * n_variants
        size = "{}x{}".format(*DEFAULT_SIZE)
        try:
            picture = Picture(stage.ctx, DEFAULT_SIZE, n_depths, find_look(shader), n_variants)
            frame = np.random.default_rng(0).integers(0, 256, (DEFAULT_SIZE[1], DEFAULT_SIZE[0], 3), np.uint8)
            for depth_index in (0, 1):
                picture.put(depth_index, frame)
            took_s = []
            for index in range(N_DRAWN):
                watch = Stopwatch()
                picture.draw((index + 0.5) / N_DRAWN, DEFAULT_SIZE)
                stage.swap()
                took_s.append(watch.elapsed_s())
            is_dark = not stage.read().any()
            picture.release()
        except VisualizerError as error:
            yield of_error("default look", error, way_out="update the graphics driver")
            return
        draw_s = min(took_s)  # torch is loading beside this
        on_cpu = f" of the CPU, {60 * draw_s:.0%} of the time at 60 a second" if driver.facts["is_software"] else ""
        facts = {"draw_s": round(draw_s, 5), "n_frames": n_frames, "size": list(DEFAULT_SIZE)}
        said = f"its {n_frames} dream frames of {size} fit; a picture takes {draw_s * 1e3:.1f} ms"
        if is_dark:
            yield Finding("default look", FAULT, "what is drawn stays black", "update the graphics driver", facts)
        elif draw_s > REFRESH_S:
            yield Finding(
                "default look",
                WARNING,
                f"{said}: too long for 60 a second",
                "close other programs, use a smaller --size, or a graphics card",
                facts,
            )
        else:
            yield Finding("default look", OK, said + on_cpu, facts=facts)


def _has_display() -> bool:
    from ...render.window import display_available

    try:
        return display_available()
    except GraphicsError:
        return False


def _default_look() -> tuple[int, int, str]:
    """Depths, variants and shader of the default preset; the defaults where that cannot be read, which is told elsewhere."""
    from ...presets.preset import load_preset
    from ...settings import DEFAULT_PRESET, DreamSettings, RenderSettings

    try:
        preset = load_preset(DEFAULT_PRESET).preset
    except VisualizerError:
        return DreamSettings().n_depths, 1, RenderSettings().shader
    return preset.dream.n_depths, 1 + len(preset.variants), preset.render.shader


def letters() -> Iterator[Finding]:
    """The letters of the HUD can be written, and which scripts a song's name may be in."""
    from ...render.text import Layout, draw_text_box
    from ...settings import DEFAULT_SIZE

    layout = Layout.of(DEFAULT_SIZE)
    assert layout is not None

    def written(words: str) -> np.ndarray | None:
        return draw_text_box([words], layout, steady=False)

    blank, said, other = written("."), written("visualizer 128 BPM"), written("128 BPM visualizer")
    if blank is None or said is None or other is None or said[..., 0].max() < 200 or (said == other).all():
        yield Finding(
            "letters",
            FAULT,
            "Pillow's font draws nothing: help and figures cannot be read",
            "reinstall Pillow with `pip install --force-reinstall Pillow`",
        )
        return
    # a letter that no font has is written as "?"
    unknown = written("?")
    scripts = {
        "Greek": "Ω",
        "Cyrillic": "Ж",
        "Hebrew": "ש",
        "Arabic": "ج",
        "Chinese": "中",
        "Japanese": "か",
        "Korean": "한",
    }
    lacking = [name for name, letter in scripts.items() if _same(written(letter), unknown)]
    words = f"can be written; of other scripts ? stands for: {', '.join(lacking)}" if lacking else "can be written"
    yield Finding("letters", OK, words, facts={"scripts_lacking": lacking})


def _same(one: np.ndarray | None, other: np.ndarray | None) -> bool:
    return one is not None and other is not None and one.shape == other.shape and bool((one == other).all())
