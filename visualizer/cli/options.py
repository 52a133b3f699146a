"""Options that several commands share, and --debug and --log-level, which may stand anywhere."""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Collection
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit
from urllib.request import url2pathname

import typer

from ..errors import BadInput, VisualizerError
from ..oneline import plain
from ..settings import DEFAULT_SIZE, DELAY_MS
from .messages import print_message

if TYPE_CHECKING:
    from ..control.controller import Controller
    from ..presets.loaded import LoadedPreset
    from ..show.onscreen import Staging
    from ..show.picture_sources import PictureOptions
    from ..show.recorder import RecordingOptions
    from ..supervision.lifeline import Lifeline
    from ..supervision.resume import ResumeState

DEFAULT_SIZE_TEXT = "{}x{}".format(*DEFAULT_SIZE)
#: sizes by name, width and height in px
SIZES = {
    "720p": (1280, 720),
    "1080p": (1920, 1080),
    "1440p": (2560, 1440),
    "4k": (3840, 2160),
    "vertical": (1080, 1920),
    "square": (1080, 1080),
}

GLOBAL_OPTIONS = ("--help", "-h", "--version")

debug = False
given: list[str] = []  # all arguments, as given
log_level: str | None = None


def parse_path(text: str) -> Path:
    """A path, or the path in a file:// address. Raises BadInput for any other address and for an empty name."""
    if not text:
        raise BadInput("the file name is empty (''); give the name of a file")
    if not is_address(text):
        return Path(text)
    address = urlsplit(text)
    if address.scheme.lower() == "file" and address.netloc in ("", "localhost"):
        return Path(url2pathname(address.path))
    raise BadInput(f"{text}: is an address; only files on this machine can be opened, so download it first")


def is_address(text: str) -> bool:
    """Whether text is an address like https://example.com/song.mp3, and not the name of a file."""
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", text) is not None


