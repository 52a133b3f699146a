"""The sessions on the disk: listing them, finding one by name, renaming and deleting."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from ..errors import BadInput, VisualizerError, nearest
from ..files.paths import is_file, is_folder, sessions_folder
from ..oneline import plain, reason_of
from .check import Examined, examine
from .folder import check_name, refuse_while_recorded
from .layout import SessionFolder

#: what the folder of a session holds beside hidden files; `cut-...` is of a repair
_OWN = re.compile(r"session\.json|events\.jsonl|sound-\d+\.flac|presets|dreams|songs|cut-[\d-]+|[^/]+\.(mp4|mkv|mov)")
_MOST_NAMES = 20  # in an error message


@dataclass(frozen=True)
class ListedSession:
    """A session of the list. name: of its folder; found: what it holds, None if it cannot be read; fault: why not."""

    name: str
    root: Path
    found: Examined | None
    fault: str = ""


def list_sessions() -> list[ListedSession]:
    """The sessions in `sessions_folder`, the newest first, then those that cannot be read. Raises VisualizerError if
    the folder cannot be read.
    """
    listed = []
    for root in _session_folders():
        try:
            listed.append(ListedSession(root.name, root, examine(root, thorough=False)))
        except BadInput as fault:
            listed.append(ListedSession(root.name, root, None, str(fault)))
    listed.sort(key=lambda one: (one.found.info.started if one.found is not None else "", one.name), reverse=True)
    return listed


def find_session(name_or_folder: str) -> Path:
    """The folder of the session of that name in `sessions_folder`, or else that folder itself.

    Raises BadInput if there is neither, naming the sessions there are and the most similar one, or if it holds none.
    """
    named = {root.name: root for root in _session_folders()}
    if name_or_folder in named:
        return named[name_or_folder]
    try:
        path = Path(name_or_folder).expanduser()
        if path.name == SessionFolder(path).info.name and path.is_file():
            path = path.parent
        if name_or_folder and path.is_dir():
            if not _holds_session(path):
                raise BadInput(f"{plain(path)}: is not the folder of a session")
            return path
    except (OSError, ValueError, RuntimeError):  # no valid path
        pass
    some = ", ".join(plain(name) for name in list(named)[-_MOST_NAMES:]) or "none"
    raise BadInput(f"unknown session {plain(name_or_folder)!r}{nearest(name_or_folder, named)}; there are: {some}")


def session_named(path: Path) -> Path:
    """The folder of the session whose name in `sessions_folder` is `path`; `path` itself if it exists, or there is
    none.
    """
    folder = sessions_folder() / path
    return folder if path.name == str(path) and not os.path.lexists(path) and _holds_session(folder) else path


def rename_session(root: Path, name: str) -> Path:
    """Give the session in the folder `root` another name. Returns its new folder.

    Raises BadInput for a name that is taken or cannot be used; VisualizerError if it is being recorded, or the disk
    refuses.
    """
    root = root.absolute()
    target = root.with_name(check_name(name))
    if not _holds_session(root):
        raise BadInput(f"{plain(root)}: is not the folder of a session")
    refuse_while_recorded(root)
    try:
        if target.exists() or target.is_symlink():
            raise BadInput(f"{plain(target)}: already exists; choose another name")
        root.rename(target)
    except OSError as fault:
        raise VisualizerError(f"{plain(root)}: cannot be renamed: {reason_of(fault)}") from fault
    return target


def check_deletable(root: Path) -> None:
    """Raise BadInput unless the folder `root` is a session and holds nothing else, so that `delete_session` deletes
    only that; VisualizerError if it is being recorded.
    """
    if root.is_symlink():
        raise BadInput(f"{plain(root)}: is a link; delete the link yourself, or name the folder it leads to")
    _check_own(root)
    refuse_while_recorded(root)


def delete_session(root: Path) -> None:
    """Delete the session in the folder `root`. Links in it are deleted, and not what they lead to. Raises what
    `check_deletable` does, and VisualizerError if the disk refuses.
    """
    check_deletable(root)
    try:
        shutil.rmtree(root)
    except OSError as fault:
        raise VisualizerError(f"{plain(root)}: cannot be deleted: {reason_of(fault)}") from fault


def _session_folders() -> list[Path]:
    """The folders in `sessions_folder` that hold a session.json or events.jsonl, by name."""
    folder = sessions_folder()
    try:
        entries = sorted(folder.iterdir())
    except FileNotFoundError:
        return []
    except OSError as fault:
        raise VisualizerError(f"{plain(folder)}: cannot be read: {reason_of(fault)}") from fault
    return [entry for entry in entries if entry.name[0] != "." and is_folder(entry) and _holds_session(entry)]


def _holds_session(root: Path) -> bool:
    folder = SessionFolder(root)
    return is_file(folder.info) or is_file(folder.events)


def _check_own(root: Path) -> None:
    """Raise BadInput unless `root` is the folder of a session and everything in it is of a session."""
    if not is_folder(root) or not _holds_session(root):
        raise BadInput(f"{plain(root)}: is not the folder of a session")
    try:
        foreign = sorted(
            entry.name for entry in root.iterdir() if entry.name[0] != "." and not _OWN.fullmatch(entry.name)
        )
    except OSError as fault:
        raise BadInput(f"{plain(root)}: cannot be read: {reason_of(fault)}") from fault
    if foreign:
        raise BadInput(f"{plain(root / foreign[0])}: is not part of a session; move it to another place first")
