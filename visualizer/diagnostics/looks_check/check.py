"""Checks every look of a folder, one after another, in a process that may hang or crash."""

from __future__ import annotations

import shutil
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

from ...errors import BadInput, VisualizerError
from ...looks.look import SUFFIXES, is_look, same_but_for_case
from ...oneline import plain, reason_of
from ...render.graphics_process import CrashError, GraphicsProcess, HangError
from ...render.offscreen import Offscreen
from ...resources import shipped
from .checked import CheckedLook
from .drawing import CheckOptions, check_look

#: longest time for one look, seconds
DEADLINE_S = 60.0


def look_files(folder: Path) -> list[Path]:
    """The files of all looks below a folder, sorted: .fs, .frag, and .json files that Shadertoy has exported; the file
    itself if it is one. Raises BadInput for neither, for one that cannot be read, and for a folder without looks.
    """
    try:
        if not (folder.is_dir() or folder.is_file()):
            raise BadInput(f"{plain(folder)}: is no folder and no file")
        found = folder.rglob("*") if folder.is_dir() else [folder]
        files = [path for path in found if path.suffix.lower() in SUFFIXES and path.is_file()]
    except OSError as fault:
        raise BadInput(f"{plain(folder)}: cannot be read: {reason_of(fault)}") from fault
    own = shipped("shaders") / "base"  # what the program itself draws with
    files = [path for path in files if not path.resolve().is_relative_to(own) and is_look(path)]
    if not files:
        raise BadInput(f"{plain(folder)}: there are no looks in it (.fs, .frag, or .json files exported by Shadertoy)")
    return sorted(files)


def check_looks(
    folder: Path, files: list[Path], *, budget_s: float | None = None, deadline_s: float = DEADLINE_S
) -> Generator[CheckedLook, None, None]:
    """Check looks, and yield what was found about each. folder: or one file; files: `look_files(folder)`. budget_s:
    longest time of a display frame, seconds; None: any. deadline_s: longest time for one look, seconds.

    Raises GraphicsError if nothing can be drawn on this machine.
    """
    folder = folder if folder.is_dir() else folder.parent
    options = CheckOptions(shutil.which("glslangValidator"), budget_s)
    with GraphicsProcess() as process:
        process.call(_nothing, deadline_s=deadline_s)
        for path in files:
            file = path.relative_to(folder).as_posix()
            try:
                found = process.call(check_look, path, file, options, deadline_s=deadline_s)
            except HangError as fault:
                found = CheckedLook(file, problems={"hang": str(fault)})
            except CrashError as fault:
                found = CheckedLook(file, problems={"crash": str(fault)})
            except VisualizerError as fault:
                found = CheckedLook(file, problems={"draw": str(fault)})
            if same := same_but_for_case(path, files, folder):
                words = f"{same} is the same file on macOS and Windows; rename one"
                found = replace(found, problems={"case": words, **found.problems})
            yield found


def _nothing(surface: Offscreen) -> None:
    """Nothing: the call fails where there is no OpenGL, before any look is drawn."""
