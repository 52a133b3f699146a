"""Check the display, OpenGL in a window, drawing the plain preset without one, and fonts."""

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
REFRESH_S = 1 / 60
_SOFTWARE = ("llvmpipe", "softpipe", "swrast", "software", "swiftshader", "gdi generic", "basic render")


def window() -> Iterator[Finding]:
    """Check that there is a display, a window on it has OpenGL 3.3, and the screen saver can be inhibited."""
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
        yield Finding("display", WARNING, "no monitor is connected", "connect one and switch it on", facts)
    try:
        yield _driver("window", _window_info(), hint=True)
    except GraphicsError as error:
        yield of_error("window", error)
        return
    yield _saver()


def _window_info() -> dict[str, Any]:
    """The driver's names and limits in a hidden window. Raises GraphicsError."""
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

        def detach() -> None:
            glfw.make_context_current(None)

        if not start(glfw):
            raise GraphicsError(no_display_message())
        try:
            take_over(detach)
            set_window_hints(glfw)
            glfw.window_hint(glfw.VISIBLE, False)
            handle = glfw.create_window(64, 64, "visualizer", None, None)
            if not handle:
                raise GraphicsError(no_context_message(glfw))
            glfw.make_context_current(handle)
            return dict(wrap_context(GlfwLoader(glfw, handle), standalone=False).info)
        finally:
            leave(detach)
            glfw.terminate()


def _driver(name: str, info: dict[str, Any], *, hint: bool) -> Finding:
    """The driver's names and limits as a finding. hint: warn if it draws in software."""
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
            f"{said}: it draws in software, on the CPU that the dream needs",
            _driver_hint(),
            facts,
        )
    return Finding(name, OK, said, facts=facts)


def _hosts() -> tuple[str, ...]:
    """Displays of other machines, which drivers report by the machine's name."""
    asked = (os.environ.get(name, "") for name in ("DISPLAY", "WAYLAND_DISPLAY"))
    return tuple(display for display in asked if display and not display.startswith((":", "wayland-")))


def is_software(renderer: str) -> bool:
    """Whether a renderer with this name draws on the CPU."""
    return any(word in renderer.lower() for word in _SOFTWARE)


def _driver_hint() -> str:
    general = "install the graphics card's driver; over ssh or in a virtual machine there may be none"
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
            return Finding("screen saver", OK, "can be inhibited during a show")
    return Finding(
        "screen saver",
        WARNING,
        "the desktop does not allow inhibiting it: the screen may dim or lock during a show",
        "switch off blanking and locking in the desktop's settings (X11: `xset s off -dpms`)",
    )


def drawing() -> Iterator[Finding]:
    """Check OpenGL 3.3 without a window, as `export` uses it, and draw the plain preset with all its dream frames."""
    import numpy as np

    from ...clock import Stopwatch
    from ...looks.look import find_look
    from ...render.chain import Link
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
        # with a display, the check of the window has reported this
        driver = _driver("drawing", dict(stage.ctx.info), hint=not has_window)
        yield driver
        n_depths, n_variants, shader = _default_preset()
        n_frames = (n_depths + 1) * n_variants
        size = "{}x{}".format(*DEFAULT_SIZE)
        try:
            picture = Picture(stage.ctx, DEFAULT_SIZE, n_depths, [Link(find_look(shader))], n_variants)
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
            yield of_error("plain preset", error, way_out="update the graphics driver")
            return
        draw_s = min(took_s)  # the fastest: torch is being loaded at the same time
        on_cpu = f" on the CPU, {60 * draw_s:.0%} of the time at 60 Hz" if driver.facts["is_software"] else ""
        facts = {"draw_s": round(draw_s, 5), "n_frames": n_frames, "size": list(DEFAULT_SIZE)}
        said = f"its {n_frames} dream frames of {size} fit into the memory; a display frame takes {draw_s * 1e3:.1f} ms"
        if is_dark:
            yield Finding("plain preset", FAULT, "the picture drawn is black", "update the graphics driver", facts)
        elif draw_s > REFRESH_S:
            yield Finding(
                "plain preset",
                WARNING,
                f"{said}: too long for 60 Hz",
                "close other programs, use a smaller --size, or a graphics card",
                facts,
            )
        else:
            yield Finding("plain preset", OK, said + on_cpu, facts=facts)


def _has_display() -> bool:
    from ...render.window import display_available

    try:
        return display_available()
    except GraphicsError:
        return False


def _default_preset() -> tuple[int, int, str]:
    """Depths, variants and shader of the plain preset; the defaults if it cannot be read, which another check
    reports.
    """
    from ...presets.preset import load_preset
    from ...settings import PLAIN_PRESET, DreamSettings, RenderSettings

    try:
        preset = load_preset(PLAIN_PRESET).preset
    except VisualizerError:
        return DreamSettings().n_depths, 1, RenderSettings().shader
    return preset.dream.n_depths, 1 + len(preset.variants), preset.render.shader


def fonts() -> Iterator[Finding]:
    """Check that the HUD's text can be drawn, and which scripts the fonts have."""
    from ...render.text import Layout, draw_text_box
    from ...settings import DEFAULT_SIZE

    layout = Layout.of(DEFAULT_SIZE)
    assert layout is not None

    def drawn(text: str) -> np.ndarray | None:
        return draw_text_box([text], layout, steady=False)

    blank, text, other = drawn("."), drawn("visualizer 128 BPM"), drawn("128 BPM visualizer")
    if blank is None or text is None or other is None or text[..., 0].max() < 200 or (text == other).all():
        yield Finding(
            "fonts",
            FAULT,
            "Pillow draws no text: the HUD would be empty",
            "reinstall Pillow with `pip install --force-reinstall Pillow`",
        )
        return
    # a character that no font has is drawn as "?"
    unknown = drawn("?")
    scripts = {
        "Greek": "Ω",
        "Cyrillic": "Ж",
        "Hebrew": "ש",
        "Arabic": "ج",
        "Chinese": "中",
        "Japanese": "か",
        "Korean": "한",
    }
    lacking = [name for name, character in scripts.items() if _same(drawn(character), unknown)]
    said = "text can be drawn" + (f"; drawn as ?, because no font has them: {', '.join(lacking)}" if lacking else "")
    yield Finding("fonts", OK, said, facts={"scripts_lacking": lacking})


def _same(one: np.ndarray | None, other: np.ndarray | None) -> bool:
    return one is not None and other is not None and one.shape == other.shape and bool((one == other).all())
