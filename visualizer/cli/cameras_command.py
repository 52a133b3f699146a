"""`visualizer cameras`: list the cameras that pictures can be grabbed from."""

from __future__ import annotations

from typing import Annotated

import typer


def cameras(
    json_wanted: Annotated[bool, typer.Option("--json", help="Print a JSON list with an object for each.")] = False,
) -> None:
    """List the cameras that a journey gets pictures from (key G)."""
    from ..files.remembered import remembered_camera
    from ..pictures.cameras import list_cameras
    from .tables import camera_table

    found = list_cameras()
    if not json_wanted:
        camera_table(found, remembered_camera())
        return
    import json

    print(
        json.dumps(
            [
                {"index": index, "name": one.label, "camera": f"{one.kind}:{one.address}"}
                for index, one in enumerate(found)
            ]
        )
    )
