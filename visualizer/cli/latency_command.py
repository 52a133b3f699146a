"""`visualizer latency`: measure the time from sound to light on this machine, and its parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..settings import PLAIN_PRESET
from .messages import print_message
from .options import (
    DEFAULT_SIZE_TEXT,
    Borderless,
    Channels,
    Fullscreen,
    Gain,
    InputDevice,
    Monitor,
    NoAdapt,
    Preset,
    Size,
    chosen_preset,
    chosen_staging,
    parse_channels,
    parse_device,
    parse_gain,
)

if TYPE_CHECKING:
    from ..diagnostics.latency import Latency


def latency(
    device: InputDevice = None,
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="NAME|INDEX", help="Output device. If not given: the default one."),
    ] = None,
    channels: Channels = None,
    gain_db: Gain = 0.0,
    clicks: Annotated[int, typer.Option("--clicks", metavar="N", help="How many clicks to play, 5 .. 500.")] = 24,
    json_wanted: Annotated[bool, typer.Option("--json", help="Print what was measured as one JSON object.")] = False,
    preset: Preset = PLAIN_PRESET,
    size: Size = DEFAULT_SIZE_TEXT,
    fullscreen: Fullscreen = False,
    monitor: Monitor = None,
    borderless: Borderless = False,
    no_adapt: NoAdapt = False,
) -> None:
    """Measure the latency from sound to light: play clicks, record them through an input, detect them in the window."""
    from ..diagnostics.latency import measure

    loaded = chosen_preset(preset, size)
    found = measure(
        loaded,
        device=parse_device(device),
        channels=parse_channels(channels),
        gain_db=parse_gain(gain_db),
        output=parse_device(output),
        n_clicks=clicks,
        staging=chosen_staging(fullscreen, monitor, borderless, no_adapt, size=size),
        say=print_message,
    )
    if json_wanted:
        import json

        print(json.dumps(_as_json(found), indent=1))
        return
    from .tables import latency_table

    latency_table(found)


def _as_json(found: Latency) -> dict[str, Any]:
    def figure(name: str) -> dict[str, float]:
        one = found.total if name == "total" else found.parts[name]
        return {"median_ms": round(one.median_ms, 2), "p95_ms": round(one.p95_ms, 2)}

    return {
        "input": found.input_name,
        "output": found.output_name,
        "width": found.size[0],
        "height": found.size[1],
        "rate_hz": round(found.rate_hz, 1),
        "n_clicks": found.n_clicks,
        "n_heard": found.n_heard,
        "n_told": found.n_detected,
        "n_seen": len(found.delays),
        "total": figure("total"),
        "parts": {part: figure(part) for part in found.parts},
        "lead_ms": found.lead_ms,
        "delay_ms": found.delay_ms,
        "set_delay_ms": found.set_delay_ms,
    }
