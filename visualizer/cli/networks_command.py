"""`visualizer networks`: which there are, and fetching one."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Annotated

import typer

from .say import tell

if TYPE_CHECKING:
    from ..presets.networks import Fetched, ListedNetwork

networks_app = typer.Typer(
    help="List the networks to dream with, or fetch one.", rich_markup_mode=None, add_completion=False
)


@networks_app.callback(invoke_without_command=True)
def networks(context: typer.Context) -> None:
    """List the networks to dream with; `visualizer networks get NAME` fetches one."""
    if context.invoked_subcommand is None:
        from ..presets.networks import list_networks
        from .tables import network_tables

        network_tables(list_networks())


@networks_app.command()
def get(name: Annotated[str, typer.Argument(metavar="NAME", help="A network of `visualizer networks`.")]) -> None:
    """Fetch a network and keep it; goes on where an earlier try stopped."""
    from ..presets.networks import get_network

    try:
        was_here, found = _show_fetch(name, get_network(name))
    except KeyboardInterrupt:
        tell(f"interrupted; `visualizer networks get {name}` goes on from there")
        raise typer.Exit(1) from None
    print(f"{found.info.name} {'was here already' if was_here else 'is here now'}: {found.file}")


def _show_fetch(name: str, steps: Generator[Fetched, None, ListedNetwork]) -> tuple[bool, ListedNetwork]:
    """Run a fetch with a bar; whether there was nothing to fetch, and the network."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        DownloadColumn(),
        TransferSpeedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        expand=True,
    )
    task = None
    try:
        while True:
            try:
                step = next(steps)
            except StopIteration as end:
                return task is None, end.value
            if task is None:
                # what an earlier try brought counts as done, and not as speed
                task = bar.add_task(name, total=step.n_total, completed=step.n_bytes)
                bar.start()
            bar.update(task, completed=step.n_bytes, total=step.n_total)
    finally:
        steps.close()
        if bar.live.is_started:
            bar.stop()
