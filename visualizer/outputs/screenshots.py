"""Screenshots as PNG files."""

from __future__ import annotations

import io
import secrets
from pathlib import Path

import numpy as np

from ..errors import VisualizerError
from ..files.output_file import remove
from ..files.paths import is_writable_folder, pictures_folder
from ..oneline import plain, reason_of

MAX_PER_SECOND = 1000  # file names tried for screenshots of the same second


def save_screenshot(pixels: np.ndarray, stamp: str, folder: Path | None = None) -> Path:
    """Write `pixels` (height, width, 3) uint8 as visualizer-STAMP.png; no file is ever replaced. The file.

    folder: where; the user's pictures folder if None, or the working folder where that is missing or cannot be written
    to. The file is complete or not there at all. Raises VisualizerError when it cannot be written.
    """
    from PIL import Image

    folder = _usable_folder() if folder is None else folder
    part = folder / f".visualizer-{secrets.token_hex(8)}.part"
    packed = io.BytesIO()  # in memory: Pillow leaks its encoder's buffers when writing to a full disk fails
    # level 1: fast, since a show is running; a dream hardly gets smaller at 9
    Image.fromarray(pixels).save(packed, "PNG", compress_level=1)
    try:
        with part.open("xb") as file:
            file.write(packed.getbuffer())
        for number in range(1, MAX_PER_SECOND):
            path = folder / (f"visualizer-{stamp}.png" if number == 1 else f"visualizer-{stamp}-{number}.png")
            if _named(part, path):
                return path
    except OSError as fault:
        raise VisualizerError(
            f"the screenshot cannot be written to {plain(folder)}: {reason_of(fault)}; "
            "VISUALIZER_PICTURES_DIR names another folder"
        ) from fault
    finally:
        remove(part)
    raise VisualizerError(f"there are {MAX_PER_SECOND} screenshots of {stamp} in {plain(folder)} already")


def _named(part: Path, path: Path) -> bool:
    """Give a finished file its name; False if that is taken."""
    try:
        path.hardlink_to(part)  # fails where a file is, which renaming would replace
    except FileExistsError:
        return False
    except OSError:  # a disk without links
        if path.exists():
            return False
        part.replace(path)
    return True


def _usable_folder() -> Path:
    """The user's pictures folder, or the working folder where that is missing or cannot be written to."""
    folder = pictures_folder()
    if is_writable_folder(folder):
        return folder
    try:
        return Path.cwd()
    except FileNotFoundError:  # removed: writing to it finds that out
        return Path()
