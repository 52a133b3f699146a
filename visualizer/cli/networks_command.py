"""`visualizer networks`: list the networks, or download one."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Annotated

import typer

from .messages import print_message

if TYPE_CHECKING:
    from ..presets.network_files import Fetched, ListedNetwork

networks_app = typer.Typer(
    help="List the networks to dream with, or download one.", rich_markup_mode=None, add_completion=False
)


@networks_app.callback(invoke_without_command=True)
def networks(context: typer.Context) -> None:
    """List the networks to dream with; `visualizer networks get NAME` downloads one."""
    if context.invoked_subcommand is None:
        from ..presets.network_files import list_networks
        from .tables import network_tables

        network_tables(list_networks())


@networks_app.command()
def get(name: Annotated[str, typer.Argument(metavar="NAME", help="A network of `visualizer networks`.")]) -> None:
    """Download a network. A download that was interrupted is resumed."""
    from ..presets.network_files import get_network

    try:
        was_here, found = _show_fetch(name, get_network(name))
    except KeyboardInterrupt:
        print_message(f"interrupted; `visualizer networks get {name}` resumes the download")
        raise typer.Exit(1) from None
    print(f"{found.info.name} {'was already installed' if was_here else 'installed'}: {found.file}")


def _show_fetch(name: str, steps: Generator[Fetched, None, ListedNetwork]) -> tuple[bool, ListedNetwork]:
    """Run a download with a bar. Returns (whether the network was already installed, the network)."""
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
                # bytes of an earlier attempt count as done, but not towards the speed
                task = bar.add_task(name, total=step.n_total, completed=step.n_bytes)
                bar.start()
            bar.update(task, completed=step.n_bytes, total=step.n_total)
    finally:
        steps.close()
        if bar.live.is_started:
            bar.stop()
