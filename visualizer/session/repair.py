"""Closes a session whose recording was cut off, and makes a damaged one readable again as far as it can be."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from filelock import FileLock

from ..clock import day_and_time, iso_date_and_time
from ..errors import BadInput, VisualizerError
from ..files.durable import sync_file, sync_folder
from ..files.output_file import atomic_write, remove
from ..files.paths import is_file
from ..oneline import plain, reason_of
from .check import Examined, PartFound, examine, losses
from .events import (
    CLOCK_HZ,
    AnalysisEvent,
    ClockEvent,
    DreamEvent,
    EndEvent,
    Event,
    FeaturesEvent,
    GapEvent,
    PresetEvent,
    SongEvent,
    SoundEvent,
    encode,
)
from .folder import refuse_while_recorded
from .layout import DamagedInfo, SessionFolder, SessionInfo, new_folder
from .reader import RecordedSession, first_event

_What = Literal["sound", "event", "dream", "preset"]
_CUT_OFF = "the recording was cut off"


@dataclass(frozen=True)
class Repaired:
    """What a repair did. before, after: what was there; is_changed: False if nothing had to be done; kept: the folder
    with what it took out, None if that was nothing. is_rebuilt: session.json was rebuilt from the events.
    """

    before: Examined
    after: Examined
    is_changed: bool
    kept: Path | None
    is_rebuilt: bool = False


def repair(root: Path, progress: Callable[[int, int], None] = lambda n_read, n_bytes: None) -> Repaired:
    """Close the session in the folder `root`, and make its files consistent.

    Lines that cannot be read, and what follows the last whole frame of sound, are taken out and kept in a folder "cut-"
    and the date and time; for what is missing `gap` events are written. session.json is replaced last: a repair that is
    interrupted can be done again. A session.json that is missing or damaged is first rebuilt from the events. progress:
    see `examine`; the session is read twice. Raises BadInput if it is no session, VisualizerError if it is being
    recorded, or cannot be written to.
    """
    refuse_while_recorded(root)
    try:
        before = examine(root, thorough=True, progress=progress)
        is_rebuilt = False
    except DamagedInfo:
        try:
            _rebuild_info(SessionFolder(root))
        except OSError as fault:
            raise VisualizerError(f"{plain(root)}: cannot be repaired: {reason_of(fault)}") from fault
        before = examine(root, thorough=True, progress=progress)
        is_rebuilt = True
    if before.info.state == "closed" and not any(losses(before)):
        return Repaired(before, before, False, None)
    folder = SessionFolder(root)
    try:
        with ExitStack() as stack:
            with suppress(NotImplementedError):  # a disk without locks
                held = FileLock(folder.lock).acquire(timeout=0)
                stack.callback(remove, folder.lock)
                stack.enter_context(held)
            kept = _keep(folder, before)
            try:
                n_events = _write_events(folder, before)
            except BaseException:  # nothing was taken out
                if kept is not None:
                    shutil.rmtree(kept, ignore_errors=True)
                raise
            for part in before.parts.values():
                if part.n_torn:
                    with (root / part.event.file).open("r+b") as file:
                        file.truncate(part.end_offset)
            reason = _CUT_OFF if before.info.state == "open" else before.info.reason
            changes = {"state": "closed", "end_at": before.tally.end_at, "n_events": n_events, "reason": reason}
            with atomic_write(folder.info) as written:
                written.write_bytes(before.info.model_copy(update=changes).to_json())
    except OSError as fault:
        raise VisualizerError(f"{plain(root)}: cannot be repaired: {reason_of(fault)}") from fault
    return Repaired(before, examine(root, thorough=True, progress=progress), True, kept, is_rebuilt)


def _rebuild_info(folder: SessionFolder) -> None:
    """Write session.json, which is missing or damaged, as the events say that it was: open. Raises BadInput if there is
    no event, VisualizerError if it cannot be written.
    """
    first = first_event(folder)
    if first is None:
        raise BadInput(f"{plain(folder.root)}: holds no event, so there is nothing to repair")
    info = SessionInfo(program="unknown", kind="live", started="", width=1280, height=720, at=first.at)
    session = RecordedSession(folder.root, info)
    changes: dict[str, object] = {}
    kinds = set()
    for event in session.lines():
        kinds.add(type(event.event))
        if isinstance(event.event, PresetEvent):
            changes.setdefault("width", event.event.width)
            changes.setdefault("height", event.event.height)
    ended_s = folder.events.stat().st_mtime
    changes |= {
        "kind": "play" if kinds & {ClockEvent, SongEvent} else "live",
        "started": iso_date_and_time(ended_s - (session.tally.end_at - first.at) / CLOCK_HZ),
        "has_sound": FeaturesEvent not in kinds,
        "has_dreams": DreamEvent in kinds,
    }
    if is_file(folder.info):
        shutil.copyfile(folder.info, new_folder(folder.root / f"cut-{day_and_time()}").root / folder.info.name)
    with atomic_write(folder.info) as written:
        written.write_bytes(info.model_copy(update=changes).to_json())


def _keep(folder: SessionFolder, before: Examined) -> Path | None:
    """Copy what will be taken out. Returns the folder with it; None if that is nothing."""
    tally, parts = before.tally, before.parts.values()
    is_rewritten = tally.n_torn or tally.n_damaged or tally.n_disorder or any(part.n_lost for part in parts)
    torn = [part for part in parts if part.n_torn]
    if not is_rewritten and not torn:
        return None
    kept = new_folder(folder.root / f"cut-{day_and_time()}").root
    try:
        if is_rewritten:
            shutil.copyfile(folder.events, kept / folder.events.name)
        for part in torn:
            with (
                (folder.root / part.event.file).open("rb") as file,
                (kept / f"{part.event.file}.end").open("xb") as end,
            ):
                file.seek(part.end_offset)
                shutil.copyfileobj(file, end)
        for path in kept.iterdir():
            with path.open("r+b") as file:
                sync_file(file.fileno())
        sync_folder(kept)
    except BaseException:
        shutil.rmtree(kept, ignore_errors=True)
        raise
    return kept


def _write_events(folder: SessionFolder, before: Examined) -> int:
    """Replace events.jsonl by consistent lines. Returns their number."""
    n = 0
    with atomic_write(folder.events) as part, part.open("wb") as file:
        for n, event in enumerate(_consistent(before), 1):
            file.write(encode(n - 1, event))
    return n


def _consistent(before: Examined) -> Iterator[Event]:
    """All events that can be read, in order, with a gap for what is missing, and an end."""
    newest, end = -1, EndEvent(at=before.tally.end_at, reason=_CUT_OFF)
    part: PartFound | None = None
    n_before: Counter[str] = Counter()  # samples of each part that the steps so far were given
    for n, event in _in_order(before):
        if n > newest + 1:
            yield _gap(event.at, "event", n - newest - 1)
        newest = n
        match event:
            case EndEvent():
                end = event
                continue
            case SoundEvent():
                part = before.parts[event.file]
            case AnalysisEvent(step="sound") if part is not None:
                n_there = max(0, min(event.n_samples, part.n_until_end - n_before[part.event.file]))
                n_before[part.event.file] += event.n_samples
                if n_there < event.n_samples:
                    if n_there:
                        yield event.model_copy(update={"n_samples": n_there})
                    at = event.at + round(n_there * CLOCK_HZ / part.event.rate_hz)
                    yield _gap(at, "sound", event.n_samples - n_there)
                    continue
        yield event
    lost: dict[_What, int] = {
        "event": max(int(before.tally.n_torn > 0), before.info.n_events - newest - 1),
        "dream": len(before.missing_dreams) - before.gaps["dream"],
        "preset": len(before.missing_presets) - before.gaps["preset"],
    }
    for what, count in lost.items():
        if count > 0:
            yield _gap(before.tally.end_at, what, count)
    yield end


def _in_order(before: Examined) -> Iterator[tuple[int, Event]]:
    """The events with their numbers; of two with one number the first."""
    lines = ((line.n, line.event) for line in RecordedSession(before.root).lines())
    if not before.tally.n_disorder:
        return lines
    by_number: dict[int, Event] = {}
    for n, event in lines:
        by_number.setdefault(n, event)
    return iter(sorted(by_number.items()))


def _gap(at: int, what: _What, count: int) -> GapEvent:
    return GapEvent(at=at, what=what, count=count, reason="found at the repair")
