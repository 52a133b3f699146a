"""Measures what each shipped look costs, and the chain of looks of each shipped preset: time and processor time of a
display frame.

    python -m benchmarks.looks [--quick]

They are drawn in turns, some display frames of each, so that whatever else the machine does meanwhile meets all alike.
"""

from __future__ import annotations

import sys
import time
from itertools import count

import numpy as np

N_DEPTHS, SIZES = 4, ((1280, 720), (1920, 1080))
#: display frames drawn of each in one turn; the first is not counted
IN_A_TURN = 5


def run(quick: bool) -> list[tuple[str, str]]:
    """Rows of (what, figure). quick: 3 turns instead of 20."""
    from visualizer.looks.look import find_look, look_names
    from visualizer.presets.loaded import open_preset
    from visualizer.presets.preset import preset_names
    from visualizer.render.chain import Link
    from visualizer.show.open_looks import open_links

    chains = {"crossfade": [Link(find_look("crossfade"))]}
    chains |= {name: [Link(find_look(name))] for name in look_names()}
    for name in preset_names():
        loaded = open_preset(name, size=(64, 36))
        if len(loaded.settings.render.chain) > 1:
            chains[f"preset {name}"] = links = list(open_links(loaded))
            for link in links:
                link.mix = link.mix or 0.5  # one that an expression blends in now and then
    return [row for size in SIZES for row in _measured(chains, size, 3 if quick else 20)]


def _measured(chains, size: tuple[int, int], n_turns: int) -> list[tuple[str, str]]:
    from visualizer.render.gl import gl_finish
    from visualizer.render.offscreen import Offscreen
    from visualizer.render.picture import Picture
    from visualizer.render.programs import Programs

    noise = np.random.default_rng(0).integers(0, 256, (size[1] // 8, size[0] // 8, 3), np.uint8)
    noise = noise.repeat(8, 0).repeat(8, 1)
    times_ms: dict[str, list[tuple[float, float]]] = {name: [] for name in chains}
    with Offscreen(size) as stage:
        programs = Programs(stage.ctx)
        pictures = {name: Picture(stage.ctx, size, N_DEPTHS, links, 1, programs) for name, links in chains.items()}
        for picture in pictures.values():
            for depth in range(N_DEPTHS + 1):
                picture.put(depth, np.roll(noise, 3 * depth, axis=1))
        moments = count()
        for turn in range(n_turns + 1):  # the first compiles
            for name, picture in pictures.items():
                for index in range(IN_A_TURN):
                    time_s = next(moments) / 30
                    level = 0.93 ** (30 * (time_s % 0.5))
                    music = {"kick_time_s": time_s % 0.5, "level": level, "bass": level, "mid": 0.5, "energy": 0.5}
                    began_s, spent_s = time.perf_counter(), time.process_time()
                    picture.draw(level * N_DEPTHS, size, time_s, uniforms=music)
                    gl_finish(stage.ctx)
                    if turn and index:
                        now_s = time.perf_counter(), time.process_time()
                        times_ms[name].append(((now_s[0] - began_s) * 1e3, (now_s[1] - spent_s) * 1e3))
        for picture in pictures.values():
            picture.release()
        programs.release()
    name = f"look, {size[0]}x{size[1]}"
    medians = {what: np.median(times, axis=0) for what, times in times_ms.items()}
    return [(f"{name}: {what}", f"{took:.1f} ms, CPU {spent:.1f} ms") for what, (took, spent) in medians.items()]


if __name__ == "__main__":
    for what, figure in run("--quick" in sys.argv[1:]):
        print(f"{what:50} {figure}")
