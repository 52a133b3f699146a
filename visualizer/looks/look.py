"""Looks by name: a look is a shader that draws dream frames, in one of three formats, with what its header declares."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from ..errors import BadInput, nearest
from ..files.paths import config_folder
from ..oneline import plain
from ..resources import shipped
from .declaration import Declaration
from .glsl import declared, without_comments
from .program import OWN_TEXTURES, Program
from .reading import read_declaration
from .shadertoy import is_export, read_export, read_single
from .source import file_in, read_shader, read_text
from .translation import declared_lines, isf_program, textures_of, unset_uniforms

#: the look that is used where another one fails
PLAIN = "crossfade"
#: what files of looks end with, the one that is taken first where there are several
SUFFIXES = (".fs", ".json", ".frag")
#: how many picture files a look may have: more than graphics cards let one shader read
MAX_PICTURES = 32
#: the folder of what looks include; it is no look
_INCLUDED = "base"

#: how a look is written: our first format, the Interactive Shader Format, Shadertoy
Format = Literal["frag", "isf", "shadertoy"]


@dataclass(frozen=True)
class Look:
    """A look as its files were when it was opened.

    path: of the shader file. declaration: what its header says. programs: those that its passes are drawn with. files:
    all that were read.
    """

    name: str
    path: Path
    format: Format
    declaration: Declaration
    programs: tuple[Program, ...]
    files: tuple[Path, ...]

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

    def with_picture(self, name: str, folder: Path, file: object) -> Look:
        """The same with a picture file that one of its image inputs reads. folder: where the file lies. Raises BadInput
        for an unknown name, an input that is no image, and a file that is not in the folder.
        """
        before = self.declaration.input(name)
        if before.kind != "image":
            raise BadInput(f"{name!r} takes no picture; allowed: {before.allowed}")
        path = file_in(folder, file)
        imported = {**self.declaration.imported, name: (path,)}
        return replace(self, declaration=replace(self.declaration, imported=imported))


def name_of(stem: str) -> str:
    """The name of the look in a file, from the file's name without its ending: "3d-rotate" for "3D Rotate".

    Letters of every script stay; macOS writes some of them as two characters, hence NFC.
    """
    return re.sub(r"[^\w]+", "-", unicodedata.normalize("NFC", stem).lower()).strip("-")


def _former_name_of(stem: str) -> str:
    """The name that the look in a file had before names could have other letters than a to z."""
    return re.sub(r"[^a-z0-9_]+", "-", stem.lower()).strip("-")


def look_names(preset_folder: Path | None = None) -> list[str]:
    """The names that `shader:` may have, sorted. preset_folder: of the preset that names one."""
    return sorted({name for folder in _folders(preset_folder) for name, _ in _looks_in(folder)})


def find_look(name: str, preset_folder: Path | None = None) -> Look:
    """The look of that name in the preset's folder, else in `looks/` of the config folder, else among the shipped
    shaders: the file NAME.fs, NAME.json or NAME.frag, or one like that in a folder called NAME.

    preset_folder: of the preset that names it. Raises BadInput for an unknown name, a file that cannot be read or lies
    outside these folders, and a look that cannot be used.
    """
    for folder in _folders(preset_folder):
        looks = list(_looks_in(folder))
        paths = [path for found, path in looks if found == unicodedata.normalize("NFC", name)]
        paths = paths or [path for found, path in looks if _former_name_of(found) == name]
        if paths:
            path = paths[0]
            try:
                is_inside = path.resolve().is_relative_to(folder.resolve())
            except (OSError, RuntimeError):
                is_inside = False
            if not is_inside:
                raise BadInput(f"look {plain(path)} is a link out of its folder; copy the file into the folder")
            look = replace(open_look_file(path), name=name)
            if same := same_but_for_case(path, paths, folder):
                news = f"look {name}: {path.name} is used; {same} is the same file on macOS and Windows, rename one"
                return replace(look, declaration=replace(look.declaration, news=(*look.declaration.news, news)))
            return look
    known = look_names(preset_folder)
    raise BadInput(f"unknown look {plain(name)!r}{nearest(name, known)}; there are: {', '.join(known)}")


def same_but_for_case(path: Path, paths: Iterable[Path], folder: Path) -> str:
    """The first of other paths in a folder that differs from a path only in capital and small letters, relative to the
    folder, with "/"; "" if there is none.
    """
    file = path.relative_to(folder).as_posix()
    others = (one.relative_to(folder).as_posix() for one in paths)
    return next((other for other in others if other != file and other.lower() == file.lower()), "")


def plain_look() -> Look:
    """The shipped look that is used where another one fails. Raises BadInput where the program's files are damaged."""
    return open_look_file(_plain_path())


