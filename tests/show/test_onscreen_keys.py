"""Keys in a real window under Xvfb, pressed with xdotool; what is on the screen is read by another program."""

from __future__ import annotations

import gc
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.fixtures.watching import Quiet, Script, finished, wait_for, window_shown
from visualizer.control.capabilities import Capability
from visualizer.errors import BadInput
from visualizer.presets.cache import FrameCache
from visualizer.presets.dreams import Dreams, open_cache
from visualizer.presets.loaded import open_preset
from visualizer.show.onscreen import Staging, run

SIZE = (320, 180)
PLAIN = Staging(adapt=False)


@pytest.fixture(scope="module")
def coloured(tiny_preset, tmp_path_factory):
    """A folder with presets, and one with their dream frames: each image of a colour of its own."""
    folder = tmp_path_factory.mktemp("coloured")
    for name, colour in {"0-red": (160, 20, 20), "1-green": (20, 160, 20), "2-blue": (20, 20, 160)}.items():
        preset = folder / "presets" / name
        shutil.copytree(tiny_preset, preset)
        Image.new("RGB", (160, 90), colour).save(preset / "image.png")
        list(Dreams(open_preset(str(preset), size=SIZE), FrameCache(folder / "cache", 10**9)).frames())
    return folder


@pytest.fixture
def presets(home, coloured):
    """Three presets in the user's folder, warm."""
    shutil.copytree(coloured / "presets", home / "config" / "presets")
    shutil.copytree(coloured / "cache", home / "cache")
    return sorted(folder.name for folder in (coloured / "presets").iterdir())


@pytest.fixture
def show(screen):
    """show(loaded, *steps, act, staging) -> Report; see Script."""

    def of(loaded, *steps, act=None, staging=PLAIN):
        script, act = Script(screen, *steps), act or Quiet()
        return run(
            loaded,
            act,
            open_cache(),
            title="keys",
            staging=staging,
            greeting="",
            on_frame=script,
        )

    screen.move_pointer(100, 90)
    return of


@pytest.fixture
def shown(eye):
    """Steps: shown("red") and so on, the picture is of that colour."""

    def of(name):
        def there():
            seen = eye.at(160, 90)
            if name == "black":
                return max(seen) == max(eye.at(20, 160)) == 0
            channel = ("red", "green", "blue").index(name)
            return seen[channel] > 130 and max(seen[:channel] + seen[channel + 1 :]) < 60

        return there

    return of


@pytest.fixture
def covered(eye, screen):
    """Step: the window is over the whole screen."""
    return lambda: max(eye.at(screen.width - 20, screen.height - 20)) > 20


@pytest.fixture
def free(covered):
    """Step: it is not."""
    return lambda: not covered()


# --- ending


def test_esc_in_a_window_ends_the_show_only_when_pressed_twice(started, screen, kick_song, home):
    process = started("live", PULSE_SERVER="unix:/none")
    log = home / "log" / "visualizer.log"
    wait_for(lambda: log.exists() and "first picture" in log.read_text() and window_shown(screen), "the window")
    screen.move_pointer(100, 90)
    screen.key("Escape")  # once: a slow show would take two for the end
    wait_for(lambda: "Esc again ends the show" in log.read_text(), "the answer")
    assert process.poll() is None
    wait_for(lambda: screen.key("Escape") or process.poll() is not None, "the end")
    assert finished(process)[0] == 0
    assert "shown: " in log.read_text() and "p50 " in log.read_text() and " dropped, " in log.read_text()


def test_esc_leaves_fullscreen_and_q_does_nothing(loaded, show, covered, free):
    """The show must still be there after both: the last step is only reached if it is."""
    show(loaded, free, "f", covered, "Escape", free, "q", "F11", covered, "F11", free)


# --- presets


