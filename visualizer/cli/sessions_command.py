"""`visualizer sessions`: list the recorded sessions, check, repair, rename, delete, pack and unpack them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import BadInput, VisualizerError
from ..oneline import plain, size_text, time_text
from .messages import print_message
from .options import Session, parse_path

if TYPE_CHECKING:
    from ..session.check import Examined

sessions_app = typer.Typer(
    help="List the recorded sessions, check, repair, rename, delete, pack or unpack them.",
    rich_markup_mode=None,
    add_completion=False,
)

Sessions = Annotated[
    list[str], typer.Argument(metavar="SESSION...", help="Sessions of `visualizer sessions`, or folders of some.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@sessions_app.callback(invoke_without_command=True)
def sessions(context: typer.Context) -> None:
    """List the recorded sessions, or check, repair, rename, delete, pack or unpack them."""
    if context.invoked_subcommand is None:
        list_()


@sessions_app.command("list")
def list_(json_wanted: Json = False) -> None:
    """List the recorded sessions: date, length, size, presets, and whether they are whole."""
    from ..files.paths import sessions_folder
    from ..session.listing import list_sessions
    from .tables import session_table

    listed = list_sessions()
    if json_wanted:
        every = [
            {"name": one.name, "fault": one.fault or None} | ({} if one.found is None else _as_json(one.found))
            for one in listed
        ]
        _print_json({"folder": str(sessions_folder()), "sessions": every})
        return
    session_table(listed, sessions_folder())
    for one in listed:
        if one.fault:
            print_message(one.fault)


@sessions_app.command()
def check(names: Sessions, json_wanted: Json = False) -> None:
    """Read sessions to the end, and say what was lost. Exit status 1 if something was, or a recording was cut off."""
    from ..session.check import examine
    from ..session.listing import find_session
    from .progress import show_reading

    every = []
    for root in [find_session(name) for name in names]:
        with show_reading("checking") as move:
            every.append(examine(root, thorough=True, progress=move))
    if json_wanted:
        _print_json({"sessions": [{"name": one.root.name, "fault": None} | _as_json(one) for one in every]})
    else:
        for one in every:
            _print_examined(one)
    if any(one.state in ("cut off", "damaged") for one in every):
        raise typer.Exit(1)


@sessions_app.command()
def repair(names: Sessions) -> None:
    """Close sessions whose recording was cut off, and make damaged ones consistent."""
    from ..session.listing import find_session
    from ..session.repair import repair as run_repair
    from .progress import show_reading

    for root in [find_session(name) for name in names]:
        try:
            with show_reading("repairing") as move:
                done = run_repair(root, move)
        except KeyboardInterrupt:
            raise VisualizerError(f"interrupted: repair {plain(root.name)} again") from None
        if not done.is_changed:
            print(f"{plain(root.name)}: there is nothing to repair")
            continue
        _print_examined(done.after)
        if done.is_rebuilt:
            print("  session.json was missing or damaged: it was rebuilt from the events")
        if done.kept is not None:
            print(f"  what was taken out is in {plain(done.kept, most=None)}")


@sessions_app.command()
def rename(
    name: Session, new: Annotated[str, typer.Argument(metavar="NAME", help="The new name: no path, no / or colon.")]
) -> None:
    """Rename a session."""
    from ..session.listing import find_session, rename_session

    print(f"renamed: {plain(rename_session(find_session(name), new), most=None)}")


@sessions_app.command()
def delete(names: Sessions, yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False) -> None:
    """Delete sessions: their sound, events, presets and dream frames. They cannot be recovered."""
    from ..session.listing import check_deletable, delete_session, find_session

    roots = list(dict.fromkeys(find_session(name) for name in names))
    for root in roots:
        check_deletable(root)
    n = len(roots)
    what = f"{n} session{'' if n == 1 else 's'} ({', '.join(plain(root.name) for root in roots)})"
    if not yes:
        if not sys.stdin.isatty():
            raise BadInput(f"{what} would be deleted; add --yes to do it")
        typer.confirm(f"Delete {what}?", abort=True, err=True)
    for root in roots:
        delete_session(root)
    print(f"deleted {what}")


@sessions_app.command()
def pack(
    name: Session,
    out: Annotated[Path, typer.Argument(parser=parse_path, metavar="FILE.zip", help="The ZIP file to write.")],
) -> None:
    """Write a session into one ZIP file, to keep it elsewhere or to give it away."""
    from ..session.archive import pack as run_pack
    from ..session.listing import find_session
    from .progress import show_reading

    root = find_session(name)
    try:
        with show_reading("packing") as move:
            n_bytes = run_pack(root, out, move)
    except KeyboardInterrupt:
        raise VisualizerError(f"interrupted: {plain(out)} was not written") from None
    print(f"packed: {plain(out, most=None)}, {size_text(n_bytes)}")


@sessions_app.command()
def unpack(
    archive: Annotated[Path, typer.Argument(parser=parse_path, metavar="FILE.zip", help="A packed session.")],
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="The name of the session here; default: its own.")
    ] = None,
) -> None:
    """Unpack a session, and add it to the list."""
    from ..files.paths import sessions_folder
    from ..session.archive import unpack as run_unpack
    from .progress import show_reading

    with show_reading("unpacking") as move:
        root = run_unpack(archive, sessions_folder(), name, move)
    print(f"unpacked: {plain(root, most=None)}")


def _print_examined(found: Examined) -> None:
    """Print what a session holds and what was lost, for people."""
    from ..session.check import counted, losses, notes

    dreams = counted(len(found.dreams) if found.info.has_dreams else 0, "dream frame")
    print(
        f"{plain(found.root.name)}: {found.state}; {time_text(found.seconds)}, "
        f"{counted(found.tally.n_events, 'event')}, {time_text(found.sound_s)} of sound, {dreams}, "
        f"{size_text(found.n_bytes)}"
    )
    for line in (*losses(found), *notes(found)):
        print(f"  {line}")
    if any(losses(found)):
        print(f"  lost: {found.lost_sound_s:.2f} s of sound, {counted(found.n_lost_events, 'event')}")


def _as_json(found: Examined) -> dict[str, Any]:
    from ..session.check import losses, notes

    return {
        "folder": str(found.root),
        "state": found.state,
        "kind": found.info.kind,
        "started": found.info.started,
        "program": found.info.program,
        "seconds": round(found.seconds, 3),
        "n_bytes": found.n_bytes,
        "n_events": found.tally.n_events,
        "n_lost_events": found.n_lost_events,
        "sound_s": round(found.sound_s, 3),
        "lost_sound_s": round(found.lost_sound_s, 3),
        "n_dreams": len(found.dreams),
        "n_missing_dreams": len(found.missing_dreams),
        "presets": found.presets,
        "losses": list(losses(found)),
        "notes": list(notes(found)),
    }


def _print_json(value: dict[str, Any]) -> None:
    import json

    print(json.dumps(value, indent=1))
