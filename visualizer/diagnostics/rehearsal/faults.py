"""What is done to the show, kind by kind, and by what it is told to be noticed and to be over.

Each is a generator that is sent every answer of the stage: it strikes, waits until the fault is noticed, heals it, and waits until all
is as before. What it has done to the machine it undoes when it is closed.
"""

from __future__ import annotations

import os
import random
import re
import signal
import socket
from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from ...clock import monotonic
from ...looks.look import plain_look
from .answers import Answer
from .plan import KINDS
from .rig import BAKED, BAKED_TITLE, EDITED, Rig

Steps = Generator[None, Answer, Any]

#: ways in which a preset is broken, in turn
BROKEN = (
    "title: [never closed\nimage: image.jpg\n",
    "title: Rehearsal\nimage: gone.jpg\n",
    "title: Rehearsal\nimage: preset.yaml\n",
    "title: Rehearsal\nimage: ../../../secret.jpg\n",
    "title: Rehearsal\ndream: {n_depths: 4000}\n",
    "\0\0\0",
)
HEARD = "ok"  # LiveInput.state
LEAST_FAULT_S = 1.0  # a part that is made to fail does so when it next works: sound that stalls must not outlast it
STAYS = "the picture stays as it was"


@dataclass
class Trial:
    """One fault of a rehearsal as it went. All _s: `time.monotonic`, None if it never came to that.

    gap_s: the longest time between two pictures from the beginning until it was over; said: lines told to the performer meanwhile; fault: why it did not recover.
    """

    kind: str
    begun_s: float
    struck_s: float | None = None
    noticed_s: float | None = None
    healed_s: float | None = None
    back_s: float | None = None
    ended_s: float | None = None
    gap_s: float = 0.0
    said: list[str] = field(default_factory=list)
    fault: str = ""

    def strike(self) -> None:
        """Now it is done."""
        self.struck_s = monotonic()

    def notice(self, answer: Answer) -> None:
        """The show has told of it."""
        self.noticed_s = answer.time_s

    def heal(self) -> None:
        """What was done is undone."""
        self.healed_s = monotonic()

    def back(self, answer: Answer) -> None:
        """All is as before."""
        self.back_s = answer.time_s


def until(true: Callable[[Answer], bool]) -> Generator[None, Answer, Answer]:
    """Wait for an answer of which that is true -> it."""
    while True:
        answer = yield
        if true(answer):
            return answer


def hold(rig: Rig, seconds: float) -> Steps:
    """Let some time pass."""
    end_s = monotonic() + seconds * rig.patience
    yield from until(lambda answer: answer.time_s >= end_s)


def _go_home(rig: Rig) -> Steps:
    """Back to the preset of the rehearsal, and until the crossing is over."""
    rig.order(show=rig.home)
    yield from until(lambda answer: answer.preset == rig.home)
    yield from hold(rig, 1.0)


def sound_lost(rig: Rig, trial: Trial) -> Steps:
    if rig.sink is None:
        return
    before = yield from until(lambda answer: answer.input_state == HEARD)
    trial.strike()
    rig.sink.pull()
    try:
        trial.notice((yield from until(lambda answer: answer.n_losses > before.n_losses)))
        yield from until(lambda answer: answer.moves_by_itself)
        yield from hold(rig, 1.0)
    finally:
        rig.sink.plug()
    trial.heal()
    trial.back((yield from until(lambda one: one.n_recoveries > before.n_recoveries and not one.moves_by_itself)))


def _fails(part: str, seconds: float) -> Callable[[Rig, Trial], Steps]:
    def fails(rig: Rig, trial: Trial) -> Steps:
        yield
        trial.strike()
        lasts_s = max(LEAST_FAULT_S, seconds * rig.patience)
        rig.order(fail=part, seconds=lasts_s)
        end_s = monotonic() + lasts_s
        trial.notice((yield from until(lambda one: any(part in line for line in (*one.faults, *one.said)))))
        yield from until(lambda answer: answer.time_s >= end_s)
        trial.healed_s = end_s
        trial.back((yield from until(lambda answer: not answer.faults)))

    return fails


