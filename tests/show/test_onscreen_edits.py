"""A preset and its look, edited while they are shown in a real window: what is seen on the screen, and what is said."""

from __future__ import annotations

import shutil

import pytest

from tests.fixtures.watching import Quiet, Script, saved
from tests.show.nights import performed
from tests.show.test_onscreen_company import PLAIN, Hand
from visualizer.control.commands import Set
from visualizer.presets.dreams import open_cache
from visualizer.presets.loaded import open_preset
from visualizer.session.check import examine, losses
from visualizer.session.events import EditEvent
from visualizer.session.reader import RecordedSession
from visualizer.show.onscreen import run
from visualizer.show.recorder import RecordingOptions

LOOK = """/*{"INPUTS": [{"NAME": "green", "TYPE": "float", "DEFAULT": 0.2}]}*/
void main() { gl_FragColor = vec4(%s, green, 0.0, 1.0); }
"""
FADING = """/*{"PASSES": [{"TARGET": "kept", "PERSISTENT": true, "WIDTH": "max($WIDTH/2, 8)"}, {}]}*/
void main() {
    vec4 before = IMG_THIS_PIXEL(kept);
    gl_FragColor = PASSINDEX == 1 ? before : vec4(FRAMEINDEX == 0 ? 1.0 : before.r, %s, 0.0, 1.0);
}
"""


@pytest.fixture
def preset(tiny_preset, loaded, tmp_path):
    """The folder of a preset like the tiny one, with a look of its own that fills the picture with a colour."""
    folder = tmp_path / "tinted"
    shutil.copytree(tiny_preset, folder)
    (folder / "tint.fs").write_text(LOOK % "0.4")
    with (folder / "preset.yaml").open("a") as file:
        file.write("render: {looks: [tint]}\n")
    return folder


class Watching:
    """A show of a preset, step by step. said: to the terminal; seen: the colours in the middle of the screen, each time
    another one was seen.
    """

    def __init__(self, screen, eye, preset, size):
        self.hand, self.said, self.seen = Hand(), [], []
        self._screen, self._eye, self._preset, self._size = screen, eye, preset, size

    def colour(self):
        """Of the middle of the screen, now."""
        colour = self._eye.at(160, 90)
        self.seen += [colour] if self.seen[-1:] != [colour] else []
        return colour

    def sees(self, *colour):
        return lambda: self.colour() == colour

    def writes(self, name, text):
        def step():
            saved(self._preset / name, text)
            return True

        return step

    def says(self, *words):
        return lambda: bool(self.said) and all(word in self.said[-1] for word in words)

    def shows_fault(self, *words):
        """In the panel's list of faults and among the HUD's lines."""
        return lambda: any(all(word in fault for word in words) for fault in self.hand.snapshots[-1].faults)

    def has_no_fault(self):
        return not self.hand.snapshots[-1].faults

    def run(self, *steps, deadline_s=120.0, **options):
        loaded = open_preset(str(self._preset), size=self._size)
        run(
            loaded,
            Quiet(depth=3.0),
            open_cache(),
            on_frame=Script(self._screen, *steps, deadline_s=deadline_s, state=self.state),
            controllers=[self.hand],
            title="edits",
            staging=PLAIN,
            greeting="",
            say=self.said.append,
            **options,
        )

    def state(self):
        """What was seen and said."""
        faults = self.hand.snapshots[-1].faults if self.hand.snapshots else "none yet"
        return f"the newest colours seen: {self.seen[-10:]}; said: {self.said}; faults: {faults}"


@pytest.fixture
def watching(screen, eye, preset, loaded):
    screen.move_pointer(100, 90)
    return Watching(screen, eye, preset, loaded.size)


def test_a_saved_look_is_shown_and_values_turned_by_hand_stay(watching):
    watching.run(
        lambda: bool(watching.hand.snapshots) and len(watching.hand.snapshots[-1].look) == 1,
        watching.sees(102, 51, 0),
        lambda: watching.hand.changes.append(Set("look.green", 0.6)) or True,
        watching.sees(102, 153, 0),
        watching.writes("tint.fs", LOOK % "0.8"),
        watching.sees(204, 153, 0),
        watching.writes("tint.fs", (LOOK % "1.0").replace("0.2}]", '0.2}, {"NAME": "other", "TYPE": "bool"}]')),
        watching.sees(255, 153, 0),
        lambda: len(watching.hand.snapshots[-1].look) == 2,
    )
    assert watching.said == []


def test_a_saved_preset_is_shown(watching, preset):
    text = (preset / "preset.yaml").read_text()
    watching.run(
        watching.sees(102, 51, 0),
        watching.writes(
            "preset.yaml", text.replace("looks: [tint]", "looks: [{look: tint, parameters: {green: 1.0}}]")
        ),
        watching.sees(102, 255, 0),
        watching.writes("preset.yaml", text.replace("looks: [tint]", "looks: [nothing]")),
        watching.says("preset.yaml:", "nothing", "the picture stays as it was"),
        watching.writes("preset.yaml", text.replace("looks: [tint]", "looks: [tint], transition: tint")),
        watching.says("preset.yaml:", "tint is no transition", "the picture stays as it was"),
        watching.sees(102, 255, 0),
        watching.writes("preset.yaml", text),
        watching.sees(102, 51, 0),
        watching.has_no_fault,
    )
    assert len(watching.said) == 2


