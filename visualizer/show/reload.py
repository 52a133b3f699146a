"""Edited presets and looks: noticed, read and tried in a thread while they are shown, then shown in place of what they
were.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Protocol

from ..clock import Stopwatch
from ..errors import VisualizerError
from ..files.paths import config_folder
from ..files.watch import FileWatch
from ..looks.look import Look
from ..presets.loaded import LoadedPreset, edited, is_another_dream
from ..presets.preset import FILE_NAME, load_preset
from ..render.chain import Link
from ..render.graphics_process import CrashError, GraphicsProcess, HangError, Superseded
from ..render.trial import TrialOptions, try_links
from ..resources import shipped
from ..session.preset_copy import PresetCopy, copy_of
from ..settings import Preset
from .open_looks import open_links, open_transition

log = logging.getLogger(__name__)

#: how often files are asked for changes, seconds
POLL_S = 0.025
#: longest time for compiling and drawing in a trial, seconds
TRIAL_S = 20.0
#: a trial that has taken so long is ended where a file is saved again, seconds
LONG_S = 1.0
#: a fault counts once nothing has changed for so long, seconds: an editor may still be writing
GRACE_S = 0.15
#: at most so many files of a folder are followed while a look cannot be read
MOST_BESIDE = 200
_NICENESS = 5


class Tries(Protocol):
    """Tries looks before they are shown: raises VisualizerError for those that cannot be, Superseded once
    `is_superseded` returns True.
    """

    def start(self) -> None: ...

    def __call__(self, links: Sequence[Link], options: TrialOptions, is_superseded: Callable[[], bool]) -> None: ...

    def close(self) -> None: ...


class LookTrial:
    """Tries looks in a process of its own. The show's process compiles them quickly then, see `render.trial`."""

    def __init__(self) -> None:
        # elsewhere another process with a window would appear in the desktop's list of programs
        has_window = sys.platform == "linux"
        self._process = GraphicsProcess(niceness=_NICENESS, n_threads=1, has_window=has_window)

    def start(self) -> None:
        """Start the process, without waiting for it."""
        self._process.start()

    def __call__(self, links: Sequence[Link], options: TrialOptions, is_superseded: Callable[[], bool]) -> None:
        names = ", ".join(one.look.name for one in links if not _comes_with_the_program(one))
        try:
            seconds = self._process.call(
                try_links, tuple(links), options, deadline_s=TRIAL_S, is_superseded=is_superseded
            )
            log.debug("looks tried in %.3f s", seconds)
        except (HangError, Superseded) as fault:
            self._process.start()  # the next edit need not wait
            if isinstance(fault, Superseded):
                raise
            raise HangError(f"look {names}: {fault}: is there a loop that never ends?") from fault
        except CrashError as fault:
            raise CrashError(f"look {names}: {fault}") from fault

    def close(self) -> None:
        """End the process."""
        self._process.close()


@dataclass(frozen=True)
class Edit:
    """A preset on the stage, edited. links: its looks, None: its dream has changed, so it must be opened again.
    transition: the look that leads to it. copy: its files as they were read, None where they could not be copied.
    """

    loaded: LoadedPreset
    links: tuple[Link, ...] | None = None
    transition: Link | None = None
    copy: PresetCopy | None = None

    @property
    def all_links(self) -> tuple[Link, ...]:
        """All that is tried. In a chain a transition leads from the dream to the dream."""
        return (*(self.links or ()), *([self.transition] if self.transition is not None else []))


@dataclass(frozen=True)
class _Read:
    """An edit that was read and can be shown. number: of what it was an edit of, see `_Followed`; place: counts what
    was read, good or bad.
    """

    number: int
    place: int
    edit: Edit


@dataclass(frozen=True)
class _Followed:
    """What is shown. number: counts what `follow` was called with; looks: of the preset when that was called."""

    number: int
    loaded: LoadedPreset
    looks: tuple[Look, ...]
    files: frozenset[Path]
    options: TrialOptions


