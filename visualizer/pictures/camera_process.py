"""The process that reads a camera: takes what comes, and writes the newest frame to a file when it is asked for."""

from __future__ import annotations

import os
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing import parent_process
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

from ..clock import Stopwatch, day_and_time
from ..errors import VisualizerError
from ..files.output_file import atomic_write, remove
from ..oneline import plain, reason_of
from ..processes import lower_priority, redirect_streams
from .cameras import CameraDevice, explain, find_camera, open_camera

if TYPE_CHECKING:
    from av import Packet, VideoFrame
    from av.container import InputContainer
    from PIL.Image import Image

#: a camera that no picture was asked of for so long is closed, seconds
IDLE_S = 60.0
#: a camera that was just opened is still finding its exposure: so many frames are left out, or so many seconds
_N_SKIPPED, _SKIPPED_S = 8, 0.7
#: so many pictures are kept in the folder: the oldest are removed
MOST_KEPT = 50
#: what `save_picture` calls them. The folder may have the user's own pictures, too.
_OUR_NAME = re.compile(r"camera-\d{8}-\d{6}(-\d+)?\.jpg")
_NICENESS = 5
_QUALITY = 94
#: a picture is black where a smaller fraction than this is brighter than so much, of 255: a pointer on it may be white
_BLACK, _VISIBLE_FRACTION = 24, 0.005


def serve_camera(pipe: Connection, wanted: str | None, may_be_another: bool, folder: Path, idle_s: float) -> None:
    """Open a camera, and write a picture for each message that comes, until the other end is closed, the camera fails,
    or nothing was asked for in `idle_s` seconds.

    wanted: see `find_camera`. may_be_another: where it is not there, the first one is opened. folder: where the
    pictures are written. Sends ("found", label), ("opened", None), ("grabbed", path), or ("black", path), for each
    message, and ("fault", line) before it ends.
    """
    if sys.platform == "win32":  # elsewhere it was started with it
        redirect_streams(os.devnull, 2)
    redirect_streams(os.devnull, 0, 1)  # the terminal is the show's
    lower_priority(_NICENESS)
    # a driver that hangs must not keep the camera when the show has ended
    threading.Thread(target=_end_with_show, name="end", daemon=True).start()
    with suppress(EOFError, OSError):  # the show has ended
        pipe.send(_last_message(pipe, wanted, may_be_another, folder, idle_s))


def _end_with_show() -> None:
    if (show := parent_process()) is not None:
        show.join()
        os._exit(0)


def _last_message(
    pipe: Connection, wanted: str | None, may_be_another: bool, folder: Path, idle_s: float
) -> tuple[str, str | None]:
    """Serve, and return the last message."""
    try:
        try:
            camera = find_camera(wanted)
        except VisualizerError:
            if not may_be_another:
                raise
            camera = find_camera(None)
        pipe.send(("found", camera.label))
        with open_camera(camera) as container:
            pipe.send(("opened", None))
            _serve(pipe, camera, container, folder, idle_s)
        return "closed", None
    except VisualizerError as fault:
        return "fault", str(fault)


def _serve(pipe: Connection, camera: CameraDevice, container: InputContainer, folder: Path, idle_s: float) -> None:
    stream = container.streams.video[0]
    # each packet of these is a whole picture: only those that are asked for need be decoded
    is_intra = stream.codec_context.codec.intra_only
    is_wanted, idle, opened = False, Stopwatch(), Stopwatch()
    for number, packet in enumerate(_packets(pipe, camera, container)):
        while pipe.poll():
            pipe.recv()
            is_wanted, idle = True, Stopwatch()
        if not is_wanted and idle.elapsed_s() > idle_s:
            return
        is_steady = number >= _N_SKIPPED or (number > 0 and opened.elapsed_s() > _SKIPPED_S)
        frame = _decoded(packet) if (is_wanted and is_steady) or not is_intra else None
        if frame is not None and is_wanted and is_steady:
            image = _image_of(camera, frame)
            path = save_picture(image, folder)
            pipe.send(("black" if _is_black(image) else "grabbed", str(path)))
            remove_oldest(folder)
            is_wanted, idle = False, Stopwatch()


def _packets(pipe: Connection, camera: CameraDevice, container: InputContainer) -> Iterator[Packet]:
    """Every packet as it comes. Raises VisualizerError when no more can come."""
    import av

    while True:
        try:
            for packet in container.demux(video=0):
                if packet.size:
                    yield packet
            raise VisualizerError(f"camera {camera.label}: has ended; plug it in again")
        except BlockingIOError:  # avfoundation: no frame has come yet
            pipe.poll(0.01)
        except (EOFError, BrokenPipeError, ConnectionResetError):
            raise VisualizerError(f"camera {camera.label}: has ended; plug it in again") from None
        except (av.FFmpegError, OSError, ValueError, LookupError) as fault:
            raise VisualizerError(explain(camera, fault)) from fault


def _decoded(packet: Packet) -> VideoFrame | None:
    """The newest frame of a packet; None where it has none, or is damaged, as the first ones of some webcams are."""
    import av

    try:
        frames = packet.decode()
    except (av.FFmpegError, OSError, ValueError):
        return None
    return frames[-1] if frames else None


def _image_of(camera: CameraDevice, frame: VideoFrame) -> Image:
    import av

    try:
        return frame.to_image()
    except (av.FFmpegError, ValueError) as fault:
        raise VisualizerError(explain(camera, fault)) from fault


def _is_black(image: Image) -> bool:
    return sum(image.convert("L").histogram()[_BLACK:]) < _VISIBLE_FRACTION * image.width * image.height


def save_picture(image: Image, folder: Path) -> Path:
    """Write a picture as camera-DATE-TIME.jpg. Raises VisualizerError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise VisualizerError(
            f"{plain(folder)} cannot be made: {reason_of(fault)}; VISUALIZER_GRABS_DIR names another folder"
        ) from fault
    stamp, number = day_and_time(), 1
    while (path := folder / f"camera-{stamp}{f'-{number}' if number > 1 else ''}.jpg").exists():
        number += 1
    with atomic_write(path) as part:
        image.save(part, "JPEG", quality=_QUALITY, subsampling=0)
    return path


def remove_oldest(folder: Path) -> None:
    """Remove the oldest pictures of cameras beyond MOST_KEPT. Another show may do the same at the same moment."""
    found = {}
    with suppress(OSError):
        for path in folder.iterdir():
            if _OUR_NAME.fullmatch(path.name):
                with suppress(OSError):
                    found[path] = path.stat().st_mtime_ns, path.name
    for old in sorted(found, key=found.__getitem__)[:-MOST_KEPT]:
        remove(old)
