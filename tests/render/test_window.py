"""Real windows on a private Xvfb; what is on the screen is read by another program.

Xvfb has no window manager: windows open at the top left corner without a frame, and fullscreen is glfw's own doing.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest

from tests.render.pictures import noise, worst
from visualizer.render.hud import Hud
from visualizer.render.offscreen import Offscreen
from visualizer.render.picture import Picture
from visualizer.render.window import Window, key_name

SIZE = (640, 360)
RED, GREEN, BLUE, YELLOW = [255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 0]


def until(window: Window, true: Callable[[], bool], what: str, draw: Callable[[], None] = lambda: None) -> None:
    """Draw and let the system speak until something is true; X answers when it likes."""
    deadline_s = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline_s, what
        window.events()
        draw()
        window.swap()


def keys_until(window: Window, n_keys: int) -> list[str]:
    pressed: list[str] = []
    deadline_s = time.monotonic() + 10
    while len(pressed) < n_keys:
        assert time.monotonic() < deadline_s, f"{n_keys} keys, not {pressed}"
        pressed += window.events()
    return pressed


def quarters(size: tuple[int, int]) -> np.ndarray:
    """Red, green / blue, yellow."""
    width, height = size
    frame = np.zeros((height, width, 3), np.uint8)
    frame[: height // 2, : width // 2], frame[: height // 2, width // 2 :] = RED, GREEN
    frame[height // 2 :, : width // 2], frame[height // 2 :, width // 2 :] = BLUE, YELLOW
    return frame


# --- pictures


def test_the_screen_shows_what_an_offscreen_draws_pixel_for_pixel(open_window, screen):
    window = open_window()
    frames = [noise(SIZE, 1), noise(SIZE, 2)]

    def drawn_on(stage) -> None:
        picture, hud = Picture(stage.ctx, SIZE, 1), Hud(stage.ctx)
        for index, frame in enumerate(frames):
            picture.put(index, frame)
        picture.draw(0.3, stage.framebuffer_size)
        hud.draw(["Depth 0.3"], stage.framebuffer_size, "same on both")
        stage.swap()

    assert window.framebuffer_size == SIZE
    drawn_on(window)
    shot = screen.screenshot()
    with Offscreen(SIZE) as offscreen:
        drawn_on(offscreen)
        expected = offscreen.read()
    assert worst(shot[: SIZE[1], : SIZE[0]], expected) == 0
    assert worst(expected, frames[0] * 0.7 + frames[1] * 0.3) > 50, "the HUD is there"


def test_the_window_keeps_covering_while_it_is_resized(open_window, screen):
    window = open_window(title="resize me")
    picture = Picture(window.ctx, (64, 64), 1)
    picture.put(0, quarters((64, 64)))

    def draw() -> None:
        picture.draw(0, window.framebuffer_size)

    for width, height in ((300, 700), (900, 200), (640, 360)):
        screen.resize("resize me", width, height)
        until(window, lambda size=(width, height): window.framebuffer_size == size, f"size {width}x{height}", draw)
        draw()
        window.swap()
        shot = screen.screenshot()
        assert shot[2, 2].tolist() == RED
        assert shot[2, width - 3].tolist() == GREEN
        assert shot[height - 3, 2].tolist() == BLUE
        assert shot[height - 3, width - 3].tolist() == YELLOW
        assert shot[height // 2 - 20, width // 2 - 20].tolist() == RED, "centred"
        assert shot[height // 2 + 20, width // 2 + 20].tolist() == YELLOW, "centred"


def test_fullscreen_covers_the_monitor_and_goes_back_to_the_very_same_place(open_window, screen):
    import glfw

    window = open_window()
    glfw.set_window_pos(window._handle, 123, 77)
    until(window, lambda: glfw.get_window_pos(window._handle) == (123, 77), "moved")
    picture = Picture(window.ctx, (64, 36), 1)
    picture.put(0, quarters((64, 36)))

    def draw() -> None:
        picture.draw(0, window.framebuffer_size)

    for _ in range(3):
        window.toggle_fullscreen()
        assert window.is_fullscreen
        until(window, lambda: window.framebuffer_size == (screen.width, screen.height), "fullscreen", draw)
        draw()
        window.swap()
        shot = screen.screenshot()
        corners = [shot[0, 0].tolist(), shot[0, -1].tolist(), shot[-1, 0].tolist(), shot[-1, -1].tolist()]
        assert corners == [RED, GREEN, BLUE, YELLOW]
        window.toggle_fullscreen()
        assert not window.is_fullscreen
        until(window, lambda: window.framebuffer_size == SIZE, "windowed", draw)
        until(window, lambda: glfw.get_window_pos(window._handle) == (123, 77), "back in its place", draw)


def test_a_window_that_begins_fullscreen_becomes_one_of_the_size_asked_for(open_window, screen):
    window = open_window((400, 300), fullscreen=True)
    assert window.is_fullscreen
    until(window, lambda: window.framebuffer_size == (screen.width, screen.height), "fullscreen")
    window.toggle_fullscreen()
    until(window, lambda: window.framebuffer_size == (400, 300), "windowed")


def test_a_window_larger_than_the_screen_is_made_to_fit_with_its_shape(open_window, screen):
    assert open_window((3840, 3840)).framebuffer_size == (screen.height, screen.height)


def test_a_minimised_window_can_be_drawn_on(open_window):
    """Without a window manager it keeps its size; the driver's answer of 0 x 0, as on Windows, is put in."""
    import glfw

    window = open_window()
    picture = Picture(window.ctx, SIZE, 1)
    picture.put(0, noise(SIZE, 0))
    glfw.iconify_window(window._handle)
    for size in (window.framebuffer_size, (0, 0)):
        picture.draw(0, size)
        window.swap()
        window.events()
    assert window.ctx.error == "GL_NO_ERROR"


