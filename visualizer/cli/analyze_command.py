"""`visualizer analyze`: detect kicks, bands and tempo in a file, or in live input."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import BadInput
from ..oneline import plain
from ..settings import PLAIN_PRESET
from .messages import print_message
from .options import (
    Channels,
    Gain,
    InputDevice,
    Preset,
    Stream,
    one_song,
    parse_channels,
    parse_device,
    parse_gain,
    parse_path,
)

if TYPE_CHECKING:
    from ..settings import Preset as Settings


def analyze(
    song: Annotated[
        list[Path] | None,
        typer.Argument(parser=parse_path, metavar="FILE", help="A sound file, or a video whose sound is used."),
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Analyze an input instead, and draw the result in the terminal.")
    ] = False,
    device: InputDevice = None,
    channels: Channels = None,
    gain_db: Gain = 0.0,
    stream: Stream = None,
    json_wanted: Annotated[
        bool, typer.Option("--json", help="Print kicks, depth, bands, tempo, beats and silence as one JSON object.")
    ] = False,
    ahead: Annotated[
        bool,
        typer.Option(
            "--ahead", help="Detect kicks as `play` and `export` do, which know what comes, instead of as a live show."
        ),
    ] = False,
    plot: Annotated[
        Path | None,
        typer.Option(
            "--plot", parser=parse_path, metavar="OUT.png", help="Draw a plot into a file (.png, .svg, .pdf, .jpg)."
        ),
    ] = None,
    preset: Preset = PLAIN_PRESET,
) -> None:
    """Detect kicks, bands and tempo in a sound file, or with --live in an input."""
    from ..presets.loaded import open_settings

    if live == bool(song):
        words = "--live and a FILE were both given; give one of them" if live else "give a FILE, or --live"
        raise BadInput(f"{words}; see `visualizer analyze --help`")
    if live and ahead:
        raise BadInput("--ahead needs a FILE; what comes from an input is not known beforehand")
    if live and (json_wanted or plot is not None):
        raise BadInput("--json and --plot need a FILE; --live only draws in the terminal")
    for given, option in (
        (device is not None, "--device"),
        (channels is not None, "--channels"),
        (gain_db != 0, "--gain"),
    ):
        if given and not live:
            raise BadInput(f"{option} works with --live only, not with a FILE")
    if live:
        if not sys.stdout.isatty() or os.environ.get("TERM") in ("dumb", "unknown"):
            raise BadInput("--live needs a terminal to draw in; `visualizer analyze FILE --json` needs none")
        if stream is not None:
            raise BadInput("--stream works with a FILE only, not with --live")
        _analyze_input(open_settings(preset), device, parse_channels(channels), parse_gain(gain_db))
    elif song:
        _analyze_file(one_song(song, "analyze"), open_settings(preset), json_wanted, plot, stream, ahead)


def _analyze_file(
    song: Path, settings: Settings, json_wanted: bool, plot: Path | None, stream: int | None, ahead: bool
) -> None:
    """Analyse a file."""
    import json

    from ..diagnostics.analyze import analyze as analyze_file
    from ..diagnostics.plot import check_plot
    from ..diagnostics.plot import plot as draw
    from .progress import show_analysis

    out = None if plot is None else check_plot(plot)
    with show_analysis() as progress:
        analysis = analyze_file(
            song,
            settings.beat,
            settings.dream.n_depths,
            stream=stream,
            ahead=ahead,
            say=print_message,
            progress=progress,
        )
    if out is not None:
        draw(analysis, out, song.name)
    if json_wanted:
        print(json.dumps(analysis.as_json()))
        return
    n, bpm = len(analysis.onsets), analysis.tempo_bpm
    print(
        f"{plain(song.name)}: {analysis.duration_s:.1f} s at {analysis.sample_rate_hz} Hz, {n} kicks "
        f"({60 * n / max(analysis.duration_s, 1e-9):.0f} a minute), "
        f"{'no steady beat' if bpm is None else f'{bpm:.1f} BPM'}, mean depth {analysis.depth.mean():.1f}"
    )
    if plot is not None:
        print(f"plot: {plain(plot)}")


def _analyze_input(settings: Settings, device: str | None, channels: tuple[int, ...], gain_db: float) -> None:
    """Analyze an input until Ctrl-C, then print a summary."""
    from ..diagnostics.input_analysis import InputAnalysis
    from .analysis_screen import draw_input, summary

    with InputAnalysis(
        parse_device(device), settings.beat, settings.dream.n_depths, channels=channels, gain_db=gain_db
    ) as input_analysis:
        last = draw_input(input_analysis)
    print(summary(input_analysis, last))
