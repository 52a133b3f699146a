"""The text of a shader: its file with the included files put in, and where each line came from."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ..errors import BadInput
from ..oneline import plain
from ..resources import shipped

MAX_BYTES = 1_000_000

_INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]*)"')
_VERSION = re.compile(r"^\s*#\s*version\b")


class Line(NamedTuple):
    """Where a line of a shader came from. place: the file, and the part of it where it has several. number: from 1.
    text: the line as it is in the file.
    """

    place: str
    number: int
    text: str


@dataclass(frozen=True)
class ShaderSource:
    """A shader with its includes put in. lines: for each line of `text` where it came from. files: all that were read,
    the shader's own first.
    """

    text: str
    lines: tuple[Line, ...]
    files: tuple[Path, ...] = ()

    @property
    def names_version(self) -> bool:
        """Whether it has a line #version."""
        return any(_VERSION.match(line) for line in self.text.split("\n"))

    def defining(self, defines: Mapping[str, int], declarations: Sequence[str] = ()) -> ShaderSource:
        """The same with names defined, and lines of declarations, right after the #version line."""
        added = [f"#define {name} {value}" for name, value in defines.items()] + list(declarations)
        text = self.text.split("\n")
        at = next((index for index, line in enumerate(text) if _VERSION.match(line)), None)
        if not added or at is None:
            return self
        lines = list(self.lines)
        return ShaderSource(
            "\n".join([*text[: at + 1], *added, *text[at + 1 :]]),
            (*lines[: at + 1], *[lines[at]] * len(added), *lines[at + 1 :]),
            self.files,
        )


def read_shader(path: Path) -> ShaderSource:
    """Read a shader file and the files it includes (`#include "base/dream.glsl"`).

    An included file is looked for beside the file that includes it, then among the shipped shaders; it lies in the
    folder of the shader or among the shipped ones. Raises BadInput for a file that is missing, not text, or includes
    itself.
    """
    return _read(path, (path.parent, shipped("shaders")), (), "")


def read_text(path: Path, by: str = "") -> str:
    """A shader file's text. by: for the error, who includes it. Raises BadInput where it cannot be read."""
    try:
        if not path.is_file():  # reading a pipe would wait for ever
            reason = "not an ordinary file" if path.exists() else "no such file"
            raise BadInput(f"shader {plain(path)} cannot be read ({reason}){by}")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise BadInput(f"shader {plain(path)} cannot be read (larger than {MAX_BYTES // 1_000_000} MB){by}")
        return _decoded(data).replace("\r\n", "\n").replace("\r", "\n")
    except (OSError, ValueError) as error:  # ValueError: not UTF-8, or a null byte in the name
        reason = (error.strerror if isinstance(error, OSError) else "") or "not UTF-8 text; save it as UTF-8"
        raise BadInput(f"shader {plain(path)} cannot be read ({reason}){by}") from error


def _decoded(data: bytes) -> str:
    """UTF-8, or else Latin-1, in which old editors saved accents in comments. Raises ValueError for what is no text."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        if b"\0" in data:
            raise
        return data.decode("latin-1")


def file_in(folder: Path, name: object) -> Path:
    """The file of that name in a folder or below it. Raises BadInput, which begins with the name."""
    if not isinstance(name, str) or not name:
        raise BadInput("not the name of a file; allowed: the name of one in the folder")
    shown = plain(name, 100)
    try:
        path = folder / name
        if not path.resolve().is_relative_to(folder.resolve()):
            raise BadInput(f"{shown!r} lies outside the folder {plain(folder)}; copy it into the folder")
        if not path.is_file():
            raise BadInput(f"{shown!r} is missing in the folder {plain(folder)}; copy it into the folder")
    except (OSError, ValueError, RuntimeError) as fault:  # a null byte, a name too long, a circle of links
        raise BadInput(f"{shown!r} cannot be the name of a file: {plain(fault)}") from fault
    return path


def _read(path: Path, folders: tuple[Path, ...], within: tuple[Path, ...], by: str) -> ShaderSource:
    """within: the files that include this one, the outermost first. by: for the error, which line of them does."""
    text: list[str] = []
    lines: list[Line] = []
    files = [path]
    content = read_text(path, by)
    for number, line in enumerate(content.removesuffix("\n").split("\n"), start=1):
        if found := _INCLUDE.match(line):
            here = f"{plain(path)}:{number}"
            included = _included(found[1], path.parent, folders, f"{here}: ")
            if included in (path, *within):
                raise BadInput(f"{here}: {plain(found[1])} includes itself; remove one of the includes")
            inner = _read(included, folders, (*within, path), f", included by {here}")
            text += inner.text.split("\n")
            lines += inner.lines
            files += inner.files
            continue
        # moderngl has includes of its own, and looks for them even in comments
        text.append(line.replace("#include", "# include"))
        lines.append(Line(plain(path), number, line))
    return ShaderSource("\n".join(text), tuple(lines), tuple(dict.fromkeys(files)))


def _included(name: str, beside: Path, folders: tuple[Path, ...], where: str) -> Path:
    """The file that an include names. Raises BadInput for one outside `folders`."""
    choices = (beside / name, folders[-1] / name)
    try:
        path = next((one for one in choices if one.is_file()), choices[0])
        inside = any(path.resolve().is_relative_to(folder.resolve()) for folder in folders)
    except (OSError, ValueError, RuntimeError) as fault:  # a null byte, a name too long, a circle of links
        raise BadInput(f"{where}{plain(name)!r} cannot be a file name: {plain(fault)}") from fault
    if not inside:
        raise BadInput(f"{where}{plain(name)!r} lies outside the shader's folder; copy it into the folder")
    return path
