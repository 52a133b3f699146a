"""Pictures grabbed from a real input device: FFmpeg's of an X display, whose server plays the camera."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from tests.fixtures.watching import has_ended, wait_for
from visualizer.files.paths import grabs_folder
from visualizer.files.remembered import remember_camera, remembered_camera
from visualizer.pictures.cameras import list_cameras
from visualizer.pictures.frame_grabber import CameraTimes, FrameGrabber

QUICK, PATIENT = CameraTimes(open_s=1.0), CameraTimes(open_s=60.0, frame_s=60.0)
NEEDS_PIPES = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes")
NEEDS_SIGNALS = pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot stop a process by a signal")
RED, GREEN, BLUE = 0xE02020, 0x20E020, 0x2020E0


@pytest.fixture
def grabber():
    """grabber(camera, times) -> FrameGrabber, closed at the end."""
    with contextlib.ExitStack() as stack:

        def opened(camera, times=PATIENT, *, opens=True):
            one = FrameGrabber(camera, times, opens=opens)
            stack.callback(one.close)
            return one

        yield opened


@pytest.fixture
def camera(own_screen):
    """How a user names the display as a camera, which sees something blue."""
    own_screen.paint(BLUE)
    return f"x11grab:{own_screen.display}"


def grabbed(grabber):
    """A pixel of the next picture, away from the pointer in its middle, as red, green and blue."""
    assert grabber.grab() == "a picture from the camera …"

    def there():
        assert (line := grabber.news()) is None, line
        return grabber.poll()

    with Image.open(wait_for(there, "a picture")) as picture:
        assert picture.size == (320, 180)
        return np.asarray(picture.convert("RGB"))[20, 20].astype(int)


def is_colour(seen, colour):
    return bool(np.abs(seen - [colour >> 16, colour >> 8 & 255, colour & 255]).max() < 12)


def fault_of(grabber):
    line = wait_for(grabber.news, "a fault")
    assert "\n" not in line and grabber.poll() is None
    return line


def readers():
    """The processes that read cameras."""
    return [one for one in multiprocessing.active_children() if one.name == "camera"]


def test_each_picture_is_the_newest_frame(own_screen, camera, grabber):
    one = grabber(camera)
    for colour in (RED, BLUE, GREEN):
        own_screen.paint(colour)
        # the newest frame that was read may be one of before
        wait_for(lambda colour=colour: is_colour(grabbed(one), colour), "a picture of what is there now")
    names = [path.name for path in grabs_folder().iterdir()]
    assert len(names) >= 3 and all(name.startswith("camera-20") and name.endswith(".jpg") for name in names)
    assert len(readers()) == 1


def test_a_camera_that_nobody_has_asked_for_is_opened_with_the_first_picture(own_screen, camera, grabber):
    one = grabber(camera, opens=False)
    assert one._thread is None
    own_screen.paint(RED)
    assert is_colour(grabbed(one), RED)


@NEEDS_SIGNALS
def test_a_second_press_while_a_picture_is_on_its_way_asks_for_no_other(own_screen, camera, grabber):
    one = grabber(camera)
    os.kill(own_screen.pid, signal.SIGSTOP)  # else the picture may be there before the second press
    one.grab()
    assert "one moment" in one.grab()
    os.kill(own_screen.pid, signal.SIGCONT)
    wait_for(one.poll, "a picture")
    assert len(list(grabs_folder().iterdir())) == 1


@pytest.mark.parametrize("on_it", ["", ",drawbox=w=12:h=12:color=white:t=fill"])
def test_a_picture_that_is_black_is_reported_and_taken_all_the_same(grabber, on_it):
    one = grabber(f"lavfi:color=black:size=320x180{on_it}")
    one.grab()
    assert wait_for(one.news, "a line").endswith(
        "its picture is black; is it covered, or not allowed for this program?"
    )
    assert wait_for(one.poll, "the picture").exists()


def test_a_camera_that_is_unplugged_is_said_and_works_again_when_it_is_back(own_screen, camera, grabber):
    one = grabber(camera)
    grabbed(one)
    os.kill(own_screen.pid, signal.SIGKILL)
    wait_for(lambda: not readers(), "the end of the process")
    one.grab()
    assert fault_of(one).startswith(f"camera {camera}: ")
    command = ["Xvfb", own_screen.display, "-screen", "0", "320x180x24", "-nolisten", "tcp", "-noreset"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as again:
        try:
            wait_for(lambda: _works(own_screen), "the display")
            own_screen.paint(BLUE)
            assert is_colour(grabbed(one), BLUE)
        finally:
            again.kill()


def _works(screen):
    with contextlib.suppress(RuntimeError):
        return screen.screenshot() is not None


@NEEDS_SIGNALS
def test_a_camera_that_stops_sending_is_said_and_read_again_later(own_screen, camera, grabber):
    one = grabber(camera, CameraTimes(frame_s=3.0))
    grabbed(one)
    os.kill(own_screen.pid, signal.SIGSTOP)
    try:
        one.grab()
        line = fault_of(one)
        assert line.startswith(f"camera {camera}: sends no picture (3 s); unplug it") and "--camera" in line
        wait_for(lambda: not readers(), "the end of the process")
    finally:
        os.kill(own_screen.pid, signal.SIGCONT)
    grabbed(one)


@NEEDS_PIPES
def test_a_driver_that_hangs_while_it_opens_holds_neither_the_show_nor_its_end(tmp_path, grabber):
    os.mkfifo(tmp_path / "camera")
    one = grabber(f"mjpeg:{tmp_path / 'camera'}", QUICK)
    assert "does not open (1 s)" in fault_of(one)
    wait_for(lambda: not readers(), "the end of the process")
    other = grabber(f"mjpeg:{tmp_path / 'camera'}")
    wait_for(readers, "the process")
    other.close()
    wait_for(lambda: not readers(), "its end")
    assert other.news() is None


@NEEDS_SIGNALS
def test_a_driver_that_crashes_is_said(own_screen, camera, grabber):
    one = grabber(camera)
    grabbed(one)
    os.kill(own_screen.pid, signal.SIGSTOP)
    try:
        one.grab()

        def killed():  # one that is dead before it is asked is replaced
            for reader in readers():
                reader.kill()
            return one.news()

        assert "crashed (signal 9)" in wait_for(killed, "a fault")
    finally:
        os.kill(own_screen.pid, signal.SIGCONT)
    grabbed(one)


def test_a_camera_without_anything_to_do_is_closed_and_opened_again(camera, grabber):
    one = grabber(camera, CameraTimes(idle_s=1.0))
    grabbed(one)
    wait_for(lambda: not readers(), "the camera closed")
    grabbed(one)
    assert one.news() is None


def closed_at_once(pipe, *_):
    """Serves a camera that is closed whenever a picture is asked of it."""
    for message in (("found", "x"), ("opened", None), ("closed", None)):
        pipe.send(message)


def test_a_camera_that_is_closed_whenever_it_is_asked_is_said(grabber, monkeypatch):
    monkeypatch.setattr("visualizer.pictures.frame_grabber.serve_camera", closed_at_once)
    one = grabber("x")
    one.grab()
    assert fault_of(one) == "camera x: was closed before it sent a picture; ask for it again"


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("v4l2:/dev/video77", "camera v4l2:/dev/video77: is not there; plug it in"),
        ("/dev/video77", "camera /dev/video77: is not there; plug it in"),
        ("v4l2:/dev/null", "camera v4l2:/dev/null: is not a camera (Inappropriate ioctl for device); `vis"),
        ("x11grab::9999", "camera x11grab::9999: cannot be read (Input/output error)"),
        ("lavfi:nonsense", "camera lavfi:nonsense: cannot be read ("),
    ],
)
@pytest.mark.skipif(sys.platform != "linux", reason="v4l2 and x11grab are Linux's")
def test_what_cannot_be_opened_is_said_at_once_and_not_remembered(name, line, grabber):
    assert fault_of(grabber(name)).startswith(line)
    assert remembered_camera() is None


def test_without_a_camera_the_line_says_so(grabber):
    if list_cameras():
        pytest.skip("this machine has a camera")
    one = grabber(None)
    assert one._thread is None  # nothing is opened before it is needed
    one.grab()
    assert fault_of(one) == "there is no camera; plug one in, or name one with --camera"
    assert "no camera" in fault_of(grabber("logitech"))


def test_a_camera_that_was_named_is_the_one_of_the_next_show(own_screen, camera, grabber):
    grabbed(grabber(camera))
    assert remembered_camera() == camera
    own_screen.paint(RED)
    assert is_colour(grabbed(grabber(None)), RED)


def test_default_forgets_the_camera_and_takes_the_first(grabber):
    if list_cameras():
        pytest.skip("this machine has a camera")
    remember_camera("x11grab::9999")
    assert fault_of(grabber("default")).startswith("there is no camera")


def test_a_folder_that_cannot_be_written_to_is_said(camera, grabber, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("VISUALIZER_GRABS_DIR", str(tmp_path / "file" / "grabs"))
    one = grabber(camera)
    one.grab()
    assert "VISUALIZER_GRABS_DIR" in fault_of(one)


@NEEDS_PIPES
def test_the_process_ends_with_the_show_even_while_the_driver_hangs(tmp_path):
    os.mkfifo(tmp_path / "camera")
    code = (
        "import sys, psutil, time\n"
        "from visualizer.pictures.frame_grabber import FrameGrabber\n"
        "if __name__ == '__main__':\n"
        f"    one = FrameGrabber('mjpeg:{tmp_path / 'camera'}')\n"
        "    while not (found := [p for p in psutil.Process().children() if 'spawn_main' in ' '.join(p.cmdline())]):\n"
        "        time.sleep(0.02)\n"
        "    while one._label == '': time.sleep(0.02)\n"
        "    print(found[0].pid, flush=True)\n"
        "    time.sleep(600)\n"
    )
    (tmp_path / "show.py").write_text(code)
    show = subprocess.Popen([sys.executable, str(tmp_path / "show.py")], stdout=subprocess.PIPE, text=True)
    reader = int(show.stdout.readline())
    show.kill()
    show.communicate()
    wait_for(lambda: has_ended(reader), "the end of the reader")
