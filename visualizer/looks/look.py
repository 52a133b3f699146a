"""Looks by name: a look is a shader file that draws dream frames, with what its header declares."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import BadInput, nearest
from ..files.paths import config_folder
from ..oneline import plain
from ..resources import shipped
from .declaration import Declaration, read_declaration
from .source import ShaderSource, read_shader, read_text

#: the look that is used where another one fails
PLAIN = "crossfade"

_NAME = re.compile(r"[a-z0-9_-]+")


@dataclass(frozen=True)
class Look:
    """A look as its files were when it was opened.

    path: of the shader file. source: its text with the included files put in. declaration: what its header says.
    """

    name: str
    path: Path
    source: ShaderSource
    declaration: Declaration

    @property
    def is_plain(self) -> bool:
        """Whether it is the shipped look that is used where another one fails."""
        return self.path == _plain_path()

    def with_default(self, name: str, value: object) -> Look:
        """The same with another default of one of its inputs. Raises BadInput for an unknown name, or a value that is
        not allowed.
        """
        before = self.declaration.input(name)
        after = replace(before, default=before.checked(value))
        inputs = tuple(after if one is before else one for one in self.declaration.inputs)
        return replace(self, declaration=replace(self.declaration, inputs=inputs))

    def compiled_from(self, defines: Mapping[str, int]) -> ShaderSource:
        """The text to compile: with these names defined, and the declared inputs as uniforms."""
        return self.source.defining(defines, self.declaration.uniforms)


def look_names(preset_folder: Path | None = None) -> list[str]:
    """The names that `shader:` may have, sorted. preset_folder: of the preset that names one."""
    names: set[str] = set()
    for folder in _folders(preset_folder):
        try:
            names |= {path.stem for path in folder.glob("*.frag") if _NAME.fullmatch(path.stem)}
        except OSError:  # a folder that may not be read has no looks
            continue
    return sorted(names)


def find_look(name: str, preset_folder: Path | None = None) -> Look:
    """The look of that name: NAME.frag in the preset's folder, else in `looks/` of the config folder, else among the
    shipped shaders.

    preset_folder: of the preset that names it. Raises BadInput for an unknown name, a file that cannot be read or lies
    outside these folders, and a header that cannot be used.
    """
    if _NAME.fullmatch(name):
        for folder in _folders(preset_folder):
            path = folder / f"{name}.frag"
            try:
                exists, inside = path.exists(), path.resolve().is_relative_to(folder.resolve())
            except (OSError, RuntimeError):  # a folder that may not be entered, a circle of links
                continue
            if exists and not inside:
                raise BadInput(f"look {plain(path)} is a link out of its folder; copy the file into the folder")
            if exists:
                return _open(name, path)
    known = look_names(preset_folder)
    raise BadInput(f"unknown shader {plain(name)!r}{nearest(name, known)}; there are: {', '.join(known)}")


def plain_look() -> Look:
    """The shipped look that is used where another one fails. Raises BadInput where the program's files are damaged."""
    return _open(PLAIN, _plain_path())


def _plain_path() -> Path:
    return shipped("shaders") / f"{PLAIN}.frag"


def _open(name: str, path: Path) -> Look:
    return Look(name, path, read_shader(path), read_declaration(read_text(path), path))


def _folders(preset_folder: Path | None) -> list[Path]:
    """Where looks are looked for, the first place first."""
    return [*([preset_folder] if preset_folder else []), config_folder() / "looks", shipped("shaders")]
