"""`visualizer midi`: list MIDI ports, show their messages, and bind controls."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import BadInput

if TYPE_CHECKING:
    from ..diagnostics.midi_monitor import MidiMonitor

midi_app = typer.Typer(
    help="MIDI: list the ports, show their messages, and bind controls to actions and settings.",
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
)

Port = Annotated[
    str, typer.Option("--port", metavar="NAME", help="MIDI input, or part of its name. If not given: all inputs.")
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
        print("no MIDI inputs were found; is a controller connected?")
    for one in found:
        bound = f"  ({one.n_bindings} bound)" if one.n_bindings else ""
        print(f"{one.short_name}{bound}")


@midi_app.command()
def learn(
    target: Annotated[str, typer.Argument(metavar="TARGET", help="beat.sensitivity, blackout, preset:NAME, ...")],
    port: Port = "",
    timeout_s: Annotated[
        float, typer.Option("--timeout", metavar="SECONDS", help="How long to wait for a control, above 0 .. 3600 s.")
    ] = 30.0,
) -> None:
    """Bind the next control that is moved to TARGET: a knob, fader, pad or key."""
    from ..diagnostics import midi_monitor as midi

    if not 0 < timeout_s <= 3600:
        raise BadInput(f"--timeout {timeout_s:g} is out of range; allowed: above 0 .. 3600 seconds")
    midi.check_learnable(target)
    try:
        with midi.MidiMonitor(port) as listening:
            _print_hint(f"move a control for {target} ({_names(listening)}); Ctrl-C to cancel")
            print(midi.learn(target, listening, timeout_s=timeout_s))
    except KeyboardInterrupt:
        _print_hint("visualizer: cancelled; nothing was bound")
        raise typer.Exit(1) from None
    _print_hint(f"saved in {midi.where()}")


@midi_app.command()
def monitor(port: Port = "") -> None:
    """Print the messages of controls until Ctrl-C."""
    from ..diagnostics import midi_monitor as midi

    with suppress(KeyboardInterrupt), midi.MidiMonitor(port) as listening:
        _print_hint(f"listening to {_names(listening)}; Ctrl-C to stop")
        for line in midi.monitor(listening):
            print(line, flush=True)


@midi_app.command()
def bindings() -> None:
    """List the bindings of MIDI and OSC controls."""
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
def forget(
    target: Annotated[str, typer.Argument(metavar="TARGET", help="Action, setting or preset:NAME to unbind.")],
) -> None:
    """Unbind every control from TARGET."""
    from ..diagnostics import midi_monitor as midi

    count = midi.forget(target)
    print(f"{'one control' if count == 1 else f'{count} controls'} unbound from {target}")


def _names(listening: MidiMonitor) -> str:
    return ", ".join(listening.names)


def _print_hint(line: str) -> None:
    """Print a line for people to stderr; results go to stdout."""
    print(line, file=sys.stderr, flush=True)