def test_the_next_preset_comes_and_the_picture_is_never_black(presets, show, shown, eye):
    act, seen = Quiet(depth=0.0), []

    def brightness():
        seen.append(max(eye.at(160, 90)))
        return True

    def crossed(name):
        return lambda: brightness() and shown(name)()

    red = open_preset("0-red", size=SIZE)
    show(red, shown("red"), "n", crossed("green"), "n", crossed("blue"), "1", lambda: len(act.looks) == 3, act=act)
    assert [loaded.name for loaded in act.looks][:2] == ["1-green", "2-blue"]
    assert min(seen) > 70, "halfway between red and green there is 90 of each"


def test_by_number_and_back(presets, show, shown):
    at = sorted([*presets, "aurora", "clouds", "club", "first", "marble", "ridges", "worlds"]).index("2-blue") + 1
    show(open_preset("1-green", size=SIZE), shown("green"), str(at), shown("blue"), "p", shown("green"))


def test_a_broken_preset_leaves_the_last_good_one_and_says_so(presets, show, shown, home, caplog):
    caplog.set_level("INFO", logger="visualizer")
    (home / "config" / "presets" / "1-green" / "preset.yaml").write_text("title: [")

    def told():
        return "answer: " in caplog.text and "the picture stays as it was" in caplog.text

    act, red = Quiet(depth=0.0), shown("red")
    show(open_preset("0-red", size=SIZE), red, "n", told, red, "n", lambda: act.looks, act=act)
    assert [loaded.name for loaded in act.looks] == ["2-blue"]


@pytest.mark.slow  # torch is loaded in a process of its own
def test_a_cold_preset_is_dreamt_behind_the_show(presets, show, shown, home):
    """The image comes first, then the depths."""
    cold = home / "config" / "presets" / "1-green" / "preset.yaml"
    cold.write_text(cold.read_text().replace("n_octaves: 2", "n_octaves: 3"))
    cache = home / "cache"
    n_before = len(list(cache.rglob("*.frame")))

    def done():
        return len(list(cache.rglob("*.frame"))) == n_before + 5

    show(open_preset("0-red", size=SIZE), shown("red"), "n", shown("green"), done, act=Quiet(depth=0.0))


def test_pressing_wildly_ends_at_the_last_wish(presets, show, shown, screen):
    act, green = Quiet(depth=0.0), shown("green")

    def settled():  # green may have been on its way in before the last key: what came after it is waited for
        return green() and act.looks and act.looks[-1].name == "1-green"

    def pressed():  # all at once: a preset is opened as soon as no other was for a while
        screen.key("n", "n", "n", "p", "p")
        return True

    show(open_preset("0-red", size=SIZE), shown("red"), pressed, settled, act=act)
    assert act.looks[-1].name == "1-green" and len(act.looks) <= 4


@pytest.mark.alone
@pytest.mark.long  # every change takes its second
def test_memory_does_not_grow_with_changes(tiny_preset, home, show):
    """Five frames of 640 x 360 are 5 MB in this driver's memory, which is the process's own."""
    size = (640, 360)
    for name in ("0-a", "1-b"):
        shutil.copytree(tiny_preset, home / "config" / "presets" / name)
    one = open_preset("0-a", size=size)
    list(Dreams(one, open_cache()).frames())
    act, megabytes = Quiet(), []

    def changed(n):
        def there():
            if len(act.looks) < n:
                return False
            pages = int(Path("/proc/self/statm").read_text().split()[1])
            megabytes.append(pages * 4096 / 1e6)
            return True

        return there

    steps = [step for n in range(1, 9) for step in ("n" if n % 2 else "p", changed(n))]
    show(one, lambda: True, *steps, act=act)
    assert megabytes[-1] - megabytes[1] < 25, megabytes


# --- the picture


def test_blackout_is_black_and_comes_back(presets, show, shown):
    red = open_preset("0-red", size=SIZE)
    show(red, shown("red"), "b", shown("black"), "b", shown("red"), act=Quiet(depth=0.0))


