"""All commands. Heavy packages are imported inside the functions, so that `--help` answers at once."""

from __future__ import annotations

import importlib.util
import logging
import platform
import re
import sys
from pathlib import Path
from typing import Annotated

import typer

from ..private import name_only
from ..settings import SHOW_PRESET
from . import options
from .analyze_command import analyze
from .cache_command import cache_app
from .cameras_command import cameras
from .devices_command import devices
from .doctor_command import doctor
from .export_command import export
from .latency_command import latency
from .looks_command import looks_app
from .messages import print_look_faults, print_message, print_news
from .midi_command import midi_app
from .monitors_command import monitors
from .networks_command import networks_app
from .options import (
    DEFAULT_SIZE_TEXT,
    Borderless,
    DreamSize,
    Fullscreen,
    Image,
    Journey,
    Layer,
    Monitor,
    Network,
    NoAdapt,
    Panel,
    Preset,
    Seed,
    Size,
    Weights,
    chosen_preset,
)
from .rehearse_command import rehearse
from .schemas_command import schemas
from .sessions_command import sessions_app
from .sheets_command import depths, layers
from .show_commands import live, play, replay

log = logging.getLogger("visualizer.cli")

#: so often the demo plays its song in a window
DEMO_TIMES = 16
#: size of its dreams where they are computed without a GPU: in a window they are, while one watches
DEMO_SIZE_IN_A_WINDOW, DEMO_SIZE_OF_A_VIDEO = "640x360", "960x540"

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="DeepDream pictures that deepen on every kick of your music: live, from a file, or as a video.",
)


def _version(wanted: bool) -> None:
    if wanted:
        from .. import __version__

        print(f"visualizer {__version__}")
        raise typer.Exit


@app.callback()
def _global(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show a traceback when something fails.")] = False,
    log_level: Annotated[
        str | None, typer.Option("--log-level", metavar="LEVEL", help="debug, info, warning or error (log file).")
    ] = None,
) -> None:
    # `options.take_global` has already removed --debug and --log-level, wherever they stood; here they are for --help
    # only
    from ..errors import BadInput

    try:
        from ..files.log import open_log

        open_log(options.log_level)
    except (BadInput, ImportError):
        # the settings file or a package cannot be read: `doctor` must run to report just that
        if context.invoked_subcommand != "doctor" or options.log_level is not None:
            raise
    log.info("command: %s", " ".join(map(name_only, options.given)))


@app.command()
def demo(
    size: Size = DEFAULT_SIZE_TEXT,
    dream_size: DreamSize = None,
    fullscreen: Fullscreen = False,
    preset: Preset = SHOW_PRESET,
    monitor: Monitor = None,
    borderless: Borderless = False,
    no_adapt: NoAdapt = False,
    panel: Panel = False,
) -> None:
    """Travel from dream to dream with the bundled song, in a window; export demo.mp4 where there is no display."""
    from ..errors import GraphicsError
    from ..render.window import display_available
    from ..resources import demo_song

    song = demo_song()
    is_small = (preset, size, dream_size) == (SHOW_PRESET, DEFAULT_SIZE_TEXT, None) and _torch_is_for_cpus()
    if display_available():
        try:
            play(
                [song] * DEMO_TIMES,
                preset=preset,
                size=size,
                dream_size=DEMO_SIZE_IN_A_WINDOW if is_small else dream_size,
                fullscreen=fullscreen,
                monitor=monitor,
                borderless=borderless,
                no_adapt=no_adapt,
                panel=panel,
            )
            return
        except GraphicsError as error:
            print_message(f"no window: {error}")
    else:
        print_message("no display here")
    print_message("exporting demo.mp4 instead")
    dream_size = DEMO_SIZE_OF_A_VIDEO if is_small else dream_size
    export([song], Path("demo.mp4"), preset=preset, size=size, dream_size=dream_size)


def _torch_is_for_cpus() -> bool:
    """Whether the build of torch that is installed computes on no GPU; importing it to ask would take a second."""
    found = importlib.util.find_spec("torch")
    if found is None or found.origin is None:  # the bake says so
        return False
    try:
        built = Path(found.origin).with_name("version.py").read_text(encoding="utf-8")
    except OSError:
        return False
    if sys.platform == "darwin":
        return platform.machine() == "x86_64"
    return set(re.findall(r"^(?:cuda|hip|xpu)\b.*= (.*)$", built, re.MULTILINE)) == {"None"}


app.command()(play)
app.command()(live)
app.command()(replay)


app.command()(export)


@app.command()
def bake(
    preset: Preset = SHOW_PRESET,
    image: Image = None,
    size: Size = DEFAULT_SIZE_TEXT,
    dream_size: DreamSize = None,
    seed: Seed = None,
    network: Network = None,
    layer: Layer = None,
    weights: Weights = None,
    journey: Journey = None,
) -> None:
    """Compute the dream of a preset now, so that the show starts at once. Exit status 1 if it cannot be kept."""
    from ..presets.bake import bake as run_bake
    from ..presets.dreams import open_cache
    from .progress import show_bake

    loaded = chosen_preset(preset, size, image, seed, network, layer, weights, dream_size=dream_size, journey=journey)
    print_news(loaded)
    print_look_faults(loaded)
    try:
        done = show_bake(run_bake(loaded, open_cache()))
    except KeyboardInterrupt:
        print_message("interrupted: the bake is not finished")
        raise typer.Exit(1) from None
    if done is None:
        return
    if done.fault:
        print_message(done.fault)
    how = "already baked" if done.from_cache else f"baked in {done.seconds:.1f} s on {done.device}"
    stations = "" if done.n_stations is None else f" of {done.n_stations} stations"
    print(f"{done.total} depths{stations} {how}; they are in {done.folder}")


app.command()(layers)
app.command()(depths)
app.add_typer(networks_app, name="networks")
app.add_typer(looks_app, name="looks")
app.add_typer(cache_app, name="cache")
app.add_typer(midi_app, name="midi")
app.add_typer(sessions_app, name="sessions")


app.command()(devices)
app.command()(monitors)
app.command()(cameras)
app.command()(doctor)
app.command()(latency)
app.command()(rehearse)


@app.command()
def presets() -> None:
    """List the presets."""
    from ..presets.preset import list_presets
    from .tables import preset_table

    faults: list[str] = []
    preset_table(list_presets(on_fault=faults.append))
    for fault in faults:
        print_message(fault)


app.command()(analyze)
app.command()(schemas)


def command_names() -> set[str]:
    """The names of all commands."""
    names = {info.name or getattr(info.callback, "__name__", "") for info in app.registered_commands}
    return names | {str(info.name) for info in app.registered_groups}
