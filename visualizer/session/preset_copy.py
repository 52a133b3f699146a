"""A preset as a session keeps it: preset.yaml, its pictures, and its look with the included files."""

from __future__ import annotations

import hashlib
import os
import re
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from ..errors import BadInput, VisualizerError
from ..files.durable import write_folder
from ..looks.look import Look, find_look, name_of
from ..oneline import plain, preset_label, reason_of
from ..presets.loaded import LoadedPreset
from ..presets.preset import FILE_NAME
from ..resources import shipped


class PresetCopy(NamedTuple):
    """folder: the name of its folder, of the preset's name and the hash of what is in it. files: contents by path in
    the folder, with "/". image: the picture that the user asked for instead of the preset's, "" for the preset's.
    """

    folder: str
    files: dict[str, bytes]
    image: str


def copy_of(loaded: LoadedPreset, *, only_own_looks: bool = False) -> PresetCopy:
    """Read all of a preset's files. only_own_looks: leave out the looks that are not in its folder. Raises
    VisualizerError if one cannot be read.
    """
    folder, settings = loaded.folder, loaded.settings
    if folder is None:
        raise VisualizerError(f"preset {plain(loaded.name)} has no folder")
    dreams = [one.settings for one in (*loaded.variants, *loaded.stations)]
    others = {name for dream in dreams for name in (dream.guide, dream.tone_picture) if name}
    sources = {name: folder / name for name in (FILE_NAME, settings.image, *others) if _is_within(name)}
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
                sources |= _look_files(look)
            pictures = {parameters.get(one.name) for one in look.declaration.inputs if one.kind == "image"}
            sources |= {file: folder / file for file in pictures if isinstance(file, str) and _is_within(file)}
    try:
        files = {Path(name).as_posix(): path.read_bytes() for name, path in sorted(sources.items())}
    except OSError as fault:
        raise VisualizerError(f"preset {plain(loaded.name)}: {reason_of(fault)}") from fault
    found = hashlib.sha256()
    for name, data in files.items():
        found.update(f"{name}\0{len(data)}\0".encode() + data)
    label = re.sub(r"[^A-Za-z0-9_-]+", "_", preset_label(loaded.reference))[:40] or "preset"
    return PresetCopy(f"{label}-{found.hexdigest()[:12]}", files, image)


def write_copy(copy: PresetCopy, presets: Path) -> int:
    """Write a copy into a new folder in `presets`, on the disk when this returns; its size in bytes. Raises OSError."""
    write_folder(presets / copy.folder, copy.files)
    return sum(map(len, copy.files.values()))


def _look_files(look: Look) -> dict[str, Path]:
    """All files of a look, by where the copy finds them again: beside the preset, and in folders as beside the shader. A
    look that has the name of its folder stays in a folder of that name.
    """
    files = {}
    folder = "" if name_of(look.path.stem) == look.name else look.path.parent.name
    for path in look.files:
        root = look.path.parent if path.is_relative_to(look.path.parent) else shipped("shaders")
        name = os.path.relpath(path, root)
        if _is_within(name):
            files[str(Path(folder, name))] = path
    return files


def _is_within(name: str) -> bool:
    """Whether a path goes down from a folder only."""
    return not Path(name).is_absolute() and ".." not in Path(name).parts
