"""Presets opened while a show runs: only the newest overrides counts, and nothing piles up."""

from __future__ import annotations

import shutil
import threading

import pytest

from tests.fixtures.watching import wait_for
from visualizer.errors import DreamError
from visualizer.presets.dreams import Dreams, ReadyDreams, open_cache
from visualizer.presets.loaded import Overrides, open_preset
from visualizer.presets.loader import PresetLoader

SIZE = (64, 36)
NAMES = ("a-one", "b-two", "c-three")


@pytest.fixture
def folder(home, tiny_preset):
    """The user's presets: three that can be shown, in the config folder."""
    presets = home / "config" / "presets"
    for name in NAMES:
        shutil.copytree(tiny_preset, presets / name)
        file = presets / name / "preset.yaml"
        file.write_text(file.read_text().replace("Tiny", name))
    return presets


class Started:
    """Dreams that a test counts. hold: let the opening wait before it begins to dream."""

    def __init__(self):
        self.made, self.closed, self.lock = [], [], threading.Lock()

    def start(self, loaded, _cache):
        with self.lock:
            self.made.append(loaded.name)
        dreams = ReadyDreams([])
        dreams.close = lambda: self.closed.append(loaded.name)
        return dreams

    @property
    def n_open(self):
        return len(self.made) - len(self.closed)


@pytest.fixture
def started():
    return Started()


@pytest.fixture
def changes(folder, started):
    loaded = open_preset("a-one", size=SIZE)
    changes = PresetLoader(loaded, open_cache(), names=lambda: list(NAMES), start=started.start)
    yield changes
    changes.close()


def opened_of(changes, name):
    def poll():
        opened = changes.poll()
        return opened if opened is not None and opened.loaded.name == name else None

    return wait_for(poll, name)


def test_one_after_the_other(changes):
    with changes._changed:  # else it may be opened already
        changes.want("b-two")
        assert changes.opening == "b-two"
    assert opened_of(changes, "b-two").loaded.settings.title == "b-two"
    for name in ("c-three", "a-one", "c-three"):
        changes.want(name)
    assert opened_of(changes, "c-three").loaded.size == SIZE


def test_the_one_that_is_shown_may_be_read_again(changes, folder):
    file = folder / "a-one" / "preset.yaml"
    file.write_text(file.read_text().replace("a-one", "Changed"))
    changes.want("a-one")
    assert opened_of(changes, "a-one").loaded.settings.title == "Changed"


def test_a_folder_on_no_list_is_the_last_of_the_names(folder, tiny_preset, started):
    loaded = open_preset(str(tiny_preset), size=SIZE)
    changes = PresetLoader(loaded, open_cache(), names=lambda: list(NAMES), start=started.start)
    assert changes.names == [*NAMES, loaded.reference]
    changes.close()


def test_a_preset_that_came_is_listed_when_asked(folder, started):
    names = list(NAMES)
    changes = PresetLoader(
        open_preset("a-one", size=SIZE), open_cache(), names=lambda: list(names), start=started.start
    )
    names.append("d-four")
    assert changes.names == list(NAMES)
    changes.list_again()
    assert changes.names == [*NAMES, "d-four"]
    changes.close()


def test_the_users_own_image_and_seed_stay(folder, tiny_preset, started):
    overrides = Overrides(image=tiny_preset / "image.png", seed=7, layer="block3.expand")
    loaded = open_preset("a-one", size=SIZE, overrides=overrides)
    changes = PresetLoader(loaded, open_cache(), names=lambda: list(NAMES), start=started.start)
    try:
        changes.want("b-two")
        opened = opened_of(changes, "b-two").loaded
    finally:
        changes.close()
    assert opened.settings.dream.seed == 7
    assert opened.settings.dream.layer == "block2.expand", "the layer is the preset's"


def test_pressing_wildly_opens_few_and_ends_at_the_last(changes, started):
    for index in range(302):
        changes.want(NAMES[index % 3])
    opened_of(changes, "b-two")
    assert len(started.made) <= 4, "each costs a bake"
    assert changes.poll() is None


