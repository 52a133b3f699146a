"""What goes wrong in a rehearsal, and when. Pure: the same minutes and seed give the same plan."""

from __future__ import annotations

import random
from collections.abc import Collection
from dataclasses import dataclass

LEAST_MINUTES, MOST_MINUTES = 1.0, 24 * 60.0
#: the show is left alone at the beginning for this share of the time, at most so long, seconds
LEAD_SHARE, LEAD_S = 0.05, 10.0
#: and at the end: what is still wrong then does not come right by itself
QUIET_SHARE, LEAST_QUIET_S, QUIET_S = 0.1, 5.0, 120.0
#: at least this share of a longer rehearsal nothing is wrong: memory is measured then
CALM_SHARE = 0.5
#: how long things are left wrong where there is hardly time for all, as a factor
HURRY = 0.4


@dataclass(frozen=True)
class Kind:
    """A kind of fault. words: what is done to the show; takes_s: how long it usually takes until all is as before; needs: what
    the system must have for it; is_told: whether the performer is told (a busy machine is not); raises: whether a traceback
    in the log belongs to it; is_rare: no card is reset every two minutes, and each new context leaves a tenth of a megabyte in
    the driver: these come in the first round and in the last.
    """

    words: str
    takes_s: float
    needs: str = ""
    is_told: bool = True
    raises: bool = False
    is_rare: bool = False


KINDS: dict[str, Kind] = {
    "sound lost": Kind("the input's device is taken away and given back", 4.5, "sound server"),
    "analysis fails": Kind("hearing the kick raises an exception for a second", 4.5, raises=True),
    "drawing fails": Kind("drawing raises an exception for a second", 4.0, raises=True),
    "nothing can be drawn": Kind("all drawing raises an exception in this window", 4.0, raises=True, is_rare=True),
    "graphics reset": Kind("the graphics card has lost all it held", 2.0, is_rare=True),
    "preset broken": Kind("a preset is opened that has a fault in it, then mended", 3.0, raises=True),
    "shader unknown": Kind("a preset wants a shader that is not there, then one that is", 3.0, raises=True),
    "shader broken": Kind("a preset wants a shader that does not compile, then it does", 3.0, raises=True),
    "bake killed": Kind("the process that bakes is killed", 9.0, raises=True),
    "bake out of memory": Kind("the process that bakes gets no more memory", 8.0, "limits", raises=True),
    "disk full": Kind("nothing can be written: a bake, a screenshot, the log", 7.0, "limits"),
    "busy machine": Kind("as many busy processes as there are cores", 4.0, is_told=False),
    "panel killed": Kind("the panel's process is killed", 4.0, "panel", raises=True),
    "bad packets": Kind("random bytes come to the OSC port", 2.0, "osc"),
    "show killed": Kind("the show's process is killed", 5.0, "kill"),
}


@dataclass(frozen=True)
class Planned:
    """A fault that is to be provoked. at_s: seconds from the beginning of the rehearsal; later if another is not over yet."""

    kind: str
    at_s: float


@dataclass(frozen=True)
class Plan:
    """A rehearsal: how long it takes and what goes wrong in it, in order. From quiet_from_s on nothing does. patience: how long
    things are left wrong, as a factor.
    """

    total_s: float
    quiet_from_s: float
    faults: tuple[Planned, ...]
    patience: float = 1.0


def plan(minutes: float, seed: int, kinds: Collection[str] = tuple(KINDS)) -> Plan:
    """Every kind once in each round (the rare ones in the first and the last), in an order of the round's own; as many rounds
    as leave half the time calm, at least one.

    minutes: LEAST_MINUTES .. MOST_MINUTES. Where one round is too long for them the faults follow one another closely, and
    the last may find no time.
    """
    rng = random.Random(seed)
    total_s = minutes * 60.0
    lead_s = min(LEAD_SHARE * total_s, LEAD_S)
    quiet_from_s = total_s - min(max(QUIET_SHARE * total_s, LEAST_QUIET_S), QUIET_S)
    room_s, round_s = quiet_from_s - lead_s, sum(KINDS[kind].takes_s for kind in kinds)
    if not kinds:
        return Plan(total_s, quiet_from_s, ())
    order: list[str] = []
    n_rounds = max(1, int(room_s * (1 - CALM_SHARE) / round_s))
    for number in range(n_rounds):
        again = [kind for kind in kinds if not KINDS[kind].is_rare or number in (0, n_rounds - 1)]
        rng.shuffle(again)
        if order and len(again) > 1 and again[0] == order[-1]:
            again.append(again.pop(0))
        order += again
    spare_s = max(0.0, room_s - sum(KINDS[kind].takes_s for kind in order))
    shares = [rng.random() for _ in order]
    squeeze = min(1.0, room_s / sum(KINDS[kind].takes_s for kind in order))
    at_s, faults = lead_s, []
    for kind, share in zip(order, shares, strict=True):
        faults.append(Planned(kind, round(at_s, 3)))
        at_s += KINDS[kind].takes_s * squeeze + spare_s * share / sum(shares)
    return Plan(total_s, quiet_from_s, tuple(faults), 1.0 if squeeze == 1.0 else HURRY)
