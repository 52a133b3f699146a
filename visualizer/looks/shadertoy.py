"""Looks of Shadertoy: one file with a function mainImage, or a whole shader as its site exports it, in JSON.

A single file says in its header what its channels read: {"CHANNELS": ["sound", "dream", "noise", "moon.png"]}.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from ..errors import BadInput
from ..oneline import plain
from .declaration import Declaration, LookInput, Pass
from .glsl import without_comments, words
from .program import Program, TextureRef
from .reading import MAX_PASSES
from .source import Line, ShaderSource, file_in
from .translation import Channel, shadertoy_program

#: what the channels of a single file read unless its header says so
DEFAULT_CHANNELS = ("sound", "dream", "noise", "noise")
#: the target of a single file that reads its own picture of the display frame before
SELF = "iSelf"

_DREAM = "inputImage"
_NAMED = re.compile(r'^[ \t]*#iChannel([0-3])[ \t]+"([^"\n]*)"', re.MULTILINE)
_PICTURES = frozenset((".bmp", ".gif", ".jpg", ".jpeg", ".png", ".tga", ".tif", ".tiff", ".webp"))
_NOISE = TextureRef("noise", "rgba", "repeat", columns=256, is_top_first=True)
#: Shadertoy's own pictures of noise, by the first letters of their names; its others are of things
_OWN_NOISE = {
    "f735bee5": _NOISE,
    "3083c722": replace(_NOISE, columns=64),
    "0c7bf5fe": replace(_NOISE, name="grey"),
    "0a405623": replace(_NOISE, name="grey", columns=64),
    "cb49c003": replace(_NOISE, columns=1024),  # blue noise
}
_WORDS: Mapping[str, TextureRef] = {
    "sound": TextureRef("shadertoy_sound"),
    "dream": TextureRef("input", _DREAM),
    "noise": _NOISE,
    "grey noise": replace(_NOISE, name="grey"),
    "self": TextureRef("target", SELF),
    "none": TextureRef("black"),
}
#: what an export calls what a channel reads, and what it reads here
_KINDS: Mapping[str, str] = {
    "music": "sound",
    "musicstream": "sound",
    "mic": "sound",
    "video": "dream",
    "webcam": "dream",
}
#: functions that choose among a picture's mipmaps, which are made for them only: it costs time in every display frame
_CHOOSING = frozenset(("textureLod", "textureGrad", "textureProjLod", "textureProjGrad"))
_MISSING: Mapping[str, Literal["sampler2D", "samplerCube", "sampler3D"]] = {
    "keyboard": "sampler2D",
    "cubemap": "samplerCube",
    "volume": "sampler3D",
}


def read_single(source: ShaderSource, declaration: Declaration) -> tuple[Declaration, Program]:
    """What a look of one file declares, and its program. source: the file with its includes. declaration: its header's.

    Raises BadInput for an input with a name that the program uses itself.
    """
    if not declaration.channels:
        declaration = _with_named_channels(source, declaration)
    given = declaration.channels or DEFAULT_CHANNELS
    channels = {f"iChannel{index}": Channel(_WORDS["none"]) for index in range(4)}
    used = words(without_comments(source.text))
    imported = dict(declaration.imported)
    for name, word in zip(channels, given, strict=False):
        if word not in _WORDS:
            imported[name] = (source.files[0].parent / word,)
        texture = _WORDS.get(word, TextureRef("file", name, "repeat"))
        if used & _CHOOSING and texture.source in ("file", "noise"):
            texture = replace(texture, filter="mipmap")  # as the site has it for pictures
        channels[name] = Channel(texture)
    declaration = replace(declaration, imported=imported)
    if "self" in given:
        declaration = replace(declaration, passes=(Pass(SELF, is_persistent=True, is_float=True),))
    declaration = _with_dream(declaration, {name: one for name, one in channels.items() if name in used})
    return declaration, shadertoy_program(source, channels, declaration, is_picture=True)


def _with_named_channels(source: ShaderSource, declaration: Declaration) -> Declaration:
    """The declaration with the channels that a file names in lines like `#iChannel0 "file://moon.png"` or "self", as
    editors for Shadertoy have it.
    """
    channels, path = list(DEFAULT_CHANNELS), source.files[0]
    found = _NAMED.findall(source.text)
    news = []
    for digit, word in found:
        file = word.removeprefix("file://").removeprefix("./")
        try:
            is_picture = file_in(path.parent, file).suffix.lower() in _PICTURES
        except BadInput:
            is_picture = False
        channels[int(digit)] = "self" if word == "self" else file if is_picture else "dream"
        if channels[int(digit)] == "dream" != word:
            news.append(
                f"look {plain(path.stem)}: iChannel{digit} reads the dream: {plain(word)!r} is no picture beside the file"
            )
    return replace(declaration, channels=tuple(channels), news=(*declaration.news, *news)) if found else declaration


def is_export(text: str) -> bool:
    """Whether a JSON text may be a shader that Shadertoy's site exported."""
    return '"renderpass"' in text


