"""What the doctor found: one line that says how a thing is, and what to do if it is not well."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

#: a thing is well; a show goes on but is poorer for it; something a user may ask for cannot be done
OK, WARNING, FAULT = "ok", "warning", "fault"
KEPT_BACK = "(kept back)"  # no backslash: it goes into a pattern


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    name: what it is, in a word or two. state: OK, WARNING or FAULT. said: how it is. way_out: what to do, never empty unless it
    is OK. facts: the same for programs, JSON values. private: words in all that (names that people give their devices)
    that are not for strangers.
    """

    name: str
    state: str
    said: str
    way_out: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    private: tuple[str, ...] = ()


def of_error(name: str, error: BaseException, *, way_out: str = "", state: str = FAULT) -> Finding:
    """What one of the program's errors says: "what is wrong; the way out". way_out: where it names none."""
    said, told = split(str(error).strip() or type(error).__name__)
    return Finding(name, state, said, told or way_out)


def split(message: str) -> tuple[str, str]:
    """A message at its first "; " that stands outside brackets: what is wrong, and the way out ("" if there is none)."""
    nested = 0
    for index, character in enumerate(message):
        nested += (character in "([{") - (character in ")]}")
        if nested <= 0 and message.startswith("; ", index):
            return message[:index], message[index + 2 :]
    return message, ""


def plain(finding: Finding) -> Finding:
    """The finding with nothing in its words that a terminal would obey: a device or a file may be called anything."""
    return replace(finding, name=_plain(finding.name), said=_plain(finding.said), way_out=_plain(finding.way_out))


def _plain(text: str) -> str:
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)


def unprivate(finding: Finding) -> Finding:
    """The finding as a stranger may see it: private words gone, the user's home folder written as ~."""
    # as they are, and as messages quote them; the longest first, for one name may be part of another
    words = {form for word in finding.private if word for form in (word, repr(word)[1:-1])}
    hidden = [(word, KEPT_BACK) for word in sorted(words, key=len, reverse=True)]
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
    """A report to attach: {"is_well": bool, "findings": [{"name", "state", "said", "way_out", "facts"}]}; nothing private."""
    shown = [unprivate(finding) for finding in findings]
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
        for word, shown in hidden:
            # whole words: the home folder /home/ann is no part of /home/anna
            value = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", shown, value)
    return value
