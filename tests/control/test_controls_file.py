"""controls.yaml: what it holds, errors in it, and how learning changes it."""

from __future__ import annotations

import functools
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from filelock import FileLock

from visualizer.control import controls_file as file
from visualizer.control.actions import find_actions
from visualizer.control.bindings import Controls, MidiBinding, OscBinding
from visualizer.errors import BadInput, VisualizerError

KNOB = MidiBinding(cc=7, channel=1, port='nano "K" ö', does="beat.sensitivity")
MINE = """\
# my controls
midi:
  # the left fader
  - cc: 3            # first
    channel: 1
    does: beat.sensitivity
    low: 0.5
    high: 3
  # pads
  - {note: 36, does: blackout, hold: true}

# touch
osc:
  /1/fader1: beat.decay   # f1
  /1/x: {does: freeze}
# end"""


@pytest.fixture
def write(home):
    """Writes controls.yaml."""
    path = file.controls_file()
    path.parent.mkdir(exist_ok=True)

    def write(text):
        path.write_text(text)
        return path

    return write


def text() -> str:
    return file.controls_file().read_text()


learn = file.learn


def test_without_a_file_nothing_is_bound():
    assert file.load_controls() == Controls() and file.stamp() is None


@pytest.mark.parametrize("said", ["", "midi:\nosc:\n", "midi: []\nosc: {}\n"])
def test_a_file_may_be_empty(write, said):
    write(said)
    assert file.load_controls() == Controls()


def test_what_a_file_holds(write):
    write(MINE)
    found = file.load_controls()
    assert found.midi[0] == MidiBinding(cc=3, channel=1, does="beat.sensitivity", low=0.5, high=3)
    assert found.midi[1] == MidiBinding(note=36, does="blackout", hold=True)
    assert found.osc["/1/fader1"] == OscBinding(address="/1/fader1", does="beat.decay")


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("midi:\n- cc: 1\n  chanel: 3\n  does: tap\n", ":3: midi.0.chanel: unknown key (did you mean 'channel'?)"),
        (
            "midi:\n- cc: 1\n  does: tab\n",
            ":3: midi.0.does: unknown target 'tab' (did you mean 'tap'?)",
        ),
        ("midi:\n- does: tap\n", ":2: midi.0: needs one of: cc"),
        (
            "midi:\n - {cc: 300, does: tap}\n",
            ":2: midi.0.cc: 300 cannot be used; allowed: a whole number or empty, 0 .. 127",
        ),
        ("midi:\n - {cc: '3', does: tap}\n", ":2: midi.0.cc: '3' cannot be used"),
        (
            "midi:\n - {cc: 3, does: beat.decay, low: 99}",
            ":2: midi.0: beat.decay 99 is out of range; allowed: 0.1 .. 0.999",
        ),
        ("midi:\n - {cc: 3, preset: x}\n - {note: 3}\n", ":3: midi.1.does: missing"),
        ("midi:\n - 3", ":2: midi.0: needs a section"),
        ("midi: 3\n", ":1: midi: needs a list"),
        ("mid: []", ":1: mid: unknown key (did you mean 'midi'?)"),
        ("osc: 3", ":1: osc: 3 cannot be used"),
        ("osc:\n  /a: 3\n", ":2: osc./a: needs what it does"),
        ("osc:\n  /b: tap\n  /a b: tap\n", ":3: osc./a b: '/a b' is no OSC address"),
        ("osc:\n  /a: {dos: tap}\n", ":2: osc./a: unknown key 'dos' (did you mean 'does'?)"),
        ("osc:\n  /visualizer/x: tap", ":2: osc./visualizer/x: /visualizer/x has a meaning already"),
        ("osc:\n  /a: tap\n  /a: quit\n", ":3: osc./a: given twice, first in line 2"),
        ("midi: [\n", "not valid YAML"),
    ],
)
def test_errors_are_reported_with_their_line(write, said, why):
    write(said)
    with pytest.raises(BadInput, match=re.escape(why)) as told:
        file.load_controls()
    assert "\n" not in str(told.value) and "controls.yaml:" in str(told.value)


def test_the_first_control_learned_makes_the_file():
    learn(KNOB)
    assert text() == 'midi:\n  - {cc: 7, channel: 1, port: "nano \\"K\\" ö", does: beat.sensitivity}\n'
    learn(OscBinding(address="/1/x", does="preset:a b", full=127))
    assert text().endswith('osc:\n  /1/x: {does: "preset:a b", full: 127}\n')
    assert file.load_controls() == Controls(
        midi=[KNOB], osc={"/1/x": OscBinding(address="/1/x", does="preset:a b", full=127)}
    )


