"""Keeps private paths out of the log: the folders of the user's songs, and the home folder."""

from __future__ import annotations

import os
import re
from pathlib import Path

_folders: set[str] = set()
_pattern: re.Pattern[str] | None = None


def keep_private(path: Path) -> None:
    """Register a song's folder (or a folder itself): from now on `without_folders` removes it."""
    global _pattern
    try:
        given = (path, Path.cwd() / path, path.resolve())
        folders = {one.parent for one in given} | {one for one in given if one.is_dir()}
    except (OSError, ValueError, RuntimeError):  # not a valid path, or the current folder was removed
        folders = {path.parent}
    forms = {str(folder) for folder in folders if folder != Path(folder.anchor)}
    forms |= {repr(form)[1:-1] for form in forms}  # as they look when quoted with repr
    if not forms <= _folders:
        _folders.update(forms)
        longest_first = sorted(_folders, key=len, reverse=True)
        absolute = "|".join(re.escape(form) for form in longest_first if Path(form).is_absolute()) or "(?!)"
        # a relative folder may have any name, even "a": it only counts when a separator follows
        relative = "|".join(re.escape(form) for form in longest_first if not Path(form).is_absolute()) or "(?!)"
        _pattern = re.compile(rf"(?<![\w.~-])(?:(?:{absolute})(?:[\\/]+|(?![\w.~-]))|(?:{relative})[\\/]+)")


def without_folders(text: str) -> str:
    """`text` with private folders removed (their files keep only their names) and the home folder written as ~."""
    if _pattern is not None:
        text = _pattern.sub("", text)
    try:
        home = str(Path.home())
    except RuntimeError:
        return text
    return re.sub(rf"(?<![\w.~-]){re.escape(home)}(?![\w.-])", "~", text) if len(home) > 1 else text


def name_only(argument: str) -> str:
    """A command-line argument as it may be logged: a file without its folder, a folder as "(folder)"."""
    option, equals, value = argument.partition("=") if argument.startswith("-") else ("", "", argument)
    if _is_folder(value):
        value = "(folder)"
    elif os.sep in value or "/" in value:
        value = "(folder)/" + value.replace(os.sep, "/").rpartition("/")[2]
    return f"{option}{equals}{value}"


def _is_folder(path: str) -> bool:
    try:
        return path != "" and Path(path).is_dir()
    except (OSError, ValueError):  # not a valid path
        return False
