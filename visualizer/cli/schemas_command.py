"""`visualizer schemas`: write the JSON schemas of presets and looks, for editors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..oneline import plain
from .options import parse_path


def schemas(
    folder: Annotated[
        Path, typer.Argument(parser=parse_path, metavar="FOLDER", help="Where they are written.")
    ] = Path(),
) -> None:
    """Write preset.schema.json and look.schema.json, with which editors check and complete presets and looks."""
    import json

    from ..files.output_file import atomic_write, check_output_path
    from ..looks.schema import header_schema
    from ..presets.schema import preset_schema

    for name, schema in (("preset.schema.json", preset_schema()), ("look.schema.json", header_schema())):
        path = check_output_path(folder / name)
        with atomic_write(path) as temporary:
            temporary.write_text(json.dumps(schema, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        print(plain(path, None))