class Reloader:
    """Notices when the preset or a look on the stage is edited.

    say: called with each fault of an edit, on any thread. tries: tries edited looks. fault: what is wrong with the
    newest edit, in one line; "" while nothing is.
    """

    def __init__(self, say: Callable[[str], None] = log.warning, tries: Tries | None = None) -> None:
        self.fault = ""
        self._say, self._tries, self._watch = say, tries or LookTrial(), FileWatch()
        self._followed: _Followed | None = None
        self._lock = threading.Lock()  # of those below and `fault`
        self._edit: _Read | None = None
        self._n_read = self._polled = self._faulty = 0  # how many; place of what `poll` returned last, and of `fault`
        self._also_followed: frozenset[Path] = frozenset()  # of the thread: what was read of what is not shown yet
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def follow(self, loaded: LoadedPreset, links: Sequence[Link], size: tuple[int, int]) -> None:
        """Follow the files of a preset that is shown now. links: its looks, and the one that leads to it. size: (width,
        height) that is drawn, px.
        """
        number = 1 if self._followed is None else self._followed.number + 1
        drawn_size, is_journey = size if min(size) > 0 else loaded.size, loaded.journey is not None
        options = TrialOptions(loaded.size, drawn_size, len(loaded.variants), is_journey)
        with self._lock:
            self.fault, self._edit = "", None
            self._followed = _Followed(number, loaded, _looks_of(links), _files_of(loaded, links), options)
        if any(not _comes_with_the_program(one) for one in links):
            self._tries.start()  # such looks are likely to be edited: the first edit need not wait
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="reload", daemon=True)
            self._thread.start()

    def poll(self) -> Edit | None:
        """An edit of what is shown that can be shown, once."""
        with self._lock:
            read, self._edit = self._edit, None
            if read is None or self._followed is None or read.number != self._followed.number:
                return None
            self._polled = read.place
        return read.edit

    def shown(self, links: Sequence[Link]) -> None:
        """What `poll` returned is shown: its files are followed from now on. links: as for `follow`."""
        if self._followed is not None:
            self._followed = replace(self._followed, files=_files_of(self._followed.loaded, links))
        with self._lock:
            if self._faulty <= self._polled:  # and not of what was saved meanwhile
                self.fault = ""

    def failed(self, fault: str) -> None:
        """What `poll` returned cannot be shown. fault: why, in one line."""
        self._report(self._polled, fault)

    def close(self) -> None:
        """End the thread and the trial."""
        self._ended.set()
        self._tries.close()
        if self._thread is not None:
            self._thread.join()

    def _report(self, place: int, fault: str) -> None:
        """Note a fault of what was read, unless there is one of something newer; and say it, unless it stands already."""
        words = f"{fault}; the picture stays as it was"
        with self._lock:
            is_known = words == self.fault
            if place >= self._faulty:
                self.fault, self._faulty = words, place
        if not is_known:
            self._say(words)

    # -- on the thread ------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        number, raw = 0, None
        while not self._ended.wait(POLL_S):
            followed = self._followed
            assert followed is not None
            if is_new := followed.number != number:
                number, raw, self._also_followed = followed.number, followed.loaded.written, frozenset()
            self._watch.follow(followed.files | self._also_followed)
            if self._watch.changed() or is_new:
                try:
                    raw = self._read(followed, raw, is_new)
                except Exception as fault:
                    log.exception("an edited preset cannot be read")
                    self._report(self._count(), f"what was edited cannot be read ({type(fault).__name__})")

    def _read(self, followed: _Followed, raw: Preset | None, is_new: bool) -> Preset | None:
        """Read what was edited, and hand it over. raw: the preset as its file was before; returns what it is now.
        is_new: it is followed only from now on, and may have been edited since it was opened.
        """
        while not self._ended.is_set():
            try:
                edit, raw_now = self._edited(followed, raw, is_new)
            except (VisualizerError, OSError) as fault:
                if isinstance(fault, Superseded) or self._has_changed_again():
                    self._wait_until_written()
                    continue
                if self._is_shown(followed) and not self._ended.is_set():
                    self._report(self._count(), str(fault))
                return raw
            if edit is not None:
                read = _Read(followed.number, self._count(), edit)
                with self._lock:
                    self._edit = read
            return raw_now
        return raw

    def _edited(self, followed: _Followed, raw: Preset | None, is_new: bool) -> tuple[Edit | None, Preset | None]:
        """What was edited, None for nothing. Arguments and second result: see `_read`."""
        loaded, now = followed.loaded, raw
        if loaded.folder is not None:
            now = load_preset(str(loaded.folder)).preset
            if raw is not None and is_another_dream(now, raw):
                return Edit(loaded), now
            if now != loaded.written:
                loaded = edited(loaded, now)
        links, transition = self._opened(followed, loaded)
        edit = Edit(loaded, links, transition)
        if is_new and followed.loaded.written in (None, now) and _looks_of(edit.all_links) == followed.looks:
            return None, now
        with suppress(VisualizerError):  # a recording reports it
            # before the trial: until it ends the files may be saved again
            edit = replace(edit, copy=copy_of(loaded, has_bank=False))
        watch = Stopwatch()

        def is_superseded() -> bool:
            # a trial that would end soon is not worth another process
            return self._ended.is_set() or (watch.elapsed_s() > LONG_S and self._watch.has_changes())

        self._tries(edit.all_links, followed.options, is_superseded)
        return edit, now

    def _opened(self, followed: _Followed, loaded: LoadedPreset) -> tuple[tuple[Link, ...], Link | None]:
        """The looks of a preset, and the one that leads to it, as their files are now. Files that are new are followed
        from before they are read, so that no later edit of them is missed. Raises what `open_links` raises.
        """
        while True:
            try:
                links, transition = open_links(loaded), open_transition(loaded)
            except (VisualizerError, OSError):
                # what is wrong may be in any of these, or missing among them
                if self._follows_already(followed, self._also_followed | _files_beside(loaded)):
                    raise
            else:
                if self._follows_already(followed, _files_of(loaded, Edit(loaded, links, transition).all_links)):
                    return links, transition

    def _follows_already(self, followed: _Followed, also: frozenset[Path]) -> bool:
        """Whether these files are followed already; from now on they are, besides those of what is shown."""
        known, self._also_followed = followed.files | self._also_followed, also
        self._watch.follow(followed.files | also)
        return also <= known

    def _count(self) -> int:
        """The place of what was just read."""
        with self._lock:
            self._n_read += 1
            return self._n_read

    def _is_shown(self, followed: _Followed) -> bool:
        return self._followed is not None and self._followed.number == followed.number

    def _wait_until_written(self) -> None:
        """Wait until what is being written is whole."""
        while self._watch.has_changes() and not self._ended.wait(POLL_S):
            self._watch.changed()

    def _has_changed_again(self) -> bool:
        """Whether a file is written again within GRACE_S."""
        return any(self._ended.wait(POLL_S) or self._watch.has_changes() for _ in range(round(GRACE_S / POLL_S)))


def _files_of(loaded: LoadedPreset, links: Sequence[Link]) -> frozenset[Path]:
    files = {path for one in links for path in one.look.files}
    return frozenset(files | ({loaded.folder / FILE_NAME} if loaded.folder is not None else set()))


def _files_beside(loaded: LoadedPreset) -> frozenset[Path]:
    """The files among which those of a preset's own looks lie, and their folders, which change when a file comes."""
    folders = [*([loaded.folder] if loaded.folder is not None else []), config_folder() / "looks"]
    found = set(folders)
    for folder in folders:
        with suppress(OSError):
            found |= set(islice(folder.iterdir(), MOST_BESIDE))
    return frozenset(found)


def _looks_of(links: Sequence[Link]) -> tuple[Look, ...]:
    """The looks of a preset, without the plain one, which is drawn where there is none."""
    return tuple(one.look for one in links if not one.look.is_plain)


def _comes_with_the_program(link: Link) -> bool:
    return link.look.path.is_relative_to(shipped("shaders"))
