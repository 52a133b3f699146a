"""Findings of the doctor: the state of one thing, and what to do if it is not ok."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

#: it works; a show works, with restrictions; something does not work
OK, WARNING, FAULT = "ok", "warning", "fault"
REDACTED = "(private)"  # no backslash: it is used in a regular expression


@dataclass(frozen=True)
class Finding:
    """The result of checking one thing.

    Parameters
    ----------
    name : of the thing, a word or two.
    state : OK, WARNING or FAULT.
    said : its state as text.
    way_out : what to do; empty only if it is OK.
    facts : its state as JSON values.
    private : parts of these texts (names that people give their devices) that a bug report must not contain.
    """

    name: str
    state: str
    said: str
    way_out: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    private: tuple[str, ...] = ()


def of_error(name: str, error: BaseException, *, way_out: str = "", state: str = FAULT) -> Finding:
    """Make a finding of an error of the program, "what is wrong; the way out". way_out: used where the error names
    none.
    """
    said, found = split(str(error).strip() or type(error).__name__)
    return Finding(name, state, said, found or way_out)


def split(message: str) -> tuple[str, str]:
    """Split a message at its first "; " outside brackets into what is wrong and the way out ("" if there is none)."""
    nested = 0
    for index, character in enumerate(message):
        nested += (character in "([{") - (character in ")]}")
        if nested <= 0 and message.startswith("; ", index):
            return message[:index], message[index + 2 :]
    return message, ""


def plain(finding: Finding) -> Finding:
    """Escape control characters in the texts of a finding: names of devices and files may contain any."""
    return replace(finding, name=_plain(finding.name), said=_plain(finding.said), way_out=_plain(finding.way_out))


def _plain(text: str) -> str:
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)


def without_private(finding: Finding) -> Finding:
    """The finding for a bug report: private texts replaced, the user's home folder written as ~."""
    # as they are and as repr() writes them; the longest first, because one may be part of another
    texts = {form for text in finding.private if text for form in (text, repr(text)[1:-1])}
    hidden = [(text, REDACTED) for text in sorted(texts, key=len, reverse=True)]
    try:
        home = str(Path.home())
    except RuntimeError:
        home = ""
    if len(home) > 1:
        hidden.append((home, "~"))
    return replace(
        finding,
        said=_hide(finding.said, hidden),
        way_out=_hide(finding.way_out, hidden),
        facts=_hide(finding.facts, hidden),
        private=(),
    )


def as_json(findings: Iterable[Finding]) -> dict[str, Any]:
    """The report for --json: {"is_well": bool, "findings": [{"name", "state", "said", "way_out", "facts"}]}, without
    private texts.
    """
    shown = [without_private(finding) for finding in findings]
    return {
        "is_well": all(one.state != FAULT for one in shown),
        "findings": [
            {"name": one.name, "state": one.state, "said": one.said, "way_out": one.way_out, "facts": one.facts}
            for one in shown
        ],
    }


def _hide(value: Any, hidden: list[tuple[str, str]]) -> Any:
    if isinstance(value, dict):
        return {key: _hide(inner, hidden) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_hide(inner, hidden) for inner in value]
    if isinstance(value, str):
        for text, shown in hidden:
            # whole words only: /home/ann is not part of /home/anna
            value = re.sub(rf"(?<!\w){re.escape(text)}(?!\w)", shown, value)
    return value
