"""Adding an action is one file: the example in examples/actions/ appears everywhere by being found."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.fixtures.watching import Quiet, Script
from tools.write_tables import with_table
from visualizer.control import actions, keys
from visualizer.control.addresses import OscMapping
from visualizer.control.bindings import MidiBinding
from visualizer.control.bound_control import ShowInfo
from visualizer.control.commands import Act
from visualizer.control.keys import Keymap, help_lines, load_keys
from visualizer.control.tables import keys_table, osc_table
from visualizer.panel.model import small_buttons
from visualizer.presets.dreams import open_cache
from visualizer.presets.loaded import open_preset
from visualizer.show.onscreen import Staging, run

DOCS = Path(__file__).resolve().parents[1] / "docs"


@pytest.fixture
def calm(monkeypatch):
    """The action of examples/actions/calm.py, found like those of the program."""

    def forget():
        actions.find_actions.cache_clear()
        keys._keys_file.cache_clear()

    monkeypatch.setattr(actions, "__path__", [*actions.__path__, str(Path(__file__).parent / "examples" / "actions")])
    forget()
    yield actions.find_actions()["calm"]
    monkeypatch.undo()
    forget()
    sys.modules.pop("visualizer.control.actions.calm", None)


@pytest.fixture
def loaded(tiny_preset):
    return open_preset(str(tiny_preset), size=(320, 180))


def test_it_has_its_key_and_keys_yaml_may_give_it_another(calm, home):
    assert Keymap().action(["c"]) == "calm"
    (home / "config").mkdir(exist_ok=True)
    (home / "config" / "keys.yaml").write_text("calm: [f6, C]\n")
    assert load_keys().keys_of("calm") == ("f6", "c")


def test_it_is_in_help_panel_and_docs(calm):
    assert "C\tcalm the picture" in help_lines(Keymap(), ())
    assert calm in small_buttons() and calm.button == "calm"
    assert "| `C` | calm the picture | `calm` |" in keys_table(actions.find_actions())


def test_osc_and_midi_reach_it(calm):
    assert OscMapping().changes("/visualizer/action/calm", [1.0], ShowInfo(), 0.0) == [Act("calm")]
    assert MidiBinding.model_validate({"note": 36, "does": "calm"}).does == "calm"


@pytest.mark.parametrize(("page", "table"), [("keys.md", keys_table), ("controllers.md", osc_table)])
def test_the_tables_of_the_docs_are_those_that_the_actions_declare(page, table):
    """`python tools/write_tables.py` writes them."""
    text, made = (DOCS / page).read_text(encoding="utf-8"), table(actions.find_actions())
    assert made in text and with_table(text, made.splitlines()[0], made) == text


def test_its_key_works_in_a_show(calm, screen, loaded):
    act = Quiet()
    steps = ["c", lambda: act.looks and act.looks[-1].settings.beat.smoothing_ms == 400.0]
    screen.move_pointer(100, 90)
    run(
        loaded,
        act,
        open_cache(),
        title="an action of its own",
        staging=Staging(adapt=False),
        greeting="",
        on_frame=Script(screen, *steps),
    )
    assert act.looks[-1].settings.beat.smoothing_ms == 400.0
