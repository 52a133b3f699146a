"""The chain of docs/never-blank.md: every link is forced in a real show, and its window is watched from outside by
`never_dark`.

One show is rehearsed for all of it; each test asks how one fault went.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.fixtures.never_dark import NeverDark, Stretch
from tests.fixtures.pulse import Pulse
from tests.fixtures.screen import Screen
from visualizer.diagnostics.rehearsal import runner
from visualizer.diagnostics.rehearsal.faults import Trial
from visualizer.diagnostics.rehearsal.plan import Plan, PlannedFault
from visualizer.diagnostics.rehearsal.record import Record
from visualizer.diagnostics.rehearsal.runner import conduct, prepared
from visualizer.presets.dreams import cache_key, open_cache
from visualizer.presets.loaded import open_preset

#: one show for all of it: on a busy machine it takes minutes
pytestmark = pytest.mark.timeout(3600)
SIZE = (320, 180)
LIMIT_S, RESTART_LIMIT_S = 0.25, 2.0
BLIND_S = 0.1  # longest time between two looks where the machine is not too busy
KINDS = (
    "sound lost",
    "analysis fails",
    "show killed",  # so early that there is a hot standby again for the second time
    "graphics reset",
    "nothing can be drawn",
    "preset broken",
    "shader broken",
    "bake killed",
    *(("bake out of memory", "disk full") if sys.platform.startswith("linux") else ()),
    "panel killed",
    "show killed again",
)


@dataclass(frozen=True)
class Night:
    """A rehearsal, and what was seen of it from outside."""

    record: Record
    stretches: tuple[Stretch, ...]
    blind_s: float

    def trial(self, kind: str) -> Trial:
        """How a fault went; "... again" is the second of its kind."""
        found = [trial for trial in self.record.trials if trial.kind == kind.removesuffix(" again")]
        number = 1 if kind.endswith(" again") else 0
        assert len(found) > number, f"{kind} was never tried: {self.record.left_out} {self.record.crash}"
        return found[number]

    def dark(self, trial: Trial) -> list[Stretch]:
        """When there was no picture while it lasted."""
        assert trial.ended_s is not None
        return [one for one in self.stretches if trial.begun_s <= one.to_s and one.from_s <= trial.ended_s]


def _dream(preset: Path) -> None:
    """Fill the user's cache with a dream of the preset, without dreaming."""
    loaded, cache = open_preset(str(preset), size=SIZE), open_cache()
    key = cache_key(loaded.image, loaded.variants[0], cache)
    for depth_index in range(loaded.n_depths + 1):
        cache.save(key, depth_index, np.roll(loaded.image, 10 * depth_index, axis=1))


@pytest.fixture(scope="module")
def night(screen: Screen, pulse: Pulse, tiny_preset: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    with pytest.MonkeyPatch.context() as patch:
        home = tmp_path_factory.mktemp("user")
        for name in ("CACHE", "LOG", "CONFIG", "PICTURES"):
            patch.setenv(f"VISUALIZER_{name}_DIR", str(home / name.lower()))
        for name, seconds in (("FIRST_FRAME_S", 300.0), ("HANG_S", 120.0), ("GIVE_UP_S", 300.0)):
            patch.setattr(runner, name, seconds)  # on a busy machine a bake takes long
        _dream(tiny_preset)
        rig = prepared(str(tiny_preset), SIZE, kill=True)
        planned = tuple(PlannedFault(kind.removesuffix(" again"), 0.0) for kind in KINDS)
        with NeverDark(screen.display, (0, 0, *SIZE)) as eye:
            record = conduct(rig, Plan(0.0, 1000.0, planned, patience=0.3))
            seen = eye.report()
        yield Night(record, seen.stretches, seen.blind_s)


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_noticed_and_over_and_the_picture_stays(night: Night, kind: str) -> None:
    trial = night.trial(kind)
    assert not trial.fault and trial.noticed_s is not None and trial.back_s is not None, trial
    # where nobody looked for long the machine gave no turn to the show either
    limit_s = (RESTART_LIMIT_S if kind.startswith("show killed") else LIMIT_S) * max(1.0, night.blind_s / BLIND_S)
    dark = night.dark(trial)
    for one in dark:  # where nobody looked for long nobody knows: what was surely seen counts
        assert (one.seconds if one.margin_s < 0.1 else one.to_s - one.from_s) < limit_s, (dark, night.blind_s)


@pytest.mark.parametrize(
    "kind, words",
    [
        ("sound lost", "; the picture moves by itself"),
        (
            "analysis fails",
            "the analysis failed (RehearsedFault: rehearsed fault of the analysis); the picture moves by itself",
        ),
        (
            "nothing can be drawn",
            "the plain drawing failed (RehearsedFault: rehearsed fault of all drawing); the last picture stays",
        ),
        ("graphics reset", "the graphics were lost, and are built again"),
        ("preset broken", "preset.yaml"),
        ("shader broken", ".frag:14: "),
        ("bake killed", "killed by the system: out of memory?"),
        ("panel killed", "the panel has stopped (signal 9)"),
        ("show killed", "the show was restarted: killed by signal"),
    ],
)
def test_the_performer_is_told_in_words(night: Night, kind: str, words: str) -> None:
    said = night.trial(kind).said
    assert any(words in line for line in said), said
    if words.startswith(("preset", ".frag")):
        assert any(line.endswith("the picture stays as it was") for line in said), said


def test_nothing_else_went_wrong(night: Night) -> None:
    assert night.record.unplanned == [] and night.record.crash == ""


def test_its_device_and_its_folder_are_gone(night: Night, pulse: Pulse) -> None:
    assert "visualizer_rehearsal" not in pulse.control("list", "short", "sinks")
