"""Actions for the source of the sound: its input, the song, the volume."""

from __future__ import annotations

from collections.abc import Callable

from ...settings import VOLUME_DB
from ..action import Action, requesting
from ..capabilities import Capability
from ..state import Context, ShowState

VOLUME_STEP_DB = 2.0
MUTE, LEVEL = "output.mute", "output.volume_db"
SEEK, SONG, VOLUME = "5 s back, 5 s forward", "previous, next song", "volume"


def _volume(step_db: float) -> Callable[[ShowState, Context], ShowState]:
    def apply(state: ShowState, context: Context) -> ShowState:
        level_db = min(max(float(state.value(LEVEL, context)) + step_db, VOLUME_DB[0]), VOLUME_DB[1])
        after = state.setting(LEVEL, level_db, context).setting(MUTE, 0.0, context)
        return after.answering(f"volume {level_db:.0f} dB")

    return apply


def _mute(state: ShowState, context: Context) -> ShowState:
    muted = not float(state.value(MUTE, context))
    after = state.setting(MUTE, float(muted), context)
    return after.answering("muted" if muted else f"volume {state.value(LEVEL, context):.0f} dB")


ACTIONS = (
    Action(
        "next_input",
        keys=("i",),
        help="next input",
        apply=requesting("source", "next_input"),
        details="the next input (`live`)",
        needs=Capability.DEVICES,
        button="next input",
        button_order=2,
        order=40,
    ),
    Action(
        "seek_back",
        keys=("left",),
        help="5 s back",
        apply=requesting("source", "seek_back"),
        details="5 s back, 5 s forward (`play`)",
        line=SEEK,
        needs=Capability.SEEK,
        order=41,
    ),
    Action(
        "seek_forward",
        keys=("right",),
        help="5 s forward",
        apply=requesting("source", "seek_forward"),
        line=SEEK,
        needs=Capability.SEEK,
        order=42,
    ),
    Action(
        "previous_song",
        keys=("shift+left",),
        help="the beginning of the song; in its first 3 s the previous song",
        apply=requesting("source", "previous_song"),
        details="the beginning of the song, in its first 3 s the previous song; the next song ([`play`](playing.md) with several)",
        line=SONG,
        needs=Capability.SONGS,
        button="previous song",
        button_order=3,
        order=43,
    ),
    Action(
        "next_song",
        keys=("shift+right",),
        help="the next song",
        apply=requesting("source", "next_song"),
        line=SONG,
        needs=Capability.SONGS,
        button="next song",
        button_order=4,
        order=44,
    ),
    Action(
        "volume_up",
        keys=("+", "="),
        help="louder",
        apply=_volume(VOLUME_STEP_DB),
        details="louder, softer by 2 dB (`play`)",
        line=VOLUME,
        needs=Capability.VOLUME,
        order=45,
    ),
    Action(
        "volume_down",
        keys=("-",),
        help="softer",
        apply=_volume(-VOLUME_STEP_DB),
        line=VOLUME,
        needs=Capability.VOLUME,
        order=46,
    ),
    Action(
        "mute",
        keys=("m",),
        help="mute",
        apply=_mute,
        details="mutes the song; again: unmutes it (`play`)",
        needs=Capability.VOLUME,
        order=47,
    ),
)