def test_an_edit_that_was_recorded_is_performed_again(watching, tmp_path):
    root, frames, said = tmp_path / "night", [], []

    def is_recorded(kind):
        events = root / "events.jsonl"
        return lambda: events.exists() and f'"{kind}"'.encode() in events.read_bytes()

    watching.run(
        watching.sees(102, 51, 0),
        is_recorded("preset"),
        watching.writes("tint.fs", LOOK % "0.8"),
        watching.sees(204, 51, 0),
        is_recorded("edit"),
        lambda: frames.append(1) or len(frames) > 20,
        lambda: watching.hand.changes.append(Set("look.green", 0.6)) or True,  # a session ends with its last event
        watching.sees(204, 153, 0),
        recording=RecordingOptions(begins=True, folder=root),
    )
    found = examine(root, thorough=True)
    assert (found.state, list(losses(found)), found.presets) == ("ok", [], ["tinted"])
    assert [one.scene for one in RecordedSession(root).events() if isinstance(one, EditEvent)] == [0]
    _, pictures = performed(root, (320, 180), said=said)
    assert said == []
    assert pictures[0, 90, 160].tolist() == [102, 51, 0] and pictures[-1, 90, 160].tolist() == [204, 51, 0]


def test_a_preset_whose_dream_is_edited_is_opened_again(watching, preset):
    text = (preset / "preset.yaml").read_text()
    watching.run(
        watching.sees(102, 51, 0),
        watching.writes("preset.yaml", text.replace("n_depths: 4", "n_depths: 3")),
        lambda: watching.hand.snapshots[-1].n_depths == 3,
        watching.sees(102, 51, 0),
    )
    assert watching.said == []


def test_a_fault_is_named_with_file_line_and_source_line_and_the_last_look_that_worked_goes_on(watching):
    watching.run(
        watching.sees(102, 51, 0),
        watching.writes("tint.fs", LOOK % "nothing"),
        watching.shows_fault("tint.fs:2", "nothing", "gl_FragColor = vec4(nothing, green"),
        watching.says("tint.fs:2", "gl_FragColor = vec4(nothing, green", "the picture stays as it was"),
        watching.sees(102, 51, 0),
        watching.writes(
            "tint.fs",
            '/*{"IMPORTED": {"map": {"PATH": "none.png"}}}*/\nvoid main() { gl_FragColor = IMG_THIS_PIXEL(map); }',
        ),
        watching.shows_fault("none.png"),
        watching.sees(102, 51, 0),
        watching.writes("tint.fs", '/*{"INPUTS": [}*/'),
        watching.shows_fault("tint.fs:1", "JSON"),
        watching.sees(102, 51, 0),
        watching.writes("tint.fs", LOOK % "0.8"),
        watching.sees(204, 51, 0),
        watching.has_no_fault,
    )
    assert len(watching.said) == 3


def test_a_look_that_is_deleted_goes_on_until_it_is_there_again(watching, preset):
    watching.run(
        watching.sees(102, 51, 0),
        lambda: (preset / "tint.fs").unlink() or True,
        watching.says("tint", "the picture stays as it was"),
        watching.sees(102, 51, 0),
        watching.writes("tint.fs", LOOK % "0.8"),
        watching.sees(204, 51, 0),
    )


def test_what_a_look_keeps_goes_on_when_it_is_edited(watching, preset):
    (preset / "tint.fs").write_text(FADING % "0.2")
    watching.run(
        watching.sees(255, 51, 0),
        watching.writes("tint.fs", FADING % "0.6"),
        watching.sees(255, 153, 0),
    )


ENDLESS = """/*{"INPUTS": [{"NAME": "green", "TYPE": "float", "DEFAULT": 0.2}]}*/
void main() {
    float v = TIME;
    for (int i = 0; i < 60000; i++) for (int j = 0; j < 60000; j++) for (int k = 0; k < 60000; k++) v = fract(v + sin(v));
    gl_FragColor = vec4(1.0, v, green, 1.0);
}
"""


def test_a_look_that_never_ends_is_not_drawn_and_a_correction_need_not_wait_for_that(watching, preset):
    """Mesa ends loops after some thousands of turns: one such picture takes it seconds."""
    frames = []
    watching.run(
        watching.sees(102, 51, 0),
        watching.writes("tint.fs", ENDLESS),
        lambda: frames.append(watching.colour()) or len(frames) > 40,  # the show goes on, while it is tried
        watching.writes("tint.fs", LOOK % "0.8"),
        watching.sees(204, 51, 0),
    )
    assert not [(red, blue) for red, _, blue in watching.seen if (red, blue) == (255, 51)], watching.state()
    assert all("look tint" in line for line in watching.said)  # on a busy machine the trial may have ended by itself


SLOW = """/*{"INPUTS": [{"NAME": "inputImage", "TYPE": "image"}]}*/
void main() {
    float v = TIME + IMG_THIS_PIXEL(inputImage).r;
    for (int i = 0; i < 1500; i++) v = fract(1.7 * v + sin(v + float(i)));
    gl_FragColor = vec4(1.0, v * 0.001, 1.0, 1.0);
}
"""


@pytest.mark.slow
def test_a_look_that_takes_too_long_is_turned_off_and_named_and_tried_again_when_it_is_saved(watching, preset):
    (preset / "tint.fs").write_text(SLOW)
    text = (preset / "preset.yaml").read_text()
    (preset / "preset.yaml").write_text(text.replace("render: {", "render: {budget_ms: 10, "))
    watching.run(
        watching.says("look tint takes", "is turned off", "tried again when its file is saved"),
        lambda: min(watching.colour()[0], watching.colour()[2]) < 250,
        watching.writes("tint.fs", LOOK % "0.8"),
        watching.sees(204, 51, 0),
    )
