"""Real windows on a private Xvfb; what is on the screen is read by another program.

Xvfb has no window manager: windows open at the top left corner without a frame, and fullscreen is glfw's own doing.
"""

from __future__ import annotations

import dataclasses
import os
import sys
import threading
import time
from collections.abc import Callable

import numpy as np
import pytest

from tests.render.pictures import noise, worst
from visualizer.errors import BadInput
from visualizer.render.hud import Hud
from visualizer.render.monitors import Monitor
from visualizer.render.offscreen import Offscreen
from visualizer.render.picture import Picture
from visualizer.render.window import Window

SIZE = (640, 360)
RED, GREEN, BLUE, YELLOW = [255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 0]


def until(window: Window, true: Callable[[], bool], what: str, draw: Callable[[], None] = lambda: None) -> None:
    """Draw and let the system speak until something is true; X answers when it likes."""
    deadline_s = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline_s, what
        window.events()
        draw()
        window.swap()


def keys_until(window: Window, n_keys: int) -> list[str]:
    pressed: list[str] = []
    deadline_s = time.monotonic() + 60
    while len(pressed) < n_keys:
        assert time.monotonic() < deadline_s, f"{n_keys} keys, not {pressed}"
        pressed += [press.name for press in window.events()]
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
    assert window.events() == [], "reported once"


def test_modifiers_alone_are_no_key(open_window, screen):
    window = open_window()
    for name in ("Shift_L", "Control_L", "Alt_L", "a"):
        screen.key(name)
    assert keys_until(window, 1) == ["a"]


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


# --- monitors; Xvfb has but one, so a list of two is put in, and the window really goes there


@pytest.fixture
def plugged(open_window, monkeypatch):
    """The monitors a window sees; a test changes the list, and reports that to the window as glfw does."""
    import glfw

    open_window()  # so that glfw runs
    handle = glfw.get_primary_monitor()
    left = Monitor(0, "laptop", (0, 0, 960, 1080), (0, 0, 960, 1040), 60.0, 1.0, True, handle, key=1)
    right = Monitor(1, "beamer", (960, 0, 960, 1080), (960, 0, 960, 1080), 50.0, 1.0, False, handle, key=2)
    monitors = [left, right]
    monkeypatch.setattr("visualizer.render.window.connected_monitors", lambda _glfw: list(monitors))
    return monitors


def place(window: Window) -> tuple[int, ...]:
    import glfw

    return (*glfw.get_window_pos(window._handle), *glfw.get_window_size(window._handle))


def replug(window: Window, plugged: list[Monitor], now: list[Monitor]) -> None:
    plugged[:] = now
    window._on_monitor(None, 0)
    window.events()


def test_a_window_opens_in_the_middle_of_the_monitor_named(open_window, plugged):
    window = open_window((400, 300), monitor="beam")
    until(window, lambda: place(window) == (1240, 390, 400, 300), "on the right")
    assert window.monitor is plugged[1] and window.refresh_hz == 50.0


def test_a_monitor_that_is_not_there_is_named_with_those_that_are(open_window, plugged):
    with pytest.raises(BadInput, match="no monitor is called 'wall'.*there are: 0 laptop, 1 beamer"):
        open_window(monitor="wall")


def test_borderless_fullscreen_is_a_window_as_large_as_its_monitor(open_window, plugged):
    window = open_window((400, 300), monitor=1, borderless=True, fullscreen=True)
    assert window.is_fullscreen and window.monitor is plugged[1]
    until(window, lambda: place(window) == (960, 0, 960, 1080), "covering")
    window.toggle_fullscreen()
    assert not window.is_fullscreen
    until(window, lambda: place(window) == (1240, 390, 400, 300), "in the middle of it")
    window.toggle_fullscreen()
    until(window, lambda: place(window) == (960, 0, 960, 1080), "covering again")


def test_it_goes_from_monitor_to_monitor(open_window, plugged):
    window = open_window((400, 300), borderless=True)
    assert window.next_monitor() == "beamer"
    until(window, lambda: place(window) == (1240, 390, 400, 300), "on the right")
    window.toggle_fullscreen()
    until(window, lambda: place(window) == (960, 0, 960, 1080), "covering the right")
    assert window.next_monitor() == "laptop" and window.is_fullscreen
    until(window, lambda: place(window) == (0, 0, 960, 1080), "covering the left")
    window.toggle_fullscreen()
    until(window, lambda: place(window) == (280, 370, 400, 300), "a window on the left")
    plugged.pop()
    assert window.next_monitor() is None


def test_a_monitor_unplugged_and_plugged_in_again_gets_its_window_back(open_window, plugged):
    window = open_window((400, 300), monitor="beamer", borderless=True, fullscreen=True)
    both = list(plugged)
    for _ in range(3):
        replug(window, plugged, both[:1])
        assert window.news() == "monitor beamer was disconnected; the window returns to it when it is connected again"
        assert not window.is_fullscreen
        until(window, lambda: place(window) == (280, 370, 400, 300), "where it can be seen")
        replug(window, plugged, both)
        assert window.news() == "monitor beamer is connected again" and window.news() is None
        assert window.is_fullscreen
        until(window, lambda: place(window) == (960, 0, 960, 1080), "back")


def test_a_window_that_was_no_fullscreen_goes_back_to_its_place(open_window, plugged):
    import glfw

    clock = [0.0]
    window = open_window((400, 300), monitor=1, now=lambda: clock[0])
    glfw.set_window_pos(window._handle, 1100, 50)
    until(window, lambda: place(window) == (1100, 50, 400, 300), "moved by hand")
    clock[0] = 10.0
    window.events()  # the window looks where it is now and then
    both = list(plugged)
    replug(window, plugged, both[:1])
    glfw.set_window_pos(window._handle, 10, 10)  # the desktop rescues it
    until(window, lambda: place(window)[:2] == (10, 10), "rescued")
    clock[0] = 20.0
    window.events()
    replug(window, plugged, both)
    until(window, lambda: place(window) == (1100, 50, 400, 300), "back")


