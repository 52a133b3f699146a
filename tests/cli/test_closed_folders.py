"""Folders that may not be entered, as another user's: every command goes on without them, or fails in one line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.files.disks import UNPRIVILEGED, give_away

# All commands in one process: loading torch once is enough.
RUN = """
import sys
from visualizer.cli.run import run
for line in sys.stdin.read().splitlines():
    print("status", run(line.split()), flush=True)
    print("end", file=sys.stderr, flush=True)
"""


def run_closed(commands: list[str], folder: Path, **environment: str) -> list[tuple[int, list[str]]]:
    """(status, lines on stderr) of each command, run without the right to enter other users' folders."""
    done = subprocess.run(
        [*UNPRIVILEGED, sys.executable, "-c", RUN],
        input="\n".join(commands),
        capture_output=True,
        text=True,
        timeout=120,
        cwd=folder,
        env={**os.environ, "DISPLAY": "", "WAYLAND_DISPLAY": "", **environment},
    )
    assert done.returncode == 0, done.stderr
    statuses = [int(line.split()[1]) for line in done.stdout.splitlines() if line.startswith("status ")]
    lines = [part.splitlines() for part in done.stderr.split("end\n")[:-1]]
    return list(zip(statuses, lines, strict=True))


@pytest.mark.skipif(sys.platform == "win32", reason="folders are closed by POSIX permissions")
@pytest.mark.slow
def test_no_folder_that_may_not_be_entered_is_an_internal_error(tmp_path, kick_song, tiny_preset):
    closed = tmp_path / "closed"
    closed.mkdir()
    presets = tmp_path / "config" / "presets"
    (presets / "foreign").mkdir(parents=True)
    (presets / "foreign" / "preset.yaml").write_text("title: Foreign\n")
    for folder in (closed, presets / "foreign"):
        give_away(folder)
    small = f"-p {tiny_preset} --size 64x48"
    results = run_closed(
        [
            f"export {kick_song} -o out.mp4 --fps 5 {small}",
            "presets",
            "networks",
            "networks get vgg16",
            "cache list",
            "cache clear --yes",
            f"bake {small}",
            f"analyze {kick_song} --plot closed/plot.png",
            "analyze closed/song.wav",
            f"export {kick_song} -o closed/out.mp4 {small}",
            "bake --preset closed/preset",
            "bake --image closed/image.jpg",
            "rehearse --report closed/report.md",
        ],
        tmp_path,
        VISUALIZER_CACHE_DIR=str(closed / "cache"),
        VISUALIZER_LOG_DIR=str(closed / "log"),
        VISUALIZER_CONFIG_DIR=str(tmp_path / "config"),
        VISUALIZER_NETWORKS_DIR=str(closed),
    )
    statuses = [status for status, _ in results]
    said = ["\n".join(line for line in lines if line.startswith("visualizer:")) for _, lines in results]
    assert not [line for line in said if "should not have" in line or "internal error" in line]
    assert statuses == [0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2], said
    assert "Permission denied" in said[0] and "not kept" in said[0], "the export went on without its cache and says so"
    assert "foreign" in said[1] and "Permission denied" in said[1]
    assert said[2] == ""
    for line in said[3:]:
        assert (line.count("\n") == 0 and "ermission denied" in line) or "not found" in line or "no such" in line, line
    assert (tmp_path / "out.mp4").is_file()
