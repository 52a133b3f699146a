"""A JSON schema of the header of a look, for editors: ISF's keys, and the few that are our own."""

from __future__ import annotations

from typing import Any

from .declaration import GLSL_TYPES
from .reading import NAME

_NAME = {"type": "string", "pattern": f"^{NAME}$"}
_TARGET = {"type": "string", "pattern": f"^({NAME})?$"}
_TEXT = {"type": "string"}
_NUMBERS = {"type": ["number", "boolean", "string", "array", "null"]}
_SIZE = {
    "type": ["string", "number"],
    "description": 'px: a number, or an expression of $WIDTH, $HEIGHT and the inputs that are numbers, as in "$WIDTH/2"',
}


def header_schema() -> dict[str, Any]:
    """The schema, draft 2020-12. Keys that it does not name are allowed: headers of other programs have many."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "header of a look",
        "description": "The JSON in the first comment of a look, an ISF shader.",
        "type": "object",
        "properties": {
            "DESCRIPTION": {**_TEXT, "description": "what it shows, in a sentence"},
            "CREDIT": {**_TEXT, "description": "who made it"},
            "ISFVSN": {"type": ["string", "number"], "description": 'version of ISF: "2"'},
            "CATEGORIES": {"type": "array", "items": _TEXT},
            "LISTENS": {**_TEXT, "description": "what of the music it uses, in words (our own key)"},
            "COSTS": {**_TEXT, "description": "how much work it is, in words (our own key)"},
            "SCALE": {
                "type": "number",
                "exclusiveMinimum": 0,
                "maximum": 1,
                "default": 1,
                "description": "fraction of the picture's width and height that it is drawn at (our own key)",
            },
            "CHANNELS": {
                "type": "array",
                "items": _TEXT,
                "maxItems": 4,
                "description": "of a Shadertoy look, what iChannel0 .. 3 read: sound, dream, noise, grey noise, self, none, "
                "or a picture beside the file (our own key)",
            },
            "INPUTS": {"type": "array", "items": _input(), "description": "the parameters, a uniform each"},
            "PASSES": {"type": "array", "items": _pass(), "description": "drawn in order; the last one is seen"},
            "IMPORTED": {
                "type": ["object", "array"],
                "additionalProperties": {
                    "type": "object",
                    "properties": {"PATH": {"type": ["string", "array"]}, "TYPE": _TEXT},
                    "required": ["PATH"],
                },
                "description": "pictures beside the file, by the name of their sampler",
            },
            "PERSISTENT_BUFFERS": {"type": ["array", "object"], "description": "of ISF 1; use PASSES"},
        },
    }


def _input() -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["NAME", "TYPE"],
        "properties": {
            "NAME": _NAME,
            "TYPE": {"enum": list(GLSL_TYPES)},
            "LABEL": {**_TEXT, "description": "for the performer"},
            "DESCRIPTION": _TEXT,
            "DEFAULT": _NUMBERS,
            "MIN": _NUMBERS,
            "MAX": {**_NUMBERS, "description": "of audio and audioFFT: how many columns its picture has"},
            "IDENTITY": _NUMBERS,
            "VALUES": {
                "type": "array",
                "items": {"type": ["integer", "string"]},
                "description": "of a long: what may be chosen",
            },
            "LABELS": {"type": "array", "items": _TEXT, "description": "of a long: one for each of VALUES"},
        },
    }


def _pass() -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            "TARGET": {
                **_TARGET,
                "description": 'the picture that it draws into, which other passes read by this name; "": it is seen',
            },
            "PERSISTENT": {"type": ["boolean", "number"], "description": "keep it for the next display frame"},
            "FLOAT": {"type": ["boolean", "number"], "description": "32 bits a channel"},
            "WIDTH": _SIZE,
            "HEIGHT": _SIZE,
        },
    }
