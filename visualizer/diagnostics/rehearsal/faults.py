"""The faults of a rehearsal: for each kind how it is provoked and ended, and how one knows that the show has noticed it
and recovered.

Each is a generator that is sent every status of the show: it provokes the fault, waits until the show has noticed it,
ends the fault, and waits until the show has recovered. When it is closed it undoes what it has done to the machine.
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
from .plan import KINDS
from .rig import BAKED, BAKED_TITLE, EDITED, Rig
from .status import Status

Steps = Generator[None, Status, Any]

#: contents of the broken preset, in turn
BROKEN = (
    "title: [never closed\nimage: image.jpg\n",
    "title: Rehearsal\nimage: gone.jpg\n",
    "title: Rehearsal\nimage: preset.yaml\n",
    "title: Rehearsal\nimage: ../../../secret.jpg\n",
    "title: Rehearsal\ndream: {n_depths: 4000}\n",
    "\0\0\0",
)
WORKS = "ok"  # LiveInput.state
MIN_FAULT_S = 1.0  # a part fails when it is next used: it must be used within this time
STAYS = "the picture stays as it was"


@dataclass
class Trial:
    """The course of one fault: times by `time.monotonic`, None for what did not happen.

    Parameters
    ----------
    struck_s, healed_s : when the fault was provoked and ended.
    noticed_s, back_s : when the show had noticed it, and recovered from it.
    gap_s : longest time between two display frames from begun_s to ended_s.
    said : messages to the performer meanwhile.
    fault : why the show did not recover; "" if it did.
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
        """The fault is provoked now."""
        self.struck_s = monotonic()

    def notice(self, status: Status) -> None:
        """The show has noticed it."""
        self.noticed_s = status.time_s

    def heal(self) -> None:
        """The fault is ended now."""
        self.healed_s = monotonic()

    def back(self, status: Status) -> None:
        """The show has recovered."""
        self.back_s = status.time_s


def until(condition: Callable[[Status], bool]) -> Generator[None, Status, Status]:
    """Wait for a status that meets a condition; returns it."""
    while True:
        status = yield
        if condition(status):
            return status


def hold(rig: Rig, seconds: float) -> Steps:
    """Wait for some time, shortened by the plan's patience."""
    end_s = monotonic() + seconds * rig.patience
    yield from until(lambda status: status.time_s >= end_s)


def _go_home(rig: Rig) -> Steps:
    """Show the preset of the rehearsal again, and wait for the end of the transition."""
    rig.send(show=rig.home)
    yield from until(lambda status: status.preset == rig.home)
    yield from hold(rig, 1.0)


def sound_lost(rig: Rig, trial: Trial) -> Steps:
    if rig.sink is None:
        return
    before = yield from until(lambda status: status.input_state == WORKS)
    trial.strike()
    rig.sink.pull()
    try:
        trial.notice((yield from until(lambda status: status.n_losses > before.n_losses)))
        yield from until(lambda status: status.is_fallback)
        yield from hold(rig, 1.0)
    finally:
        rig.sink.plug()
    trial.heal()
    trial.back((yield from until(lambda one: one.n_recoveries > before.n_recoveries and not one.is_fallback)))


def _fails(part: str, seconds: float) -> Callable[[Rig, Trial], Steps]:
    def fails(rig: Rig, trial: Trial) -> Steps:
        yield
        trial.strike()
        lasts_s = max(MIN_FAULT_S, seconds * rig.patience)
        rig.send(fail=part, seconds=lasts_s)
        end_s = monotonic() + lasts_s
        trial.notice((yield from until(lambda one: any(part in line for line in (*one.faults, *one.said)))))
        yield from until(lambda status: status.time_s >= end_s)
        trial.healed_s = end_s
        trial.back((yield from until(lambda status: not status.faults)))

    return fails


def graphics_reset(rig: Rig, trial: Trial) -> Steps:
    yield from _another_window(rig, trial, "graphics")


def nothing_drawn(rig: Rig, trial: Trial) -> Steps:
    yield from _another_window(rig, trial, "pictures")


def _another_window(rig: Rig, trial: Trial, part: str) -> Steps:
    before = yield
    trial.strike()
    rig.send(fail=part, seconds=5.0)
    status = yield from until(lambda status: status.n_windows > before.n_windows)
    trial.notice(status)
    trial.healed_s = trial.struck_s
    n_frames = status.n_frames
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
    yield from _repaired(rig, trial)


def shader_unknown(rig: Rig, trial: Trial) -> Steps:
    yield
    rig.edit(render={"shader": "no-such-shader"})
    yield from _repaired(rig, trial)


def shader_broken(rig: Rig, trial: Trial) -> Steps:
    yield
    name = f"broken-{rig.n_edits}"
    good = plain_look().path.read_text("utf-8")
    broken = rig.presets / EDITED / f"{name}.frag"
    broken.write_text(good.replace("void main()", "void main("), "utf-8")
    rig.edit(render={"shader": name})
    try:
        yield from _repaired(rig, trial)
    finally:
        broken.unlink(missing_ok=True)


