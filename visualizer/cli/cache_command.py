"""`visualizer cache`: list the dreams on disk, or remove them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import BadInput
from ..oneline import size_text

if TYPE_CHECKING:
    from ..presets.cache_listing import CacheListing

cache_app = typer.Typer(help="List the dreams in the cache, or remove them.", add_completion=False)


@cache_app.callback(invoke_without_command=True)
def cache(context: typer.Context) -> None:
    """List the dreams in the cache; `visualizer cache clear` removes them."""
    if context.invoked_subcommand is None:
        list_()


Json = Annotated[bool, typer.Option("--json", help="Print them as one JSON object.")]


@cache_app.command("list")
def list_(json_wanted: Json = False) -> None:
    """List the dreams in the cache: preset, size on disk, last use."""
    from ..presets.cache_listing import list_cached
    from .tables import cache_table

    listed = list_cached()
    if json_wanted:
        import json

        print(json.dumps(_as_json(listed), indent=1))
    else:
        cache_table(listed)


@cache_app.command()
def clear(
    preset: Annotated[
        str | None, typer.Option("--preset", "-p", metavar="NAME", help="Only dreams of this preset.")
    ] = None,
    older_than: Annotated[
        float | None, typer.Option("--older-than", metavar="DAYS", help="Only dreams not used for this many days.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Remove dreams from the cache, all or some. A show that needs one computes it again."""
    from ..presets.cache_listing import clear_cached, list_cached

    listed = list_cached(preset, older_than)
    n = len(listed.entries)
    what = f"{n} dream{'' if n == 1 else 's'}, {size_text(listed.n_bytes)}"
    if not n:
        print(f"there is nothing to remove in {listed.folder}")
        return
    if not yes:
        if not sys.stdin.isatty():
            raise BadInput(f"{what} would be removed from {listed.folder}; add --yes to do it")
        typer.confirm(f"Remove {what} from {listed.folder}?", abort=True, err=True)
    clear_cached(listed)
    print(f"removed {what}")


def _as_json(listed: CacheListing) -> dict[str, Any]:
    return {
        "folder": str(listed.folder),
        "n_bytes": listed.n_bytes,
        "max_bytes": listed.max_bytes,
        "dreams": [
            {
                "key": entry.key,
                "n_bytes": entry.n_bytes,
                "n_frames": entry.n_frames,
                "used_at": round(entry.used_at, 3),
                "note": None if entry.note is None else entry.note.model_dump(),
            }
            for entry in listed.entries
        ],
    }
