"""Lists for people to read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

    from ..show.catalogue import Device, PresetFolder


def _table(*columns: str) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _print(table: Table) -> None:
    import sys

    from rich.console import Console

    # into a pipe or a file a line stays a line
    Console(width=None if sys.stdout.isatty() else 200, markup=False, highlight=False).print(table)


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
        table.add_row(found.name, preset.title, preset.dream.layer, preset.description)
    _print(table)
