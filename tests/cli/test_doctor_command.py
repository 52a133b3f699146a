"""`visualizer doctor` as a user types it: on a machine that is well, on broken ones, on a terminal, and cut short."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.cli.running import here, refused, visualizer
from tests.cli.terminal import ANSI
from tests.fixtures.pulse import Pulse, wait_until

MARKS = ("OK", "warning", "FAULT")


def test_a_machine_that_is_well(pulse: Pulse, screen: object) -> None:
    run = visualizer("doctor", PYTHONIOENCODING="ascii")
    assert run.returncode == 0 and run.stderr == "", run.stdout
    *lines, empty, summary = run.stdout.partition("\nFor a bug report")[0].rstrip("\n").split("\n")
    assert empty == "" and summary.startswith("no faults")
    assert len(lines) > 20 and all(line.split()[0] in ("OK", "warning") for line in lines)
    assert all((" -> " in line) == line.startswith("warning") for line in lines)
    for word in ("torch", "OpenGL", "PortAudio", "weights", "cache", "keys.yaml", "fonts", "H.264", "clock"):
        assert any(word in line for line in lines), word


def test_as_json_with_much_broken(home: Path, mortal_pulse: Pulse) -> None:
    mortal_pulse.stop()
    (home / "config").mkdir(parents=True)
    (home / "config" / "settings.yaml").write_text("log_level: shout\n")
    refused(here("presets"), "settings.yaml")  # as with every other command
    run = visualizer("doctor", "--json", DISPLAY="", WAYLAND_DISPLAY="", VISUALIZER_CACHE_DIR="/dev/null/cache")
    assert run.returncode == 1 and run.stderr == ""
    report = json.loads(run.stdout)
    assert report["is_well"] is False
    states = {finding["name"]: finding["state"] for finding in report["findings"]}
    faults = {name for name, state in states.items() if state == "fault"}
    assert faults >= {"settings.yaml", "cache", "display"} and faults & {"inputs", "input", "PortAudio"}
    assert states["dream"] == states["video"] == states["packages"] == "ok"
    for finding in report["findings"]:
        assert set(finding) == {"name", "state", "said", "way_out", "facts"}
        assert bool(finding["way_out"]) == (finding["state"] != "ok") and "\n" not in finding["said"]


def test_wrong_use() -> None:
    refused(here("doctor", "--quick"), "--quick")
    refused(here("doctor", "--log-level", "loud"), "loud")
    run = visualizer("doctor", "--help")
    assert run.returncode == 0 and "--json" in run.stdout


def test_on_a_terminal_it_is_wrapped_under_its_columns(terminal, screen: object) -> None:
    opened = terminal("doctor", n_rows=60)
    wait_until(lambda: opened.process.poll() is not None, "it does not end")
    wait_until(lambda: "\nno faults" in _plain(opened.raw), "it does not come to an end")
    lines = [line.rstrip() for line in _plain(opened.raw).split("\n")]
    table = lines[: lines.index("")]
    assert max(map(len, lines)) <= 80 and len(table) > 20
    for line in table:
        assert line.split()[0] in MARKS or line.startswith(" " * 26 + line.strip()[:1]), line


def _plain(raw: str) -> str:
    return ANSI.sub("", raw).replace("\r", "")


def test_ctrl_c_ends_it_and_all_that_it_started(pulse: Pulse) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "visualizer", "doctor"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None and process.stdout.readline().startswith("OK")
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 1 and said == "visualizer: interrupted\n"

    def is_gone() -> bool:
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            return True
        return False

    wait_until(is_gone, "a process is left behind")
