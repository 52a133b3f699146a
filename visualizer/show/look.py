"""The look of a preset in a show: opened with the values that the preset sets; its parameters; its uniforms, made of
features.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import fields
from typing import Any, get_args

from ..beat.features import SOUND, Features
from ..beat.sound import SoundSource, sound_rows
from ..control.parameters import LOOK, Parameter
from ..control.parameters import Value as Setting
from ..errors import BadInput
from ..files.yamlfile import line_of
from ..looks.declaration import PARTS, LookInput, Value
from ..looks.look import Look, find_look
from ..looks.uniforms import MUSIC
from ..oneline import plain
from ..presets.loaded import LoadedPreset
from ..presets.preset import FILE_NAME

#: time after which the uniform `kick` is half of what it was, seconds
KICK_HALF_S = 0.1
_HEARD = tuple(one.name for one in MUSIC if one.name in {field.name for field in fields(Features)} - {"kick"})
#: the fields of `Features` that a uniform is made of, where it is not the one of its name
_MADE_OF: Mapping[str, tuple[str, ...]] = {"energy": ("bass", "mid", "high"), "kick": ("kick_time_s",)}
#: the range of a number that has none
_FREE = (0.0, 1.0)


def open_look(loaded: LoadedPreset) -> Look:
    """The look of a preset, with the values that the preset sets as its defaults.

    Raises BadInput, with the file and line of the preset, for a look that there is not and for values that its header
    does not allow; and what `find_look` raises.
    """
    render = loaded.settings.render
    try:
        look = find_look(render.shader, loaded.folder)
    except BadInput as fault:
        raise BadInput(f"{_where(loaded, 'shader')}{fault}") from fault
    for name, value in render.parameters.items():
        try:
            look = look.with_default(name, value)
        except BadInput as fault:
            raise BadInput(f"{_where(loaded, 'parameters', name)}{fault}") from fault
    return look


def parameters_of(look: Look) -> tuple[Parameter, ...]:
    """The parameters of a look: "look.NAME", of a colour "look.NAME.red" and so on, of a point "look.NAME.x" and
    "look.NAME.y".
    """
    return tuple(parameter for one in look.declaration.controls for parameter in _parameters(one))


def set_parameter(values: dict[str, Value], look: Look, name: str, value: Setting) -> None:
    """Set a parameter of a look in `values`, a picture's `parameters`. name: of one of `parameters_of`. Raises
    BadInput.
    """
    key, _, part = name.removeprefix(f"{LOOK}.").partition(".")
    one = look.declaration.input(key)
    if not part:
        values[key] = one.checked(value)
        return
    before, index = values[key], PARTS[one.kind].index(part)
    assert isinstance(before, tuple)
    values[key] = one.checked([value if other == index else number for other, number in enumerate(before)])


def uniforms_of(features: Features, names: Collection[str]) -> dict[str, Any]:
    """The values of some uniforms for what is heard.

    names: of `looks.uniforms.MUSIC`, and textures of the sound: "shadertoy_sound", "audio:N" and "audioFFT:N" with N
    columns, 0: as many as there are. See `beat.sound.sound_rows`; without sound these have no value.
    """
    values: dict[str, Any] = {name: getattr(features, name) for name in _HEARD if name in names}
    if "kick" in names:
        values["kick"] = 0.5 ** (max(features.kick_time_s, 0.0) / KICK_HALF_S)
    if "energy" in names:
        values["energy"] = (features.bass + features.mid + features.high) / 3
    if features.sound is not None:
        for name in names:
            if (source := _sound_source(name)) is not None:
                rows = sound_rows(source, features.sound, int(name.partition(":")[2] or 0))
                values[name] = rows if len(rows) > 1 else rows[0]
    return values


def needs_of(names: Collection[str]) -> frozenset[str]:
    """The fields of `Features` that some names of `uniforms_of` are made of, for `Source.needs`."""
    return frozenset(
        field
        for name in names
        for field in ((SOUND,) if _sound_source(name) is not None else _MADE_OF.get(name, (name,)))
    )


def _sound_source(name: str) -> SoundSource | None:
    """What a name is of the sound: "audio" for "audio:64"; None for all that is not a texture of it."""
    return next((source for source in get_args(SoundSource) if source == name.partition(":")[0]), None)


def _parameters(one: LookInput) -> list[Parameter]:
    name, words = f"{LOOK}.{one.name}", one.description or one.label
    if one.kind in ("bool", "event"):
        return [Parameter(name, words, "switch", default=float(_number(one.default)), is_event=one.kind == "event")]
    if one.labels:
        chosen = one.labels[one.values.index(int(_number(one.default)))]
        return [Parameter(name, words, "choice", choices=one.labels, default=chosen)]
    if not isinstance(one.default, tuple):
        kind = "whole" if one.kind == "long" else "number"
        return [Parameter(name, words, kind, one.low, one.high, default=float(one.default))]  # type: ignore[arg-type]  # one of the two words
    low, high = (one.low, one.high) if one.high - one.low < float("inf") else _FREE
    return [
        Parameter(
            f"{name}.{part}", f"{words}: {part}", "number", min(low, number), max(high, number), default=float(number)
        )
        for part, number in zip(PARTS[one.kind], one.default, strict=True)
    ]


def _number(value: Value) -> float:
    assert not isinstance(value, tuple)
    return value


def _where(loaded: LoadedPreset, *key: str) -> str:
    """Where a key of the render section stands: "FILE:LINE: render.shader: "."""
    dotted = plain(".".join(("render", *key)))
    if loaded.folder is None:
        return f"{dotted}: "
    file = loaded.folder / FILE_NAME
    try:
        return f"{plain(file)}:{line_of(file, ('render', *key))}: {dotted}: "
    except BadInput:  # the file has gone since
        return f"{plain(file)}: {dotted}: "