def read_export(text: str, path: Path) -> tuple[Declaration, tuple[Program, ...]]:
    """What a shader that was exported from Shadertoy declares, and the programs of its passes.

    text: the whole file; path: for messages, and for the pictures beside it. Raises BadInput for one that cannot be
    used.
    """
    shader = _shader(text, path)
    about = shader["info"] if isinstance(shader.get("info"), dict) else {}
    entries = _entries(shader, path)
    news = [
        f"its pass {plain(name)!r} is left out: only buffers and the image are drawn"
        for kind, name, _ in entries
        if kind not in ("common", "image", "buffer")
    ]
    commons = [_source(entry["code"], path, name) for kind, name, entry in entries if kind == "common"]
    # in the order of their names, as the site draws them
    buffers = [(name, entry) for kind, name, entry in entries if kind == "buffer"]
    drawn = sorted(buffers, key=lambda one: one[0])
    targets = {f"buffer{index}": entry for index, (_, entry) in enumerate(drawn)}
    drawn += [(name, entry) for kind, name, entry in entries if kind == "image"][:1]
    if len(drawn) == len(targets):
        raise BadInput(f"{plain(path)}: it has no pass of the type image; export the shader again")
    if len(drawn) > MAX_PASSES:
        raise BadInput(f"{plain(path)}: {len(drawn)} passes cannot be drawn; allowed: up to {MAX_PASSES}")
    code = "\n".join(str(entry["code"]) for _, _, entry in entries)
    inputs = _Inputs(path, targets, news, chooses_level=bool(_CHOOSING & words(without_comments(code))))
    channels = [inputs.channels(entry, name) for name, entry in drawn]
    passes = [Pass(target, bool(target), bool(target), program=index) for index, target in enumerate([*targets, ""])]
    declaration = Declaration(
        str(about.get("description") or about.get("name") or ""),
        str(about.get("username") or ""),
        passes=tuple(passes),
        imported=inputs.imported,
        news=tuple(f"look {plain(path.stem)}: {words}" for words in news),
    )
    for found in channels:
        declaration = _with_dream(declaration, found)
    programs = [
        shadertoy_program(
            _together([*commons, _source(entry["code"], path, name)]), found, declaration, is_picture=not one.target
        )
        for one, found, (name, entry) in zip(passes, channels, drawn, strict=True)
    ]
    return declaration, tuple(programs)