Preset = Annotated[
    str,
    typer.Option("--preset", "-p", metavar="NAME|FOLDER", help="Preset to use; `visualizer presets` lists them."),
]
Image = Annotated[
    Path | None,
    typer.Option("--image", "-i", parser=parse_path, metavar="FILE", help="Your own picture, instead of the preset's."),
]
Size = Annotated[
    str,
    typer.Option("--size", "-s", metavar="WxH|NAME", help=f"Size of the picture, px, or one of {', '.join(SIZES)}."),
]
DreamSize = Annotated[
    str | None,
    typer.Option(
        "--dream-size",
        metavar="WxH|NAME",
        help="Size of the dream, which is scaled to the picture. If not given: that of the picture, at most 1080p.",
    ),
]
Seed = Annotated[
    int | None,
    typer.Option("--seed", min=0, max=2**32 - 1, metavar="N", help="Random seed; another number gives another dream."),
]
Journey = Annotated[
    int | None,
    typer.Option(
        "--journey",
        min=0,
        max=1000,
        metavar="N",
        help="Zoom from dream to dream, and come back to the image after N dreams; 0: never come back.",
    ),
]
Network = Annotated[
    str | None,
    typer.Option(
        "--network",
        "-n",
        metavar="NAME",
        help="Network to dream with instead of the preset's; `visualizer networks` lists them.",
    ),
]
Layer = Annotated[
    str | None, typer.Option("--layer", "-l", metavar="NAME", help="Layer to dream with instead of the preset's.")
]
Weights = Annotated[
    Path | None,
    typer.Option(
        "--weights", parser=parse_path, metavar="FILE", help="Your own weights for the network (.safetensors or .pth)."
    ),
]
InputDevice = Annotated[
    str | None,
    typer.Option(
        "--device",
        "-d",
        metavar="NAME|INDEX",
        help='Input device, "default" for the system\'s. If not given: the one chosen last.',
    ),
]
OutputDevice = Annotated[
    str | None,
    typer.Option(
        "--output-device",
        "--device",
        "-d",
        metavar="NAME|INDEX",
        help='Output device, "default" for the system\'s. If not given: the one chosen last.',
    ),
]
DelayMs = Annotated[
    float | None,
    typer.Option(
        "--delay-ms",
        metavar="MS",
        help="Delay of the picture for a late loudspeaker; negative for a late projector. Remembered for each output.",
    ),
]
Channels = Annotated[
    str | None,
    typer.Option("--channels", metavar="N,N", help="Channels of the input to listen to, from 1; all if not given."),
]
Gain = Annotated[float, typer.Option("--gain", metavar="DB", help="Gain of the input, -60 .. 60 dB.")]
Fullscreen = Annotated[bool, typer.Option("--fullscreen", "-f", help="Start in fullscreen.")]
Monitor = Annotated[
    str | None,
    typer.Option("--monitor", metavar="N|NAME", help="Monitor to show on; `visualizer monitors` lists them."),
]
Borderless = Annotated[
    bool, typer.Option("--borderless", help="No border around the window; fullscreen is a borderless window, too.")
]
NoAdapt = Annotated[
    bool, typer.Option("--no-adapt", help="Keep the full resolution even if the machine is too slow for it.")
]
Panel = Annotated[bool, typer.Option("--panel", help="Open the performer's panel, a second window (or press O).")]
Record = Annotated[
    bool,
    typer.Option(
        "--record", help="Record the show as a session from its beginning (or press R); see docs/sessions.md."
    ),
]
RecordTo = Annotated[
    Path | None,
    typer.Option("--record-to", parser=parse_path, metavar="DIR", help="The same, into this folder."),
]
NoSound = Annotated[
    bool, typer.Option("--no-sound", help="Record no sound: only the level and the other features that it had.")
]
NoDreams = Annotated[bool, typer.Option("--no-dreams", help="Record no dream frames: they are baked again.")]
Video = Annotated[
    bool, typer.Option("--video", help="Write a video (mp4) of what is shown beside the recorded session.")
]
CopySongs = Annotated[
    bool, typer.Option("--copy-songs", help="Copy the songs into the recorded session; else it knows them by content.")
]
Camera = Annotated[
    str | None,
    typer.Option(
        "--camera",
        metavar="NAME|INDEX|FORMAT:NAME",
        help='Camera that G grabs pictures from for a journey; "default" for the first. `visualizer cameras` lists them. '
        "If not given: the one named last.",
    ),
]
Pictures = Annotated[
    Path | None,
    typer.Option(
        "--pictures",
        parser=parse_path,
        metavar="FOLDER",
        help="Folder whose new pictures a journey comes to by itself; Shift+G: the newest there is.",
    ),
]
Midi = Annotated[
    str | None,
    typer.Option(
        "--midi", metavar="PORT|all", help="Use a MIDI port, by part of its name; `visualizer midi ports` lists them."
    ),
]
Osc = Annotated[
    str | None, typer.Option("--osc", metavar="[HOST:]PORT", help="Receive OSC; on 127.0.0.1 if no host is given.")
]
OscAllow = Annotated[
    str | None,
    typer.Option(
        "--osc-allow",
        metavar="NETWORK,...",
        help="Who may send OSC, like 192.168.1.0/24,10.0.0.5. If not given: private networks.",
    ),
]
Link = Annotated[bool, typer.Option("--link", help="Take the tempo from Ableton Link.")]
Supervise = Annotated[
    bool, typer.Option("--supervise/--no-supervise", help="Restart the show where it was if it crashes or hangs.")
]
Song = Annotated[
    list[Path],  # only one is allowed; a list, so that `one_song` can say what to do with several
    typer.Argument(parser=parse_path, metavar="FILE", help="A sound file, or a video whose sound is used."),
]

Songs = Annotated[
    list[Path],
    typer.Argument(parser=parse_path, metavar="FILE|FOLDER...", help="Sound files, or folders of them, in this order."),
]
Session = Annotated[
    str, typer.Argument(metavar="SESSION", help="A session of `visualizer sessions`, or the folder of one.")
]
Stream = Annotated[
    int | None,
    typer.Option(
        "--stream", min=1, metavar="N", help="Sound stream of a file that has several. If not given: its default one."
    ),
]


def chosen_preset(
    preset: str,
    size: str,
    image: Path | None = None,
    seed: int | None = None,
    network: str | None = None,
    layer: str | None = None,
    weights: Path | None = None,
    dream: tuple[tuple[str, float | str], ...] = (),
    dream_size: str | None = None,
    journey: int | None = None,
) -> LoadedPreset:
    """Load the preset that these options describe.

    dream: (name, value) of dream settings that were changed by hand, see `Overrides`. Raises BadInput, and DreamError
    for a network that is not installed.
    """
    from ..presets.loaded import Overrides, open_preset
    from ..presets.loaded import dream_size as usual_dream_size

    overrides = Overrides(
        image=image, seed=seed, network=network, layer=layer, weights=weights, dream=dream, journey=journey
    )
    baked = usual_dream_size(parse_size(size)) if dream_size is None else parse_size(dream_size, "--dream-size")
    return open_preset(preset, size=baked, overrides=overrides)


