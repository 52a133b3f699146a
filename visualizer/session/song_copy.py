"""The songs of a session: known by their content, and copied into its folder where the user wants it."""

from __future__ import annotations

import hashlib
import re
import shutil
from pathlib import Path
from typing import NamedTuple

from ..errors import VisualizerError
from ..files.output_file import atomic_write

_BLOCK_BYTES = 1 << 20
# A song is not copied where less than this would be free on the disk afterwards.
_KEEP_FREE_BYTES = 1_000_000_000


class KeptSong(NamedTuple):
    """sha256: of the file. file: name of its copy under songs/, "" where there is none; fault: why not, "" if it was not
    asked for.
    """

    sha256: str
    file: str = ""
    fault: str = ""


def keep_song(path: Path, songs: Path | None) -> KeptSong:
    """Find what a song's file is known by, and copy it. songs: the folder of copies, None: it is not copied.

    It reads all of the file. Raises OSError if the file cannot be read.
    """
    sha256 = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            sha256.update(block)
    name = sha256.hexdigest()
    if songs is None:
        return KeptSong(name)
    suffix = path.suffix.lower() if re.fullmatch(r"\.[A-Za-z0-9]{1,8}", path.suffix) else ""
    copy = songs / f"{name}{suffix}"
    try:
        songs.mkdir(exist_ok=True)
        if copy.exists():
            return KeptSong(name, copy.name)
        if shutil.disk_usage(songs).free < path.stat().st_size + _KEEP_FREE_BYTES:
            return KeptSong(name, fault=f"{path.name} is not copied: the disk has too little room")
        with atomic_write(copy) as part:
            shutil.copyfile(path, part)
    except (OSError, VisualizerError) as fault:
        return KeptSong(name, fault=f"{path.name} is not copied: {fault}")
    return KeptSong(name, copy.name)
