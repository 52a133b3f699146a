"""The commands that show pictures in a window: `live` and `play`."""

from __future__ import annotations

import logging
import secrets
from functools import partial
from typing import Annotated

import typer

from ..settings import SHOW_PRESET
from . import options
from .messages import print_message, print_news
from .options import (
    DEFAULT_SIZE_TEXT,
    Borderless,
    Camera,
    Channels,
    CopySongs,
    DelayMs,
    DreamSize,
    Fullscreen,
    Gain,
    Image,
    InputDevice,
    Journey,
    Layer,
    Link,
    Midi,
    Monitor,
    Network,
    NoAdapt,
    NoDreams,
    NoSound,
    Osc,
    OscAllow,
    OutputDevice,
    Panel,
    Pictures,
    Preset,
    Record,
    RecordTo,
    Seed,
    Session,
    Size,
    Songs,
    Stream,
    Supervise,
    Video,
    Weights,
    chosen_pictures,
    chosen_recording,
    chosen_staging,
    open_chosen_controllers,
    parse_channels,
    parse_delay,
    parse_device,
    parse_gain,
    resumed_or_chosen_preset,
)

log = logging.getLogger("visualizer.cli")


def play(
    songs: Songs,
    preset: Preset = SHOW_PRESET,
    image: Image = None,
    size: Size = DEFAULT_SIZE_TEXT,
    dream_size: DreamSize = None,
    seed: Seed = None,
    network: Network = None,
    layer: Layer = None,
    weights: Weights = None,
    journey: Journey = None,
    output_device: OutputDevice = None,
    delay_ms: DelayMs = None,
    stream: Stream = None,
    shuffle: Annotated[bool, typer.Option("--shuffle", help="Play the songs in a random order.")] = False,
    shuffle_seed: Annotated[
        int | None,
        typer.Option(
            "--shuffle-seed", min=0, metavar="N", help="Play in a random order; the same number gives the same order."
        ),
    ] = None,
    replaygain: Annotated[
        bool, typer.Option("--replaygain/--no-replaygain", help="Even out loudness by the songs' ReplayGain tags.")
    ] = True,
    fullscreen: Fullscreen = False,
    monitor: Monitor = None,
    borderless: Borderless = False,
    no_adapt: NoAdapt = False,
    panel: Panel = False,
    record: Record = False,
    record_to: RecordTo = None,
    no_sound: NoSound = False,
    no_dreams: NoDreams = False,
    video: Video = False,
    copy_songs: CopySongs = False,
    camera: Camera = None,
    pictures: Pictures = None,
    midi: Midi = None,
    osc: Osc = None,
    osc_allow: OscAllow = None,
    supervise: Supervise = False,
) -> None:
    """Play songs one after another; the picture follows what you hear."""
    from ..memory import collect_rarely, share_one_heap
    from ..supervision.lifeline import Lifeline

    if shuffle and shuffle_seed is None:
        shuffle_seed = secrets.randbelow(2**32)
        options.add_arguments("--shuffle-seed", str(shuffle_seed))  # so that a restarted show has the same order
    if supervise:
        _supervised()
    share_one_heap()
    collect_rarely()
    lifeline = Lifeline.inherited()

    from ..panel.link import open_panel
    from ..presets.dreams import open_cache
    from ..show.play import play as play_songs
    from ..show.play import song_list

    paths = song_list(songs, shuffle_seed)
    loaded = resumed_or_chosen_preset(lifeline, preset, size, image, seed, network, layer, weights, dream_size, journey)
    print_news(loaded)
    staging = chosen_staging(fullscreen, monitor, borderless, no_adapt, panel, size)
    wanted, delay_ms = parse_device(output_device), parse_delay(delay_ms)
    # an album in its own order keeps the differences in loudness between its songs
    is_album = len(paths) > 1 and shuffle_seed is None
    try:
        play_songs(
            paths,
            loaded,
            open_cache(),
            device=wanted,
            stream=stream,
            delay_ms=delay_ms,
            gain_mode=("album" if is_album else "track") if replaygain else None,
            staging=staging,
            say=print_message,
            controllers=partial(open_chosen_controllers, midi, osc, osc_allow, False),
            opens_panel=partial(open_panel, size=loaded.size, overrides=loaded.overrides),
            lifeline=lifeline,
            recording=chosen_recording(lifeline, record, record_to, no_sound, no_dreams, video, copy_songs),
            pictures=chosen_pictures(camera, pictures),
        )
    except KeyboardInterrupt:
        log.info("ended by Ctrl-C")  # a normal end


def live(
    preset: Preset = SHOW_PRESET,
    image: Image = None,
    size: Size = DEFAULT_SIZE_TEXT,
    dream_size: DreamSize = None,
    seed: Seed = None,
    network: Network = None,
    layer: Layer = None,
    weights: Weights = None,
    journey: Journey = None,
    device: InputDevice = None,
    channels: Channels = None,
    gain_db: Gain = 0.0,
    fullscreen: Fullscreen = False,
    monitor: Monitor = None,
    borderless: Borderless = False,
    no_adapt: NoAdapt = False,
    panel: Panel = False,
    record: Record = False,
    record_to: RecordTo = None,
    no_sound: NoSound = False,
    no_dreams: NoDreams = False,
    video: Video = False,
    camera: Camera = None,
    pictures: Pictures = None,
    midi: Midi = None,
    osc: Osc = None,
    osc_allow: OscAllow = None,
    link: Link = False,
    supervise: Supervise = True,
) -> None:
    """Show pictures that follow a microphone or line input."""
    from ..memory import collect_rarely, share_one_heap
    from ..supervision.lifeline import Lifeline

    if supervise:
        _supervised()
    share_one_heap()
    collect_rarely()
    lifeline = Lifeline.inherited()

    from ..panel.link import open_panel
    from ..presets.dreams import open_cache
    from ..show.live import live as run_live

    loaded = resumed_or_chosen_preset(lifeline, preset, size, image, seed, network, layer, weights, dream_size, journey)
    print_news(loaded)
    wanted, chosen, gain_db = parse_device(device), parse_channels(channels), parse_gain(gain_db)
    staging = chosen_staging(fullscreen, monitor, borderless, no_adapt, panel, size)
    try:
        run_live(
            loaded,
            open_cache(),
            device=wanted,
            channels=chosen,
            gain_db=gain_db,
            staging=staging,
            controllers=partial(open_chosen_controllers, midi, osc, osc_allow, link),
            opens_panel=partial(open_panel, size=loaded.size, overrides=loaded.overrides),
            lifeline=lifeline,
            recording=chosen_recording(lifeline, record, record_to, no_sound, no_dreams, video),
            pictures=chosen_pictures(camera, pictures),
            say=print_message,
        )
    except KeyboardInterrupt:
        log.info("ended by Ctrl-C")


def replay(
    session: Session,
    fullscreen: Fullscreen = False,
    monitor: Monitor = None,
    borderless: Borderless = False,
    output_device: OutputDevice = None,
) -> None:
    """Show a recorded session again in a window, with its sound."""
    from ..presets.dreams import open_cache
    from ..session.listing import find_session
    from ..show.replay import replay as show_again

    staging = chosen_staging(fullscreen, monitor, borderless, False, False)
    try:
        wanted = parse_device(output_device)
        show_again(find_session(session), open_cache(), staging=staging, device=wanted, say=print_message)
    except KeyboardInterrupt:
        log.info("ended by Ctrl-C")


def _supervised() -> None:
    """Run the show in a child process that is restarted when it dies, and exit with its status."""
    from ..supervision.supervise import supervise

    raise typer.Exit(supervise(options.given, say=print_message))