def open_look_file(path: Path) -> Look:
    """The look in a file: of ISF or Shadertoy (.fs), exported from Shadertoy (.json), or a plain GLSL shader (.frag
    with a line #version; one without is read like a .fs).

    Raises BadInput, with file and line, for one that cannot be read or used.
    """
    name = name_of(path.stem)
    text = read_text(path)
    suffix = path.suffix.lower()
    if suffix == ".json":
        declaration, programs = read_export(text, path)
        return Look(name, path, "shadertoy", declaration, programs, (path, *_pictures(declaration, path)))
    source = read_shader(path)
    functions = declared(without_comments(source.text))
    declaration = read_declaration(text, path)
    files = source.files
    if "mainImage" in functions and "main" not in functions:
        style: Format = "shadertoy"
        declaration, program = read_single(source, declaration)
    elif suffix == ".frag" and source.names_version:
        style = "frag"
        vertex = read_shader(shipped("shaders") / "base" / "cover.vert")
        fragment = source.defining({}, list(declared_lines(declaration).values()))
        program = Program(vertex, fragment, {**OWN_TEXTURES, **textures_of(declaration)})
    else:
        style = "isf"
        beside = next((path.with_suffix(one) for one in (".vs", ".VS") if path.with_suffix(one).exists()), None)
        shader = read_shader(file_in(path.parent, beside.name)) if beside else None
        files += shader.files if shader else ()
        program = isf_program(source, shader, declaration)
    news = tuple(f"look {name}: {words}" for words in unset_uniforms(text, program, declaration))
    declaration = replace(declaration, news=declaration.news + news)
    return Look(name, path, style, declaration, (program,), (*files, *_pictures(declaration, path)))


def _pictures(declaration: Declaration, path: Path) -> list[Path]:
    """The picture files of the look in a file. Raises BadInput for more than MAX_PICTURES."""
    found = [file for files in declaration.imported.values() for file in files]
    if len(found) > MAX_PICTURES:
        raise BadInput(f"{plain(path)}: {len(found)} pictures cannot be used; allowed: up to {MAX_PICTURES}")
    return found


def _plain_path() -> Path:
    return shipped("shaders") / f"{PLAIN}.frag"


def _folders(preset_folder: Path | None) -> list[Path]:
    """Where looks are looked for, the first place first."""
    return [*([preset_folder] if preset_folder else []), config_folder() / "looks", shipped("shaders")]


def _looks_in(folder: Path) -> Iterator[tuple[str, Path]]:
    """The looks of a folder and their names, those that are taken first before others of the same name."""
    try:
        entries = sorted(folder.iterdir())
    except OSError:  # a folder that may not be read has no looks
        return
    for entry in entries:
        if entry.name == _INCLUDED:
            continue
        if (
            entry.suffix.lower() not in SUFFIXES
            and (name := name_of(entry.name))
            and (path := _look_of_folder(entry, name))
        ):
            yield name, path
    for suffix in SUFFIXES:
        for entry in entries:
            if entry.suffix.lower() == suffix and (name := name_of(entry.stem)) and is_look(entry):
                yield name, entry


def _look_of_folder(folder: Path, name: str) -> Path | None:
    """The look in a folder of its own: the file called like the folder, else the only .fs."""
    try:
        files = sorted(one for one in folder.iterdir() if one.suffix.lower() in SUFFIXES)
    except OSError:
        return None
    called = [one for suffix in SUFFIXES for one in files if one.suffix.lower() == suffix and name_of(one.stem) == name]
    shaders = [one for one in files if one.suffix.lower() == ".fs"]
    found = next(iter(called), shaders[0] if len(shaders) == 1 else None)
    return found if found is not None and is_look(found) else None


def is_look(path: Path) -> bool:
    """Whether a file with such an ending is a look, as far as a list of names needs to know."""
    try:
        path.resolve()
        if path.suffix.lower() != ".json":
            return path.exists()
        return is_export(read_text(path))
    except (OSError, RuntimeError, BadInput):  # a circle of links; a file that may not be read
        return False