def _repaired(rig: Rig, trial: Trial) -> Steps:
    """Open the edited preset, which is broken; repair it, and open it again."""
    trial.strike()
    rig.send(show=EDITED)
    status = yield from until(lambda status: status.has_said(STAYS))
    trial.notice(status)
    if status.preset != rig.home:
        trial.fault = f"{status.preset} was shown"
    rig.edit()
    trial.heal()
    rig.send(show=EDITED)
    trial.back((yield from until(lambda status: status.preset == EDITED)))
    yield from _go_home(rig)


def _baking(rig: Rig) -> Generator[None, Status, int]:
    """Start a bake; returns its process number."""
    yield
    rig.write_bake_preset()
    rig.send(show=BAKED)
    status = yield from until(lambda status: "bake" in status.children)
    return status.children["bake"]


def _baked(rig: Rig, trial: Trial) -> Steps:
    """Start the bake again, and wait for its end."""
    trial.heal()
    rig.send(show=BAKED)
    trial.back((yield from until(lambda one: one.preset == BAKED and one.n_baked == one.n_dreams > 0)))
    yield from _go_home(rig)


def bake_killed(rig: Rig, trial: Trial) -> Steps:
    import psutil

    pid = yield from _baking(rig)
    yield from until(lambda status: status.preset == BAKED or status.has_said(BAKED_TITLE))
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
        limit = process.memory_info().vms + 2**20
        process.rlimit(psutil.RLIMIT_AS, (limit, limit))
    trial.notice((yield from until(_bake_stopped)))
    yield from _baked(rig, trial)


def _bake_stopped(status: Status) -> bool:
    return any("the bake stopped" in line for line in status.logged)


def disk_full(rig: Rig, trial: Trial) -> Steps:
    import psutil

    yield
    process = psutil.Process(rig.pid)
    hard = process.rlimit(psutil.RLIMIT_FSIZE)[1]
    rig.write_bake_preset()
    trial.strike()
    process.rlimit(psutil.RLIMIT_FSIZE, (0, hard))
    try:
        rig.send(do="screenshot")
        rig.send(show=BAKED)
        trial.notice((yield from until(lambda status: status.has_said("screenshot cannot be written"))))
        yield from until(lambda one: one.preset == BAKED and one.n_baked == one.n_dreams > 0)
    finally:
        with suppress(psutil.NoSuchProcess):
            process.rlimit(psutil.RLIMIT_FSIZE, (hard, hard))
    trial.heal()
    rig.send(do="screenshot")
    trial.back((yield from until(lambda status: status.has_said("screenshot: "))))
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
        rig.stop_busy()
    trial.heal()
    trial.back((yield from until(lambda status: status.rate_hz >= 0.8 * before.rate_hz)))


def panel_killed(rig: Rig, trial: Trial) -> Steps:
    import psutil

    yield
    rig.send(do="panel")
    status = yield from until(lambda status: "panel" in status.children)
    yield from hold(rig, 2.0)
    trial.strike()
    with suppress(psutil.NoSuchProcess):
        psutil.Process(status.children["panel"]).kill()
    trial.notice((yield from until(lambda one: one.has_said("panel"))))
    trial.heal()
    rig.send(do="panel")
    trial.back(
        (yield from until(lambda one: one.children.get("panel", status.children["panel"]) != status.children["panel"]))
    )
    yield from hold(rig, 1.0)
    rig.send(do="panel")
    yield from until(lambda one: "panel" not in one.children)


def show_killed(rig: Rig, trial: Trial) -> Steps:
    import psutil

    before = yield
    rig.n_edits += 1
    trial.strike()
    with suppress(psutil.NoSuchProcess):
        show = psutil.Process(before.pid)
        if (
            os.name == "posix" and rig.n_edits % 2
        ):  # in turn like a fault of a driver, and like the system when memory is short
            show.send_signal(signal.SIGSEGV)
        else:
            show.kill()
    status = yield from until(lambda one: one.pid != before.pid)
    trial.notice(status)
    trial.healed_s = trial.struck_s
    trial.back((yield from until(lambda one: one.preset == before.preset and one.n_baked >= before.n_baked)))


def _n_bad(status: Status) -> int:
    """Number of packets that the OSC controller could not decode."""
    return sum(int(count) for line in status.lines for count in re.findall(r"\bbad (\d+)", line))


def bad_packets(rig: Rig, trial: Trial) -> Steps:
    n_bad = _n_bad((yield))
    rng = random.Random(rig.n_edits)
    trial.strike()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for length in (0, 1, 3, 4, 16, 64, 512, 1400, 9000) * 5:
            with suppress(OSError):
                sender.sendto(rng.randbytes(length), ("127.0.0.1", rig.osc_port))
    status = yield from until(lambda status: _n_bad(status) > n_bad)
    trial.notice(status)
    trial.heal()
    trial.back((yield from until(lambda later: later.n_frames > status.n_frames)))


FAULTS: dict[str, Callable[[Rig, Trial], Steps]] = {
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


def start_fault(kind: str, rig: Rig) -> tuple[Trial, Steps]:
    """Start the steps of a fault, which is not provoked yet: they wait for a status."""
    assert kind in KINDS
    trial = Trial(kind, monotonic())
    steps = FAULTS[kind](rig, trial)
    next(steps)
    return trial, steps
