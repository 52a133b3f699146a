"""The parent of a rehearsal: begins the show, lets things go wrong by the plan, and writes down how it went."""

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
from ...settings import DEFAULT_PRESET, DEFAULT_SIZE
from .answers import Answer
from .faults import Steps, Trial, begin
from .machine import Others, held_bytes, machine
from .plan import KINDS, LEAST_MINUTES, MOST_MINUTES, Plan, plan
from .record import Memory, Record
from .rig import Rig, StageEnded
from .sink import RATE_HZ, NoServer, Sink

log = logging.getLogger(__name__)

FIRST_PICTURE_S = 60.0  # how long the show may take to begin
SILENCE_S = 20.0  # without an answer for so long the show hangs
GIVE_UP_S = 30.0  # a fault that is not over by then is not recovered from
MEMORY_S = 1.0  # how often the memory is looked at
CALM_S = 2.5  # nothing has been wrong for so long: memory is what it is without a fault

Said = Callable[[str], None]


def rehearse(
    minutes: float,
    *,
    seed: int = 0,
    preset: str = DEFAULT_PRESET,
    size: tuple[int, int] = DEFAULT_SIZE,
    panel: bool = True,
    kill: bool = False,
    kinds: tuple[str, ...] | None = None,
    said: Said = lambda line: None,
) -> Record:
    """Rehearse for so many minutes. kinds: only these; said: takes a line for each fault as it goes.

    Raises BadInput for minutes out of range or a preset that is not there, and GraphicsError where there is no display.
    """
    if not LEAST_MINUTES <= minutes <= MOST_MINUTES:
        raise BadInput(f"--minutes {minutes:g} is out of range; allowed: {LEAST_MINUTES:g} .. {MOST_MINUTES:g}")
    rig = prepared(preset, size, panel=panel, kill=kill, said=said)
    possible = [kind for kind in KINDS if kind not in rig.kinds_left and (kinds is None or kind in kinds)]
    return conduct(rig, plan(minutes, seed, possible), seed=seed, said=said)


def prepared(
    preset: str, size: tuple[int, int], *, panel: bool = True, kill: bool = False, said: Said = lambda line: None
) -> Rig:
    """All that a rehearsal needs but the show itself, its dream baked. Raises as `rehearse`."""
    from ...render.window import display_available

    if not display_available():
        raise GraphicsError("no display to rehearse on; `visualizer rehearse` needs one, as `visualizer live` does")
    rig = Rig(preset, size)
    try:
        rig.kinds_left = _left_out(rig, panel, kill)
        rig.is_supervised = kill
        _warm(rig, said)
    except BaseException:
        rig.close()
        raise
    return rig


def _left_out(rig: Rig, panel: bool, kill: bool) -> dict[str, str]:
    """Give the rig what this system has; the kinds of fault that it has not got the means for, and why."""
    missing: dict[str, str] = {}
    try:
        rig.sink = Sink(f"visualizer_rehearsal_{os.getpid()}", _song())
    except NoServer as error:
        missing["sound server"] = f"not on this system: {error}"
    if not sys.platform.startswith("linux"):
        missing["limits"] = "only Linux lets one process limit another"
    if not panel:
        missing["panel"] = "not asked for"
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
        missing["kill"] = "not asked for (--kill)"
    return {kind: missing[found.needs] for kind, found in KINDS.items() if found.needs in missing}


def _song() -> np.ndarray:
    """The bundled song: (n, 2) int16 at RATE_HZ."""
    from ...audio.decode import Song
    from ...resources import demo_song

    with Song(demo_song(), sample_rate_hz=RATE_HZ) as song:
        samples = song.read(RATE_HZ * 600)
    return np.clip(samples * 32767, -32768, 32767).astype("<i2")


