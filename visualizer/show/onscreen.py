"""Opens everything that a show in a window needs, shows it, and closes it: what live and play have in common."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from ..clock import Stopwatch
from ..control.commands import Command, Set
from ..control.controller import Controller
from ..control.keys import load_keys
from ..memory import give_large_blocks_back
from ..outputs.output import Output
from ..presets import dreams as dreams_room
from ..presets.cache import FrameCache
from ..presets.loaded import LoadedPreset
from ..render.awake import kept_awake
from ..render.picture import Picture
from ..render.window import Window
from ..supervision.resume import ResumeState
from .clocks import ScreenClock, pace_hz
from .frametimes import NO_TIMES, Percentiles
from .graphics import Graphics
from .guard import Guard
from .journey_state import ResumedJourney, resumed
from .look_guard import DrawnLooks, again
from .panel_switch import OpensPanel
from .picture_sources import PictureOptions
from .recorder import RecordingOptions
from .source import Capability, Source
from .sources.guarded import GuardedSource
from .stage import DisplayFrame, build_picture
from .window_show import WindowShow, WindowShowOptions

if TYPE_CHECKING:
    from ..supervision.lifeline import Lifeline

log = logging.getLogger(__name__)

Opened = TypeVar("Opened")


@dataclass(frozen=True)
class Staging:
    """How a show appears on the screen.

    monitor: index or name, the primary one if None. adapt: draw smaller where the machine cannot keep the pace.
    rate_hz: display frames a second, the screen's own if None. panel: open the performer's panel. size: width and
    height of the window, px, those of the dream frames if None.
    """

    fullscreen: bool = False
    monitor: str | int | None = None
    borderless: bool = False
    adapt: bool = True
    rate_hz: float | None = None
    panel: bool = False
    size: tuple[int, int] | None = None


@dataclass(frozen=True)
class Report:
    """What was shown.

    n_frames, seconds: display frames, and how long they took. first_picture_s: from the call to the first picture on
    the screen. times: from one display frame to the next. n_dropped, n_repeated: see `FrameTimes`.
    """

    n_frames: int
    seconds: float
    first_picture_s: float
    times: Percentiles = NO_TIMES
    n_dropped: int = 0
    n_repeated: int = 0

    @property
    def rate_hz(self) -> float:
        """Display frames a second, mean."""
        return self.n_frames / self.seconds if self.seconds else 0.0


def run(
    loaded: LoadedPreset,
    source: Source | Callable[[], Source],
    cache: FrameCache,
    *,
    title: str | None = None,
    staging: Staging | None = None,
    greeting: str | None = None,
    on_frame: Callable[[int, DisplayFrame], bool] | None = None,
    opens: Callable[..., Window] = Window,
    controllers: Sequence[Controller] | Callable[[], Sequence[Controller]] = (),
    outputs: Sequence[Output] = (),
    opens_panel: OpensPanel | None = None,
    lifeline: Lifeline | None = None,
    recording: RecordingOptions | None = None,
    on_command: Callable[[Command], None] = lambda command: None,
    pictures: PictureOptions | None = None,
    say: Callable[[str], None] = log.warning,
) -> Report:
    """Show a source in a window until it or the user ends it.

    source, controllers: the objects, or functions that open them. These are called before the window opens, so that
    errors are reported at once; in a show that is restarted after a crash they are called once its picture is shown.
    Controllers are closed at the end.

    title: of the window; that of the source if None. greeting: the first notice; None: which key shows help; "": no
    notice. on_frame: called after every display frame with the number of them and the newest; returning True ends the
    show. opens: opens the window.
    outputs: where the pictures go besides the window; they are closed at the end. opens_panel: opens the performer's
    panel. lifeline: the connection to the supervisor. recording: how the show is recorded as a session; in a show that
    is restarted after a crash it goes on, as another session. on_command: called with every command. pictures: where it
    gets pictures for a journey. say: called with lines for the terminal, on any thread.

    Raises BadInput for keys.yaml or a monitor that does not exist, GraphicsError when no window can be opened.
    """
    watch = Stopwatch()
    give_large_blocks_back()
    keymap, staging = load_keys(), staging or Staging()
    resume = lifeline.resume if lifeline is not None else None
    guard = Guard()
    if resume is not None and pictures is not None:  # nobody has asked for the camera now
        pictures = replace(pictures, opens_camera=False)
    with ExitStack() as stack:
        # closed here if anything fails before the show takes it over
        opened = stack.enter_context(ExitStack())
        for output in outputs:
            opened.callback(output.close)
        if resume is None:
            source, controllers = _open(source), _open_controllers(controllers, opened)
        # a sound callback waiting for Python's lock gets it within 0.5 ms instead of 5 ms
        stack.callback(sys.setswitchinterval, sys.getswitchinterval())
        sys.setswitchinterval(0.0005)
        shown_title = title or ("visualizer" if callable(source) else source.title)
        window = stack.enter_context(opens(staging.size or loaded.size, shown_title, **_where(staging, resume)))
        graphics = Graphics.of(window)
        first = _first_picture(loaded, cache, graphics, lifeline)
        first_picture_s = watch.elapsed_s()
        log.info("first picture after %.2f s", first_picture_s)
        guarded = GuardedSource(_open(source), guard)
        if resume is not None:
            with guard.part("controllers", "the show goes on without them"):
                controllers = _open_controllers(controllers, opened)
        clock = _clock_for(guarded, staging, graphics, first)
        dreams = dreams_room.start(loaded, cache, first.journey.begun if first.journey is not None else ())
        opened.callback(dreams.close)
        options = WindowShowOptions(
            outputs=outputs,
            adapt=staging.adapt,
            follow_monitor=staging.rate_hz is None,
            controllers=() if callable(controllers) else controllers,
            opens_panel=opens_panel,
            lifeline=lifeline,
            title=title,
            recording=recording,
            on_command=on_command,
            say=say,
            left_out=first.left_out,
            journey=first.journey,
            pictures=pictures,
        )
        show = WindowShow(graphics, guarded, loaded, cache, dreams, first.picture, clock, keymap, guard, options)
        opened.pop_all()
        del dreams  # else its frames stay in memory after a change of presets
        with closing(show), kept_awake():
            usual = f"{keymap.shown('help')}  help" if greeting is None else greeting
            _begin(show, first, staging, options, usual)
            n_frames, seconds = _shown(show, on_frame, lifeline)
    times = clock.times
    report = Report(n_frames, seconds, first_picture_s, times.overall(), times.n_dropped, times.n_repeated)
    log.info(
        "shown: %d display frames in %.1f s, %.1f a second; from one to the next p50 %.1f, p95 %.1f, p99 %.1f ms; "
        "%d dropped, %d repeated",
        *(n_frames, seconds, report.rate_hz, *report.times, report.n_dropped, report.n_repeated),
    )
    return report


class _First(NamedTuple):
    """The first picture of a show. journey: that goes on in it. left_out: see `build_picture`. is_dark: black."""

    picture: Picture
    journey: ResumedJourney | None
    left_out: tuple[str, ...]
    is_dark: bool


def _first_picture(loaded: LoadedPreset, cache: FrameCache, graphics: Graphics, lifeline: Lifeline | None) -> _First:
    """Show the image of a preset, or where its journey was when the show crashed."""
    resume = lifeline.resume if lifeline is not None else None
    left_out = resume.left_out if resume is not None else ()
    journey = resumed(loaded, cache, resume.journey_of(loaded.reference)) if resume is not None else None
    picture = build_picture(
        loaded, graphics.window, graphics.programs, left_out=left_out, journey=journey, fewer_stations=True
    )
    if lifeline is not None:
        _report_looks(lifeline, loaded, picture)
    # a stage that was black must not light up
    is_dark = resume is not None and bool(resume.values.get("blackout"))
    graphics.show_image(picture, dark=is_dark)
    return _First(picture, journey, left_out, is_dark)


def _clock_for(source: Source, staging: Staging, graphics: Graphics, first: _First) -> ScreenClock:
    """The clock of a show; shows its first picture a few times to measure the pace of the screen."""
    rate_hz = staging.rate_hz or _measured_pace_hz(graphics, first.picture, first.is_dark)
    # a song is known before it is heard: waking up at a kick gains nothing there
    return ScreenClock(
        source.position_s,
        rate_hz,
        wait_for_kick=source.wait_for_kick if Capability.WAKES in source.capabilities else None,
        swap_waits=staging.rate_hz is None and rate_hz > graphics.window.refresh_hz,
    )


def _begin(show: WindowShow, first: _First, staging: Staging, options: WindowShowOptions, greeting: str) -> None:
    """What a show does before its first display frame: goes on from a crash, or opens what the user asked for; and says
    what there is to know. greeting: the last notice of a show that does not go on.
    """
    lifeline = options.lifeline
    if lifeline is not None and lifeline.resume is not None:
        show.resume(lifeline.resume)
        greeting = lifeline.why
        if names := [link.look.name for link in first.picture.links if link.is_left_out]:
            line = f"look {', '.join(names)} is left out: the show ended while it was drawn; {again(names)}"
            show.say(line)
            options.say(line)
    else:
        if staging.panel:
            show.open_panel()
        if options.recording is not None and options.recording.begins:
            show.dispatcher.dispatch(Set("record", 1.0))
    show.say(first.journey.news if first.journey is not None else "", *show.stage.scene.news, greeting)


def _shown(
    show: WindowShow, on_frame: Callable[[int, DisplayFrame], bool] | None, lifeline: Lifeline | None
) -> tuple[int, float]:
    """Show it until it ends; the number of display frames, and seconds."""
    watch = Stopwatch()
    try:
        n_frames = show.run(on_frame)
    except KeyboardInterrupt:
        if lifeline is not None:
            lifeline.ended()
        raise
    seconds = watch.elapsed_s()
    if lifeline is not None:  # the supervisor must not take closing for a hang
        lifeline.ended()
    return n_frames, seconds


def _report_looks(lifeline: Lifeline, loaded: LoadedPreset, picture: Picture) -> None:
    """Report the looks of the first picture before it is drawn: they may hang the graphics driver."""
    drawn = DrawnLooks(lambda: 0.0)
    drawn.note(picture.links)
    if drawn.suspects:
        state = lifeline.resume or ResumeState(preset=loaded.reference)
        lifeline.keep(replace(state, looks=drawn.suspects), at_once=True)


def _open(given: Opened | Callable[[], Opened]) -> Opened:
    """What is given, or what the function that is given opens."""
    return given() if callable(given) else given


def _open_controllers(
    given: Sequence[Controller] | Callable[[], Sequence[Controller]], opened: ExitStack
) -> Sequence[Controller]:
    """The controllers, to be closed with `opened`."""
    controllers = _open(given)
    for one in controllers:
        opened.callback(one.close)
    return controllers


def _where(staging: Staging, resume: ResumeState | None) -> dict[str, Any]:
    """Where the window opens, as arguments of `Window`: as asked for, or where it was when the show crashed."""
    where: dict[str, Any] = {
        "fullscreen": staging.fullscreen,
        "monitor": staging.monitor,
        "borderless": staging.borderless,
    }
    if resume is not None and resume.place is not None:
        where |= {"fullscreen": resume.fullscreen, "monitor": resume.monitor, "place": resume.place}
    return where


def _measured_pace_hz(graphics: Graphics, picture: Picture, dark: bool) -> float:
    """The pace for this window, see `pace_hz`; shows the image a few times to find out."""
    n_swaps = 3
    watch = Stopwatch()
    for _ in range(n_swaps):
        graphics.show_image(picture, dark=dark)
    return pace_hz(graphics.window.refresh_hz, watch.elapsed_s() / n_swaps)
