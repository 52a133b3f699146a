"""`visualizer export`: the show for a song as a video."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Annotated

import typer

from ..errors import BadInput
from ..settings import SHOW_PRESET
from .messages import print_message, print_news
from .options import (
    DEFAULT_SIZE_TEXT,
    SIZES,
    DreamSize,
    Image,
    Journey,
    Layer,
    Network,
    Preset,
    Seed,
    Song,
    Stream,
    Weights,
    chosen_preset,
    one_song,
    parse_path,
    parse_size,
)

MOST_SUPERSAMPLE = 4


def export(
    song: Song,
    out: Annotated[
        Path,
        typer.Option("--out", "-o", parser=parse_path, metavar="OUT.mp4", help="Video to write (.mp4, .mov or .mkv)."),
    ],
    preset: Preset = SHOW_PRESET,
    image: Image = None,
    size: Annotated[
        str | None,
        typer.Option(
            "--size",
            "-s",
            metavar="WxH|NAME",
            help=f"Size of the video, px, or one of {', '.join(SIZES)}. If not given: {DEFAULT_SIZE_TEXT}; of a "
            "session, that of its dream frames.",
        ),
    ] = None,
    dream_size: DreamSize = None,
    seed: Seed = None,
    network: Network = None,
    layer: Layer = None,
    weights: Weights = None,
    journey: Journey = None,
    stream: Stream = None,
    fps: Annotated[
        str, typer.Option("--fps", metavar="N", help="Display frames a second: 30, 29.97, 60000/1001.")
    ] = "30",
    crf: Annotated[
        int, typer.Option("--crf", min=0, max=51, metavar="N", help="Quality: 0 lossless .. 51 worst.")
    ] = 18,
    supersample: Annotated[
        int,
        typer.Option(
            "--supersample", min=1, max=MOST_SUPERSAMPLE, metavar="N", help="Draw N times larger, and average it down."
        ),
    ] = 1,
    from_text: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="Begin there: seconds or m:ss. If not given: 0.")
    ] = None,
    to_text: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="End there: seconds or m:ss. If not given: the end.")
    ] = None,
    title: Annotated[
        str | None, typer.Option("--title", metavar="TEXT", help="Title in the file. If not given: the song's.")
    ] = None,
    as_intended: Annotated[
        bool,
        typer.Option(
            "--as-intended", help="Of a session: finished dreams, complete from the beginning of each preset."
        ),
    ] = False,
    json_wanted: Annotated[
        bool, typer.Option("--json", help="Print the progress to stdout, one JSON object a line, instead of bars.")
    ] = False,
) -> None:
    """Write the show for a song, or a recorded session, as a video."""
    from ..presets.dreams import open_cache
    from ..session.listing import session_named
    from ..show.export import VideoOptions, check_part, check_size, parse_fps
    from ..show.export import export as run_export
    from ..show.session_export import export_session, is_session
    from .progress import show_export

    song_path = session_named(one_song(song, "export"))
    is_recorded = is_session(song_path)
    if as_intended and not is_recorded:
        raise BadInput("--as-intended is for recorded sessions; see `visualizer sessions`")
    if is_recorded:
        chosen = {"--image": image, "--seed": seed, "--network": network, "--layer": layer, "--weights": weights}
        given = {"--preset": None if preset == SHOW_PRESET else preset, **chosen, "--stream": stream}
        for option, value in given.items():
            if value is not None:
                raise BadInput(f"{option} is for songs; a recorded session has its own presets and sound")
        if dream_size is not None and not as_intended:
            raise BadInput("--dream-size: a session is shown with its recorded dream frames; add --as-intended")
    size_text = size or DEFAULT_SIZE_TEXT
    video_size = parse_size(size_text)
    check_size(video_size)
    video = VideoOptions(
        fps=parse_fps(fps),
        crf=crf,
        size=None if is_recorded and size is None else video_size,
        supersample=supersample,
        from_s=0.0 if from_text is None else parse_time(from_text, "--from"),
        to_s=None if to_text is None else parse_time(to_text, "--to"),
        title=title,
    )
    check_part(video, None)
    wanted = None if dream_size is None else parse_size(dream_size, "--dream-size")
    if is_recorded:
        steps = export_session(
            song_path, out, open_cache(), video, as_intended=as_intended, dream_size=wanted, say=print_message
        )
    else:
        loaded = chosen_preset(
            preset, size_text, image, seed, network, layer, weights, dream_size=dream_size, journey=journey
        )
        print_news(loaded)
        steps = run_export(song_path, out, loaded, open_cache(), video, stream=stream, say=print_message)
    try:
        show_export(steps, out, json_wanted=json_wanted)
    except KeyboardInterrupt:
        print_message(f"interrupted: {out} was not written")
        raise typer.Exit(1) from None


def parse_time(text: str, option: str) -> float:
    """A place in a song, "83.5", "1:23.5" or "0:01:23.5" -> seconds. Raises BadInput."""
    parts = text.strip().split(":")
    is_number = all(re.fullmatch(r"\d{1,6}", part, re.ASCII) for part in parts[:-1])
    if not is_number or len(parts) > 3 or re.fullmatch(r"\d{1,6}(\.\d*)?|\.\d+", parts[-1], re.ASCII) is None:
        raise BadInput(f"{option} {text!r} is not a time; write seconds or minutes:seconds, like 83.5 or 1:23.5")
    seconds = math.fsum(float(part) * 60**place for place, part in enumerate(reversed(parts)))
    if any(float(part) >= 60 for part in parts[1:]):
        raise BadInput(f"{option} {text!r} is not a time; seconds and minutes after a colon go up to 59")
    return seconds
