"""Which camera is meant, and what is said of one that cannot be used."""

from __future__ import annotations

import errno
import os

import av.error
import pytest

from visualizer.errors import BadInput, VisualizerError
from visualizer.pictures.cameras import CameraDevice, explain, find_camera, list_cameras, named_camera, open_camera

TWO = [CameraDevice("v4l2", "/dev/video0", "HD Webcam: C270"), CameraDevice("v4l2", "/dev/video2", "Built-in")]


@pytest.mark.parametrize(
    ("wanted", "address"),
    [
        (None, "/dev/video0"),
        ("1", "/dev/video2"),
        ("built", "/dev/video2"),
        ("C270", "/dev/video0"),
        ("HD Webcam: C270", "/dev/video0"),
        ("/dev/video9", "/dev/video9"),
        ("v4l2:/dev/video5", "/dev/video5"),
        ("x11grab::99", ":99"),
        ("lavfi:testsrc=size=64x36:rate=10", "testsrc=size=64x36:rate=10"),
    ],
)
def test_a_camera_is_found_by_number_name_or_format(wanted, address):
    assert find_camera(wanted, TWO).address == address


@pytest.mark.parametrize("wanted", ["sony", "9", "quark:1", "x11grab:"])
def test_an_unknown_one_is_refused_with_those_that_there_are(wanted):
    with pytest.raises(BadInput, match=rf"no camera is called '{wanted}'; there are: HD Webcam: C270, Built-in$"):
        find_camera(wanted, TWO)


def test_where_there_is_none_it_says_so():
    for wanted in (None, "0", "sony"):
        with pytest.raises(BadInput, match="camera"):
            find_camera(wanted, [])


def test_a_name_with_a_colon_is_no_format():
    assert named_camera("HD Webcam: C270") is None
    assert named_camera("USB:2") is None
    assert named_camera("v4l2:/dev/video0") == CameraDevice("v4l2", "/dev/video0", "v4l2:/dev/video0")


def test_the_cameras_of_this_machine_can_be_listed():
    assert all(one.address and one.label for one in list_cameras())


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.EBUSY, "another program is using it; close that, or name another with --camera"),
        (errno.EACCES, "no permission to use it; "),
        (errno.ENOENT, "is not there; plug it in"),
        (errno.ENODEV, "is not there; plug it in"),
        (errno.ENOTTY, "is not a camera ("),
        (errno.EINVAL, "refuses what it is asked for (Invalid argument); name another with --camera"),
        (errno.ENOMEM, "cannot be read (Cannot allocate memory)"),
        (errno.EIO, "cannot be read ("),
    ],
)
def test_each_fault_is_one_line_with_a_way_out(number, said):
    with pytest.raises(av.error.FFmpegError) as fault:
        av.error.err_check(-number)
    for one in (fault.value, OSError(number, os.strerror(number))):
        line = explain(TWO[1], one)
        assert line.startswith(f"camera Built-in: {said}") and "\n" not in line


def test_an_input_without_a_picture_is_no_camera():
    with pytest.raises(VisualizerError, match="camera tone: has no picture"):
        open_camera(CameraDevice("lavfi", "sine", "tone"))


@pytest.mark.parametrize("source", ["color=size=64x36,hwdownload", "haldclutsrc=level=99"])
def test_errors_of_ffmpeg_that_are_none_of_the_system_are_one_line(source):
    with pytest.raises(VisualizerError, match="camera x: cannot be read"):
        open_camera(CameraDevice("lavfi", source, "x"))


def test_what_there_is_not_is_one_line():
    with pytest.raises(VisualizerError, match="camera x: cannot be read"):
        open_camera(CameraDevice("quark", "0", "x"))
