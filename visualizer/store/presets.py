"""Presets: a folder each, with preset.yaml and its image. Shipped ones and the user's own."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..errors import BadInput, nearest
from ..resources import shipped
from ..settings import Preset
from .oneline import plain
from .paths import config_folder
from .yamlfile import read_settings

FILE_NAME = "preset.yaml"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PresetFolder:
    """A preset, the folder it was read from, and that folder's name."""

    name: str
    folder: Path
    preset: Preset

    @property
    def image_path(self) -> Path:
        """The preset's image: an existing file inside the folder."""
        return (self.folder / self.preset.image).resolve()


def list_presets(
    extra_folder: Path | None = None, *, on_fault: Callable[[str], None] = log.warning
) -> list[PresetFolder]:
    """Every preset there is, by name: shipped, in the user's config folder, and in `extra_folder`, if given.

    Where two have one name the later of these places wins. A preset that cannot be read is left out, and what is wrong
    with it is told to `on_fault` (one line each): one bad file must not hide the others.
    """
    found: dict[str, PresetFolder] = {}
    for folder in _preset_folders(extra_folder).values():
        try:
            found[folder.name] = _read(folder)
        except BadInput as fault:
            on_fault(str(fault))
    return [found[name] for name in sorted(found)]


def preset_names(extra_folder: Path | None = None) -> list[str]:
    """The names of all presets, sorted; also of those that cannot be read, since none is."""
    return sorted(_preset_folders(extra_folder))


def load_preset(name_or_folder: str, extra_folder: Path | None = None) -> PresetFolder:
    """The preset of that name (as in `list_presets`), or in that folder (or with that preset.yaml).

    A name wins over a folder of the same name in the working folder: write `./name` for the folder. Raises BadInput when
    there is neither, naming the presets there are and the nearest, or when the preset cannot be used.
    """
    folders = _preset_folders(extra_folder)
    if name_or_folder in folders:
        return _read(folders[name_or_folder])
    try:
        path = Path(name_or_folder).expanduser()
        if path.is_dir() and name_or_folder:
            return _read(path)
        if path.name == FILE_NAME and path.is_file():
            return _read(path.parent)
    except (OSError, ValueError, RuntimeError):  # a name no path can have, or "~nobody": it is not a folder, then
        pass
    looks_like_path = any(mark and mark in name_or_folder for mark in (os.sep, os.altsep, "/"))
    what = "no such preset folder" if looks_like_path else "no preset is called that"
    names = ", ".join(sorted(folders)) or "none"
    raise BadInput(f"{plain(name_or_folder)!r}: {what}{nearest(name_or_folder, folders)}; there are: {names}")


def _preset_folders(extra_folder: Path | None) -> dict[str, Path]:
    places = [shipped("presets"), config_folder() / "presets"] + ([extra_folder] if extra_folder else [])
    folders: dict[str, Path] = {}
    for place in places:
        try:
            entries = sorted(place.iterdir())
        except OSError as fault:
            if not isinstance(fault, FileNotFoundError):
                log.warning("presets in %s cannot be listed: %s", place, fault)
            continue
        for entry in entries:
            # a folder without preset.yaml is somebody's other folder, not a broken preset
            if not entry.name.startswith(".") and (entry / FILE_NAME).exists():
                folders[entry.name] = entry
    return folders


def _read(folder: Path) -> PresetFolder:
    file = folder / FILE_NAME
    preset = read_settings(file, Preset)
    name = folder.name if folder.name not in ("", "..") else folder.resolve().name
    _check_picture(file, "image", preset.image)
    for key, dream in [("dream", preset.dream), *((f"rows.{index}", row) for index, row in enumerate(preset.rows))]:
        if dream.guide:
            _check_picture(file, f"{key}.guide", dream.guide)
    return PresetFolder(name, folder, preset)


def _check_picture(file: Path, key: str, picture: str) -> None:
    """Raises BadInput unless `picture` is a file in the folder of the preset `file`."""
    told = f"{plain(file)}: {key}: {picture!r}"
    try:
        path = (file.parent / picture).resolve()
        inside = path.is_relative_to(file.parent.resolve())
        exists = path.is_file()
    except (OSError, ValueError, RuntimeError) as fault:  # a null byte, a name too long, a circle of links
        raise BadInput(f"{told} cannot be a file name: {plain(fault)}") from fault
    if not inside:
        raise BadInput(f"{told} lies outside the preset's folder; copy it into the folder")
    if not exists:
        raise BadInput(f"{told} is not a file in the preset's folder")
