"""`visualizer rehearse`: run the live show while faults are provoked, and report how it coped."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..settings import PLAIN_PRESET
from .messages import print_message
from .options import DEFAULT_SIZE_TEXT, Preset, Size, parse_path, parse_size

if TYPE_CHECKING:
    from ..diagnostics.rehearsal.record import Record


def rehearse(
    minutes: Annotated[float, typer.Option("--minutes", "-m", metavar="N", help="Duration, 1 .. 1440 minutes.")] = 10.0,
    preset: Preset = PLAIN_PRESET,
    size: Size = DEFAULT_SIZE_TEXT,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Random seed of the plan of faults.")] = 0,
    report: Annotated[
        Path | None,
        typer.Option("--report", parser=parse_path, metavar="FILE.md", help="Write the report to a file, too."),
    ] = None,
    json_wanted: Annotated[bool, typer.Option("--json", help="Print the report as one JSON object.")] = False,
    panel: Annotated[bool, typer.Option(help="Open the performer's panel, and sometimes kill it.")] = True,
    kill: Annotated[bool, typer.Option("--kill", help="Sometimes kill the show's process, too.")] = False,
) -> None:
    """Run the live show while faults are provoked: devices, presets, shaders, disk, graphics, processes. Exit status 1
    if it failed.
    """
    from ..diagnostics.rehearsal.record import as_json, is_passed
    from ..diagnostics.rehearsal.report import checked_report, write_report
    from ..diagnostics.rehearsal.runner import rehearse as run

    wanted = parse_size(size)
    out = None if report is None else checked_report(report)
    found = run(
        minutes,
        seed=seed,
        preset=preset,
        size=wanted,
        panel=panel,
        kill=kill,
        say=print_message,
    )
    if out is not None:
        write_report(out, found)
    if json_wanted:
        import json

        print(json.dumps(as_json(found), indent=1))
    else:
        _print(found)
    if not is_passed(found):
        raise typer.Exit(1)


def _print(found: Record) -> None:
    from ..diagnostics.rehearsal.report import HEADINGS, cells, figures, notes, verdict_lines

    _table(("", ""), figures(found))
    if found.trials:
        print()
        _table(HEADINGS, cells(found))
    print()
    for line in (*notes(found), *verdict_lines(found)):
        print(line)


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold", show_header=any(headings))
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*row)
    # into a pipe or a file the width is fixed, so that no line is wrapped to some default width
    Console(width=None if sys.stdout.isatty() else 250, markup=False, highlight=False).print(table)
