"""Every action of a show. A module of this package declares one or more in `ACTIONS`; adding a file here adds an
action.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from types import MappingProxyType

from ..action import Action


@cache
def find_actions() -> Mapping[str, Action]:
    """Every action by its name, in the order of help and tables. Raises ValueError where two have one name or one
    default key.
    """
    declared: list[Action] = []
    for module in pkgutil.iter_modules(__path__):
        declared += import_module(f"{__name__}.{module.name}").ACTIONS
    declared.sort(key=lambda one: one.order)
    found = {one.name: one for one in declared}
    keys = [key for one in declared for key in one.keys]
    if len(found) != len(declared) or len(set(keys)) != len(keys):
        raise ValueError("two actions have the same name or the same default key")
    return MappingProxyType(found)
