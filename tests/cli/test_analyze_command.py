"""`visualizer analyze` as a user types it: wrong use, and the screen of --live on a terminal, fed by a real sound device."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading

import numpy as np
import pytest

from tests.cli.test_commands import refused, visualizer
from tests.fixtures.pulse import wait_until
from tests.sounds import kicks
from visualizer.beat import Bands, Onset
from visualizer.cli.hear_screen import page, summed_up
from visualizer.show.hear import Heard

ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """The program on a terminal of its own, of a given size."""

    def __init__(self, *arguments: str, n_columns: int = 80, n_rows: int = 24, **environment: str) -> None:
        fcntl, pty = pytest.importorskip("fcntl"), pytest.importorskip("pty")
        import struct
        import termios

        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", n_rows, n_columns, 0, 0))
        known = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "visualizer", *arguments],
            env={**known, "TERM": "xterm-256color", **environment},
            preexec_fn=lambda: os.login_tty(theirs),  # so that Ctrl-C typed there reaches it
        )
        os.close(theirs)
        self._written: list[bytes] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        try:
            while block := os.read(self._ours, 65536):
                self._written.append(block)
        except OSError:  # the other end was closed
            pass

    @property
    def raw(self) -> str:
        return b"".join(self._written).decode(errors="replace")

    @property
    def lines(self) -> list[str]:
        """Everything drawn so far, line by line, without colours and movements."""
        return ANSI.sub("\n", re.sub(r"\x1b\[[0-9;]*m", "", self.raw)).replace("\r", "\n").split("\n")

    def last(self, start: str) -> str:
        """The newest whole line that begins so."""
        return next((line for line in reversed(self.lines[:-1]) if line.startswith(start)), "")

    def type(self, keys: bytes) -> None:
        os.write(self._ours, keys)

    def ended(self) -> int:
        status = self.process.wait(20)
        self._reader.join(5)
        return status

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)
        self._reader.join(5)
        os.close(self._ours)


@pytest.fixture
def terminal(pulse, home):
    terminals: list[Terminal] = []

    def start(*arguments: str, **options) -> Terminal:
        terminals.append(Terminal(*arguments, **options))
        return terminals[-1]

    yield start
    for opened in terminals:
        opened.close()


def count_of(line: str, name: str) -> int:
    found = re.search(rf"{name}\s+(\d+)", line)
    return int(found[1]) if found else -1


@pytest.mark.parametrize("n_columns", [80])
def test_what_comes_in_is_drawn_and_summed_up(terminal, pulse, n_columns):
    screen = terminal("analyze", "--live", n_columns=n_columns)
    wait_until(lambda: screen.last("kicks"), 30, "nothing was drawn")
    assert screen.last("input").endswith("no dBFS") and "silence" in screen.last("loud")
    with pulse.play(kicks(48000, np.arange(0.3, 60, 0.5), 60.0), 48000):
        wait_until(lambda: count_of(screen.last("kicks"), "kicks") >= 8, 30, "kicks were not counted")
        wait_until(lambda: "BPM" in screen.last("beat") and "-   BPM" not in screen.last("beat"), 30, "no tempo")
        assert any("kick ●" in line for line in screen.lines), "the light never went on"
        level_db = float(re.search(r"(-?\d+\.\d) dBFS", screen.last("input"))[1])
        assert -30 < level_db < 0
        depths = [float(found[1]) for line in screen.lines if (found := re.search(r"depth +(\d+\.\d)", line))]
        assert max(depths) > 12 and min(depths) < 3
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
    wait_until(lambda: screen.last("kicks"), 30, "nothing was drawn")
    pulse.stop()
    try:
        assert screen.ended() == 1
    finally:
        pulse.start()
    assert "is lost" in [line for line in screen.lines if line][-1]
    assert "Traceback" not in screen.raw


def test_where_the_terminal_knows_few_letters_it_is_drawn_with_those(terminal, pulse):
    screen = terminal("analyze", "--live", PYTHONIOENCODING="ascii")
    wait_until(lambda: screen.last("kicks"), 30, "nothing was drawn")
    screen.type(b"\x03")
    assert screen.ended() == 0
    assert screen.raw.isascii() and "....." in screen.raw


def test_a_terminal_that_cannot_redraw_is_refused(terminal):
    screen = terminal("analyze", "--live", TERM="dumb")
    assert screen.ended() == 2
    assert screen.raw.startswith("visualizer: --live draws in a terminal") and screen.raw.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], ["give a FILE, or --live", "analyze --help"]),
        (["x.wav", "--live"], ["one of the two"]),
        (["--live"], ["in a terminal", "analyze FILE --json"]),
        (["--live", "--json"], ["--json and --plot are for a FILE"]),
        (["--live", "--plot", "x.png"], ["--json and --plot are for a FILE"]),
        (["x.wav", "--device", "1"], ["--device is for --live"]),
        (["--live", "--preset", "cluods"], ["terminal"]),
    ],
)
def test_wrong_use_is_one_line(arguments, words):
    refused(visualizer("analyze", *arguments), *words)


def test_the_sum_of_a_file_tells_the_tempo(kick_song):
    run = visualizer("analyze", kick_song)
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


MOMENT = Heard(
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
    assert summed_up(Told, None).endswith("nothing came in")
    quiet = Heard(0.0, -99.0, -99.0, Bands(0, 0, 0, 0, True), 1.0, 0, None, 120.0, 0.0, 0.0, 0, 0, 0, 0)
    assert summed_up(Told, quiet).endswith("nothing came in")
