"""`layers` and `depths`: draw contact sheets, to choose settings of the dream by eye."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..networks import DEFAULT_NETWORK
from ..oneline import plain
from ..settings import PLAIN_PRESET
from .messages import print_message
from .options import Preset, Weights, parse_path, parse_size

if TYPE_CHECKING:
    from ..presets.dream_sheets import Step

DEFAULT_CELL_TEXT = "360x270"

Picture = Annotated[Path, typer.Argument(parser=parse_path, metavar="IMAGE", help="The picture to dream in.")]
Out = Annotated[
    Path, typer.Option("--out", "-o", parser=parse_path, metavar="OUT.png", help="File to write (.png or .jpg).")
]
Cell = Annotated[str, typer.Option("--size", "-s", metavar="WxH", help="Largest size of each picture, px.")]


def layers(
    image: Picture,
    out: Out,
    network: Annotated[
        str, typer.Option("--network", "-n", metavar="NAME", help="Network; `visualizer networks` lists them.")
    ] = DEFAULT_NETWORK,
    weights: Weights = None,
    size: Cell = DEFAULT_CELL_TEXT,
    depth: Annotated[int, typer.Option("--depth", min=1, max=20, help="Depth to show of each layer.")] = 12,
    seed: Annotated[
        int, typer.Option("--seed", min=0, max=2**32 - 1, help="Random seed: another number, another dream.")
    ] = 0,
) -> None:
    """Draw a sheet that shows what each layer of a network dreams in a picture."""
    from ..presets.dream_sheets import layers as draw

    steps = draw(image, out, network=network, weights=weights, box=parse_size(size), depth_index=depth, seed=seed)
    _show(steps, out, "layers")


def depths(
    image: Picture,
    out: Out,
    preset: Preset = PLAIN_PRESET,
    network: Annotated[
        str | None, typer.Option("--network", "-n", metavar="NAME", help="Network to use instead of the preset's.")
    ] = None,
    layer: Annotated[
        str | None, typer.Option("--layer", "-l", metavar="NAME", help="Layer to use instead of the preset's.")
    ] = None,
    weights: Weights = None,
    size: Cell = DEFAULT_CELL_TEXT,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, max=2**32 - 1, help="Random seed: another number, another dream.")
    ] = None,
) -> None:
    """Draw a sheet of all depths of a dream."""
    from ..presets.dream_sheets import depths as draw

    steps = draw(
        image, out, preset=preset, network=network, layer=layer, weights=weights, box=parse_size(size), seed=seed
    )
    _show(steps, out, "depths")


def _show(steps: Generator[Step, None, None], out: Path, what: str) -> None:
    """Run the steps with a progress bar, and print what was written."""
    from .progress import bars_of, stop

    bars = bars_of()
    task = bars.add_task("dreaming", total=None, rate="")
    last = None
    try:
        with closing(steps):
            for last in steps:
                if not bars.live.is_started:
                    for line in last.news:
                        print_message(line)
                bars.start()  # only now: if the first step fails, the error is the only line printed
                bars.update(task, completed=last.done, total=last.total, rate=last.what)
    except KeyboardInterrupt:
        stop(bars)
        print_message(f"interrupted: {out} was not written")
        raise typer.Exit(1) from None
    finally:
        stop(bars)
    if last is not None:
        print(f"{plain(out)}: all {what} dreamt in {last.seconds:.1f} s")
