"""`visualizer looks`: list the looks, check those of a folder, or begin a new one."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..oneline import plain
from .messages import print_message
from .options import parse_path
from .progress import show_checks

if TYPE_CHECKING:
    from ..diagnostics.looks_check.checked import CheckedLook

looks_app = typer.Typer(
    help="List the looks that presets may name, check those of a folder, or begin a new one.",
    rich_markup_mode=None,
    add_completion=False,
)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of a table.")]


@looks_app.callback(invoke_without_command=True)
def looks(context: typer.Context, json_wanted: Json = False) -> None:
    """List the looks that presets may name; `visualizer looks check FOLDER` checks looks, `visualizer looks new NAME`
    begins one.
    """
    if context.invoked_subcommand is not None:
        return
    from ..looks.listing import list_looks

    faults: list[str] = []
    found = list_looks(on_fault=faults.append)
    if json_wanted:
        import json

        print(json.dumps({"looks": [one.as_json() for one in found], "faults": faults}, indent=1))
    else:
        from .tables import look_table

        look_table(found)
    for fault in faults:
        print_message(fault)


@looks_app.command()
def check(
    folder: Annotated[
        Path, typer.Argument(parser=parse_path, metavar="FOLDER", help="All looks below it are checked; or one file.")
    ],
    baseline: Annotated[
        Path | None,
        typer.Option(
            "--baseline",
            parser=parse_path,
            metavar="FILE",
            help="YAML file of the known failures, and why each is there.",
        ),
    ] = None,
    budget_ms: Annotated[
        float | None,
        typer.Option("--budget-ms", min=0.1, max=60_000, help="Longest time of a display frame of 256x256, ms."),
    ] = None,
    json_wanted: Json = False,
) -> None:
    """Read, translate, compile and draw every look below a folder, or one. Exit status 1 if one fails in a way that the
    baseline does not name.
    """
    from ..diagnostics.looks_check.check import check_looks, look_files
    from ..diagnostics.looks_check.checked import PROBLEMS, no_longer
    from ..files.baseline import read_baseline

    known = read_baseline(baseline, list(PROBLEMS)) if baseline is not None else {}
    files = look_files(folder)
    verdicts: list[CheckedLook] = []
    try:
        with (
            closing(check_looks(folder, files, budget_s=None if budget_ms is None else budget_ms / 1000)) as checks,
            show_checks(len(files)) as move,
        ):
            for verdict in checks:
                verdicts.append(verdict)
                move(len(verdicts), None)
    except KeyboardInterrupt:
        print_message(f"interrupted after {len(verdicts)} of {len(files)} looks")
        raise typer.Exit(1) from None
    gone = no_longer(verdicts, known) if folder.is_dir() else []  # of one file nothing is known of the others
    if json_wanted:
        import json

        print(json.dumps({"looks": [one.as_json(known) for one in verdicts], "no_longer": gone}, indent=1))
    else:
        from .tables import check_table

        check_table(verdicts, known)
        for line in gone:
            print(f"no longer: {plain(line)}; remove it from the baseline")
        print(_sum(verdicts, known))
    if any(one.new_problems(known) for one in verdicts):
        raise typer.Exit(1)


@looks_app.command()
def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of the look: small letters, digits, - and _.")],
) -> None:
    """Write a commented example as a new look into your looks folder. A file that exists stays as it is."""
    from ..looks.example import write_example

    path = write_example(name)
    print(
        f"{plain(path, None)}\nname it in a preset.yaml: `render: {{looks: [{name}]}}`; changes are shown when you save it"
    )


def _sum(verdicts: list[CheckedLook], known: Mapping[str, Mapping[str, str]]) -> str:
    n_fine = sum(not one.problems for one in verdicts)
    n_new = sum(bool(one.new_problems(known)) for one in verdicts)
    n_known = len(verdicts) - n_fine - n_new
    counts = [f"{len(verdicts)} look{'' if len(verdicts) == 1 else 's'}: {n_fine} without a problem"]
    counts += [f"{n_known} with known ones"] if n_known else []
    counts += [f"{n_new} with new ones"] if n_new else []
    return ", ".join(counts)