def test_learning_leaves_comments_and_other_lines_as_they_are(write):
    write(MINE)
    learn(KNOB)
    first = MINE.index("  - cc: 3")
    rest = MINE.index("  # pads")
    line = '  - {cc: 7, channel: 1, port: "nano \\"K\\" ö", does: beat.sensitivity, low: 0.5, high: 3}\n'
    assert text() == MINE[:first] + line + MINE[rest:] + "\n", "in its place, with the range of the one before"
    learn(OscBinding(address="/1/x", does="beat.decay"))
    assert "  /1/x: beat.decay\n# end\n" in text() and "f1" not in text(), "the address no longer freezes"
    assert "# touch" in text() and "# the left fader" in text()


def test_what_a_control_did_before_it_no_longer_does(write):
    write(MINE)
    learn(MidiBinding(note=36, channel=10, does="next_preset"))
    assert [one.does for one in file.load_controls().midi] == ["beat.sensitivity", "next_preset"]


def test_forgetting(write):
    write(MINE)
    for target in ("beat.sensitivity", "blackout", "beat.decay", "freeze"):
        file.change_controls(functools.partial(file.without, target=target))
    assert file.load_controls() == Controls() and "# the left fader" in text() and "midi:" in text()
    learn(KNOB)
    assert file.load_controls().midi == [KNOB]


@pytest.mark.parametrize(
    "said", ["midi: [{cc: 1, does: tap}]\n", "midi: [\n  {cc: 1, does: tap},\n]\n", "{midi: [{cc: 1, does: tap}]}"]
)
def test_a_file_that_cannot_be_changed_line_by_line_is_rewritten(write, said):
    write(said)
    learn(KNOB)
    assert file.load_controls().midi == [MidiBinding(cc=1, does="tap"), KNOB]


def test_words_that_yaml_reads_otherwise_come_back_as_they_were(write):
    for name in ("1e3", "true", "~", "# x", "a: b", "- c", "", "it's", "null", "*x", "\\", "\u2028"):
        named = Controls(midi=[MidiBinding(cc=1, port=name, does="tap")])
        file.change_controls(lambda _, named=named: named)
        assert file.load_controls().midi[0].port == name


def test_a_file_with_faults_is_not_touched(write):
    write("midi:\n- does: tap\n")
    with pytest.raises(BadInput, match=":2: midi.0"):
        learn(KNOB)
    assert text() == "midi:\n- does: tap\n"


def test_a_folder_that_cannot_be_written_to_is_reported_in_one_line(home):
    (home / "config").write_text("a file where the folder should be")
    with pytest.raises(VisualizerError, match="cannot be written: ") as told:
        file.change_controls(lambda _: Controls(midi=[KNOB]))
    assert "\n" not in str(told.value)


def test_nothing_half_written_stays_behind(write):
    path = write(MINE)
    learn(KNOB)
    assert {one.name for one in path.parent.iterdir()} == {"controls.yaml", "controls.yaml.lock"}


def test_the_file_in_the_documents_can_be_read(write):
    page = (Path(__file__).resolve().parents[2] / "docs" / "controllers.md").read_text()
    [said] = re.findall(r"^```yaml\n(midi:.*?)^```$", page, re.MULTILINE | re.DOTALL)
    write(said)
    assert len(file.load_controls().midi) == 14 and len(file.load_controls().osc) == 6


_LEARNS = """
import sys
from visualizer.control.bindings import OscBinding
from visualizer.control.controls_file import learn
print("ready", flush=True)
sys.stdin.readline()
for target in sys.argv[1:]:
    learn(OscBinding(address=f"/{target}", does=target))
"""


def test_bindings_learned_at_the_same_time_are_all_kept(home):
    """By threads of the show and by other processes, as `visualizer midi learn` is one."""
    targets = list(find_actions())[:20]
    others = [
        subprocess.Popen([sys.executable, "-c", _LEARNS, *some], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for some in (targets[:5], targets[5:10])
    ]
    for process in others:
        assert process.stdout is not None and process.stdout.readline() == b"ready\n"
    with ThreadPoolExecutor(5) as threads:
        for process in others:
            assert process.stdin is not None
            process.stdin.write(b"\n"), process.stdin.flush()
        list(threads.map(lambda target: file.learn(OscBinding(address=f"/{target}", does=target)), targets[10:]))
    assert [process.wait(60) for process in others] == [0, 0]
    assert {one.does for one in file.load_controls().osc.values()} == set(targets)


def test_a_change_that_waits_too_long_for_another_is_reported(home, monkeypatch):
    monkeypatch.setattr(file, "WAIT_S", 0.05)
    file.learn(KNOB)
    with (
        FileLock(home / "config" / "controls.yaml.lock"),
        pytest.raises(VisualizerError, match="cannot be written: ") as raised,
    ):
        file.learn(OscBinding(address="/x", does="tap"))
    assert "\n" not in str(raised.value)
    assert file.load_controls() == Controls(midi=[KNOB])
