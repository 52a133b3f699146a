"""The parent process of a rehearsal: starts the show, provokes the planned faults and records the results."""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable

import numpy as np

from ...clock import monotonic
from ...errors import BadInput, GraphicsError, VisualizerError
from ...oneline import time_text
from ...settings import DEFAULT_SIZE, PLAIN_PRESET
from .faults import Steps, Trial, start_fault
from .machine import OtherPrograms, held_bytes, machine
from .plan import KINDS, MAX_MINUTES, MIN_MINUTES, Plan, plan
from .record import Memory, Record
from .rig import Rig, ShowEnded
from .sink import RATE_HZ, NoSoundServer, RehearsalSink
from .status import Status

log = logging.getLogger(__name__)

FIRST_FRAME_S = 60.0  # longest time to the first display frame
HANG_S = 20.0  # the show hangs if it sends no status for this long
GIVE_UP_S = 30.0  # longest time for a fault and the recovery from it
MEMORY_S = 1.0  # how often the memory is measured
CALM_S = 2.5  # time after a fault until memory is measured as calm again

Say = Callable[[str], None]


def rehearse(
    minutes: float,
    *,
    seed: int = 0,
    preset: str = PLAIN_PRESET,
    size: tuple[int, int] = DEFAULT_SIZE,
    panel: bool = True,
    kill: bool = False,
    kinds: tuple[str, ...] | None = None,
    say: Say = lambda line: None,
) -> Record:
    """Run a rehearsal.

    Parameters
    ----------
    minutes : its duration, MIN_MINUTES .. MAX_MINUTES.
    seed : of the plan of faults.
    preset, size : what is shown; size in px.
    panel, kill : whether to open (and kill) the panel, and to kill the show's process.
    kinds : only these kinds of fault; None for all.
    say : called with a line for each fault.

    Raises BadInput for minutes out of range or an unknown preset, GraphicsError without a display.
    """
    if not MIN_MINUTES <= minutes <= MAX_MINUTES:
        raise BadInput(f"--minutes {minutes:g} is out of range; allowed: {MIN_MINUTES:g} .. {MAX_MINUTES:g}")
    rig = prepared(preset, size, panel=panel, kill=kill, say=say)
    possible = [kind for kind in KINDS if kind not in rig.kinds_left and (kinds is None or kind in kinds)]
    return conduct(rig, plan(minutes, seed, possible), seed=seed, say=say)


def prepared(
    preset: str, size: tuple[int, int], *, panel: bool = True, kill: bool = False, say: Say = lambda line: None
) -> Rig:
    """Prepare everything a rehearsal needs except the show itself, including the bake. Raises like `rehearse`."""
    from ...render.window import display_available

    if not display_available():
        raise GraphicsError("no display to rehearse on; `visualizer rehearse` needs one, as `visualizer live` does")
    rig = Rig(preset, size)
    try:
        rig.kinds_left = _left_out(rig, panel, kill)
        rig.is_supervised = kill
        _warm_cache(rig, say)
    except BaseException:
        rig.close()
        raise
    return rig


def _left_out(rig: Rig, panel: bool, kill: bool) -> dict[str, str]:
    """Set up what this system has for the faults; returns the kinds of fault that are not possible, and why."""
    missing: dict[str, str] = {}
    try:
        rig.sink = RehearsalSink(f"visualizer_rehearsal_{os.getpid()}", _song())
    except NoSoundServer as error:
        missing["sound server"] = f"not on this system: {error}"
    if not sys.platform.startswith("linux"):
        missing["limits"] = "only Linux allows limiting another process"
    if not panel:
        missing["panel"] = "not requested"
    elif importlib.util.find_spec("imgui_bundle") is None:
        missing["panel"] = "the panel is not installed"
    else:
        rig.has_panel = True
    if importlib.util.find_spec("pythonosc") is None:
        missing["osc"] = "OSC is not installed"
    else:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(("127.0.0.1", 0))
            rig.osc_port = free.getsockname()[1]
    if not kill:
        missing["kill"] = "not requested (--kill)"
    return {kind: missing[found.needs] for kind, found in KINDS.items() if found.needs in missing}


def _song() -> np.ndarray:
    """The bundled song: (n, 2) int16 at RATE_HZ."""
    from ...audio.decode import Song
    from ...resources import demo_song

    with Song(demo_song(), sample_rate_hz=RATE_HZ) as song:
        samples = song.read(RATE_HZ * 600)
    return np.clip(samples * 32767, -32768, 32767).astype("<i2")


