"""Write the tables of actions into docs/keys.md and docs/controllers.md: `python tools/write_tables.py`."""

from __future__ import annotations

import re
from pathlib import Path

from visualizer.control.actions import find_actions
from visualizer.control.tables import keys_table, osc_table

DOCS = Path(__file__).resolve().parents[1] / "docs"


def with_table(page: str, header: str, table: str) -> str:
    """The page with the table that begins with this header line replaced."""
    return re.sub(rf"^{re.escape(header)}\n(\|.*\n)+", lambda _: f"{table}\n", page, count=1, flags=re.MULTILINE)


def main() -> None:
    """Replace both tables."""
    for name, table in (("keys.md", keys_table(find_actions())), ("controllers.md", osc_table(find_actions()))):
        page = (DOCS / name).read_text(encoding="utf-8")
        (DOCS / name).write_text(with_table(page, table.splitlines()[0], table), encoding="utf-8")


if __name__ == "__main__":
    main()