def test_what_was_opened_and_not_fetched_is_released_for_the_next(changes, started):
    changes.want("b-two")
    wait_for(lambda: started.made == ["b-two"], "the first")
    changes.want("c-three")
    wait_for(lambda: started.closed == ["b-two"], "letting go")
    opened_of(changes, "c-three")
    assert started.n_open == 1


def test_a_broken_preset_is_told_and_the_next_one_opens(changes, folder):
    (folder / "b-two" / "preset.yaml").write_text("title: Broken\ndream: {n_depth: 3}\n")
    changes.want("b-two")
    fault = wait_for(changes.fault, "the fault")
    assert "n_depth: unknown key (did you mean 'n_depths'?)" in fault and fault.endswith("stays as it was")
    assert "\n" not in fault
    assert changes.fault() is None and changes.poll() is None
    changes.want("c-three")
    opened_of(changes, "c-three")


def test_a_preset_that_has_gone_is_told(changes, folder):
    shutil.rmtree(folder / "b-two")
    changes.want("b-two")
    assert "b-two" in wait_for(changes.fault, "the fault")


def test_a_dream_that_cannot_begin_is_told(folder):
    def start(_look, _cache):
        raise DreamError("the weights are damaged")

    changes = PresetLoader(open_preset("a-one", size=SIZE), open_cache(), names=lambda: list(NAMES), start=start)
    try:
        changes.want("b-two")
        assert "the weights are damaged; the picture stays" in wait_for(changes.fault, "the fault")
    finally:
        changes.close()


def test_a_fault_of_our_own_is_told_in_one_line(folder, caplog):
    def start(_look, _cache):
        raise ZeroDivisionError("what\never")

    changes = PresetLoader(open_preset("a-one", size=SIZE), open_cache(), names=lambda: list(NAMES), start=start)
    try:
        changes.want("b-two")
        fault = wait_for(changes.fault, "the fault")
    finally:
        changes.close()
    assert fault == "preset b-two cannot be shown (ZeroDivisionError); the picture stays as it was"
    assert "Traceback" in caplog.text


def test_letting_go_happens_in_the_thread(changes):
    where = []
    dreams = ReadyDreams([])
    dreams.close = lambda: where.append(threading.current_thread().name)
    changes.release(dreams)
    wait_for(lambda: where == ["presets"], "the thread")


def test_closing_lets_go_of_everything_and_ends_the_thread(changes, started):
    changes.want("b-two")
    wait_for(lambda: started.made, "opened")
    changes.release(started.start(open_preset("c-three", size=SIZE), None))
    changes.close()
    assert started.n_open == 0
    assert not any(thread.name == "presets" for thread in threading.enumerate())
    changes.close()


def test_a_warm_preset_comes_with_all_its_frames(folder):
    """With the real dreams: what is cached needs no bake."""
    loaded = open_preset("b-two", size=SIZE)
    list(Dreams(loaded, open_cache()).frames())
    changes = PresetLoader(open_preset("a-one", size=SIZE), open_cache(), names=lambda: list(NAMES))
    try:
        changes.want("b-two")
        opened = opened_of(changes, "b-two")
        assert len(opened.dreams.poll()) == loaded.n_depths + 1
    finally:
        changes.close()


# --- settings of the dream, and what is brought back


def test_settings_of_the_dream_bake_the_same_preset_once_they_stay_unchanged(changes, started):
    with changes._changed:  # however long this thread stands still, none of them stays unchanged
        for share in range(30):
            changes.set_dream({"colour": share / 30})
    opened = opened_of(changes, "a-one").loaded
    assert opened.settings.dream.colour == opened.variants[0].settings.colour == pytest.approx(29 / 30)
    assert started.made == ["a-one"], "one bake for all of it"
    changes.set_dream({"colour": 0.9, "seed": 5.0})
    opened = opened_of(changes, "a-one").loaded
    assert opened.settings.dream.seed == 5 and opened.settings.dream.colour == 0.9
    changes.want("b-two")
    assert opened_of(changes, "b-two").loaded.settings.dream.seed == 0


