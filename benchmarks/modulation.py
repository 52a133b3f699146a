"""Measures what expressions cost a display frame.

python -m benchmarks modulation [--quick]
"""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np

from visualizer.beat.features import Features
from visualizer.files.yamltext import yaml_text
from visualizer.presets.loaded import open_preset
from visualizer.presets.preset import load_preset
from visualizer.settings import PLAIN_PRESET
from visualizer.show.chain_control import ChainControl
from visualizer.show.open_looks import open_links

N = 100
KINDS = (
    "1 + 0.08*kick + 0.02*sin(2*pi*beat_phase)",
    "fract(integrate(0.1 + kick))",
    "hold(beat, random(beat_number))",
    "mix(0.2, 0.8, smooth(bass, 0.2))",
    "noise(time_s*2)*high",
)


def control(folder: Path) -> ChainControl:
    """The control of a look with N parameters, each moved by an expression."""
    inputs = [{"NAME": f"x{index}", "TYPE": "float", "MIN": 0, "MAX": 10} for index in range(N)]
    (folder / "many.frag").write_text(f"/*{json.dumps({'INPUTS': inputs})}*/\n#version 330 core\nvoid main() {{}}\n")
    image = load_preset(PLAIN_PRESET).image_path
    shutil.copy(image, folder / image.name)
    parameters = {f"x{index}": KINDS[index % len(KINDS)] for index in range(N)}
    data = {"title": "Many", "image": image.name, "render": {"shader": "many", "parameters": parameters}}
    (folder / "preset.yaml").write_text(yaml_text(data))
    loaded = open_preset(str(folder), size=(64, 36))
    return ChainControl(loaded, open_links(loaded))


def run(quick: bool) -> list[tuple[str, str]]:
    """Rows of (what, figure). quick: fewer display frames."""
    spent_ms = []
    with tempfile.TemporaryDirectory() as folder:
        moved = control(Path(folder))
        for n in range(300 if quick else 3000):
            heard = Features(n / 60, kick_time_s=n % 30 / 60, bass=n % 7 / 7, bpm=120, beat_phase=n % 30 / 30)
            start_s = time.perf_counter()
            moved.move(heard, 3.0, 0.0)
            spent_ms.append((time.perf_counter() - start_s) * 1000)
    median, most = np.percentile(spent_ms, (50, 95))
    return [(f"{N} expressions in a display frame: median / p95", f"{median:.2f} / {most:.2f} ms")]
