"""Live: the picture follows a microphone or a line input, and goes on without one."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

from ..audio.input import LiveInput
from ..control.controller import Controller
from ..files.remembered import DEFAULT_INPUT, remember_input, remembered_input
from ..presets.cache import FrameCache
from ..presets.loaded import LoadedPreset
from .onscreen import Report, Staging, run
from .panel_switch import OpensPanel
from .picture_sources import PictureOptions
from .recorder import RecordingOptions
from .sources.input import InputSource

if TYPE_CHECKING:
    from ..supervision.lifeline import Lifeline

log = logging.getLogger(__name__)


def open_input(
    device: str | int | None, *, channels: Sequence[int] = (), gain_db: float = 0.0, was_there: bool = False
) -> LiveInput:
    """The input of a show: the given one, else the remembered one, else the default of the system.

    A given input is remembered; "default" forgets it. was_there: it was in use a moment ago. An input that is missing
    is waited for if it was in use or chosen before; otherwise its name may be mistyped, and it is an error. Raises
    UnknownDevice, BadInput, and DeviceError without any sound system.
    """
    remembered = remembered_input()
    if device == DEFAULT_INPUT:
        remember_input(None)
        device = remembered = None
    known = was_there or (
        remembered is not None
        and isinstance(device, str)
        and device.strip() != ""
        and device.lower() in remembered.lower()
    )
    return LiveInput(
        device,
        channels=channels,
        gain_db=gain_db,
        must_be_there=not known,
        remembered=remembered,
        on_choice=remember_input,
    )


def live(
    loaded: LoadedPreset,
    cache: FrameCache,
    *,
    device: str | int | None = None,
    channels: Sequence[int] = (),
    gain_db: float = 0.0,
    staging: Staging | None = None,
    controllers: Callable[[], Sequence[Controller]] = tuple,
    opens_panel: OpensPanel | None = None,
    lifeline: Lifeline | None = None,
    recording: RecordingOptions | None = None,
    pictures: PictureOptions | None = None,
    say: Callable[[str], None] = log.warning,
) -> Report:
    """Show the chosen input in a window until the user ends it; see `open_input` and `run`. Raises as these.

    controllers: opens the controllers, which are closed at the end. opens_panel: opens the performer's panel. lifeline:
    the connection to the supervisor; a restarted show uses the input that was in use. recording, pictures, say: see
    `run`.
    """
    resume = lifeline.resume if lifeline is not None else None
    if resume is not None and resume.input and not channels:
        device = resume.input
    with ExitStack() as stack:

        def source() -> InputSource:
            opened = open_input(device, channels=channels, gain_db=gain_db, was_there=resume is not None)
            return InputSource(stack.enter_context(opened), loaded.settings.beat)

        return run(
            loaded,
            source,
            cache,
            title=InputSource.title,
            staging=staging,
            controllers=controllers,
            opens_panel=opens_panel,
            lifeline=lifeline,
            recording=recording,
            pictures=pictures,
            say=say,
        )