def _warm(rig: Rig, said: Said) -> None:
    """Have the dream of the rehearsal in its private cache: as the user has it, else baked now."""
    from ...presets.cache import FrameCache
    from ...presets.dreams import cache_key, open_cache
    from ...presets.loaded import open_preset

    loaded = open_preset(str(rig.source), size=rig.size)
    users = open_cache()
    own = FrameCache(rig.folder / "cache", users.max_bytes)
    for row in loaded.variants:
        key = cache_key(loaded.image, row, users)
        with contextlib.suppress(OSError):
            shutil.copytree(users.entry_folder(key), own.entry_folder(key))
        if own.load(key, loaded.n_depths, loaded.image.shape) is None:
            said("baking the dream first")
            done = subprocess.run(
                [sys.executable, "-m", "visualizer", "bake", "--preset", rig.home, "--size", "{}x{}".format(*rig.size)],
                env=rig.environment, capture_output=True, text=True, errors="replace", check=False,
            )  # fmt: skip
            if done.returncode:
                raise VisualizerError(f"the dream cannot be baked: {done.stderr.strip().rpartition(chr(10))[2]}")
            return


def conduct(rig: Rig, planned: Plan, *, seed: int = 0, said: Said = lambda line: None) -> Record:
    """Do what is planned; the rig is closed at the end. Ctrl-C ends it early, with what is known so far."""
    conductor = Conductor(rig, planned, seed, said)
    try:
        conductor.run()
    except KeyboardInterrupt:
        conductor.record.interrupted = True
        if (trials := conductor.record.trials) and trials[-1].back_s is None and not trials[-1].fault:
            trials.pop()  # it was under way
    except StageEnded as error:
        if not conductor.record.n_frames:
            raise
        conductor.record.crash = str(error)
    finally:
        conductor.finish()
        rig.close()
    return conductor.record


