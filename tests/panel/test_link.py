"""The performer's panel in its own process, on a real screen, with a real mouse and keyboard."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from tests.fixtures.watching import has_ended, wait_for
from visualizer.clock import monotonic
from visualizer.control.commands import Act, Learn, PressKey, Set, ShowPreset, Unset
from visualizer.control.parameters import Parameter, base_parameters
from visualizer.control.snapshot import Snapshot
from visualizer.errors import VisualizerError
from visualizer.panel.link import open_panel

PLACE = (0, 0, 1600, 1000)  # so large that every control is in sight
PRESETS = ("clouds", "marble")
VALUES = dict.fromkeys(("blackout", "freeze", "lock"), 0.0) | {
    "beat.decay": 0.93, "beat.sensitivity": 1.0, "beat.motion": "seed", "dream.colour": 0.25,
}  # fmt: skip


def snapshot(**changes):
    fields = {
        "time_s": monotonic(),
        "title": "live",
        "preset": "clouds",
        "presets": PRESETS,
        "values": VALUES,
        **changes,
    }
    return Snapshot(**fields)


def click(button="1", times=1):
    subprocess.run(["xdotool", "click", "--repeat", str(times), "--delay", "2", button], check=True, timeout=120)


class Hand:
    """A performer: moves the mouse over the panel and collects its commands."""

    def __init__(self, screen, link):
        self.screen, self.link, self._state = screen, link, {}

    def commands(self, what, **state):
        """The panel's next commands; state: fields of the snapshots sent meanwhile."""

        def asked():
            self.link.update(snapshot(**state))
            return list(self.link.poll()) or None

        return wait_for(asked, what)

    def place(self, name, **state):
        """The rectangle of a control."""

        def known():
            self.link.update(snapshot(**state))
            return self.link.controls.get(name)

        return wait_for(known, f"the place of {name}")

    def wait_until_still(self, n_frames=5, **state):
        """Wait until no control has moved for so many of the panel's frames; snapshots are sent meanwhile."""
        frames = []

        def is_still():
            self.link.update(snapshot(**state))
            if not frames or self.link.controls is not frames[-1]:
                frames.append(self.link.controls)
            return len(frames) > n_frames and all(one == frames[-1] for one in frames[-n_frames:])

        wait_for(is_still, "that nothing moves any more")

    def point(self, name, across=0.5, **state):
        if state != self._state:  # what is shown may move
            self._state = state
            self.wait_until_still(3, **state)
        x, y, width, height = self.place(name, **state)
        self.screen.move_pointer(round(x + width * across), y + height // 2)

    def press(self, name, across=0.5, **state):
        self.point(name, across, **state)
        click()
        return self.commands(f"a command of {name}", **state)


@pytest.fixture(scope="module")
def hand(screen, tmp_path_factory):
    """A performer before an open panel."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("CACHE", "LOG", "CONFIG"):
            patch.setenv(f"VISUALIZER_{name}_DIR", str(tmp_path_factory.mktemp("panel") / name.lower()))
        link = open_panel(PLACE, size=(160, 90), reports_controls=True)
        hand = Hand(screen, link)
        hand.place("blackout")
    yield hand
    link.close()
    link.join(60)
    screen.move_pointer(100, 100)


def test_it_opens_where_it_was_and_shows_the_snapshot(hand):
    assert wait_for(lambda: hand.link.place, "its place") == PLACE
    assert hand.link.is_open and hand.link.news() is None and hand.link.status() == []
    assert {"blackout", "freeze", "learn", "tap", "next_input", "beat.decay", "preset:marble"} <= set(
        hand.link.controls
    )


def test_the_presets_get_their_pictures(hand):
    def options(name):
        x, y, width, height = hand.place(f"preset:{name}")
        picture = hand.screen.screenshot()[y + 10 : y + height - 50, x + 10 : x + width - 10]
        return picture.std() > 20

    for name in PRESETS:
        wait_for(lambda name=name: options(name), f"the picture of {name}")


def test_a_click_on_a_preset_shows_it(hand):
    assert hand.press("preset:marble") == [ShowPreset("marble")]


@pytest.mark.parametrize(
    "action", ["blackout", "freeze", "tap", "tempo_half", "next_input", "lock", "next_preset", "reset", "save_preset"]
)
def test_a_button_does_what_its_key_does(hand, action):
    assert hand.press(action) == [Act(action)]


@pytest.mark.parametrize("action", ["journey_hold", "journey_faster", "grab_picture", "newest_picture", "next_picture"])
def test_a_preset_with_a_journey_has_buttons_for_it(hand, action):
    assert hand.press(action, has_journey=True) == [Act(action)]


def test_the_speed_of_a_journey_is_set_beside_its_buttons(hand):
    (command,) = hand.press("journey.speed", 0.75, has_journey=True, values=VALUES | {"journey.speed": 1.0})
    assert command.name == "journey.speed" and command.value == pytest.approx(2.0, abs=0.1)


def test_a_preset_without_a_journey_has_no_buttons_for_one(hand):
    def gone():
        hand.link.update(snapshot())
        return "journey_hold" not in hand.link.controls

    wait_for(gone, "no button")


def test_a_slider_is_turned_to_where_it_is_pressed(hand):
    (command,) = hand.press("beat.sensitivity", 0.75)
    assert isinstance(command, Set) and command.name == "beat.sensitivity"
    assert command.value == pytest.approx(base_parameters()["beat.sensitivity"].at(0.75), rel=0.02)


def test_a_slider_follows_the_mouse_while_it_is_held(hand):
    hand.point("beat.decay", 0.2)
    subprocess.run(["xdotool", "mousedown", "1"], check=True)
    try:
        (first,) = hand.commands("the first place")
        hand.point("beat.decay", 0.6)
        second = hand.commands("the second place")[-1]
    finally:
        subprocess.run(["xdotool", "mouseup", "1"], check=True)
    assert (first.value, second.value) == pytest.approx(
        [base_parameters()["beat.decay"].at(at) for at in (0.2, 0.6)], rel=0.02
    )


def test_a_motion_is_chosen_by_its_button(hand):
    assert hand.press("beat.motion=pump") == [Set("beat.motion", "pump")]


def test_parameters_that_bake_again_are_in_the_closed_section_and_sent_once(hand):
    assert "dream.colour" not in hand.link.controls
    top = hand.place("beat.sensitivity")
    hand.point("more")
    click()
    hand.place("beat.gain_release_s")
    hand.wait_until_still()
    x, y, width, _ = hand.place("beat.gain_release_s")
    hand.screen.move_pointer(x + width // 2, y)
    click("5", 40)  # the wheel, to the end
    hand.wait_until_still()
    hand.point("dream.colour", 0.3)
    subprocess.run(["xdotool", "mousedown", "1"], check=True)
    hand.point("dream.colour", 0.8)
    for _ in range(20):
        hand.link.update(snapshot())
    subprocess.run(["xdotool", "mouseup", "1"], check=True)
    assert hand.commands("the colour") == [Set("dream.colour", pytest.approx(0.8, abs=0.02))]
    click("4", 40)
    wait_for(lambda: hand.place("beat.sensitivity")[1] == top[1], "the upper end")
    hand.point("more")
    click()
    wait_for(
        lambda: "dream.colour" not in hand.link.controls and hand.place("beat.sensitivity") == top, "all as before"
    )


LOOK = (
    Parameter("look.zoom", "how much larger", "number", 0.0, 2.0, can_move=True, expression="1 + kick", label="zoom"),
    Parameter("look.flash", "", "switch", is_event=True, label="flash"),
    Parameter("look.mode", "", "choice", choices=("soft", "hard"), default="soft", label="mode"),
)


def test_a_parameter_of_a_look_gets_a_source_an_amount_and_is_learned(hand):
    values = {name: one.default for name, one in base_parameters().with_look(LOOK).items() if one.section == "look"}
    shown = {"look": LOOK, "values": VALUES | values, "moving": {"look.zoom": 1.5}}
    assert hand.press("look.zoom", 0.5, **shown) == [Set("look.zoom", pytest.approx(1.0, abs=0.1))]
    assert hand.press("look.flash", **shown) == [Set("look.flash", 1.0)]
    assert hand.press("look.mode=hard", **shown) == [Set("look.mode", "hard")]
    hand.point("look.zoom source", **shown)
    click()
    click("5", 40)  # the wheel, to the end
    hand.wait_until_still(**shown)
    assert hand.press("look.zoom.source=bass note", **shown) == [Set("look.zoom.source", "bass_note")]
    assert hand.press("look.zoom.amount", 0.25, **shown) == [Set("look.zoom.amount", pytest.approx(-0.5, abs=0.1))]
    assert hand.press("look.zoom.smoothing_s", 0.5, **shown)[0].value == pytest.approx(1.0, abs=0.1)
    assert hand.press("look.zoom unset", **shown) == [Unset("look.zoom")]
    click("4", 40)
    hand.wait_until_still(**shown)
    before = hand.place("look.zoom learn", **shown)
    assert hand.press("look.zoom learn", **shown) == [Learn("look.zoom")]
    shown |= {"learning": "look.zoom"}
    wait_for(lambda: hand.place("look.zoom learn", **shown) != before, "the band that says so")
    hand.wait_until_still(**shown)
    assert hand.press("look.zoom learn", **shown) == [Learn("")]
    shown["learning"] = ""
    wait_for(lambda: hand.place("look.zoom learn", **shown) == before, "the end of the band")
    hand.point("look.zoom source", **shown)
    click()
    hand.wait_until_still()


def test_a_key_pressed_in_it_is_the_shows(hand):
    hand.point("tap")
    hand.screen.key("b")
    assert hand.commands("the key") == [PressKey("b", "b")]


def test_while_learning_a_press_chooses_what_is_bound(hand):
    before = hand.place("beat.decay")
    hand.point("learn")
    click()
    wait_for(lambda: hand.place("beat.decay") != before, "the band that says so")
    hand.wait_until_still()
    assert hand.press("beat.decay") == [Learn("beat.decay")]
    # choosing what waits already cancels it
    assert hand.press("blackout", learning="blackout", bindings={"beat.decay": "CC 7 channel 1"}) == [Learn("")]
    assert hand.press("preset:marble") == [Learn("preset_2")]
    assert hand.press("learn", learning="preset_2") == [Learn("")]
    assert hand.press("blackout") == [Act("blackout")]


def test_a_blackout_is_red_across_the_whole_panel(hand):
    def reds(**values):
        hand.link.update(snapshot(values=VALUES | values))
        x, y, _, height = hand.place("blackout", values=VALUES | values)
        picture = hand.screen.screenshot()
        places = picture[20, 200], picture[500, 1], picture[500, 1597], picture[y + height // 2, x + 8]
        return sum(bool(red > 150 and green < 80 and blue < 80) for red, green, blue in places)

    wait_for(lambda: reds(blackout=1.0) == 4, "a red panel")
    wait_for(lambda: reds() == 0, "no red")


def test_a_stopped_panel_delays_nothing_and_a_killed_one_is_reported(screen):
    link = open_panel(PLACE, reports_controls=True)
    try:
        Hand(screen, link).place("tap")
        os.kill(link.pid, signal.SIGSTOP)
        for _ in range(3000):  # many times what a pipe holds
            link.update(snapshot())
            assert not link.poll()
        assert link.is_open and link.news() is None
        os.kill(link.pid, signal.SIGKILL)
        line = wait_for(link.news, "the line about its end")
        assert line == "the panel has stopped (signal 9); O opens it again"
        assert not link.is_open and link.news() is None
        link.update(snapshot())
        assert not link.poll()
    finally:
        link.close()


def test_it_is_closed_even_while_it_is_opening_and_twice(screen):
    link = open_panel(PLACE)
    link.close()
    link.close()
    link.join(60)
    assert not link.is_open and link.news() is None
    assert link.pid is None or not psutil.pid_exists(link.pid)


PARENT = """
import sys, time
from visualizer.panel.link import open_panel
from visualizer.control.snapshot import Snapshot
link = open_panel((0, 0, 500, 700), reports_controls=True)
for _ in range(1000):
    link.update(Snapshot(time.monotonic(), "live", "clouds", ("clouds",)))
    if link.controls:
        break
    time.sleep(0.02)
print(link.pid, flush=True)
sys.stdin.read()
"""


def test_when_the_show_is_killed_the_panel_goes(screen):
    show = subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        panel = int(show.stdout.readline())
        show.kill()
        wait_for(lambda: has_ended(panel), "the panel's end")
    finally:
        show.kill()
        _, complaints = show.communicate(timeout=60)
    assert complaints == ""


def test_without_a_display_it_says_so_and_the_show_goes_on(monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    link = open_panel()
    assert "no display" in wait_for(link.news, "the line")
    assert not link.is_open


def test_without_imgui_it_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "imgui_bundle", None)
    with pytest.raises(VisualizerError, match=r"pip install 'kickdream\[panel\]'"):
        open_panel()


def test_sending_a_snapshot_takes_no_time(hand):
    """Not a measurement: only that nothing is done here that takes long."""
    latest, begin = snapshot(), time.thread_time()
    for _ in range(1000):
        hand.link.update(latest)
        hand.link.poll()
    assert time.thread_time() - begin < 1.0


def test_a_source_without_tempo_has_no_buttons_for_it(hand):
    place = hand.place("record")

    def moved():
        hand.link.update(snapshot(capabilities=frozenset()))
        return "tap" not in hand.link.controls and hand.link.controls.get("record", place) != place

    wait_for(moved, "the buttons without those of the tempo")
    assert not {"tap", "tempo_half", "next_input", "next_song"} & set(hand.link.controls)
    hand.place("tap")


def test_a_panel_closed_by_the_performer_is_not_reported(hand):
    hand.screen.ask_to_close("panel - visualizer")
    wait_for(lambda: not hand.link.is_open, "its end")
    hand.link.join(60)
    assert hand.link.news() is None and not psutil.pid_exists(hand.link.pid)