def resumed_or_chosen_preset(
    lifeline: Lifeline | None,
    preset: str,
    size: str,
    image: Path | None,
    seed: int | None,
    network: str | None,
    layer: str | None,
    weights: Path | None,
    dream_size: str | None = None,
    journey: int | None = None,
) -> LoadedPreset:
    """Load the preset to start with: of a restarted show the one it showed last, with the dream settings changed by
    hand.

    Raises as `chosen_preset`.
    """
    from ..presets.loaded import is_preset

    own = partial(
        chosen_preset, preset, size, image, seed, network, layer, weights, dream_size=dream_size, journey=journey
    )
    resume = lifeline.resume if lifeline is not None else None
    if resume is None:
        return own()
    is_own = not resume.preset or is_preset(preset, resume.preset)
    # the network and layer of the options are meant for the first preset only
    again = (
        own
        if is_own
        else partial(chosen_preset, resume.preset, size, image, seed, dream_size=dream_size, journey=journey)
    )
    for dream in dict.fromkeys((_dream_by_hand(resume), ())):
        try:
            return again(dream=dream)
        except VisualizerError as fault:  # its files were changed since
            logging.getLogger("visualizer.cli").warning("%s; starting with the preset of the command line", fault)
    return own()


def _dream_by_hand(state: ResumeState) -> tuple[tuple[str, float | str], ...]:
    """(name, value) of the dream settings that were changed by hand; invalid ones are left out."""
    from ..control.parameters import base_parameters

    found = []
    for name, value in state.values.items():
        section, _, key = name.partition(".")
        if section == "dream":
            with suppress(BadInput):
                found.append((key, base_parameters().find(name).checked(value)))
    return tuple(found)


def chosen_pictures(camera: str | None, folder: Path | None) -> PictureOptions:
    """The options of pictures for a journey as one value. Raises BadInput for a folder that is a file."""
    from ..files.paths import is_file
    from ..show.picture_sources import PictureOptions

    if folder is not None and is_file(folder):
        raise BadInput(f"--pictures {plain(folder)}: is a file; name the folder that it is in")
    if camera == "":
        raise BadInput("--camera '' names no camera; `visualizer cameras` lists them")
    return PictureOptions(camera, folder)


def open_chosen_controllers(midi: str | None, osc: str | None, osc_allow: str | None, link: bool) -> list[Controller]:
    """Open the controllers that the options name. Raises VisualizerError, and BadInput."""
    if midi is None and osc is None and osc_allow is None and not link:
        return []
    from ..control.controllers import open_controllers

    return open_controllers("" if midi == "all" else midi, osc, link, osc_allow=osc_allow, say=print_message)


def chosen_staging(
    fullscreen: bool,
    monitor: str | None,
    borderless: bool,
    no_adapt: bool,
    panel: bool = False,
    size: str | None = None,
) -> Staging:
    """The options of the window and the panel as one value. size: of the window, None for that of the dream frames."""
    from ..show.onscreen import Staging

    wanted = int(monitor) if monitor is not None and re.fullmatch(r"\d{1,3}", monitor) else monitor
    return Staging(
        fullscreen=fullscreen,
        monitor=wanted,
        borderless=borderless,
        adapt=not no_adapt,
        panel=panel,
        size=None if size is None else parse_size(size),
    )


def chosen_recording(
    lifeline: Lifeline | None,
    record: bool,
    record_to: Path | None,
    no_sound: bool,
    no_dreams: bool,
    video: bool,
    copy_songs: bool = False,
) -> RecordingOptions:
    """The options of the recording as one value. Raises BadInput or VisualizerError if it cannot be recorded there, but
    not in a show that is restarted after a crash, which goes on.
    """
    from ..session.layout import check_new_folder
    from ..show.recorder import RecordingOptions

    begins = record or record_to is not None
    folder = record_to.absolute() if record_to is not None else None
    if begins and (lifeline is None or lifeline.resume is None):
        check_new_folder(folder)
    return RecordingOptions(
        begins=begins,
        folder=folder,
        keeps_sound=not no_sound,
        keeps_dreams=not no_dreams,
        copies_songs=copy_songs,
        has_video=video,
        say=print_message,
    )


def with_record_folder(arguments: list[str]) -> list[str]:
    """The arguments, with --record-to in place of --record where a folder follows it: as in --record=DIR, and in
    `live --record DIR`, since `live` has no other arguments without a dash.
    """
    rest: list[str] = []
    for argument in arguments:
        if argument.startswith("--record="):
            argument = f"--record-to={argument.partition('=')[2]}"
        elif rest and rest[0] == "live" and rest[-1] == "--record" and argument and not argument.startswith("-"):
            rest[-1] = "--record-to"
        rest.append(argument)
    return rest


