"""Cameras: which there are, and opening one, with FFmpeg's input devices.

All of it may hang in a driver, or crash in one: a show does it in another process, see `frame_grabber`.
"""

from __future__ import annotations

import errno
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..errors import BadInput, VisualizerError
from ..oneline import plain, reason_of

if TYPE_CHECKING:
    from av.container import InputContainer

#: FFmpeg's name of the cameras of a platform
DEVICES = {"linux": "v4l2", "darwin": "avfoundation", "win32": "dshow"}
#: options tried in order until a camera accepts them: a webcam's own default may be small. avfoundation's default
#: rate is one that most cameras refuse.
_OPTIONS: dict[str, list[dict[str, str]]] = {
    "v4l2": [{"video_size": "1280x720"}, {}],
    "avfoundation": [{"video_size": "1280x720", "framerate": "30"}, {"framerate": "30"}, {"framerate": "15"}, {}],
    "dshow": [{"video_size": "1280x720"}, {}],
}
LIST = "`visualizer cameras` lists those that are there"


class CameraDevice(NamedTuple):
    """A camera. kind: FFmpeg's name of its input device, such as v4l2; address: what that opens; label: for people."""

    kind: str
    address: str
    label: str


def list_cameras() -> list[CameraDevice]:
    """The cameras of this machine, the default one first. Raises VisualizerError where they cannot be listed."""
    import av

    kind = DEVICES.get(sys.platform)
    if kind is None:
        return []
    try:
        found = av.enumerate_input_devices(kind)
    except (av.FFmpegError, ValueError, OSError) as fault:
        raise VisualizerError(f"the cameras cannot be listed: {_reason(fault)}") from fault
    videos = [one for one in found if not one.media_types or "video" in one.media_types]
    videos.sort(key=lambda one: not one.is_default)
    return [CameraDevice(kind, one.name, plain(one.description or one.name)) for one in videos]


def named_camera(wanted: str) -> CameraDevice | None:
    """The camera that a text names without a search: FORMAT:NAME for any of FFmpeg's inputs, such as x11grab::0 or
    v4l2:/dev/video2, or a file of /dev; None for others.
    """
    kind, colon, address = wanted.partition(":")
    if colon and address and _is_format(kind):
        return CameraDevice(kind, address, plain(wanted))
    if wanted.startswith("/dev/") and sys.platform == "linux":
        return CameraDevice(DEVICES["linux"], wanted, plain(wanted))
    return None


def find_camera(wanted: str | None, cameras: Sequence[CameraDevice] | None = None) -> CameraDevice:
    """The camera of that number, or part of a name, see `named_camera`; the first one for None.

    cameras: those that there are, None: to be listed. Raises BadInput if there is none.
    """
    if wanted is not None and (named := named_camera(wanted)) is not None:
        return named
    cameras = list_cameras() if cameras is None else cameras
    if not cameras:
        raise BadInput(_no_camera())
    if wanted is None:
        return cameras[0]
    if re.fullmatch(r"\d{1,3}", wanted) and int(wanted) < len(cameras):
        return cameras[int(wanted)]
    for one in cameras:
        if wanted.lower() in one.label.lower() or wanted == one.address:
            return one
    names = ", ".join(one.label for one in cameras)
    raise BadInput(f"no camera is called {plain(wanted, 60)!r}; there are: {names}")


def open_camera(camera: CameraDevice) -> InputContainer:
    """Open a camera. Raises VisualizerError, one line with what to do."""
    import av

    address = {"dshow": f"video={camera.address}", "avfoundation": f"{camera.address}:none"}.get(
        camera.kind, camera.address
    )
    fault: Exception | None = None
    for options in _OPTIONS.get(camera.kind, [{}]):
        try:
            container = av.open(address, format=camera.kind, options=options)
        except (av.FFmpegError, OSError, ValueError, LookupError) as refused:
            fault = refused
            if isinstance(refused, PermissionError | FileNotFoundError):
                break
            continue
        if container.streams.video:
            return container
        container.close()
        raise VisualizerError(f"camera {camera.label}: has no picture; {LIST}")
    assert fault is not None
    raise VisualizerError(explain(camera, fault)) from fault


def explain(camera: CameraDevice, fault: BaseException) -> str:
    """Why a camera cannot be used, and what to do, in one line."""
    import av

    # an error of FFmpeg need be no OSError: EINVAL is a ValueError
    number = fault.errno if isinstance(fault, OSError | av.FFmpegError) else None
    reason = _reason(fault)
    if isinstance(fault, PermissionError):
        way = {
            "linux": "add yourself to the group that owns it: sudo usermod -aG video $USER, then log in again",
            "darwin": "allow the camera for the terminal in the system settings, under privacy",
        }.get(sys.platform, "allow the camera in the settings, under privacy")
        return f"camera {camera.label}: no permission to use it; {way}"
    if number == errno.EBUSY:
        return f"camera {camera.label}: another program is using it; close that, or name another with --camera"
    if number in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
        return f"camera {camera.label}: is not there; plug it in, or name another with --camera: {LIST}"
    if number == errno.ENOTTY:
        return f"camera {camera.label}: is not a camera ({reason}); {LIST}"
    if number == errno.EINVAL:
        return f"camera {camera.label}: refuses what it is asked for ({reason}); name another with --camera: {LIST}"
    return f"camera {camera.label}: cannot be read ({reason}); another program may be using it: {LIST}"


def _reason(fault: BaseException) -> str:
    import av

    return plain(fault.strerror) if isinstance(fault, av.FFmpegError) else reason_of(fault)


def _is_format(name: str) -> bool:
    from av.format import ContainerFormat

    try:
        return bool(re.fullmatch(r"[a-z0-9_]+", name) and ContainerFormat(name, "r").is_input)
    except ValueError:
        return False


def _no_camera() -> str:
    if sys.platform == "linux":
        files = sorted(Path("/dev").glob("video*"))
        if files and not any(os.access(one, os.R_OK | os.W_OK) for one in files):
            return explain(CameraDevice("v4l2", str(files[0]), str(files[0])), PermissionError())
    return "there is no camera; plug one in, or name one with --camera"