def test_a_value_that_cannot_be_is_told_and_changes_nothing(changes):
    changes.set_dream({"octave_scale": 99.0})
    assert "octave_scale" in wait_for(changes.fault, "the fault")
    assert changes.poll() is None


def test_a_dream_turned_keeps_the_network_that_was_asked_for(folder, started):
    loaded = open_preset("a-one", size=SIZE, overrides=Overrides(layer="block3.expand"))
    changes = PresetLoader(loaded, open_cache(), names=lambda: list(NAMES), start=started.start)
    try:
        changes.set_dream({"colour": 0.5})
        assert opened_of(changes, "a-one").loaded.settings.dream.layer == "block3.expand"
    finally:
        changes.close()


def test_without_settings_of_the_dream_the_network_that_was_asked_for_stays(folder, started):
    loaded = open_preset("a-one", size=SIZE, overrides=Overrides(layer="block3.expand"))
    changes = PresetLoader(loaded, open_cache(), names=lambda: list(NAMES), start=started.start)
    try:
        changes.set_dream({"colour": 0.5})
        opened_of(changes, "a-one")
        changes.set_dream({})
        again = opened_of(changes, "a-one").loaded
        assert again.settings == loaded.settings and again.overrides == loaded.overrides
    finally:
        changes.close()


# --- a preset that was given as a folder


@pytest.fixture
def elsewhere(folder, tiny_preset, tmp_path):
    """A preset on no list, in a folder with the name of a preset that is on the list."""
    made = shutil.copytree(tiny_preset, tmp_path / "b-two")
    file = made / "preset.yaml"
    file.write_text(file.read_text().replace("Tiny", "Elsewhere"))
    return made


@pytest.fixture
def from_folder(elsewhere, started, monkeypatch):
    """A show that was begun with `--preset ./b-two`."""
    monkeypatch.chdir(elsewhere.parent)
    loaded = open_preset("./b-two", size=SIZE, overrides=Overrides(image=elsewhere / "image.png"))
    changes = PresetLoader(loaded, open_cache(), names=lambda: list(NAMES), start=started.start)
    yield changes
    changes.close()


def test_a_dream_setting_turned_reopens_the_folder(from_folder):
    from_folder.set_dream({"colour": 0.5})
    loaded = wait_for(from_folder.poll, "the folder's preset").loaded
    assert (loaded.settings.title, loaded.settings.dream.colour) == ("Elsewhere", 0.5)
    assert loaded.overrides.image is not None, "the image that was asked for stays"


def test_a_folder_is_left_and_reached_again_by_its_path(from_folder, elsewhere):
    assert from_folder.names == [*NAMES, str(elsewhere)]
    for reference, title in (("a-one", "a-one"), (str(elsewhere), "Elsewhere"), ("b-two", "b-two")):
        from_folder.want(reference)
        name = reference.rpartition("/")[2]
        assert opened_of(from_folder, name).loaded.settings.title == title


def test_a_setting_turned_after_a_preset_that_failed_turns_the_one_that_is_shown(changes, folder):
    changes.set_dream({"colour": 0.5})
    opened_of(changes, "a-one")
    (folder / "b-two" / "preset.yaml").write_text("title: [")
    changes.want("b-two")
    wait_for(changes.fault, "the fault")
    changes.set_dream({"colour": 0.5, "seed": 5.0})
    loaded = opened_of(changes, "a-one").loaded
    assert (loaded.settings.dream.seed, loaded.settings.dream.colour) == (5, 0.5)
    assert changes.wanted == "b-two", "stepping goes on from the one that failed"


def test_a_look_whose_picture_is_lost_comes_again_whatever_its_files_say_by_now(folder, started):
    loaded = open_preset("a-one", size=SIZE)
    (folder / "a-one" / "preset.yaml").write_text("title: [")
    changes = PresetLoader(loaded, open_cache(), names=lambda: list(NAMES), start=started.start)
    try:
        changes.load_again(loaded)
        assert opened_of(changes, "a-one").loaded is loaded
    finally:
        changes.close()
