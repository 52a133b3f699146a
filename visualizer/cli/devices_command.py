"""`visualizer devices`: list the sound devices, or show the level of an input."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import BadInput
from .options import Channels, Gain, InputDevice, parse_channels, parse_device, parse_gain

if TYPE_CHECKING:
    from ..audio.devices import ListedDevice


def devices(
    meter: Annotated[
        bool, typer.Option("--meter", help="Show the level of each channel of an input until a key is pressed.")
    ] = False,
    device: InputDevice = None,
    channels: Channels = None,
    gain_db: Gain = 0.0,
    json_wanted: Annotated[bool, typer.Option("--json", help="Print the devices as a JSON list.")] = False,
) -> None:
    """List the sound inputs and outputs, or with --meter show the level of an input."""
    if not meter:
        for given, option in (
            (device is not None, "--device"),
            (channels is not None, "--channels"),
            (gain_db != 0, "--gain"),
        ):
            if given:
                raise BadInput(f"{option} works with --meter only; the list shows all devices")
        _list(json_wanted)
        return
    if json_wanted:
        raise BadInput("--json works with the list only; --meter draws in the terminal")
    if not sys.stdout.isatty() or os.environ.get("TERM") in ("dumb", "unknown"):
        raise BadInput("--meter needs a terminal to draw in; `visualizer devices --json` needs none")
    _meter(device, parse_channels(channels), parse_gain(gain_db))


def _list(json_wanted: bool) -> None:
    from ..audio.devices import list_devices_with_rates
    from .tables import device_tables

    found = list_devices_with_rates()
    if json_wanted:
        import json

        print(json.dumps([_as_json(one) for one in found], indent=1))
    else:
        device_tables(found)


def _as_json(listed: ListedDevice) -> dict[str, Any]:
    device = listed.device
    return {
        "index": device.index,
        "name": device.name,
        "description": device.description,
        "host_api": device.host_api,
        "n_inputs": device.n_inputs,
        "n_outputs": device.n_outputs,
        "rate_hz": device.default_rate_hz,
        "rates_hz": list(listed.rates_hz),
        "is_default_input": device.is_default_input,
        "is_default_output": device.is_default_output,
        "is_loopback": device.is_loopback,
        "is_chosen": listed.is_remembered,
    }


def _meter(device: str | None, channels: tuple[int, ...], gain_db: float) -> None:
    """Draw levels until a key or Ctrl-C."""
    from rich.console import Console
    from rich.live import Live

    from ..diagnostics.meter import Metering
    from .analysis_screen import level_page
    from .keypress import key_presses

    console = Console(highlight=False)
    with (
        Metering(parse_device(device), channels=channels, gain_db=gain_db) as metering,
        key_presses() as pressed,
        closing(metering.levels()) as levels,
        Live(console=console, auto_refresh=False) as screen,
    ):
        try:
            for level_db in levels:
                screen.update(level_page(metering.device, level_db, metering.note, console), refresh=True)
                if pressed():
                    break
        except KeyboardInterrupt:
            pass  # ends like a key press
