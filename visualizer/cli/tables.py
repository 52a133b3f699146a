"""Lists for people to read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from ..show.catalogue import Device, PresetFolder
    from ..show.networks import ListedNetwork


def _table(*columns: str) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _print(*tables: RenderableType) -> None:
    import sys

    from rich.console import Console

    # into a pipe or a file a line stays a line
    console = Console(width=None if sys.stdout.isatty() else 200, markup=False, highlight=False)
    for table in tables:
        console.print(table)


def device_table(devices: Sequence[Device]) -> None:
    """Print the sound devices."""
    if not devices:
        print("no sound devices were found; is a sound server running, and is one plugged in?")
        return
    table = _table("index", "name", "in", "out", "rate", "host", "default")
    for device in devices:
        default = " ".join(
            word for word, holds in (("input", device.is_default_input), ("output", device.is_default_output)) if holds
        )
        table.add_row(
            str(device.index),
            device.name,
            str(device.n_inputs or "-"),
            str(device.n_outputs or "-"),
            f"{device.default_rate_hz:.0f} Hz",
            device.host_api,
            default,
        )
    _print(table)


def preset_table(presets: Sequence[PresetFolder]) -> None:
    """Print the presets."""
    table = _table("name", "title", "layer", "what it shows")
    for found in presets:
        preset = found.preset
        table.add_row(found.name, preset.title, ", ".join(preset.dream.layers), preset.description)
    _print(table)


def network_tables(networks: Sequence[ListedNetwork]) -> None:
    """Print the networks, and under each its layers and what they dream."""
    from rich.columns import Columns
    from rich.padding import Padding

    table = _table("name", "year", "size", "licence", "here", "from")
    for found in networks:
        info = found.info
        here = "yes" if found.file is not None else "no"
        table.add_row(info.name, str(info.year), f"{info.n_bytes / 1e6:.0f} MB", info.licence, here, info.origin)
    parts: list[RenderableType] = [table, "\nTheir layers, from the image upwards, and what each dreams:"]
    for found in networks:
        layers = found.info.layers
        width = max(len(layer.name) for layer in layers)
        words = [f"{layer.name:<{width}}  {layer.dreams}" for layer in layers]
        parts += ["", f"{found.info.name}: {found.info.title}"]
        parts.append(Padding(Columns(words, equal=True, column_first=True, padding=(0, 3)), (0, 0, 0, 2)))
    _print(*parts)
    missing = next((found.info.name for found in networks if found.file is None), "")
    if missing:
        print(f"\n`visualizer networks get {missing}` fetches that one; none comes unasked.")