def _warm_cache(rig: Rig, say: Say) -> None:
    """Fill the private cache with the preset's dream frames: a copy of the user's, or baked now."""
    from ...presets.cache import FrameCache
    from ...presets.dreams import cache_key, open_cache
    from ...presets.loaded import open_preset

    loaded = open_preset(str(rig.source), size=rig.size)
    users = open_cache()
    own = FrameCache(rig.folder / "cache", users.max_bytes)
    for variant in loaded.variants:
        key = cache_key(loaded.image, variant, users)
        with contextlib.suppress(OSError):
            shutil.copytree(users.entry_folder(key), own.entry_folder(key))
        if own.load(key, loaded.n_depths, loaded.image.shape) is None:
            say("baking the dream first")
            done = subprocess.run(
                [sys.executable, "-m", "visualizer", "bake", "--preset", rig.home, "--dream-size", "{}x{}".format(*rig.size)],
                env=rig.environment, capture_output=True, text=True, errors="replace", check=False,
            )  # fmt: skip
            if done.returncode:
                raise VisualizerError(f"the dream cannot be baked: {done.stderr.strip().rpartition(chr(10))[2]}")
            return


def conduct(rig: Rig, planned: Plan, *, seed: int = 0, say: Say = lambda line: None) -> Record:
    """Run a plan, and close the rig at the end. Ctrl-C ends it early, with the results so far."""
    runner = Runner(rig, planned, seed, say)
    try:
        runner.run()
    except KeyboardInterrupt:
        runner.record.interrupted = True
        if (trials := runner.record.trials) and trials[-1].back_s is None and not trials[-1].fault:
            trials.pop()  # unfinished
    except ShowEnded as error:
        if not runner.record.n_frames:
            raise
        runner.record.crash = str(error)
    finally:
        runner.finish()
        rig.close()
    return runner.record


