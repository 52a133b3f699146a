"""`visualizer midi`: the ports, what they send, and what their controls do."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import BadInput

if TYPE_CHECKING:
    from ..diagnostics.midi_monitor import Listening

midi_app = typer.Typer(
    help="MIDI: list the ports, see what they send, and bind controls to actions and settings.",
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
)

Port = Annotated[
    str, typer.Option("--port", metavar="NAME", help="The MIDI input, or part of its name; all, unless named.")
]


@midi_app.command()
def ports(json_wanted: Annotated[bool, typer.Option("--json", help="Print them as a JSON list.")] = False) -> None:
    """List the MIDI inputs."""
    from ..diagnostics import midi_monitor as midi

    found = midi.ports()
    if json_wanted:
        import json

        print(json.dumps([vars(one) for one in found], indent=1))
        return
    if not found:
        print("no MIDI inputs were found; is a controller plugged in?")
    for one in found:
        bound = f"  ({one.n_bindings} bound)" if one.n_bindings else ""
        print(f"{one.short_name}{bound}")


@midi_app.command()
def learn(
    target: Annotated[str, typer.Argument(metavar="TARGET", help="beat.sensitivity, blackout, preset:NAME, ...")],
    port: Port = "",
    timeout_s: Annotated[
        float, typer.Option("--timeout", metavar="SECONDS", help="How long to wait for a control to be moved.")
    ] = 30.0,
) -> None:
    """Bind the next control that is moved to TARGET: a knob, fader, pad or key."""
    from ..diagnostics import midi_monitor as midi

    if not 0 < timeout_s <= 3600:
        raise BadInput(f"--timeout {timeout_s:g} is out of range; allowed: above 0 .. 3600 seconds")
    midi.check_learnable(target)
    try:
        with midi.Listening(port) as listening:
            _say(f"move a control for {target} ({_names(listening)}); Ctrl-C calls it off")
            print(midi.learn(target, listening, timeout_s=timeout_s))
    except KeyboardInterrupt:
        _say("visualizer: called off; nothing is bound")
        raise typer.Exit(1) from None
    _say(f"kept in {midi.where()}")


@midi_app.command()
def monitor(port: Port = "") -> None:
    """Print what controls send, until Ctrl-C."""
    from ..diagnostics import midi_monitor as midi

    with suppress(KeyboardInterrupt), midi.Listening(port) as listening:
        _say(f"listening to {_names(listening)}; Ctrl-C ends it")
        for line in midi.monitor(listening):
            print(line, flush=True)


@midi_app.command()
def bindings() -> None:
    """List what controls do, of MIDI and OSC."""
    from ..diagnostics import midi_monitor as midi

    found = midi.bindings()
    if not found:
        print("nothing is bound; `visualizer midi learn TARGET` binds a control")
        return
    columns = [
        max(len(cell) for cell in cells) for cells in zip(*((one.control, one.does) for one in found), strict=True)
    ]
    for one in found:
        print(f"{one.control:{columns[0]}}  {one.does:{columns[1]}}  {one.more}".rstrip())


@midi_app.command()
def forget(target: Annotated[str, typer.Argument(metavar="TARGET", help="What was bound.")]) -> None:
    """Unbind every control from TARGET."""
    from ..diagnostics import midi_monitor as midi

    count = midi.forget(target)
    print(f"{'one control' if count == 1 else f'{count} controls'} unbound from {target}")


def _names(listening: Listening) -> str:
    return ", ".join(listening.names)


def _say(line: str) -> None:
    """A line for people; stdout is for what was found."""
    print(line, file=sys.stderr, flush=True)
