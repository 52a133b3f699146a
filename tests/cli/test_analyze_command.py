"""`visualizer analyze` as a user types it: wrong use, and the screen of --live on a terminal, fed by a real sound
device.
"""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from tests.cli.running import here, refused
from tests.fixtures.pulse import wait_until
from tests.sounds import kicks
from visualizer.beat import Bands, Onset
from visualizer.cli.analysis_screen import page, summary
from visualizer.diagnostics.input_analysis import InputReading


def count_of(line: str, name: str) -> int:
    found = re.search(rf"{name}\s+(\d+)", line)
    return int(found[1]) if found else -1


@pytest.mark.parametrize("n_columns", [80, pytest.param(120, marks=pytest.mark.long)])
def test_what_comes_in_is_drawn_and_summed_up(terminal, pulse, n_columns):
    screen = terminal("analyze", "--live", n_columns=n_columns)
    wait_until(lambda: screen.last("kicks"), "nothing was drawn")
    assert screen.last("input").endswith("no dBFS") and "silence" in screen.last("loud")
    with pulse.play(kicks(48000, np.arange(0.3, 60, 0.5), 60.0), 48000):
        wait_until(lambda: count_of(screen.last("kicks"), "kicks") >= 8, "kicks were not counted")
        wait_until(lambda: "BPM" in screen.last("beat") and "-   BPM" not in screen.last("beat"), "no tempo")
        wait_until(lambda: any("kick ●" in line for line in screen.lines), "the light never went on")
        level_db = float(re.search(r"(-?\d+\.\d) dBFS", screen.last("input"))[1])
        assert -30 < level_db < 0

        def goes_up_and_down():
            depths = [float(found[1]) for line in screen.lines if (found := re.search(r"depth +(\d+\.\d)", line))]
            return max(depths) > 12 and min(depths) < 3

        wait_until(goes_up_and_down, "the depth does not follow")
        assert "xruns" in screen.last("kicks")
        screen.type(b"\x03")
        assert screen.ended() == 0
    total = [line for line in screen.lines if line][-1]  # however long; the terminal breaks it
    assert max(len(line) for line in screen.lines if line != total) <= n_columns
    assert re.fullmatch(r".+: \d+ s, \d+ kicks \(\d+ a minute\), .+, loudest -\d+\.\d dBFS, \d+ xruns.*", total)
    assert "Traceback" not in screen.raw
    assert screen.raw.rstrip().rfind("\x1b[?25h") > screen.raw.rfind("\x1b[?25l"), "the cursor is shown again"


def test_a_lost_device_ends_it_with_one_line(terminal, pulse):
    screen = terminal("analyze", "--live")
    wait_until(lambda: screen.last("kicks"), "nothing was drawn")
    pulse.stop()
    try:
        assert screen.ended() == 1
    finally:
        pulse.start()
    assert "is lost" in [line for line in screen.lines if line][-1]
    assert "Traceback" not in screen.raw


def test_where_the_terminal_knows_few_letters_it_is_drawn_with_those(terminal, pulse):
    screen = terminal("analyze", "--live", PYTHONIOENCODING="ascii")
    wait_until(lambda: screen.last("kicks"), "nothing was drawn")
    screen.type(b"\x03")
    assert screen.ended() == 0
    assert screen.raw.isascii() and "....." in screen.raw


def test_a_terminal_that_cannot_redraw_is_refused(terminal):
    screen = terminal("analyze", "--live", TERM="dumb")
    assert screen.ended() == 2
    assert screen.raw.startswith("visualizer: --live needs a terminal") and screen.raw.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], ["give a FILE, or --live", "analyze --help"]),
        (["x.wav", "--live"], ["give one of them"]),
        (["--live"], ["needs a terminal", "analyze FILE --json"]),
        (["--live", "--json"], ["--json and --plot need a FILE"]),
        (["--live", "--plot", "x.png"], ["--json and --plot need a FILE"]),
        (["x.wav", "--device", "1"], ["--device works with --live only"]),
        (["--live", "--ahead"], ["--ahead needs a FILE"]),
        (["--live", "--preset", "cluods"], ["terminal"]),
    ],
)
def test_wrong_use_is_one_line(arguments, words):
    refused(here("analyze", *arguments), *words)


def test_progress_is_drawn_on_the_terminal_and_not_into_the_output(terminal, kick_song, tmp_path):
    opened = terminal("analyze", str(kick_song), "--json", stdout=tmp_path / "out.json")
    assert opened.ended() == 0
    assert any("analyzing" in line and "6/6 seconds" in line for line in opened.lines)
    assert json.loads((tmp_path / "out.json").read_text())["duration_s"] == 6.0


def test_the_sum_of_a_file_tells_the_tempo(kick_song):
    run = here("analyze", kick_song)
    assert run.returncode == 0 and re.search(r"10 kicks \(100 a minute\), (120\.\d|119\.\d) BPM, mean", run.stdout)


class Console:
    """As much of a console as a page asks for."""

    def __init__(self, width: int, plain: bool = False) -> None:
        self.width = width
        self.options = type("Options", (), {"ascii_only": plain})


class Told:
    device_name = "A device with a name that goes on and on, and then for a while still, hw:1,0"
    sample_rate_hz = 192000
    n_depths = 40


MOMENT = InputReading(
    5999.0, -0.2, 0.0, Bands(1, 1, 1, 1, False), 40.0, 99999, Onset(5998.99, 1.0), 200.0, 1.0, 0.99, 99999, 9, 12345, 99999
)  # fmt: skip


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("width", [20, 40, 79, 80, 81, 200])
def test_a_page_fits_any_width(width, plain):
    rows = page(Told, MOMENT, Console(width, plain)).plain.split("\n")
    assert len(rows) == 13 and max(map(len, rows)) <= width
    if width >= 80:
        assert rows[2].endswith("-0.2 dBFS") and rows[4].endswith("depth 40.0") and "clips" in rows[3]
        assert rows[-1].endswith("clipped 9") or "Ctrl-C" in rows[-1]
        assert "…" in rows[0] or plain or width > 100


def test_nothing_came_in():
    assert summary(Told, None).endswith("no sound was received")
    quiet = InputReading(0.0, -99.0, -99.0, Bands(0, 0, 0, 0, True), 1.0, 0, None, 120.0, 0.0, 0.0, 0, 0, 0, 0)
    assert summary(Told, quiet).endswith("no sound was received")