class _Inputs:
    """What the channels of an export's passes read. path: of the file. targets: its buffers by the names of their
    targets. news: what cannot be had is added. chooses_level: whether the code chooses among a picture's mipmaps.
    """

    def __init__(
        self, path: Path, targets: Mapping[str, dict[str, Any]], news: list[str], *, chooses_level: bool
    ) -> None:
        self._path, self._news, self._chooses_level = path, news, chooses_level
        self._targets = {
            str(one.get("id")): target for target, entry in targets.items() for one in _list(entry, "outputs")
        }
        self.imported: dict[str, tuple[Path, ...]] = {}

    def channels(self, entry: dict[str, Any], name: str) -> dict[str, Channel]:
        """The channels of a pass, called `name`, by their names in the shader."""
        found = {f"iChannel{index}": Channel(_WORDS["none"]) for index in range(4)}
        for one in _list(entry, "inputs"):
            channel = f"iChannel{one.get('channel')}"
            if channel in found:
                found[channel] = self._channel(one, f"{channel} of its pass {plain(name)!r}")
        return found

    def _channel(self, given: dict[str, Any], where: str) -> Channel:
        kind = str(given.get("ctype") or given.get("type"))
        sampler = given["sampler"] if isinstance(given.get("sampler"), dict) else {}
        wrap: Literal["clamp", "repeat"] = "repeat" if sampler.get("wrap") == "repeat" else "clamp"
        smooth: Literal["linear", "nearest"] = "nearest" if sampler.get("filter") == "nearest" else "linear"
        has_levels = self._chooses_level and sampler.get("filter") == "mipmap"
        picked: Literal["linear", "nearest", "mipmap"] = "mipmap" if has_levels else smooth
        if kind == "buffer" and (target := self._targets.get(str(given.get("id")))) is not None:
            return Channel(TextureRef("target", target, wrap, picked))
        if kind == "texture":
            file = Path(str(given.get("src") or given.get("filepath") or "")).name
            is_top_first = str(sampler.get("vflip")) == "false"
            try:
                picture = file_in(self._path.parent, file)
            except BadInput:
                if (noise := _OWN_NOISE.get(file[:8])) is not None:
                    return Channel(replace(noise, wrap=wrap, filter=picked, is_top_first=is_top_first))
                self._news.append(f"{where} reads the dream: {plain(file)!r} is not beside the file")
                return Channel(replace(_WORDS["dream"], wrap=wrap, filter=picked))
            name = f"picture{len(self.imported)}"
            self.imported[name] = (picture,)
            return Channel(TextureRef("file", name, wrap, picked, is_top_first=is_top_first))
        if kind in _KINDS:
            return Channel(replace(_WORDS[_KINDS[kind]], wrap=wrap, filter=smooth))
        self._news.append(f"{where} is black: what it reads ({plain(kind)}) is not supported")
        return Channel(_WORDS["none"], _MISSING.get(kind, "sampler2D"))


def _entries(shader: dict[str, Any], path: Path) -> list[tuple[str, str, dict[str, Any]]]:
    """The passes of an export: the type of each, its name, and what is said of it."""
    found = []
    for number, entry in enumerate(_list(shader, "renderpass"), start=1):
        if not isinstance(entry.get("code"), str):
            raise BadInput(f"{plain(path)}: pass {number} has no code; export the shader again")
        kind = str(entry.get("type"))
        found.append((kind, str(entry.get("name") or kind), entry))
    return found


def _shader(text: str, path: Path) -> dict[str, Any]:
    """An exported shader: alone, in a list of several or as the site's interface gives it."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as fault:
        raise BadInput(f"{plain(path)}: not valid JSON: {plain(fault)}") from None
    if isinstance(found, list) and found:
        found = found[0]
    if isinstance(found, dict) and isinstance(found.get("Shader"), dict):
        found = found["Shader"]
    if not isinstance(found, dict) or not isinstance(found.get("renderpass"), list):
        raise BadInput(
            f"{plain(path)}: not a shader of Shadertoy: it has no list `renderpass`; export the shader again"
        )
    return found


def _list(entry: dict[str, Any], key: str) -> list[dict[str, Any]]:
    given = entry.get(key)
    return [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []


def _source(code: str, path: Path, name: str) -> ShaderSource:
    lines = code.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    place = f"{plain(path)} ({plain(name)})"
    return ShaderSource(
        "\n".join(line.replace("#include", "# include") for line in lines),
        tuple(Line(place, number, line) for number, line in enumerate(lines, start=1)),
        (path,),
    )


def _together(parts: list[ShaderSource]) -> ShaderSource:
    return ShaderSource(
        "\n".join(part.text for part in parts), tuple(line for part in parts for line in part.lines), parts[-1].files
    )


def _with_dream(declaration: Declaration, channels: Mapping[str, Channel]) -> Declaration:
    """The declaration with `inputImage` as an input, where a channel reads it."""
    is_declared = any(one.name == _DREAM for one in declaration.inputs)
    if is_declared or all(one.texture.name != _DREAM for one in channels.values()):
        return declaration
    return replace(declaration, inputs=(*declaration.inputs, LookInput(_DREAM, "image", _DREAM, ())))
