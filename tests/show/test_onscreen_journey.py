"""A journey in a real window whose graphics are lost: built again, it goes on where it was."""

from __future__ import annotations

from typing import ClassVar

from tests.fixtures.journeys import with_journey
from tests.fixtures.watching import Quiet, Script
from tests.show.test_onscreen_company import PLAIN, Hand, Line
from visualizer.presets.dreams import open_cache
from visualizer.presets.loaded import open_preset
from visualizer.render.window import Window
from visualizer.show.onscreen import run

SIZE = (96, 54)
JOURNEY = "journey: {depth: 2, zoom_per_s: 1.0, stations: [{layer: block2.expand}, {layer: block3.expand}]}\n"


class Losing(Window):
    """A window whose graphics count as lost once `lost` is set."""

    opened: ClassVar[list[Losing]] = []
    lost = False

    def __init__(self, *arguments, **named):
        self.opened.append(self)
        super().__init__(*arguments, **named)

    @property
    def is_lost(self):
        return self.lost


def test_with_graphics_that_are_built_again_it_goes_on_where_it_was(screen, tiny_preset, tmp_path, home):
    loaded = open_preset(str(with_journey(tiny_preset, tmp_path, JOURNEY)), size=SIZE)
    line, hand = Line(), Hand()
    Losing.opened = opened = []
    kept = []

    def beyond(position):
        def step():
            state = line.states[-1].journey if line.states else None
            return state is not None and state.position > position

        return step

    def lose():
        kept.append((line.states[-1].journey, len(line.states)))
        opened[0].lost = True
        return True

    script = Script(screen, beyond(2.5), lose, lambda: len(opened) == 2, beyond(3.2))
    run(
        loaded,
        Quiet(depth=3.0),
        open_cache(),
        on_frame=script,
        controllers=[hand],
        staging=PLAIN,
        lifeline=line,
        greeting="",
        opens=Losing,
    )
    (before, n_states), after = kept[0], line.states
    assert min(state.journey.position for state in after[n_states:]) >= before.position
    keys = {one.number: one.key for one in after[-1].journey.stations}
    assert all(keys[one.number] == one.key for one in before.stations)
    assert "built again" in " ".join(shot.notice for shot in hand.snapshots)