def graphics_reset(rig: Rig, trial: Trial) -> Steps:
    yield from _another_window(rig, trial, "graphics")


def nothing_drawn(rig: Rig, trial: Trial) -> Steps:
    yield from _another_window(rig, trial, "pictures")


def _another_window(rig: Rig, trial: Trial, part: str) -> Steps:
    before = yield
    trial.strike()
    rig.order(fail=part, seconds=5.0)
    answer = yield from until(lambda answer: answer.n_windows > before.n_windows)
    trial.notice(answer)
    trial.healed_s = trial.struck_s
    n_frames = answer.n_frames
    trial.back(
        (
            yield from until(
                lambda one: (
                    one.n_frames > n_frames + 5 and one.n_baked >= before.n_baked and one.preset == before.preset
                )
            )
        )
    )


def preset_broken(rig: Rig, trial: Trial) -> Steps:
    yield
    rig.edit(BROKEN[rig.n_edits % len(BROKEN)])
    yield from _mended(rig, trial)


def shader_unknown(rig: Rig, trial: Trial) -> Steps:
    yield
    rig.edit(render={"shader": "no-such-shader"})
    yield from _mended(rig, trial)


def shader_broken(rig: Rig, trial: Trial) -> Steps:
    yield
    name = f"broken-{rig.n_edits}"
    good = plain_look().path.read_text("utf-8")
    broken = rig.presets / EDITED / f"{name}.frag"
    broken.write_text(good.replace("void main()", "void main("), "utf-8")
    rig.edit(render={"shader": name})
    try:
        yield from _mended(rig, trial)
    finally:
        broken.unlink(missing_ok=True)


def _mended(rig: Rig, trial: Trial) -> Steps:
    """Open the edited preset, which is broken; mend it, and open it again."""
    trial.strike()
    rig.order(show=EDITED)
    answer = yield from until(lambda answer: answer.told(STAYS))
    trial.notice(answer)
    if answer.preset != rig.home:
        trial.fault = f"{answer.preset} was shown"
    rig.edit()
    trial.heal()
    rig.order(show=EDITED)
    trial.back((yield from until(lambda answer: answer.preset == EDITED)))
    yield from _go_home(rig)


def _baking(rig: Rig) -> Generator[None, Answer, int]:
    """Let a dream be baked -> the process that does."""
    yield
    rig.ask_for_a_bake()
    rig.order(show=BAKED)
    answer = yield from until(lambda answer: "bake" in answer.children)
    return answer.children["bake"]


def _baked(rig: Rig, trial: Trial) -> Steps:
    """The bake is asked for again, and comes to its end."""
    trial.heal()
    rig.order(show=BAKED)
    trial.back((yield from until(lambda one: one.preset == BAKED and one.n_baked == one.n_dreams > 0)))
    yield from _go_home(rig)


def bake_killed(rig: Rig, trial: Trial) -> Steps:
    import psutil

    pid = yield from _baking(rig)
    yield from until(lambda answer: answer.preset == BAKED or answer.told(BAKED_TITLE))
    trial.strike()
    with suppress(psutil.NoSuchProcess):
        psutil.Process(pid).kill()
    trial.notice((yield from until(_bake_stopped)))
    yield from _baked(rig, trial)


def bake_out_of_memory(rig: Rig, trial: Trial) -> Steps:
    import psutil

    pid = yield from _baking(rig)
    trial.strike()
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        room = process.memory_info().vms + 2**20
        process.rlimit(psutil.RLIMIT_AS, (room, room))
    trial.notice((yield from until(_bake_stopped)))
    yield from _baked(rig, trial)


def _bake_stopped(answer: Answer) -> bool:
    return any("the bake stopped" in line for line in answer.logged)