def test_fullscreen_elsewhere_meanwhile_is_where_it_stays(open_window, plugged):
    window = open_window((400, 300), monitor="beamer", borderless=True, fullscreen=True)
    both = list(plugged)
    replug(window, plugged, both[:1])
    window.toggle_fullscreen()
    until(window, lambda: place(window) == (0, 0, 960, 1080), "over the laptop")
    window.news()
    replug(window, plugged, both)
    assert window.news() is None and place(window) == (0, 0, 960, 1080)


def test_all_monitors_gone_stop_nothing(open_window, plugged):
    window = open_window((400, 300), borderless=True, fullscreen=True)
    both = list(plugged)
    replug(window, plugged, [])
    assert window.refresh_hz == 60.0 or window.refresh_hz > 0
    window.swap()
    replug(window, plugged, both)
    assert window.is_fullscreen


# --- what was drawn


def test_what_was_drawn_can_be_read_top_row_first(open_window):
    window = open_window((64, 36))
    picture = Picture(window.ctx, (64, 36), 1)
    frame = noise((64, 36), 7)
    picture.put(0, frame)
    picture.draw(0, window.framebuffer_size)
    assert worst(window.read(), frame) == 0
    window.swap()


def test_a_minimised_window_has_nothing_to_read(open_window, monkeypatch):
    import glfw

    window = open_window()
    monkeypatch.setattr(glfw, "get_framebuffer_size", lambda _handle: (0, 0))
    assert window.read() is None


# --- a place of its own, and a successor


def colours(screen, *points):
    picture = screen.screenshot()
    return [picture[y, x].tolist() for x, y in points]


def fill(window, colour):
    window.ctx.screen.use()
    window.ctx.clear(*[part / 255 for part in colour], 1.0)


def test_a_window_opens_where_it_was(open_window, screen):
    window = open_window((320, 180), place=(700, 400, 320, 180))
    until(
        window,
        lambda: colours(screen, (710, 410), (1010, 570)) == [BLUE, BLUE],
        "the window in its place",
        lambda: fill(window, BLUE),
    )
    assert window.window_place.place == (700, 400, 320, 180) and not window.window_place.fullscreen


@pytest.mark.parametrize("place", [(5000, 5000, 320, 180), (-900, 10, 320, 180)])
def test_a_place_that_no_monitor_shows_any_more_is_not_taken(open_window, place):
    assert open_window((320, 180), place=place).window_place.place[:2] != place[:2]


def test_a_monitor_that_is_gone_is_no_must_for_a_window_that_comes_back(open_window):
    window = open_window((320, 180), place=(10, 20, 320, 180), monitor="the projector of yesterday")
    assert window.window_place.place == (10, 20, 320, 180)


@pytest.mark.parametrize("fullscreen", [False, True])
def test_a_successor_takes_the_place_of_a_window_with_nothing_else_between(open_window, screen, fullscreen):
    window = open_window((320, 180), place=(600, 300, 320, 180))
    if fullscreen:
        window.toggle_fullscreen()
    inside = (700, 400)
    until(window, lambda: colours(screen, inside) == [RED], "red", lambda: fill(window, RED))
    other = window.successor()
    try:
        fill(other, GREEN)
        other.finish()
        assert colours(screen, inside) == [RED], "not seen yet"
        other.appear()
        fill(other, GREEN)
        other.swap()
        until(other, lambda: colours(screen, inside) == [GREEN], "green", lambda: fill(other, GREEN))
        window.close()
        assert other.is_fullscreen == fullscreen
        until(other, lambda: colours(screen, inside) == [GREEN], "green still", lambda: fill(other, GREEN))
    finally:
        other.close()


def test_the_driver_is_asked_whether_the_card_was_reset(open_window, monkeypatch):
    window = open_window()
    assert window.is_lost is False
    for answer, lost in ((0x8253, True), (0, False)):  # GL_GUILTY_CONTEXT_RESET, GL_NO_ERROR
        window.ctx.extra = dataclasses.replace(window.ctx.extra, reset_status=lambda answer=answer: answer)
        assert window.is_lost is lost
    window.ctx.extra = dataclasses.replace(window.ctx.extra, reset_status=None)
    assert window.is_lost is False, "a driver that does not report resets"


@pytest.mark.skipif(sys.platform != "linux", reason="only there a file name is bytes")
def test_a_dropped_file_whose_name_is_not_utf_8_is_said_and_keys_still_work(open_window, screen, tmp_path):
    window = open_window()
    path = tmp_path / os.fsdecode(b"\xe4.png")
    dropped = threading.Thread(target=screen.drop, args=("under test", [path]))
    dropped.start()
    news = []
    until(window, lambda: news.append(window.news()) or news[-1], "the line")
    dropped.join()
    assert news[-1] == "the name of a dropped file is not UTF-8; rename the file" and window.dropped() == []
    screen.key("a")
    assert keys_until(window, 1) == ["a"]


def test_files_dropped_on_it_are_named_once(open_window, tmp_path):
    window = open_window()
    # the function that the system calls; no test can move a file from another program
    window._on_drop(None, [str(tmp_path / "a.jpg"), str(tmp_path / "b.jpg")])
    assert window.dropped() == [tmp_path / "a.jpg", tmp_path / "b.jpg"]
    assert window.dropped() == []
