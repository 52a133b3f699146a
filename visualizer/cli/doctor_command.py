"""`visualizer doctor`: check everything a show needs, and say what to do about what is missing."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer

from .messages import print_message

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..diagnostics.doctor import Finding

_MARKS = {"ok": ("OK", "green"), "warning": ("warning", "yellow"), "fault": ("FAULT", "bold red")}
_MARK_WIDTH, _NAME_WIDTH = 7, 15


def doctor(
    json_wanted: Annotated[
        bool, typer.Option("--json", help="Print one JSON object, to attach to a bug report.")
    ] = False,
) -> None:
    """Check everything a show needs, and say what is wrong and what to do. Exit status 1 if there is a fault."""
    import io
    import sys

    from ..diagnostics.doctor import FAULT, WARNING, as_json, examine

    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a device name may have characters that this terminal cannot show
    found: list[Finding] = []
    show = _no_line if json_wanted else _printer()
    try:
        with closing(examine()) as findings:
            for finding in findings:
                found.append(finding)
                show(finding)
    except KeyboardInterrupt:
        print_message("interrupted")
        raise typer.Exit(1) from None
    n_faults = sum(finding.state == FAULT for finding in found)
    if json_wanted:
        import json

        print(json.dumps(as_json(found), indent=1))
    else:
        n_warnings = sum(finding.state == WARNING for finding in found)
        print("\n" + _sum(n_faults, n_warnings))
    if n_faults:
        raise typer.Exit(1)


def _no_line(finding: Finding) -> None:
    """Print nothing: with --json all findings are printed at the end."""


def _printer() -> Callable[[Finding], None]:
    """A function that prints a finding: wrapped in columns on a terminal, as one line elsewhere."""
    import sys

    def one_line(finding: Finding) -> None:
        mark = _MARKS[finding.state][0]
        way_out = f" -> {finding.way_out}" if finding.way_out else ""
        print(f"{mark:<{_MARK_WIDTH}}  {finding.name:<{_NAME_WIDTH}}  {finding.said}{way_out}")

    if not sys.stdout.isatty():
        return one_line
    try:
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text
    except ImportError:  # rich may be the package that is broken
        return one_line
    console = Console(highlight=False, markup=False)

    def wrapped(finding: Finding) -> None:
        mark, style = _MARKS[finding.state]
        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.add_column(width=_MARK_WIDTH)
        grid.add_column(width=_NAME_WIDTH)
        grid.add_column(overflow="fold")
        grid.add_row(Text(mark, style), Text(finding.name), Text(finding.said))
        if finding.way_out:
            grid.add_row("", "", Text.assemble(("-> ", style), finding.way_out))
        console.print(grid)

    return wrapped


def _sum(n_faults: int, n_warnings: int) -> str:
    faults = "no faults" if not n_faults else f"{n_faults} fault{'s' * (n_faults > 1)}"
    warnings = f", {n_warnings} warning{'s' * (n_warnings > 1)}" if n_warnings else ""
    rest = "\nFor a bug report, attach the output of `visualizer doctor --json`." if n_faults or n_warnings else ""
    return f"{faults}{warnings}{rest}"
