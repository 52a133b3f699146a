"""Finding and reading presets: a folder each, with preset.yaml and its image, shipped or the user's own."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..errors import BadInput, nearest
from ..files.paths import config_folder
from ..files.yamlfile import read_settings
from ..oneline import plain, reason_of
from ..resources import shipped
from ..settings import Preset

FILE_NAME = "preset.yaml"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PresetFolder:
    """A preset as it was read.

    name: of its folder; reference: what `load_preset` opens it with again from any working folder: its name if it is on
    the list, else the absolute path of its folder.
    """

    name: str
    folder: Path
    preset: Preset
    reference: str

    @property
    def image_path(self) -> Path:
        """The preset's image: an existing file inside the folder."""
        return (self.folder / self.preset.image).resolve()


def list_presets(
    extra_folder: Path | None = None, *, on_fault: Callable[[str], None] = log.warning
) -> list[PresetFolder]:
    """Every preset, by name: shipped, in the user's config folder, and in `extra_folder`, if given.

    Of two with one name the one in the later of these places is taken. A preset that cannot be read is left out, and
    `on_fault` is called with one line about it: one bad file must not hide the others.
    """
    found: dict[str, PresetFolder] = {}
    for folder in _preset_folders(extra_folder, on_fault).values():
        try:
            found[folder.name] = _read(folder, folder.name)
        except BadInput as fault:
            on_fault(str(fault))
    return [found[name] for name in sorted(found)]


def preset_names(extra_folder: Path | None = None) -> list[str]:
    """The names of all presets, sorted. They are not read, so faulty ones are included."""
    return sorted(_preset_folders(extra_folder))


def load_preset(name_or_folder: str, extra_folder: Path | None = None) -> PresetFolder:
    """The preset of that name (as in `list_presets`), or in that folder (or with that preset.yaml).

    A name is preferred to a folder of that name in the working folder: write `./name` for the folder. Raises BadInput
    if there is neither, naming the existing presets and the most similar one, or if the preset cannot be used.
    """
    return _read(*_find(name_or_folder, extra_folder))


def reference_of(name_or_folder: str) -> str:
    """The reference of that preset, see `PresetFolder`; the preset is not read. Raises BadInput if there is none."""
    return _find(name_or_folder, None)[1]


def _find(name_or_folder: str, extra_folder: Path | None) -> tuple[Path, str]:
    """The folder of a preset, and its reference; see `load_preset`."""
    folders = _preset_folders(extra_folder)
    if name_or_folder in folders:
        return folders[name_or_folder], name_or_folder
    try:
        path = Path(name_or_folder).expanduser()
        folder = path.parent if path.name == FILE_NAME and path.is_file() else path
        if name_or_folder and folder.is_dir():
            whole = _absolute(folder)
            listed = folders.get(whole.name)
            return folder, whole.name if listed is not None and listed.samefile(folder) else str(whole)
    except (OSError, ValueError, RuntimeError):  # not a valid path, or "~nobody": then it is no folder
        pass
    looks_like_path = any(mark and mark in name_or_folder for mark in (os.sep, os.altsep, "/"))
    what = "preset folder not found:" if looks_like_path else "unknown preset"
    names = ", ".join(sorted(folders)) or "none"
    raise BadInput(f"{what} {plain(name_or_folder)!r}{nearest(name_or_folder, folders)}; there are: {names}")


def _preset_folders(extra_folder: Path | None, on_fault: Callable[[str], None] = log.warning) -> dict[str, Path]:
    places = [shipped("presets"), config_folder() / "presets"] + ([extra_folder] if extra_folder else [])
    folders: dict[str, Path] = {}
    for place in places:
        try:
            entries = sorted(place.iterdir())
        except OSError as fault:
            if not isinstance(fault, FileNotFoundError):
                on_fault(f"presets in {plain(place)} cannot be listed: {reason_of(fault)}")
            continue
        for entry in entries:
            if not entry.name.startswith(".") and _holds_preset(entry):
                folders[entry.name] = entry
    return folders


def _absolute(folder: Path) -> Path:
    """The same folder by an absolute path that ends in its name. Links are not followed: the name is the link's."""
    return folder.resolve() if folder.name in ("", "..") else folder.absolute()


def _holds_preset(folder: Path) -> bool:
    """Whether the folder has a preset.yaml. True as well if that cannot be determined: reading it then reports the
    reason.
    """
    try:
        (folder / FILE_NAME).stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        pass
    return True


def read_preset(folder: Path) -> Preset:
    """The settings of the preset in a folder, whether or not its pictures are there. Raises BadInput."""
    return read_settings(folder / FILE_NAME, Preset, former={"variants": "rows"})


def _read(folder: Path, reference: str) -> PresetFolder:
    file, preset = folder / FILE_NAME, read_preset(folder)
    _check_picture(file, "image", preset.image)
    for key, dream in [
        ("dream", preset.dream),
        *((f"variants.{index}", variant) for index, variant in enumerate(preset.variants)),
        *(
            (f"journey.stations.{index}", station)
            for index, station in enumerate(preset.journey.stations if preset.journey is not None else ())
        ),
    ]:
        if dream.guide:
            _check_picture(file, f"{key}.guide", dream.guide)
        if dream.tone_picture:
            _check_picture(file, f"{key}.tone_picture", dream.tone_picture)
    for index, picture in enumerate(preset.journey.pictures if preset.journey is not None else ()):
        _check_picture(file, f"journey.pictures.{index}", picture)
    return PresetFolder(_absolute(folder).name, folder, preset, reference)


def _check_picture(file: Path, key: str, picture: str) -> None:
    """Raises BadInput unless `picture` is a file in the folder of the preset `file`."""
    where = f"{plain(file)}: {key}: {picture!r}"
    try:
        path = (file.parent / picture).resolve()
        inside = path.is_relative_to(file.parent.resolve())
        exists = path.is_file()
    except (OSError, ValueError, RuntimeError) as fault:  # a null byte, a name too long, a loop of links
        raise BadInput(f"{where} cannot be a file name: {plain(fault)}") from fault
    if not inside:
        raise BadInput(f"{where} lies outside the preset's folder; copy it into the folder")
    if not exists:
        raise BadInput(f"{where} is not a file in the preset's folder")
