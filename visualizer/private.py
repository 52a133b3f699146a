"""What the log does not name: the folders of the user's songs, and the home folder."""

from __future__ import annotations

import os
import re
from pathlib import Path

_folders: set[str] = set()
_pattern: re.Pattern[str] | None = None


def keep_private(path: Path) -> None:
    """From now on, the folder of this song, or the folder itself if it is one, is left out by `without_folders`."""
    global _pattern
    try:
        given = (path, Path.cwd() / path, path.resolve())
        folders = {one.parent for one in given} | {one for one in given if one.is_dir()}
    except (OSError, ValueError, RuntimeError):  # no folder at all, or the one that the program is in was removed
        folders = {path.parent}
    forms = {str(folder) for folder in folders if folder != Path(folder.anchor)}
    forms |= {repr(form)[1:-1] for form in forms}  # as messages quote them
    if not forms <= _folders:
        _folders.update(forms)
        longest_first = sorted(_folders, key=len, reverse=True)
        absolute = "|".join(re.escape(form) for form in longest_first if Path(form).is_absolute()) or "(?!)"
        # a relative one may be called anything, "a" for one: it is known by what stands behind it
        relative = "|".join(re.escape(form) for form in longest_first if not Path(form).is_absolute()) or "(?!)"
        _pattern = re.compile(rf"(?<![\w.~-])(?:(?:{absolute})(?:[\\/]+|(?![\w.~-]))|(?:{relative})[\\/]+)")


def without_folders(text: str) -> str:
    """The text with the files in folders that are private by their names only, and the user's home folder as ~."""
    if _pattern is not None:
        text = _pattern.sub("", text)
    try:
        home = str(Path.home())
    except RuntimeError:
        return text
    return re.sub(rf"(?<![\w.~-]){re.escape(home)}(?![\w.-])", "~", text) if len(home) > 1 else text


def name_only(argument: str) -> str:
    """An argument of the command line as the log may have it: of a path only the name, of a folder not even that."""
    option, equals, value = argument.partition("=") if argument.startswith("-") else ("", "", argument)
    if _is_folder(value):
        value = "(folder)"
    elif os.sep in value or "/" in value:
        value = "(folder)/" + value.replace(os.sep, "/").rpartition("/")[2]
    return f"{option}{equals}{value}"


def _is_folder(path: str) -> bool:
    try:
        return path != "" and Path(path).is_dir()
    except (OSError, ValueError):  # no path at all
        return False
