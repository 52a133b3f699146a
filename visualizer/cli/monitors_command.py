"""`visualizer monitors`: list the monitors and projectors."""

from __future__ import annotations

from typing import Annotated

import typer


def monitors(
    json_wanted: Annotated[bool, typer.Option("--json", help="Print a JSON list with an object for each.")] = False,
) -> None:
    """List the monitors and projectors."""
    from ..render.monitors import list_monitors
    from .tables import monitor_table

    found = list_monitors()
    if not json_wanted:
        monitor_table(found)
        return
    import json

    print(
        json.dumps(
            [
                {
                    "index": monitor.index,
                    "name": monitor.name,
                    "width": monitor.area[2],
                    "height": monitor.area[3],
                    "x": monitor.area[0],
                    "y": monitor.area[1],
                    "refresh_hz": monitor.refresh_hz or None,
                    "scale": monitor.scale,
                    "primary": monitor.is_primary,
                }
                for monitor in found
            ]
        )
    )