def disk_full(rig: Rig, trial: Trial) -> Steps:
    import psutil

    yield
    process = psutil.Process(rig.pid)
    hard = process.rlimit(psutil.RLIMIT_FSIZE)[1]
    rig.ask_for_a_bake()
    trial.strike()
    process.rlimit(psutil.RLIMIT_FSIZE, (0, hard))
    try:
        rig.order(do="screenshot")
        rig.order(show=BAKED)
        trial.notice((yield from until(lambda answer: answer.told("screenshot cannot be written"))))
        yield from until(lambda one: one.preset == BAKED and one.n_baked == one.n_dreams > 0)
    finally:
        with suppress(psutil.NoSuchProcess):
            process.rlimit(psutil.RLIMIT_FSIZE, (hard, hard))
    trial.heal()
    rig.order(do="screenshot")
    trial.back((yield from until(lambda answer: answer.told("screenshot: "))))
    for picture in (rig.folder / "pictures").glob("*.png"):
        picture.unlink(missing_ok=True)
    yield from _go_home(rig)


def busy_machine(rig: Rig, trial: Trial) -> Steps:
    before = yield
    trial.strike()
    rig.keep_busy(os.cpu_count() or 1)
    try:
        yield from hold(rig, 3.0)
    finally:
        rig.let_rest()
    trial.heal()
    trial.back((yield from until(lambda answer: answer.rate_hz >= 0.8 * before.rate_hz)))


def panel_killed(rig: Rig, trial: Trial) -> Steps:
    import psutil

    yield
    rig.order(do="panel")
    answer = yield from until(lambda answer: "panel" in answer.children)
    yield from hold(rig, 2.0)
    trial.strike()
    with suppress(psutil.NoSuchProcess):
        psutil.Process(answer.children["panel"]).kill()
    trial.notice((yield from until(lambda one: one.told("panel"))))
    trial.heal()
    rig.order(do="panel")
    trial.back(
        (yield from until(lambda one: one.children.get("panel", answer.children["panel"]) != answer.children["panel"]))
    )
    yield from hold(rig, 1.0)
    rig.order(do="panel")
    yield from until(lambda one: "panel" not in one.children)


def show_killed(rig: Rig, trial: Trial) -> Steps:
    import psutil

    before = yield
    rig.n_edits += 1
    trial.strike()
    with suppress(psutil.NoSuchProcess):
        show = psutil.Process(before.pid)
        if os.name == "posix" and rig.n_edits % 2:  # as a driver's fault ends it, and as the system does for its memory
            show.send_signal(signal.SIGSEGV)
        else:
            show.kill()
    answer = yield from until(lambda one: one.pid != before.pid)
    trial.notice(answer)
    trial.healed_s = trial.struck_s
    trial.back((yield from until(lambda one: one.preset == before.preset and one.n_baked >= before.n_baked)))


def _n_bad(answer: Answer) -> int:
    """Packets that meant nothing, as the OSC controller counts them."""
    return sum(int(count) for line in answer.lines for count in re.findall(r"\bbad (\d+)", line))


def bad_packets(rig: Rig, trial: Trial) -> Steps:
    n_bad = _n_bad((yield))
    rng = random.Random(rig.n_edits)
    trial.strike()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for length in (0, 1, 3, 4, 16, 64, 512, 1400, 9000) * 5:
            with suppress(OSError):
                sender.sendto(rng.randbytes(length), ("127.0.0.1", rig.osc_port))
    answer = yield from until(lambda answer: _n_bad(answer) > n_bad)
    trial.notice(answer)
    trial.heal()
    trial.back((yield from until(lambda later: later.n_frames > answer.n_frames)))


DOING: dict[str, Callable[[Rig, Trial], Steps]] = {
    "sound lost": sound_lost,
    "analysis fails": _fails("analysis", 1.0),
    "drawing fails": _fails("drawing", 1.0),
    "nothing can be drawn": nothing_drawn,
    "graphics reset": graphics_reset,
    "preset broken": preset_broken,
    "shader unknown": shader_unknown,
    "shader broken": shader_broken,
    "bake killed": bake_killed,
    "bake out of memory": bake_out_of_memory,
    "disk full": disk_full,
    "busy machine": busy_machine,
    "panel killed": panel_killed,
    "bad packets": bad_packets,
    "show killed": show_killed,
}


def begin(kind: str, rig: Rig) -> tuple[Trial, Steps]:
    """A fault of that kind, not struck yet; the steps want an answer next."""
    assert kind in KINDS
    trial = Trial(kind, monotonic())
    steps = DOING[kind](rig, trial)
    next(steps)
    return trial, steps
