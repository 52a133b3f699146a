"""The live show, killed: watched from outside it is back where and as it was."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import threading
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from tests.fixtures.never_dark import NeverDark
from tests.fixtures.watching import finished, wait_for
from visualizer.session.check import examine, losses
from visualizer.session.repair import repair

SIZE = (320, 180)
PLACE = (400, 300)
INSIDE = (PLACE[0] + 40, PLACE[1] + 90)
STOP = "the show stopped: "


@pytest.fixture
def green_preset(home, tiny_preset):
    """The second preset on the list: as the tiny one, all green."""
    folder = home / "config" / "presets" / "b"
    shutil.copytree(tiny_preset, folder)
    Image.fromarray(np.full((90, 160, 3), (20, 180, 40), np.uint8)).save(folder / "image.png")


class Show:
    """What can be known of a supervised show: its process, and the state that it reported last."""

    def __init__(self, parent, home):
        self.parent, self._log = parent, home / "log" / "visualizer.log"

    @property
    def children(self):
        """The show and its hot standby."""
        return psutil.Process(self.parent.pid).children()

    @property
    def pid(self):
        """Of the show; what was started after it is the hot standby."""
        return min(self.children, key=lambda one: one.create_time()).pid

    def kill(self, number):
        """Kill the show, and wait until another one reports its state."""
        n_stops = self._log.read_text().count(STOP)
        os.kill(self.pid, number)

        def goes_on():
            before, stop, after = self._log.read_text().rpartition(STOP)
            return (before + stop).count(STOP) > n_stops and "state of the show: " in after

        wait_for(goes_on, "it does not go on")

    @property
    def state(self):
        """The state reported last."""
        found = re.findall(r"state of the show: (\{.*\})\n", self._log.read_text())  # the last line may not be whole
        return json.loads(found[-1]) if found else {}


def is_green(colour):
    return colour[1] > 90 and colour[1] > colour[0] + 40 and colour[1] > colour[2] + 40


def test_it_is_back_where_it_was_and_as_it_was(started, screen, eye, home, loaded, green_preset):
    parent = started("live", "--log-level", "debug")
    show = Show(parent, home)
    wait_for(lambda: sum(eye.at(20, 90)) > 30, "no picture")
    wait_for(lambda: show.state, "it does not report its state")
    screen._run("xdotool", "search", "--onlyvisible", "--name", "live", "windowmove", *map(str, PLACE))
    screen.move_pointer(*INSIDE)
    wait_for(lambda: sum(eye.at(*INSIDE)) > 30, "it was not moved")
    screen.key("2")
    screen.key("Up")
    wait_for(lambda: is_green(eye.at(*INSIDE)), "the other preset does not come")

    def stands():
        state = show.state
        return (state["preset"] == "b" and tuple(state["place"][:2]) == PLACE and state["values"]) and state

    state = wait_for(stands, "it does not report its state")
    assert state["place"][2:] == list(SIZE) and state["values"]["beat.sensitivity"] == pytest.approx(2**0.25)
    # a bake that is being started as the show is killed would write a traceback of Python's to the terminal
    wait_for(lambda: len(list((home / "cache").rglob("*.frame"))) == 10, "the bake of both presets")
    numbers = (signal.SIGKILL, signal.SIGSEGV, signal.SIGKILL)
    with NeverDark(screen.display, (*PLACE, *SIZE)) as watched:
        for number, has_standby in zip(numbers, (True, True, False), strict=True):
            if has_standby:
                wait_for(lambda: len(show.children) == 2, "there is no hot standby")
            before = show.pid
            show.kill(number)
            # how long it may be dark is tested by tests/show/test_never_blank.py
            assert watched.report().longest_s > 0
            assert show.pid != before and is_green(eye.at(*INSIDE))
            again = show.state
            assert {name: again[name] for name in ("preset", "place", "values")} == {
                name: state[name] for name in ("preset", "place", "values")
            }
    parent.send_signal(signal.SIGINT)
    status, _, err = finished(parent)
    causes = ["signal 9 (SIGKILL)", "signal 11 (SIGSEGV)", "signal 9 (SIGKILL)"]
    assert status == 0
    assert err.splitlines() == [f"visualizer: the show stopped (killed by {cause}); restarting it" for cause in causes]


def test_a_stage_that_was_dark_stays_dark(started, screen, eye, home, loaded):
    parent = started("live", "--log-level", "debug")
    show = Show(parent, home)
    wait_for(lambda: sum(eye.at(40, 90)) > 30, "no picture")
    screen.move_pointer(40, 90)
    screen.key("b")
    wait_for(lambda: show.state and show.state["values"].get("blackout"), "no blackout")
    wait_for(lambda: eye.at(40, 90) == (0, 0, 0), "it does not get dark")
    lit = threading.Event()
    over = threading.Event()

    def watch():
        while not over.is_set():
            if eye.at(40, 90) != (0, 0, 0):
                lit.set()

    watching = threading.Thread(target=watch)
    watching.start()
    show.kill(signal.SIGKILL)
    over.set()
    watching.join()
    assert not lit.is_set(), "the stage lit up by itself"
    screen.key("b")
    wait_for(lambda: sum(eye.at(40, 90)) > 30, "the picture does not come back")
    parent.send_signal(signal.SIGINT)
    assert finished(parent)[0] == 0


def test_a_journey_goes_on_where_it_was(started, screen, eye, home, loaded):
    parent = started("live", "--log-level", "debug", "--journey", "0")
    show = Show(parent, home)
    wait_for(lambda: sum(eye.at(40, 90)) > 30, "no picture")
    screen.move_pointer(40, 90)
    for _ in range(4):  # four times as fast
        screen.key("period")

    def journey():
        return (show.state and show.state["journey"]) or {"position": 0.0, "speed": 0.0}

    wait_for(lambda: journey()["position"] > 2.2, "the journey does not go on", 180.0)
    screen.key("shift+j")
    wait_for(lambda: journey()["speed"] < -0.1, "it is not turned round")
    screen.key("j")
    wait_for(lambda: abs(journey()["speed"]) < 1e-3, "it is not held")
    before = journey()
    assert before["position"] > 0
    show.kill(signal.SIGKILL)
    wait_for(lambda: sum(eye.at(40, 90)) > 30, "no picture")
    wait_for(lambda: show.state["values"] == {"journey.speed": 0.0}, "it is not held any more")
    after = journey()
    assert after["position"] == pytest.approx(before["position"], abs=0.01)
    keys = {one["number"]: one["key"] for one in before["stations"]}
    assert len(keys) >= 3 and all(keys[one["number"]] == one["key"] for one in after["stations"] if one["number"] < 3)
    screen.key("j")
    wait_for(lambda: journey()["position"] > before["position"] + 0.2, "it does not go on")
    parent.send_signal(signal.SIGINT)
    assert finished(parent)[0] == 0


HANGING = """/*{"INPUTS": [{"NAME": "n", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 60000}]}*/
void main() {
    int last = int(n);
    float v = TIME;
    for (int i = 0; i < last; i++) for (int j = 0; j < last; j++) for (int k = 0; k < last; k++) v = fract(v + sin(v));
    gl_FragColor = vec4(0.9, 0.1 + 0.0001 * v, 0.8, 1.0);
}
"""


@pytest.mark.slow
def test_a_look_that_hangs_the_driver_ends_the_process_and_the_next_one_shows_the_preset_without_it(
    started, screen, eye, home, loaded, green_preset
):
    folder = home / "config" / "presets" / "b"
    (folder / "hang.fs").write_text(HANGING)
    with (folder / "preset.yaml").open("a") as file:
        file.write("render: {looks: [{look: hang, parameters: {n: '60000 * step(3, integrate(1))'}}]}\n")
    parent = started("live", "--log-level", "debug")
    show = Show(parent, home)
    wait_for(lambda: sum(eye.at(20, 90)) > 30, "no picture")
    screen.move_pointer(40, 90)
    screen.key("2")
    wait_for(lambda: eye.at(40, 90)[0] > 200 and eye.at(40, 90)[2] > 180, "the look is not drawn")
    wait_for(lambda: STOP in (home / "log" / "visualizer.log").read_text(), "it does not hang")
    wait_for(lambda: is_green(eye.at(40, 90)), "the preset does not come back")
    wait_for(lambda: show.state.get("left_out") or None, "it does not report what is left out")
    state = show.state
    assert state["preset"] == "b" and [Path(path).name for path in state["left_out"]] == ["hang.fs"]
    parent.send_signal(signal.SIGINT)
    status, _, err = finished(parent)
    assert status == 0
    # a bake that was being started writes a traceback of Python's, too
    assert [line for line in err.splitlines() if line.startswith("visualizer: ")] == [
        "visualizer: the show stopped (it hung); restarting it",
        "visualizer: look hang is left out: the show ended while it was drawn; "
        "tried again when its file is saved or the preset is opened again",
    ]


def sound_is_recorded(root):
    events = root / "events.jsonl"
    return events.exists() and events.read_bytes().count(b'"step":"sound"') > 5


def test_after_a_crash_it_records_another_session_and_the_one_before_can_be_repaired(
    started, pulse, home, loaded, tmp_path
):
    one, two = tmp_path / "night", tmp_path / "night-2"
    parent = started("live", "--record-to", str(one), "--video", "--log-level", "debug")
    show = Show(parent, home)
    wait_for(lambda: sound_is_recorded(one), "nothing is recorded")
    wait_for(lambda: show.state, "it does not report its state")
    show.kill(signal.SIGKILL)
    wait_for(lambda: sound_is_recorded(two), "it does not go on recording")
    parent.send_signal(signal.SIGINT)
    assert finished(parent)[0] == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["night", "night-2"]
    whole = examine(two, thorough=True)
    assert (whole.state, list(losses(whole))) == ("ok", []) and whole.sound_s > 0 and whole.presets == ["tiny"]
    assert examine(one, thorough=True).state == "cut off"
    assert repair(one).after.state == "ok" and (two / "video.mp4").stat().st_size > 0


@pytest.mark.long
def test_a_device_that_hangs_as_it_is_closed_ends_in_another_process_with_sound(
    started, screen, eye, home, loaded, mortal_pulse
):
    """The sound server stands still for longer than a close may take."""
    parent = started("live", "--log-level", "debug", **mortal_pulse.env)
    show, log = Show(parent, home), home / "log" / "visualizer.log"
    wait_for(lambda: mortal_pulse.streams() or None, "it does not listen")
    wait_for(lambda: "is ready" in log.read_text(), "there is no hot standby")
    mortal_pulse.freeze()
    wait_for(lambda: f"{STOP}the sound system hangs" in log.read_text(), "it does not ask for another process")
    wait_for(lambda: sum(eye.at(40, 90)) > 30, "no picture")
    mortal_pulse.freeze(False)
    wait_for(lambda: mortal_pulse.streams() or None, "it does not listen again")
    assert len(show.children) >= 1 and log.read_text().count(STOP) == 1
    parent.send_signal(signal.SIGINT)
    status, _, err = finished(parent)
    assert (status, err) == (0, "visualizer: the show stopped (the sound system hangs); restarting it\n")
