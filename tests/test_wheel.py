"""The wheel: built for real, unpacked somewhere else, and run from there."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    from hatchling.builders.wheel import WheelBuilder

    folder = tmp_path_factory.mktemp("wheel")
    built = Path(next(iter(WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"]))))
    with zipfile.ZipFile(built) as wheel:
        wheel.extractall(folder / "site")
    return folder / "site"


def test_it_carries_shaders_presets_and_the_song(unpacked):
    shipped = unpacked / "visualizer" / "_shipped"
    for name in ("shaders", "presets", "demo"):
        here = {path.relative_to(ROOT / name) for path in (ROOT / name).rglob("*") if path.is_file()}
        there = {path.relative_to(shipped / name) for path in (shipped / name).rglob("*") if path.is_file()}
        assert here and here == there


def test_its_distribution_is_kickdream(unpacked, tmp_path):
    """The import package and the command are named visualizer; the doctor finds the requirements by the other name."""
    [info] = unpacked.glob("*.dist-info")
    assert info.name.startswith("kickdream-")
    assert "visualizer = visualizer.cli:main" in (info / "entry_points.txt").read_text()
    code = "from visualizer.diagnostics.doctor.machine import required; print(required())"
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(unpacked)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0 and "'torch': '==2.13.0'" in run.stdout, run.stdout + run.stderr


def test_it_runs_without_the_checkout(unpacked, tmp_path):
    run = subprocess.run(
        [
            sys.executable,
            "-c",
            "import visualizer; print(visualizer.__file__); from visualizer.cli import main; main()",
            "presets",
        ],
        env={**os.environ, "PYTHONPATH": str(unpacked)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    assert str(unpacked) in run.stdout and "clouds" in run.stdout and "block12.expand" in run.stdout
