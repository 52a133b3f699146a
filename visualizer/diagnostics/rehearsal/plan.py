"""Plan the faults of a rehearsal. Pure: the same minutes and seed give the same plan."""

from __future__ import annotations

import random
from collections.abc import Collection
from dataclasses import dataclass

MIN_MINUTES, MAX_MINUTES = 1.0, 24 * 60.0
#: time without faults at the beginning, as a fraction of the whole, at most so many seconds
LEAD_FRACTION, LEAD_S = 0.05, 10.0
#: the same at the end, at least and at most so many seconds: a fault that is still there then does not end by itself
QUIET_FRACTION, MIN_QUIET_S, QUIET_S = 0.1, 5.0, 120.0
#: fraction of a longer rehearsal that is at least without faults: memory is measured then
CALM_FRACTION = 0.5
#: factor for the duration of the faults if there is hardly time for all
HURRY = 0.4


@dataclass(frozen=True)
class Kind:
    """A kind of fault.

    Parameters
    ----------
    words : what is done to the show.
    takes_s : usual time until the show has recovered.
    needs : what the system must have for it; "" for nothing.
    is_reported : whether the show reports it to the performer (a busy machine it does not).
    raises : whether it writes a traceback to the log.
    is_rare : it comes only in the first and the last round, because each new context leaves a tenth of a megabyte in
    the driver.
    """

    words: str
    takes_s: float
    needs: str = ""
    is_reported: bool = True
    raises: bool = False
    is_rare: bool = False


KINDS: dict[str, Kind] = {
    "sound lost": Kind("the input device is removed and added again", 4.5, "sound server"),
    "analysis fails": Kind("the analysis of the sound raises an exception for a second", 4.5, raises=True),
    "drawing fails": Kind("drawing raises an exception for a second", 4.0, raises=True),
    "nothing can be drawn": Kind("all drawing in the window raises an exception", 4.0, raises=True, is_rare=True),
    "graphics reset": Kind("the graphics card is reset", 2.0, is_rare=True),
    "preset broken": Kind("a broken preset is opened, then repaired", 3.0, raises=True),
    "shader unknown": Kind("a preset names a shader that does not exist, then one that does", 3.0, raises=True),
    "shader broken": Kind("a preset names a shader that does not compile, then one that does", 3.0, raises=True),
    "bake killed": Kind("the bake process is killed", 9.0, raises=True),
    "bake out of memory": Kind("the bake process gets no more memory", 8.0, "limits", raises=True),
    "disk full": Kind("nothing can be written: a bake, a screenshot, the log", 7.0, "limits"),
    "busy machine": Kind("a busy process on every core", 4.0, is_reported=False),
    "panel killed": Kind("the panel's process is killed", 4.0, "panel", raises=True),
    "bad packets": Kind("random bytes are sent to the OSC port", 2.0, "osc"),
    "show killed": Kind("the show's process is killed", 5.0, "kill"),
}


@dataclass(frozen=True)
class PlannedFault:
    """A fault to provoke. at_s: seconds from the beginning; it comes later if the one before has not ended by then."""

    kind: str
    at_s: float


@dataclass(frozen=True)
class Plan:
    """The plan of a rehearsal.

    total_s: its duration; quiet_from_s: there are no faults from here to the end; faults: in order; patience: factor
    for the duration of the faults.
    """

    total_s: float
    quiet_from_s: float
    faults: tuple[PlannedFault, ...]
    patience: float = 1.0


def plan(minutes: float, seed: int, kinds: Collection[str] = tuple(KINDS)) -> Plan:
    """Plan rounds in which every kind comes once, in random order (the rare kinds only in the first and the last
    round).

    There is at least one round, and more if half of the time remains without faults. minutes: MIN_MINUTES ..
    MAX_MINUTES; if one round is too long for them, the faults follow each other closely, and there may be no time for
    the last ones.
    """
    rng = random.Random(seed)
    total_s = minutes * 60.0
    lead_s = min(LEAD_FRACTION * total_s, LEAD_S)
    quiet_from_s = total_s - min(max(QUIET_FRACTION * total_s, MIN_QUIET_S), QUIET_S)
    room_s, round_s = quiet_from_s - lead_s, sum(KINDS[kind].takes_s for kind in kinds)
    if not kinds:
        return Plan(total_s, quiet_from_s, ())
    order: list[str] = []
    n_rounds = max(1, int(room_s * (1 - CALM_FRACTION) / round_s))
    for number in range(n_rounds):
        again = [kind for kind in kinds if not KINDS[kind].is_rare or number in (0, n_rounds - 1)]
        rng.shuffle(again)
        if order and len(again) > 1 and again[0] == order[-1]:
            again.append(again.pop(0))
        order += again
    free_s = max(0.0, room_s - sum(KINDS[kind].takes_s for kind in order))
    weights = [rng.random() for _ in order]
    squeeze = min(1.0, room_s / sum(KINDS[kind].takes_s for kind in order))
    at_s, faults = lead_s, []
    for kind, weight in zip(order, weights, strict=True):
        faults.append(PlannedFault(kind, round(at_s, 3)))
        at_s += KINDS[kind].takes_s * squeeze + free_s * weight / sum(weights)
    return Plan(total_s, quiet_from_s, tuple(faults), 1.0 if squeeze == 1.0 else HURRY)
