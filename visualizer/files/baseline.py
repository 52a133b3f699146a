"""The baseline of a check of looks: which failures are known, and why each is there."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from ..errors import BadInput, nearest
from ..oneline import plain
from .yamlfile import place_of, read_settings

_Reason = Annotated[str, Field(min_length=1, max_length=500)]


class _BaselineFile(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    looks: Annotated[dict[str, dict[str, _Reason]], Field(description='{"FILE": {"PROBLEM": "why it is there"}}')] = {}


def read_baseline(path: Path, problems: Collection[str]) -> Mapping[str, Mapping[str, str]]:
    """The known failures in a YAML file: of each look, by its path below the folder that is checked, the reason for
    each problem.

    problems: those there are. Raises BadInput with file and line.
    """
    known = read_settings(path, _BaselineFile).looks
    for file, reasons in known.items():
        for problem in reasons:
            if problem not in problems:
                line, _ = place_of(path, ("looks", file, problem))
                raise BadInput(
                    f"{plain(path)}:{line}: looks.{plain(file)}: unknown problem {plain(problem)!r}"
                    f"{nearest(problem, problems)}; there are: {', '.join(problems)}"
                )
    return known