def test_a_framebuffer_without_one_side_is_none(open_window, monkeypatch):
    import glfw

    window = open_window()
    monkeypatch.setattr(glfw, "get_framebuffer_size", lambda _handle: (640, 0))
    assert window.framebuffer_size == (0, 0)


def test_the_refresh_rate_is_never_zero(open_window):
    assert open_window().refresh_hz == 60.0, "Xvfb says 0"


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ((0, 0), 0),
        ((1700, 300), 1),
        ((1590, 0), 0),
        ((1610, 0), 1),
        ((-100, -100), 0),
        ((2000, 900), 1),
        ((9000, 9000), 0),
    ],
)
def test_fullscreen_takes_the_monitor_that_most_of_the_window_is_on(open_window, monkeypatch, place, expected):
    """Two monitors side by side, the right one larger; Xvfb has but one, so glfw's answers are put in."""
    import glfw

    window = open_window()
    mode = glfw.get_video_mode(glfw.get_primary_monitor())
    modes = [mode._replace(size=mode.size._replace(width=w, height=h)) for w, h in ((1920, 1080), (2560, 1440))]
    monkeypatch.setattr(glfw, "get_monitors", lambda: [0, 1])
    monkeypatch.setattr(glfw, "get_primary_monitor", lambda: 0)
    monkeypatch.setattr(glfw, "get_monitor_pos", lambda index: (1920 * index, 0))
    monkeypatch.setattr(glfw, "get_video_mode", lambda index: modes[index])
    monkeypatch.setattr(glfw, "get_window_pos", lambda _handle: place)
    assert window._monitor() == expected


def test_without_a_monitor_fullscreen_is_left_alone(open_window, monkeypatch, caplog):
    import glfw

    window = open_window()
    with monkeypatch.context() as patch:
        patch.setattr(glfw, "get_monitors", list)
        patch.setattr(glfw, "get_primary_monitor", lambda: None)
        window.toggle_fullscreen()
        assert window.refresh_hz == 60.0
    assert not window.is_fullscreen
    assert "no monitor is connected" in caplog.text


# --- keys


def test_keys_arrive_by_name_in_order(open_window, screen):
    window = open_window()
    names = {
        "space": "space",
        "Left": "left",
        "Right": "right",
        "Escape": "escape",
        "q": "q",
        "f": "f",
        "F11": "f11",
        "F1": "f1",
        "h": "h",
        "Return": "enter",
        "Prior": "pageup",
        "5": "5",
        "ctrl+q": "ctrl+q",
        "shift+Left": "shift+left",
        "ctrl+shift+f": "ctrl+shift+f",
    }
    window.events()
    for name in names:
        screen.key(name)
    assert keys_until(window, len(names)) == list(names.values())
    assert window.events() == [], "told once"


def test_modifiers_alone_are_no_key(open_window, screen):
    window = open_window()
    for name in ("Shift_L", "Control_L", "Alt_L", "a"):
        screen.key(name)
    assert keys_until(window, 1) == ["a"]


def test_a_keyboard_without_latin_letters_counts_by_place(open_window, monkeypatch):
    import glfw

    open_window()
    monkeypatch.setattr(glfw, "get_key_name", lambda _key, _scancode: "й")
    assert key_name(glfw, glfw.KEY_Q, 0) == "q"
    assert key_name(glfw, glfw.KEY_UNKNOWN, 0) == "й"
    monkeypatch.setattr(glfw, "get_key_name", lambda _key, _scancode: None)
    assert key_name(glfw, glfw.KEY_SPACE, 0) == "space"
    assert key_name(glfw, glfw.KEY_LEFT_SHIFT, 0) == ""
    assert key_name(glfw, glfw.KEY_UNKNOWN, 0) == ""
    monkeypatch.setattr(glfw, "get_key_name", lambda _key, _scancode: b"A")
    assert key_name(glfw, glfw.KEY_Q, 0) == "a", "a French keyboard"


def test_the_close_button_is_seen(open_window, screen):
    """As a window manager asks a window to close: WM_DELETE_WINDOW."""
    window = open_window(title="close me")
    window.events()
    assert not window.should_close
    screen.ask_to_close("close me")
    until(window, lambda: window.should_close, "asked to close")


def test_the_cursor_hides_when_it_is_idle_and_in_fullscreen(open_window, screen):
    import glfw

    clock = [0.0]
    window = open_window(now=lambda: clock[0])

    def shown() -> bool:
        window.events()
        return glfw.get_input_mode(window._handle, glfw.CURSOR) == glfw.CURSOR_NORMAL

    until(window, shown, "shown at first")
    clock[0] = 100.0
    assert not shown()
    screen.move_pointer(310, 210)
    until(window, shown, "shown when it moves")
    window.toggle_fullscreen()
    assert not shown()
    screen.move_pointer(320, 220)
    window.swap()
    assert not shown(), "not even when it moves"
    window.toggle_fullscreen()
    assert shown()
