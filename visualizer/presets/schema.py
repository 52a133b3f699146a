"""A JSON schema of preset.yaml, for editors: made from the settings."""

from __future__ import annotations

from typing import Any

from ..settings import MAY_MOVE, Preset


def preset_schema() -> dict[str, Any]:
    """The schema, draft 2020-12: every key with its default, bounds and meaning."""
    schema = Preset.model_json_schema()
    beat, render = (schema["$defs"][name]["properties"] for name in ("BeatSettings", "RenderSettings"))
    for key in MAY_MOVE:
        beat[key]["type"] = ["number", "string"]  # an expression
    for names in (render["looks"]["items"], render["transition"]):  # a name alone stands for a look
        names["anyOf"] = [*names.get("anyOf", [{"$ref": names.pop("$ref", "")}]), {"type": "string"}]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **_without_titles(schema),
        "title": "preset.yaml",
    }


def _without_titles(part: Any) -> Any:
    """`part` without the titles that pydantic makes of names: they say nothing, and editors show them."""
    if isinstance(part, list):
        return [_without_titles(one) for one in part]
    if not isinstance(part, dict):
        return part
    # a property may itself be called "title": its value is then no text
    return {key: _without_titles(one) for key, one in part.items() if key != "title" or not isinstance(one, str)}