class Conductor:
    """One rehearsal. record: how it went so far."""

    def __init__(self, rig: Rig, planned: Plan, seed: int, said: Said) -> None:
        self.record = Record(planned, seed, rig.home, rig.size, machine())
        self.record.left_out = dict(rig.kinds_left)
        self._rig, self._said = rig, said
        self._trial: Trial | None = None
        self._last: Answer | None = None
        self._calm_since_s = self._heard_s = self._memory_s = monotonic()
        self._begun = (0, 0, 0)  # what was counted before it began
        self._others = Others()
        self._gone_s: float | None = None  # when a process of the show that has ended showed its last picture

    @property
    def now_s(self) -> float:
        """Seconds since the beginning."""
        return monotonic() - self.record.began_s

    def run(self) -> None:
        """All of it. Raises StageEnded."""
        record, rig = self.record, self._rig
        rig.patience = record.plan.patience
        rig.start()
        begun_s = self._heard_s = monotonic()
        while self._last is None or not self._last.preset or self._last.n_frames < 10:
            self._hear()
            if monotonic() - begun_s > FIRST_PICTURE_S:
                raise StageEnded(f"the show showed nothing within {FIRST_PICTURE_S:g} s")
        first = self._last
        record.machine["graphics"] = first.graphics
        record.began_s = self._calm_since_s = monotonic()
        record.gaps.clear()  # opening the window is not a gap between pictures of a show
        self._begun = _counts(first)
        for index, planned in enumerate(record.plan.faults):
            while self.now_s < planned.at_s:
                self._hear()
            if self.now_s >= record.plan.quiet_from_s:
                record.late = [later.kind for later in record.plan.faults[index:]]
                break
            self._try(planned.kind)
            self._count()
        while self.now_s < record.plan.total_s:
            self._hear()
            self._count()

    def finish(self) -> None:
        """What the show's own files tell, before they go."""
        rig, record = self._rig, self.record
        rig.stop()
        told = rig.stderr()
        if "Traceback (most recent call last)" in told and not record.crash:
            record.unplanned.append("on stderr: " + told.strip().rpartition("\n")[2])
        if record.crash or record.unplanned or any(trial.fault for trial in record.trials):
            record.log = _kept_log(rig)

    def _try(self, kind: str) -> None:
        """One fault, from before it is struck until all is as before, or it is given up."""
        trial, steps = begin(kind, self._rig)
        self._trial = trial
        self.record.trials.append(trial)
        try:
            self._through(steps, trial)
        finally:
            steps.close()
            trial.ended_s = self._calm_since_s = monotonic()
            self._trial = None
        self._said(self._told(trial))
        if trial.fault:  # what the next fault is to find
            self._rig.edit()
            self._rig.order(show=self._rig.home)

    def _through(self, steps: Steps, trial: Trial) -> None:
        while monotonic() - trial.begun_s < GIVE_UP_S:
            answer = self._hear()
            if answer is None:
                continue
            try:
                steps.send(answer)
            except StopIteration:
                return
        waited = "struck" if trial.struck_s is None else "noticed" if trial.noticed_s is None else "back"
        trial.fault = trial.fault or f"not {waited} after {GIVE_UP_S:g} s"
        if KINDS[trial.kind].is_told and trial.noticed_s is None:
            log.warning("rehearsal: %s was not noticed", trial.kind)

    def _hear(self) -> Answer | None:
        """The next answer, or none within a moment; its gaps, tracebacks and the memory are noted."""
        answer = self._rig.answer(0.5)
        now_s = monotonic()
        self._look_at_memory(now_s)
        if answer is None:
            if now_s - self._heard_s > SILENCE_S:
                raise StageEnded(f"the show has not answered for {SILENCE_S:g} s")
            return None
        trial = self._trial
        if self._last is not None and self._last.pid != answer.pid:
            self._follow(self._last)
        self._note_return(answer.first_s)
        self._heard_s, self._last = now_s, answer
        if trial is not None:
            trial.said += answer.said
        what = trial.kind if trial is not None else "nothing was wrong"
        for seconds, at_s in ((answer.gap_s, answer.gap_at_s), (answer.open_s, answer.time_s)):
            if seconds > 0.05:
                self._note_gap(seconds, at_s, what)
            if trial is not None:
                trial.gap_s = max(trial.gap_s, seconds)
        raises = trial is not None and KINDS[trial.kind].raises
        self.record.unplanned += [f"{what}: {line}" for line in answer.tracebacks if not raises]
        return answer

    def _follow(self, before: Answer) -> None:
        """Another process shows now: what the one before has counted is kept."""
        self._gone_s = before.time_s - before.open_s
        if self._trial is None or self._trial.kind != "show killed":
            self.record.crash = (
                f"a process of the show ended that was not made to, {self.now_s:.0f} s after the beginning"
            )
        self._begun = tuple(  # type: ignore[assignment]
            begun - count for begun, count in zip(self._begun, _counts(before), strict=True)
        )
        self.record.memory.clear()  # that of another process

    def _note_return(self, first_s: float) -> None:
        """The process that has taken over has shown its first picture."""
        if self._gone_s is not None and first_s:
            seconds, self._gone_s = first_s - self._gone_s, None
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

    def _look_at_memory(self, now_s: float) -> None:
        if now_s - self._memory_s < MEMORY_S or not self.record.began_s:
            return
        import psutil

        self._memory_s = now_s
        with contextlib.suppress(psutil.Error, OSError, StageEnded):
            held = held_bytes(self._rig.pid)
            calm = self._trial is None and now_s - self._calm_since_s >= CALM_S
            self.record.others += self._others.share()
            self.record.memory.append(Memory(self.now_s, held / 1e6, calm))

    def _told(self, trial: Trial) -> str:
        def after(moment_s: float | None, since_s: float | None) -> str:
            return "-" if moment_s is None or since_s is None else f"{max(0.0, moment_s - since_s):.1f} s"

        at_s = trial.begun_s - self.record.began_s
        words = f"{int(at_s // 60):02d}:{int(at_s % 60):02d}  {trial.kind}: "
        if trial.fault:
            return words + f"FAILED, {trial.fault}"
        return words + (
            f"noticed after {after(trial.noticed_s, trial.struck_s)}, back after {after(trial.back_s, trial.healed_s)}, "
            f"longest gap {trial.gap_s * 1000:.0f} ms"
        )


def _counts(answer: Answer) -> tuple[int, int, int]:
    return answer.n_frames, answer.n_dropped, answer.n_repeated


def _kept_log(rig: Rig) -> str:
    """The show's log in a place where it stays, with what it wrote on stderr; "" if it cannot be kept."""
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
