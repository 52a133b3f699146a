"""The tables of actions in the docs, as Markdown: made from what each action declares. `tools/write_tables.py` writes
them.
"""

from __future__ import annotations

from collections.abc import Mapping

from .action import Action
from .addresses import ROOT
from .keys import help_groups, shown
from .parameters import base_parameters

# More actions than this in one line are shown as first .. last.
MOST = 3


def keys_table(actions: Mapping[str, Action]) -> str:
    """The table of docs/keys.md: every action with its default keys."""
    rows = ["| key | does | name in `keys.yaml` |", "|---|---|---|"]
    for line in help_groups(actions):
        keys = [f"`{shown(key)}`" for one in line for key in one.keys]
        names = [f"`{one.name}`" for one in line]
        rows.append(f"| {_listed(keys, len(line))} | {line[0].details or line[0].help} | {_listed(names, len(line))} |")
    return "\n".join(rows)


def osc_table(actions: Mapping[str, Action]) -> str:
    """The table of docs/controllers.md: the OSC addresses that every show has."""
    ending = " and ".join(one.name for one in actions.values() if one.ends_show)
    switches = base_parameters().switches
    rows = [
        "| address | value | does |",
        "|---|---|---|",
        f"| `{ROOT}/action/NAME` | none, or a number but 0 | the action NAME, except {ending}; 0, a button released, does nothing |",
        *(
            f"| `{one.address}` | the same | the action {one.name}: {one.details or one.help} |"
            for one in actions.values()
            if one.address
        ),
        f"| `{ROOT}/{switches[0]}`, {', '.join(f'`{name}`' for name in switches[1:])} (also `action/{switches[0]}` ...) "
        "| 1 or 0; none: toggle | on, off |",
        f"| `{ROOT}/set/beat/decay` | in the parameter's unit, or its word | sets a parameter, its dot a slash |",
        f"| `{ROOT}/share/beat/decay` | 0 .. 1 | the same, as the position of its slider |",
        f"| `{ROOT}/preset` | a name, or a number from 1 | shows the preset |",
    ]
    return "\n".join(rows)


def _listed(cells: list[str], n_actions: int) -> str:
    return f"{cells[0]} .. {cells[-1]}" if n_actions > MOST else ", ".join(cells)
