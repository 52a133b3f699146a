"""The looks that a preset may name, for people."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from ..errors import BadInput
from ..files.paths import config_folder
from ..resources import shipped
from .look import Look, find_look, look_names

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ListedLook:
    """A look in a list. kind: "filter", "transition" or "generator". where: "the program", "your folder". credit,
    categories: who made it and what it belongs to. listens, costs: what of the music it uses and how much work it is.
    All of them are words of its header.
    """

    name: str
    kind: str
    where: str
    path: str
    description: str
    credit: str
    categories: tuple[str, ...]
    listens: str
    costs: str

    def as_json(self) -> dict[str, Any]:
        """This as JSON has it."""
        return asdict(self)


def list_looks(*, on_fault: Callable[[str], None] = log.warning) -> list[ListedLook]:
    """Every look of the program and of the user's config folder, by name; one that cannot be read is left out, and
    `on_fault` is called with one line about it.
    """
    found = []
    for name in look_names():
        try:
            found.append(_listed(find_look(name)))
        except BadInput as fault:
            on_fault(str(fault))
    return found


def _listed(look: Look) -> ListedLook:
    says = look.declaration
    return ListedLook(
        look.name,
        says.kind,
        _where(look),
        str(look.path),
        says.description,
        says.credit,
        says.categories,
        says.listens,
        says.costs,
    )


def _where(look: Look) -> str:
    for folder, words in ((config_folder() / "looks", "your folder"), (shipped("shaders"), "the program")):
        if look.path.is_relative_to(folder):
            return words
    return str(look.path.parent)