class Runner:
    """Runs one rehearsal. record: the results so far."""

    def __init__(self, rig: Rig, planned: Plan, seed: int, say: Say) -> None:
        self.record = Record(planned, seed, rig.home, rig.size, machine())
        self.record.left_out = dict(rig.kinds_left)
        self._rig, self._say = rig, say
        self._trial: Trial | None = None
        self._last: Status | None = None
        self._calm_since_s = self._received_s = self._memory_s = monotonic()
        self._begun = (0, 0, 0)  # counts before the beginning
        self._others = OtherPrograms()
        self._last_frame_s: float | None = None  # when a show process that has ended showed its last frame

    @property
    def now_s(self) -> float:
        """Seconds since the beginning."""
        return monotonic() - self.record.began_s

    def run(self) -> None:
        """Run all of it. Raises ShowEnded."""
        record, rig = self.record, self._rig
        rig.patience = record.plan.patience
        rig.start()
        begun_s = self._received_s = monotonic()
        while self._last is None or not self._last.preset or self._last.n_frames < 10:
            self._receive()
            if monotonic() - begun_s > FIRST_FRAME_S:
                raise ShowEnded(f"the show showed no picture within {FIRST_FRAME_S:g} s")
        first = self._last
        record.machine["graphics"] = first.graphics
        record.began_s = self._calm_since_s = monotonic()
        record.gaps.clear()  # opening the window is no gap
        self._begun = _counts(first)
        for index, planned in enumerate(record.plan.faults):
            while self.now_s < planned.at_s:
                self._receive()
            if self.now_s >= record.plan.quiet_from_s:
                record.late = [later.kind for later in record.plan.faults[index:]]
                break
            self._run_fault(planned.kind)
            self._count()
        while self.now_s < record.plan.total_s:
            self._receive()
            self._count()

    def finish(self) -> None:
        """Stop the show, and take the results from its stderr and log before they are deleted."""
        rig, record = self._rig, self.record
        rig.stop()
        stderr = rig.stderr()
        if "Traceback (most recent call last)" in stderr and not record.crash:
            record.unplanned.append("on stderr: " + stderr.strip().rpartition("\n")[2])
        if record.crash or record.unplanned or any(trial.fault for trial in record.trials):
            record.log = _save_log(rig)

    def _run_fault(self, kind: str) -> None:
        """Run one fault until the show has recovered or the time is up."""
        trial, steps = start_fault(kind, self._rig)
        self._trial = trial
        self.record.trials.append(trial)
        try:
            self._run_steps(steps, trial)
        finally:
            steps.close()
            trial.ended_s = self._calm_since_s = monotonic()
            self._trial = None
        self._say(self._summary(trial))
        if trial.fault:  # restore the state for the next fault
            self._rig.edit()
            self._rig.send(show=self._rig.home)

    def _run_steps(self, steps: Steps, trial: Trial) -> None:
        while monotonic() - trial.begun_s < GIVE_UP_S:
            status = self._receive()
            if status is None:
                continue
            try:
                steps.send(status)
            except StopIteration:
                return
        missing = "provoked" if trial.struck_s is None else "noticed" if trial.noticed_s is None else "recovered"
        trial.fault = trial.fault or f"not {missing} after {GIVE_UP_S:g} s"
        if KINDS[trial.kind].is_reported and trial.noticed_s is None:
            log.warning("rehearsal: %s was not noticed", trial.kind)

    def _receive(self) -> Status | None:
        """Wait briefly for the next status, and record its gaps and tracebacks and the memory; None if none came."""
        status = self._rig.status(0.5)
        now_s = monotonic()
        self._measure_memory(now_s)
        if status is None:
            if now_s - self._received_s > HANG_S:
                raise ShowEnded(f"the show has sent no status for {HANG_S:g} s")
            return None
        trial = self._trial
        if self._last is not None and self._last.pid != status.pid:
            self._on_new_process(self._last)
        self._on_first_frame(status.first_s)
        self._received_s, self._last = now_s, status
        if trial is not None:
            trial.said += status.said
        what = trial.kind if trial is not None else "no fault"
        for seconds, at_s in ((status.gap_s, status.gap_at_s), (status.open_s, status.time_s)):
            if seconds > 0.05:
                self._note_gap(seconds, at_s, what)
            if trial is not None:
                trial.gap_s = max(trial.gap_s, seconds)
        raises = trial is not None and KINDS[trial.kind].raises
        self.record.unplanned += [f"{what}: {line}" for line in status.tracebacks if not raises]
        return status

    def _on_new_process(self, before: Status) -> None:
        """Another process runs the show now: keep the counts of the one before."""
        self._last_frame_s = before.time_s - before.open_s
        if self._trial is None or self._trial.kind != "show killed":
            self.record.crash = f"the show's process ended unexpectedly, {self.now_s:.0f} s after the beginning"
        self._begun = tuple(  # type: ignore[assignment]
            begun - count for begun, count in zip(self._begun, _counts(before), strict=True)
        )
        self.record.memory.clear()  # of another process

    def _on_first_frame(self, first_s: float) -> None:
        """The new process has shown its first display frame."""
        if self._last_frame_s is not None and first_s:
            seconds, self._last_frame_s = first_s - self._last_frame_s, None
            if (trial := self._trial) is not None and trial.kind == "show killed":
                trial.gap_s = max(trial.gap_s, seconds)
            else:
                self._note_gap(seconds, first_s, "the show was restarted")

    def _note_gap(self, seconds: float, at_s: float, what: str) -> None:
        if self.record.began_s and at_s - seconds >= self.record.began_s:
            self.record.note_gap(seconds, at_s - self.record.began_s, what)

    def _count(self) -> None:
        if (last := self._last) is not None:
            record = self.record
            record.seconds = last.time_s - record.began_s
            record.n_frames, record.n_dropped, record.n_repeated = (
                max(0, now - then) for now, then in zip(_counts(last), self._begun, strict=True)
            )
            record.n_kicks = last.n_kicks

    def _measure_memory(self, now_s: float) -> None:
        if now_s - self._memory_s < MEMORY_S or not self.record.began_s:
            return
        import psutil

        self._memory_s = now_s
        with contextlib.suppress(psutil.Error, OSError, ShowEnded):
            held = held_bytes(self._rig.pid)
            calm = self._trial is None and now_s - self._calm_since_s >= CALM_S
            self.record.others += self._others.load()
            self.record.memory.append(Memory(self.now_s, held / 1e6, calm))

    def _summary(self, trial: Trial) -> str:
        def after(moment_s: float | None, since_s: float | None) -> str:
            return "-" if moment_s is None or since_s is None else f"{max(0.0, moment_s - since_s):.1f} s"

        at_s = trial.begun_s - self.record.began_s
        head = f"{time_text(at_s)}  {trial.kind}: "
        if trial.fault:
            return head + f"FAILED, {trial.fault}"
        return head + (
            f"noticed after {after(trial.noticed_s, trial.struck_s)}, recovered after {after(trial.back_s, trial.healed_s)}, "
            f"longest gap {trial.gap_s * 1000:.0f} ms"
        )


def _counts(status: Status) -> tuple[int, int, int]:
    return status.n_frames, status.n_dropped, status.n_repeated


def _save_log(rig: Rig) -> str:
    """Save the show's log and stderr in a file that is not deleted; returns its name, "" if that fails."""
    import tempfile

    try:
        handle, name = tempfile.mkstemp(prefix="visualizer-rehearsal-", suffix=".log")
        with os.fdopen(handle, "w", encoding="utf-8") as kept:
            for file in sorted((rig.folder / "log").glob("visualizer.log*"), reverse=True):
                kept.write(file.read_text("utf-8", "replace"))
            kept.write(rig.stderr())
    except OSError:
        return ""
    return name
