"""A preset as a session keeps it: preset.yaml, its pictures, and its look with the included files."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from ..errors import BadInput, VisualizerError
from ..files.durable import write_folder
from ..files.paths import config_folder
from ..looks.look import Look, find_look
from ..oneline import plain, preset_label, reason_of
from ..presets.loaded import LoadedPreset
from ..presets.preset import FILE_NAME
from ..resources import shipped


class PresetCopy(NamedTuple):
    """folder: the name of its folder, of the preset's name and the hash of what is in it. files: contents by path in
    the folder, with "/"; of the pictures of a journey, which may be many, the files to copy. image: the picture that
    the user asked for instead of the preset's, "" for the preset's.
    """

    folder: str
    files: dict[str, bytes | Path]
    image: str

    @property
    def n_memory_bytes(self) -> int:
        """Of the contents that it holds."""
        return sum(len(one) for one in self.files.values() if isinstance(one, bytes))


def copy_of(loaded: LoadedPreset, *, only_own_looks: bool = False, has_bank: bool = True) -> PresetCopy:
    """Read all of a preset's files but the pictures of its journey. only_own_looks: leave out the looks that are not in
    its folder. has_bank: copy the pictures of its journey. Raises VisualizerError if one cannot be read.
    """
    folder, settings = loaded.folder, loaded.settings
    if folder is None:
        raise VisualizerError(f"preset {plain(loaded.name)} has no folder")
    dreams = [one.settings for one in (*loaded.variants, *loaded.stations)]
    others = {name for dream in dreams for name in (dream.guide, dream.tone_picture) if name}
    own_files = [name for name in (FILE_NAME, settings.image, *others) if _is_within(name)]
    sources = {Path(name).as_posix(): folder / name for name in own_files}
    bank = settings.journey.pictures if settings.journey is not None and has_bank else []
    pictures = {Path(name).as_posix(): folder / name for name in bank if _is_within(name)}
    image, own = "", loaded.overrides.image
    if own is None and not _is_within(settings.image):
        own = folder / settings.image
    if own is not None:
        image = "chosen-picture" + re.sub(r"[^.A-Za-z0-9]", "", own.suffix)[:10]
        sources[image] = own
    transition = settings.render.transition
    looks = [(one.look, one.parameters) for one in settings.render.chain]
    for name, parameters in [*looks, *([(transition.look, transition.parameters)] if transition else [])]:
        with suppress(BadInput):  # a look that cannot be opened is not shown either
            look = find_look(name, folder)
            if not only_own_looks or look.path.is_relative_to(folder):
                sources |= _look_files(look, folder, sources | pictures)
            images = {parameters.get(one.name) for one in look.declaration.inputs if one.kind == "image"}
            own_files = [file for file in images if isinstance(file, str) and _is_within(file)]
            sources |= {Path(file).as_posix(): folder / file for file in own_files}
    files: dict[str, bytes | Path] = {}
    found = hashlib.sha256()
    try:
        for name, path in sorted(sources.items()):
            files[name] = data = path.read_bytes()
            found.update(f"{name}\0{len(data)}\0".encode() + data)
        for name, path in sorted(pictures.items()):
            if name not in files:
                files[name], status = path, path.stat()
                found.update(f"{name}\0{status.st_size}\0{status.st_mtime_ns}\0".encode())
    except OSError as fault:
        raise VisualizerError(f"preset {plain(loaded.name)}: {reason_of(fault)}") from fault
    label = re.sub(r"[^A-Za-z0-9_-]+", "_", preset_label(loaded.reference))[:40] or "preset"
    return PresetCopy(f"{label}-{found.hexdigest()[:12]}", files, image)


def write_copy(copy: PresetCopy, presets: Path) -> int:
    """Write a copy into a new folder in `presets`, on the disk when this returns; its size in bytes. Raises OSError."""
    folder = presets / copy.folder
    write_folder(folder, copy.files)
    return sum((folder / name).stat().st_size for name in copy.files)


def _look_files(look: Look, preset: Path, taken: Mapping[str, Path]) -> dict[str, Path]:
    """All files of a look, by where the copy finds them again: a look that lies in a folder of its own in a folder of
    that name; another beside the preset, or in a folder called like the look where one of its names is taken.

    preset: the preset's folder. taken: the files of the copy so far, by their names. Raises VisualizerError where a
    name is taken in the look's folder, too.
    """
    files = {}
    for path in look.files:
        root = look.path.parent if path.is_relative_to(look.path.parent) else shipped("shaders")
        name = os.path.relpath(path, root)
        if _is_within(name):
            files[Path(name).as_posix()] = path
    has_folder = look.path.parent not in (preset, config_folder() / "looks", shipped("shaders"))
    if not has_folder and not _clash(files, taken):
        return files
    folder = Path(look.path.parent.name if has_folder else look.name)
    files = {(folder / name).as_posix(): path for name, path in files.items()}
    if name := _clash(files, taken):
        raise VisualizerError(
            f"look {look.name}: {plain(files[name])} and {plain(taken[name])} would both be {plain(name)!r} in a copy of "
            "the preset; rename one of them"
        )
    return files


def _clash(files: Mapping[str, Path], taken: Mapping[str, Path]) -> str:
    """The first name that means two files; "" where none does."""
    return next((name for name, path in files.items() if taken.get(name, path) != path), "")


def _is_within(name: str) -> bool:
    """Whether a path goes down from a folder only."""
    return not Path(name).is_absolute() and ".." not in Path(name).parts
