"""Looks by name: a look is a shader file that draws dream frames, with what its header declares."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from ..errors import BadInput, nearest
from ..files.paths import config_folder
from ..oneline import plain
from ..resources import shipped
from .declaration import Declaration, read_declaration
from .source import ShaderSource, read_shader, read_text

#: the look that is used where another one fails
PLAIN = "crossfade"

_NAME = re.compile(r"[a-z0-9_-]+")


#: how a look is written: our first format, the Interactive Shader Format, Shadertoy
Format = Literal["frag", "isf", "shadertoy"]


@dataclass(frozen=True)
class TextureRef:
    """What a sampler of a program reads.

    source: the dream frames ("frames" smoothed, "texels" not); the newest picture of one of the look's own targets
    ("target"); an image input ("input"); an imported file ("file"), or six ("cube"); an audio or audioFFT input;
    `spectrum` or `waveform` of `looks.uniforms.MUSIC`; Shadertoy's 512 x 2 of sound; or 256 x 256 of fixed noise.
    name: of the target, input or import. columns: of audio and audioFFT, 0 for all there are.
    """

    source: Literal[
        "frames",
        "texels",
        "target",
        "input",
        "file",
        "cube",
        "audio",
        "audioFFT",
        "spectrum",
        "waveform",
        "shadertoy_sound",
        "noise",
    ]
    name: str = ""
    wrap: Literal["clamp", "repeat"] = "clamp"
    filter: Literal["linear", "nearest"] = "linear"
    columns: int = 0


#: what the samplers of `looks.uniforms` read
_TEXTURES: Mapping[str, TextureRef] = {
    "frames": TextureRef("frames"),
    "texels": TextureRef("texels", filter="nearest"),
    "spectrum": TextureRef("spectrum"),
    "waveform": TextureRef("waveform"),
}


@dataclass(frozen=True)
class Program:
    """A vertex and a fragment shader, GLSL 330 core. textures: what each sampler reads, by the name of its uniform.

    n_vertices: 3 for one triangle that covers the picture, 4 for a strip of two that are the picture; there are no
    attributes, the vertex shader makes the corners of gl_VertexID.
    """

    vertex: ShaderSource
    fragment: ShaderSource
    textures: Mapping[str, TextureRef] = field(default_factory=dict)
    n_vertices: Literal[3, 4] = 3

    def defining(self, defines: Mapping[str, int]) -> Program:
        """The same with names defined in the fragment shader."""
        return replace(self, fragment=self.fragment.defining(defines))


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
    declaration = read_declaration(read_text(path), path)
    fragment = read_shader(path).defining({}, declaration.uniforms)
    vertex = read_shader(shipped("shaders") / "base" / "cover.vert")
    return Look(name, path, "frag", declaration, (Program(vertex, fragment, _TEXTURES),), fragment.files)


def _folders(preset_folder: Path | None) -> list[Path]:
    """Where looks are looked for, the first place first."""
    return [*([preset_folder] if preset_folder else []), config_folder() / "looks", shipped("shaders")]
