"""Actions for a journey, the zoom from dream to dream: its speed, its direction, and the pictures that it comes to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ..action import Action, requesting
from ..parameters import JOURNEY_SPEED
from ..state import Context, ShowState

STEP = 2**0.5
LEAST, MOST = 0.125, 4.0
LINE, SPEED_LINE = "journey: hold, turn, next layer", "journey: slower, faster"
PICTURES_LINE = "picture: camera, folder, preset"


def _setting(speed: Callable[[float], float]) -> Callable[[ShowState, Context], ShowState]:
    """An action that makes another speed of the one before."""

    def apply(state: ShowState, context: Context) -> ShowState:
        now = speed(float(state.value(JOURNEY_SPEED, context)))
        answer = "journey held" if now == 0 else f"journey {'back' if now < 0 else 'on'}, speed {abs(now):.2g}"
        return replace(state.setting(JOURNEY_SPEED, now, context), answer=answer)

    return apply


def _times(factor: float) -> Callable[[float], float]:
    def speed(now: float) -> float:
        sign = -1.0 if now < 0 else 1.0
        return sign * min(max(abs(now) * factor, LEAST), MOST)

    return speed


_DECLARED = (
    Action(
        "journey_hold",
        keys=("j",),
        help="hold the journey",
        apply=_setting(lambda now: 0.0 if now else 1.0),
        details="holds a journey where it is, or lets it go on as the preset says, in its direction and at its speed; "
        "turns it round; dreams its next station with the layers that the one after it would have had",
        line=LINE,
        button="hold",
    ),
    Action(
        "journey_turn",
        keys=("shift+j",),
        help="turn the journey round",
        apply=_setting(lambda now: -now if now else -1.0),
        line=LINE,
        button="turn round",
    ),
    Action(
        "journey_next_layer",
        keys=("k",),
        help="the journey's next layer",
        apply=requesting("next_layer"),
        line=LINE,
        button="next layer",
    ),
    Action(
        "journey_slower",
        keys=(",",),
        help="journey slower",
        apply=_setting(_times(1 / STEP)),
        details="slows a journey down; speeds it up",
        line=SPEED_LINE,
        button="slower",
    ),
    Action(
        "journey_faster",
        keys=(".",),
        help="journey faster",
        apply=_setting(_times(STEP)),
        line=SPEED_LINE,
        button="faster",
    ),
    Action(
        "grab_picture",
        keys=("g",),
        help="picture from the camera",
        apply=requesting("grab_picture"),
        details="the journey comes to [a picture](steering.md): from the camera; the newest in the folder that is "
        "watched; the next one of the preset",
        line=PICTURES_LINE,
        button="camera",
    ),
    Action(
        "newest_picture",
        keys=("shift+g",),
        help="newest picture in the folder",
        apply=requesting("newest_picture"),
        line=PICTURES_LINE,
        button="folder",
    ),
    Action(
        "next_picture",
        keys=("v",),
        help="next picture of the preset",
        apply=requesting("next_picture"),
        line=PICTURES_LINE,
        button="next picture",
    ),
)

ACTIONS = tuple(replace(one, section="journey", order=60 + index) for index, one in enumerate(_DECLARED))