def test_a_screenshot_is_the_picture_without_the_words(presets, show, shown, eye, tmp_path, monkeypatch):
    monkeypatch.setenv("VISUALIZER_PICTURES_DIR", str(tmp_path))

    def files():
        return list(tmp_path.glob("visualizer-*.png"))

    def panel():
        return eye.at(20, 14)[0] < 90

    red = open_preset("0-red", size=SIZE)
    show(red, shown("red"), "h", panel, "s", lambda: len(files()) == 1, act=Quiet(depth=0.0))
    pixels = np.asarray(Image.open(files()[0])).astype(int)
    assert pixels.shape == (180, 320, 3)
    assert np.all(pixels == pixels[0, 0]) and pixels[0, 0, 0] > 150, "red all over: no dark panel, no words"


def test_frozen_the_picture_stands(loaded, show, eye):
    act, seen = Quiet(depth=0.0), []

    def see():
        seen.append(np.array([eye.at(x, y) for x in range(40, 280, 24) for y in range(40, 150, 12)], int))
        return True

    def deepen():
        act.depth = 4.0
        return True

    pause = [lambda: True] * 3
    steps = [*pause, see, "space", *pause, deepen, *pause, see, "space", *pause, see]
    show(loaded, *steps, act=act)
    image, frozen, deep = seen
    assert np.array_equal(frozen, image)
    assert np.abs(deep - image).mean() > 1


def test_space_pauses_what_can_be_paused(loaded, show):
    act = Quiet(capabilities=frozenset({Capability.PAUSE, Capability.SEEK}))
    show(loaded, lambda: True, "space", "Left", "Right", lambda: len(act.done) == 3, act=act)
    assert act.done == ["pause", "seek_back", "seek_forward"]


def test_backspace_puts_every_parameter_back(loaded, show):
    act, before = Quiet(), loaded.settings.beat.sensitivity

    def is_back():
        return act.looks[-1].settings.beat.sensitivity == before

    show(loaded, lambda: True, "Up", lambda: act.looks and not is_back(), "BackSpace", is_back, act=act)


def test_keys_yaml_holds(presets, show, shown, home):
    (home / "config" / "keys.yaml").write_text("blackout: k\nnext_preset: [Right]\n")
    red, black, act = shown("red"), shown("black"), Quiet(depth=0.0)
    steps = [red, "k", black, "k", red, "b", red, "Right", lambda: act.looks]
    show(open_preset("0-red", size=SIZE), *steps, act=act)
    assert act.looks[0].name == "1-green"


def test_a_fault_in_keys_yaml_is_told_before_a_window_opens(loaded, show, home):
    (home / "config").mkdir(exist_ok=True)
    (home / "config" / "keys.yaml").write_text("blackout: k\nfulscreen: g\n")
    with pytest.raises(BadInput, match=r"keys.yaml:2: fulscreen: unknown key \(did you mean 'fullscreen'\?\)"):
        show(loaded)


# --- the loop


def test_the_collector_never_looks_through_the_old_while_the_show_runs(screen, loaded):
    seen = []

    def note(phase, info):
        if phase == "start":
            seen.append(info["generation"])

    n_frames = []

    def until(n, _shown):
        if n == 5:
            seen.clear()
            gc.callbacks.append(note)
        n_frames.append(n)
        if n == 600:
            gc.callbacks.remove(note)
        return n == 600

    report = run(loaded, Quiet(), open_cache(), title="gc", staging=Staging(rate_hz=1000.0), on_frame=until)
    assert report.n_frames == 600
    assert 2 not in seen
    assert gc.isenabled()


def test_the_report_tells_frame_times(loaded, show):
    report = show(loaded, *[lambda: True] * 5)
    assert 0 < report.times.p50_ms <= report.times.p95_ms <= report.times.p99_ms
    assert report.n_dropped >= 0 and report.n_repeated >= 0


@pytest.mark.parametrize("borderless", [False, True])
def test_begun_fullscreen_on_the_monitor_named(loaded, show, covered, free, borderless):
    staging = Staging(fullscreen=True, monitor="scr", borderless=borderless)
    show(loaded, covered, "shift+f", covered, "f", free, "f", covered, staging=staging)


def test_a_monitor_that_is_not_there_is_told(loaded, show):
    with pytest.raises(BadInput, match="no monitor is called 'beamer'; there are: 0 screen"):
        show(loaded, staging=Staging(monitor="beamer"))
