"""What the check of a look found, and what of it is new."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

#: every problem that a look can have, and what it means
PROBLEMS: Mapping[str, str] = {
    "case": "another look's file differs only in capital letters: macOS and Windows take them for one",
    "read": "it cannot be read or translated",
    "glslang": "glslangValidator does not accept it",
    "compile": "the graphics driver cannot compile or link it",
    "draw": "it cannot be drawn",
    "gl": "OpenGL reports an error while it is drawn",
    "flat": "every picture is one flat colour",
    "start": "at progress 0 a transition is not the picture that it begins with",
    "end": "at progress 1 a transition is not the picture that it ends with",
    "slow": "a display frame takes longer than the budget",
    "hang": "it does not end in time",
    "crash": "it crashes the graphics driver",
}


@dataclass(frozen=True)
class CheckedLook:
    """What was found about one look.

    file: its path below the folder that is checked, with "/". kind: "filter", "transition", "generator", "" if it could
    not be read. n_passes: of a display frame. compile_s, frame_s: how long compiling and drawing took, seconds, None
    where it did not come to that. problems: by the names of PROBLEMS, each with one line that says more. news: lines
    about what of it is not used, or replaced; no problems.
    """

    file: str
    kind: str = ""
    n_passes: int = 0
    compile_s: float | None = None
    frame_s: float | None = None
    problems: Mapping[str, str] = field(default_factory=dict)
    news: tuple[str, ...] = ()

    def new_problems(self, baseline: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
        """The problems that are not in the baseline."""
        return {name: words for name, words in self.problems.items() if name not in baseline.get(self.file, {})}

    def as_json(self, baseline: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
        """This as JSON has it: times in ms, and of every problem whether it is new, or the reason in the baseline."""
        known = baseline.get(self.file, {})
        return {
            "file": self.file,
            "kind": self.kind,
            "passes": self.n_passes,
            "compile_ms": None if self.compile_s is None else round(1000 * self.compile_s, 1),
            "frame_ms": None if self.frame_s is None else round(1000 * self.frame_s, 1),
            "problems": [
                {"problem": name, "what": words, "new": name not in known, "reason": known.get(name, "")}
                for name, words in self.problems.items()
            ],
            "news": list(self.news),
        }


def no_longer(verdicts: Iterable[CheckedLook], baseline: Mapping[str, Mapping[str, str]]) -> list[str]:
    """What is in the baseline and was not found any more, as "FILE: PROBLEM"."""
    found = {one.file: one.problems for one in verdicts}
    return [
        f"{file}: {problem}"
        for file, known in baseline.items()
        for problem in known
        if problem not in found.get(file, {})
    ]
