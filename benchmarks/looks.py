"""Measures what each shipped look costs, and the chain of looks of each shipped preset: time and processor time of a
display frame, of one dream and over a journey.

    python -m benchmarks looks [--quick]

They are drawn in turns, some display frames of each, so that other work on the machine slows all of them alike.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import count

import numpy as np

N_DEPTHS, SIZES = 4, ((1280, 720), (1920, 1080))
#: display frames drawn of each in one turn; the first is not counted
IN_A_TURN = 5
#: a journey takes as long as this, enlarged: it is enlarged itself
CROSSFADE = "crossfade"
#: of a station, degrees; as in the preset worlds
TURN = 12
#: how far a journey goes from one display frame to the next, stations: a quarter of a station a second
STEP = 1 / 120
#: from one turn to the next, so that few turns show all of a journey
STEP_OF_A_TURN = 0.618


def run(quick: bool) -> list[tuple[str, str]]:
    """Rows of (what, figure). quick: 3 turns instead of 20."""
    from visualizer.looks.look import find_look, look_names
    from visualizer.presets.loaded import open_preset
    from visualizer.presets.preset import preset_names
    from visualizer.render.chain import Link
    from visualizer.show.open_looks import open_links

    chains = {CROSSFADE: [Link(find_look(CROSSFADE))]}
    chains |= {name: [Link(find_look(name))] for name in look_names()}
    for name in preset_names():
        loaded = open_preset(name, size=(64, 36))
        if len(loaded.settings.render.chain) > 1:
            chains[f"preset {name}"] = links = list(open_links(loaded))
            for link in links:
                link.mix = link.mix or 0.5  # one that an expression blends in now and then
    return [row for size in SIZES for row in _measured(chains, size, 3 if quick else 20)]


def _measured(chains, size: tuple[int, int], n_turns: int) -> Iterator[tuple[str, str]]:
    from visualizer.render.gl import gl_finish
    from visualizer.render.offscreen import Offscreen
    from visualizer.render.picture import Picture
    from visualizer.render.programs import Programs

    enlarged = f"{CROSSFADE}, enlarged"
    with Offscreen(size) as stage:
        programs, ctx = Programs(stage.ctx), stage.ctx
        # one picture of each kind, which gets the looks in turn: three of every look would take gigabytes
        one_dream = Picture(ctx, size, N_DEPTHS, (), 1, programs)
        larger = Picture(ctx, (size[0] * 15 // 16, size[1] * 15 // 16), N_DEPTHS, (), 1, programs)
        journey = Picture(ctx, size, N_DEPTHS, (), _N_STATIONS, programs, is_journey=True)
        for picture in (one_dream, larger, journey):
            _fill(picture)
        drawn = {name: (one_dream, links) for name, links in chains.items()}
        drawn[enlarged] = larger, chains[CROSSFADE]
        drawn |= {f"{name}, over a journey": (journey, links) for name, links in chains.items()}
        times_ms: dict[str, list[tuple[float, float]]] = {name: [] for name in drawn}
        moments = count()
        for turn in range(n_turns + 1):  # the first compiles
            for name, (picture, links) in list(drawn.items())[:: 1 if turn % 2 else -1]:
                picture.set_links(links)
                for index in range(IN_A_TURN):
                    time_s = next(moments) / 30
                    level = 0.93 ** (30 * (time_s % 0.5))
                    music = {"kick_time_s": time_s % 0.5, "level": level, "bass": level, "mid": 0.5, "energy": 0.5}
                    picture.dreams.stations = _stations((turn * STEP_OF_A_TURN + index * STEP) % _N_STATIONS, size)
                    began_s, spent_s = time.perf_counter(), time.process_time()
                    picture.draw(level * N_DEPTHS, size, time_s, uniforms=music)
                    gl_finish(ctx)
                    if turn and index:
                        now_s = time.perf_counter(), time.process_time()
                        times_ms[name].append(((now_s[0] - began_s) * 1e3, (now_s[1] - spent_s) * 1e3))
        for picture in (one_dream, larger, journey):
            picture.release()
        programs.release()
    what = f"look, {size[0]}x{size[1]}"
    medians = {name: np.median(times, axis=0) for name, times in times_ms.items()}
    for name, (took_ms, spent_ms) in medians.items():
        yield f"{what}: {name}", f"{took_ms:.1f} ms, CPU {spent_ms:.1f} ms"
    means = {name: np.mean(times_ms[name], axis=0) for name in (f"{CROSSFADE}, over a journey", enlarged)}
    took, spent = means[f"{CROSSFADE}, over a journey"] / means[enlarged]
    yield f"{what}: {CROSSFADE}, over a journey against enlarged, means", f"{took:.2f}x, CPU {spent:.2f}x"


_N_STATIONS = 5


def _fill(picture) -> None:
    width, height = picture.frame_size
    noise = np.random.default_rng(0).integers(0, 256, (-(-height // 8), -(-width // 8), 3), np.uint8)
    noise = noise.repeat(8, 0).repeat(8, 1)[:height, :width]
    for variant in range(picture.n_variants):
        for depth in range(N_DEPTHS + 1):
            picture.put(depth, np.roll(noise, 3 * depth + 50 * variant, axis=1), variant)


def _stations(position: float, size: tuple[int, int]):
    """The stations that a journey shows at a position, as the show places them."""
    from visualizer.journey.geometry import COVERS, placements
    from visualizer.journey.stations import wandering_crop
    from visualizer.render.dream_texture import PlacedStation

    aspect = size[0] / size[1]
    found = placements(
        position + COVERS,  # those before the first are seen, too
        lambda station: wandering_crop(np.radians(TURN), aspect, max(station, 0), 3),
        aspect,
        begins_at=0.5,
        present=lambda station: 1.0,
    )
    return [
        PlacedStation(one.station % _N_STATIONS, one.matrix(aspect), one.weight, one.feather, one.depth)
        for one in found
    ]