def take_global(arguments: list[str]) -> list[str]:
    """Read --debug and --log-level, wherever they stand before `--`. Returns the other arguments. Raises BadInput."""
    global debug, given, log_level
    debug, log_level, given = False, None, list(arguments)
    rest: list[str] = []
    waiting = iter(arguments)
    for argument in waiting:
        if argument == "--":
            return [*rest, argument, *waiting]
        if argument == "--debug":
            debug = True
        elif argument.startswith("--log-level="):
            log_level = argument.partition("=")[2]
        elif argument == "--log-level":
            log_level = next(waiting, None)
            if log_level is None:
                raise BadInput("--log-level needs a value: debug, info, warning or error")
        else:
            rest.append(argument)
    return rest


def one_song(songs: list[Path], command: str) -> Path:
    """The one song that a command takes. Raises BadInput for several."""
    if len(songs) > 1:
        raise BadInput(f"`visualizer {command}` takes one song, but {len(songs)} were given; run it once for each")
    return songs[0]


def add_arguments(*arguments: str) -> None:
    """Add arguments to `given`, for a child process that is started with them."""
    at = given.index("--") if "--" in given else len(given)
    given[at:at] = arguments


def with_command(arguments: list[str], commands: Collection[str]) -> list[str]:
    """The arguments, with `play` inserted before them if they begin with a file, folder or address instead of a
    command.

    Raises BadInput for a first argument with a dot or a slash, as only file names have, that does not exist.
    """
    first = arguments[0] if arguments else ""
    if not first or first in commands or first in GLOBAL_OPTIONS:
        return arguments
    files = arguments[1:] if first.startswith("-") else [first]
    if any(is_address(one) or _exists(one) for one in files):
        return ["play", *arguments]
    if not first.startswith("-") and re.search(r"[./\\]", first):
        raise BadInput(f"{first}: there is no such file or command; check the path, or see `visualizer --help`")
    return arguments


def _exists(text: str) -> bool:
    try:
        return Path(text).exists()
    except (OSError, ValueError):
        return False


def parse_size(text: str, option: str = "--size") -> tuple[int, int]:
    """ "1280x720" -> (1280, 720), "vertical" -> (1080, 1920). option: its name, for messages. Raises BadInput."""
    if named := SIZES.get(text.strip().lower()):
        return named
    match = re.fullmatch(r"(\d{1,6})[xX×](\d{1,6})", text.strip())
    if match is None:
        raise BadInput(
            f"{option} {text!r} is not a size; write width x height in pixels, like 1280x720, or one of {', '.join(SIZES)}"
        )
    width, height = int(match[1]), int(match[2])
    if not (16 <= width <= 16384 and 16 <= height <= 16384):
        raise BadInput(f"{option} {text} is out of range; allowed: 16x16 .. 16384x16384")
    return width, height


def parse_device(text: str | None) -> str | int | None:
    """A device option as a number (of `visualizer devices`) or a name or part of a name."""
    return int(text) if text is not None and re.fullmatch(r"\d{1,4}", text) else text


def parse_channels(text: str | None) -> tuple[int, ...]:
    """ "3,4" -> (3, 4), "1-4" -> (1, 2, 3, 4), None -> (). Raises BadInput."""
    if text is None:
        return ()
    channels: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,3})\s*(?:-\s*(\d{1,3})\s*)?", part)
        first, last = (int(match[1]), int(match[2] or match[1])) if match is not None else (0, 0)
        if not 1 <= first <= last:
            raise BadInput(f"--channels {text!r} is not valid; write channel numbers from 1 on, like 3,4 or 1-4")
        channels += range(first, last + 1)
    return tuple(dict.fromkeys(channels))


def parse_delay(delay_ms: float | None) -> float | None:
    """The delay, unchanged. Raises BadInput if it is out of range."""
    low, high = DELAY_MS
    if delay_ms is not None and not low <= delay_ms <= high:  # nor NaN
        raise BadInput(f"--delay-ms {delay_ms:g} is out of range; allowed: {low:g} .. {high:g} ms")
    return delay_ms


def parse_gain(gain_db: float) -> float:
    """The gain in dB, unchanged. Raises BadInput for NaN and infinity; the input checks the range."""
    if not math.isfinite(gain_db):
        raise BadInput(f"--gain {gain_db} is not a number; allowed: -60 .. 60 dB")
    return gain_db
