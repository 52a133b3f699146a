"""`visualizer latency` as a user types it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import yaml

from tests.cli.running import here, refused, visualizer
from tests.fixtures.watching import takes
from visualizer.cli.tables import LATENCY_PARTS, latency_table
from visualizer.diagnostics.latency import PARTS, Delay, Latency
from visualizer.files.remembered import remember_delay_ms
from visualizer.settings import BeatSettings

SMALL = ("--size", "320x180")


@takes()
def test_as_json(screen, pulse, tiny_preset):
    remember_delay_ms(pulse.sink, 60.0)
    run = visualizer("latency", "--json", "--clicks", 5, *SMALL, "--preset", tiny_preset, "--device", pulse.source)
    assert run.returncode == 0, run.stderr
    assert run.stderr.endswith(
        "visualizer: 5 clicks through the default output, recorded from visualizer_sink.monitor: 8 s\n"
    )
    found = json.loads(run.stdout)
    assert (found["delay_ms"], found["set_delay_ms"]) == (None, 60.0)  # a monitor does not hear the loudspeaker
    assert (found["input"], found["width"], found["height"], found["n_clicks"]) == (pulse.source, 320, 180, 5)
    assert list(found["parts"]) == list(PARTS)
    assert 0 < found["total"]["median_ms"] <= found["total"]["p95_ms"] < 500
    assert found["lead_ms"] == pytest.approx(found["total"]["median_ms"], abs=0.51)


def found(total_s):
    return Latency("in", "out", (1280, 720), 59.7, 6, 6, 5, (Delay(0.002, 0.011, 0.009, total_s - 0.023, 0.001),) * 5)


def test_the_table_and_the_line_for_the_preset(capsys):
    latency_table(found(0.0341))
    out = capsys.readouterr().out
    lines = out.splitlines()
    assert [line.split()[0] for line in lines[1:6]] == list(PARTS) == list(LATENCY_PARTS)
    assert lines[6].split()[:5] == ["sound", "to", "light", "34.1", "34.1"]
    assert "5 of 6 clicks were seen, at 1280x720 and 60 display frames a second" in out
    BeatSettings(**yaml.safe_load(lines[-1])["beat"])
    assert lines[-1] == "beat: {lead_ms: 34}"


def test_a_picture_that_is_not_late_needs_no_lead(capsys):
    latency_table(found(-0.03))
    assert "leave `beat.lead_ms` at 0" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("capture_s", "set_ms", "lines"),
    [
        (0.215, 0.0, ["The loudspeaker is about 200 ms late; use `visualizer play SONG --delay-ms 200`."]),
        (0.012, 0.0, []),
        (0.012, -60.0, ["Set for this output: --delay-ms -60; only `play` uses it."]),
    ],
)
def test_the_delay_of_a_loudspeaker_that_was_heard(capsys, capture_s, set_ms, lines):
    delay = Delay(capture_s, 0.011, 0.009, 0.003, 0.001)
    heard = Latency("mic", "bt", (1280, 720), 60.0, 6, 6, 5, (delay,) * 5, is_loopback=False, set_delay_ms=set_ms)
    latency_table(heard)
    assert [line for line in capsys.readouterr().out.splitlines() if "delay-ms" in line] == lines
    assert replace(heard, is_loopback=True).delay_ms is None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--clicks", "4"], "4 clicks cannot be measured; allowed: 5 .. 500"),
        (["--clicks", "many"], "Invalid value for '--clicks'"),
        (["--output", "theremin"], "no output matches 'theremin'"),
        (["--device", "theremin"], "no input matches 'theremin'"),
        (["--gain", "90"], "a gain of 90 dB is out of range"),
        (["--size", "big"], "--size 'big' is not a size"),
    ],
)
def test_bad_input_is_one_line(pulse, tiny_preset, words, said):
    refused(here("latency", "--preset", tiny_preset, *SMALL, *words), said)


def test_without_a_display(pulse, tiny_preset):
    run = visualizer("latency", "--preset", tiny_preset, *SMALL, DISPLAY="", WAYLAND_DISPLAY="")
    assert run.returncode == 1 and run.stdout == "" and "Traceback" not in run.stderr
    assert "display" in run.stderr.splitlines()[-1]


def test_without_a_sound_device(pulse, tiny_preset, tmp_path):
    run = visualizer("latency", "--preset", tiny_preset, *SMALL, PULSE_SERVER=f"unix:{tmp_path}/none")
    refused(run, "there is no sound input on this machine", status=1)
