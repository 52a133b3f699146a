"""Keys: the defaults, keys.yaml in their place, errors in it, and the lines of help."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from visualizer.control import keys
from visualizer.control.actions import find_actions
from visualizer.control.capabilities import Capability
from visualizer.control.keys import Keymap, help_groups, help_lines, load_keys, read_key, shown
from visualizer.errors import BadInput
from visualizer.render.text import Layout, draw_text_box


@pytest.fixture
def write(home):
    """Writes keys.yaml into the config folder."""
    folder = home / "config"
    folder.mkdir(exist_ok=True)

    def write(text):
        (folder / "keys.yaml").write_text(text)

    return write


def test_without_a_file_the_defaults_hold():
    keymap = load_keys()
    asked = {
        "f": "fullscreen", "f11": "fullscreen", "shift+f": "next_monitor", "h": "help", "f1": "help", "space": "freeze",
        "b": "blackout", "n": "next_preset", "p": "previous_preset", "1": "preset_1", "9": "preset_9",
        "up": "sensitivity_up", "down": "sensitivity_down", "t": "tap", "[": "tempo_half", "]": "tempo_double",
        "l": "lock", "r": "record", "s": "screenshot", "i": "next_input", "left": "seek_back", "right": "seek_forward",
        "shift+left": "previous_song", "shift+right": "next_song",
        "+": "volume_up", "=": "volume_up", "-": "volume_down", "m": "mute",
        "ctrl+q": "quit", "backspace": "reset", "escape": "leave_fullscreen",
    }  # fmt: skip
    assert {key: keymap.action([key]) for key in asked} == asked
    assert keymap.action(["q"]) is None, "Q alone ends nothing"


def test_no_default_key_does_two_things():
    of_all = [key for action in find_actions().values() for key in action.keys]
    assert len(of_all) == len(set(of_all))
    assert [read_key(key) for key in of_all] == of_all


def test_a_file_puts_keys_in_the_place_of_defaults(write):
    write("blackout: [k, Ctrl+Alt+B]\ntempo_half: '('\n")
    keymap = load_keys()
    assert keymap.keys_of("blackout") == ("k", "ctrl+alt+b")
    assert keymap.action(["k"]) == keymap.action(["ctrl+alt+b"]) == "blackout"
    assert keymap.action(["b"]) is None
    assert keymap.action(["("]) == "tempo_half"
    assert keymap.action(["h"]) == "help", "the others stay"


def test_a_key_taken_for_something_else_leaves_its_default(write):
    write("screenshot: space\n")
    keymap = load_keys()
    assert keymap.action(["space"]) == "screenshot"
    assert keymap.keys_of("freeze") == ()
    assert keymap.shown("freeze") == ""


def test_keys_may_change_places(write):
    write("next_preset: p\nprevious_preset: n\n")
    keymap = load_keys()
    assert (keymap.action(["p"]), keymap.action(["n"])) == ("next_preset", "previous_preset")


def test_digits_and_none(write):
    write("tap: 5\nlock: []\n")
    keymap = load_keys()
    assert keymap.action(["5"]) == "tap"
    assert keymap.keys_of("preset_5") == keymap.keys_of("lock") == ()


@pytest.mark.parametrize("text", ["", "# nothing here\n", "---\n"])
def test_an_empty_file_is_the_defaults(write, text):
    write(text)
    assert load_keys().keys_of("tap") == ("t",)


@pytest.mark.parametrize(
    ("text", "line", "expected"),
    [
        ("blackot: k\n", 1, r"blackot: unknown key \(did you mean 'blackout'\?\); allowed: help, "),
        ("help: h\nblackout: spce\n", 2, r"blackout: unknown key 'spce' \(did you mean 'space'\?\)"),
        ("help: hyper+x\n", 1, r"help: 'hyper\+x': unknown modifier 'hyper'"),
        ("tap: k\n\nseek_back: [j, K]\n", 3, "seek_back: the key 'k' is already used for tap"),
        ("tap: true\n", 1, "tap: needs a key or a list of keys"),
        ("tap:\n", 1, "tap: needs a key or a list of keys.*quotes"),
        ("tap: {a: b}\n", 1, "tap: needs a key"),
        ("tap: [[a]]\n", 1, "tap: needs a key"),
        ("tap: ''\n", 1, "tap: unknown key ''"),
        ("tap: ' '\n", 1, "tap: unknown key ' '"),
        ("tap: t+t\n", 1, "tap: 't[+]t': unknown modifier 't'"),
        ("tap: 12\n", 1, "tap: unknown key '12'"),
        ("tap: [\n", 2, "not valid YAML"),
        ("- tap\n", 1, "expected lines like 'key: value'"),
        ("tap: a\ntap: b\n", 2, "tap: given twice, first in line 1"),
    ],
)
def test_errors_are_reported_with_their_line(write, text, line, expected):
    write(text)
    with pytest.raises(BadInput, match=expected) as fault:
        load_keys()
    assert f"keys.yaml:{line}: " in str(fault.value)
    assert "\n" not in str(fault.value)


def test_a_folder_in_place_of_the_file_is_reported(home):
    (home / "config" / "keys.yaml").mkdir(parents=True)
    with pytest.raises(BadInput, match="is a folder"):
        load_keys()


@pytest.mark.parametrize(
    ("written", "name"),
    [("Esc", "escape"), (" F ", "f"), ("shift+ctrl+x", "ctrl+shift+x"), ("+", "+"), ("ctrl++", "ctrl++"), ("Ä", "ä"),
     ("cmd+s", "super+s"), ("Return", "enter"), ("F25", "f25")],
)  # fmt: skip
def test_keys_as_people_write_them(written, name):
    assert read_key(written) == name


@pytest.mark.parametrize(
    ("key", "expected"),
    [("h", "H"), ("ctrl+q", "Ctrl+Q"), ("pageup", "Page up"), ("escape", "Esc"), ("f11", "F11"), ("ctrl++", "Ctrl++")],
)
def test_keys_for_reading(key, expected):
    assert shown(key) == expected


def test_the_first_name_of_a_key_that_means_something_counts():
    keymap = Keymap()
    assert keymap.action(["&", "1"]) == "preset_1"
    assert keymap.action(["t", "1"]) == "tap"
    assert keymap.action([]) is None


def test_every_key_that_a_window_can_name_can_be_written_here():
    import glfw

    from visualizer.render.keyboard import us_key_names

    names = {name for name in us_key_names(glfw).values() if not name.startswith("world")}
    assert {read_key(name) for name in names} == names
    assert set(keys.NAMED_KEYS) <= names


def test_the_page_on_keys_names_every_action_with_its_keys():
    page = (Path(__file__).resolve().parents[2] / "docs" / "keys.md").read_text()
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line.startswith("| `")
    ]
    expected = {name: keys for keys, _, names in rows for name in re.findall(r"`(\w+)`", names)}
    digits = {f"preset_{number}" for number in range(2, 9)}
    assert set(expected) | digits == set(find_actions())
    for action in find_actions().keys() - digits:
        for key in find_actions()[action].keys:
            assert f"`{shown(key)}`" in expected[action], action


def test_the_example_on_the_page_is_a_file_that_holds(write):
    page = (Path(__file__).resolve().parents[2] / "docs" / "keys.md").read_text()
    write(re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)[0])
    keymap = load_keys()
    assert keymap.keys_of("blackout") == ("b", "f9") and keymap.keys_of("lock") == ()


# -- help lines

LIVE, PLAY = {Capability.TEMPO, Capability.DEVICES}, {Capability.SEEK, Capability.PAUSE, Capability.VOLUME}


def test_help_has_every_action_once():
    shown_actions = [one for line in help_groups(find_actions()) for one in line]
    assert shown_actions == list(find_actions().values())


def test_help_shows_the_users_keys_and_only_actions_that_the_source_can_do():
    live, play = help_lines(Keymap(), LIVE), help_lines(Keymap(), PLAY)
    assert "Space\tfreeze" in live and "Space\tpause" in play
    assert "T\ttap the tempo" in live and "T\ttap the tempo" not in play
    assert "Left, Right\t5 s back, 5 s forward" in play and not any("5 s" in line for line in live)
    assert "1 .. 9\tpreset by number" in live
    own = help_lines(Keymap({"blackout": ("k", "f5"), "lock": ()}), LIVE)
    assert "K, F5\tblackout" in own
    assert not any("lock" in line for line in own), "an action without a key is not shown"


def test_digits_that_are_not_all_presets_are_shown_one_by_one():
    lines = help_lines(Keymap({"tap": ("5",)}), LIVE)
    assert "1, 2, 3, 4, 6, 7, 8, 9\tpreset by number" in lines


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080), (640, 360), (3840, 2160)])
@pytest.mark.parametrize("capabilities", [LIVE, PLAY])
def test_all_keys_fit_on_the_screen(size, capabilities):
    layout = Layout.of(size)
    lines = help_lines(Keymap(), capabilities)
    assert layout is not None and len(lines) <= layout.max_lines
    panel = draw_text_box(lines, layout, steady=False)
    assert panel is not None and panel.shape[1] < size[0] * 0.4
