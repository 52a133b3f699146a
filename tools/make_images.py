"""Paint the presets' images: `python tools/make_images.py [--folder presets] [--size 1920x1080] [NAME ...]`.

Every picture is a function of continuous coordinates and a seed: the same on each run, and the same scene at any size.
Coordinates: x from 0 to the aspect ratio, y from 0 (top) to 1 (bottom), float32 arrays of shape (height, width).
Colours are linear light while painting, sRGB when saved.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

Grid = np.ndarray
ROTATION = (0.8, 0.6)  # cosine and sine of the turn between noise octaves: hides the lattice


class Noise:
    """Seeded gradient noise over the plane, about -0.7..0.7, and what is built of it."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        angle = rng.uniform(0, 2 * np.pi, (256, 256))
        self._gradients = np.stack([np.cos(angle), np.sin(angle)], -1).astype(np.float32)
        self._points = rng.uniform(0.1, 0.9, (256, 256, 2)).astype(np.float32)

    def at(self, x: Grid, y: Grid) -> Grid:
        left, top = np.floor(x), np.floor(y)
        column, row = left.astype(np.int32), top.astype(np.int32)
        dx, dy = x - left, y - top
        across, down = (t * t * t * (t * (t * 6 - 15) + 10) for t in (dx, dy))

        def corner(right: int, below: int) -> Grid:
            gradient = self._gradients[(row + below) & 255, (column + right) & 255]
            return gradient[..., 0] * (dx - right) + gradient[..., 1] * (dy - below)

        upper = corner(0, 0) * (1 - across) + corner(1, 0) * across
        lower = corner(0, 1) * (1 - across) + corner(1, 1) * across
        return upper * (1 - down) + lower * down

    def fractal(self, x: Grid, y: Grid, n_octaves: int, gain: float = 0.5, fold: bool = False) -> Grid:
        """Octaves of noise summed, about -1..1. Folded: sharp creases between round billows, about 0..1."""
        total, weight, reach = np.zeros_like(x), 1.0, 0.0
        for index in range(n_octaves):
            layer = self.at(x + 17.3 * index, y - 9.1 * index)
            total += weight * (np.abs(layer) * 2 if fold else layer * 1.4)
            reach += weight
            weight *= gain
            x, y = (2.03 * (ROTATION[0] * x - ROTATION[1] * y), 2.03 * (ROTATION[1] * x + ROTATION[0] * y))
        return total / reach

    def puffs(self, x: Grid, y: Grid) -> Grid:
        """Cellular noise: 1 at the middle of round cells, falling to 0 between them."""
        left, top = np.floor(x), np.floor(y)
        column, row = left.astype(np.int32), top.astype(np.int32)
        nearest = np.full_like(x, 9.0)
        for below in (-1, 0, 1):
            for right in (-1, 0, 1):
                point = self._points[(row + below) & 255, (column + right) & 255]
                away = (left + right + point[..., 0] - x) ** 2 + (top + below + point[..., 1] - y) ** 2
                nearest = np.minimum(nearest, away)
        return np.clip(1 - nearest, 0, 1)


def smoothstep(low: float, high: float, x: Grid) -> Grid:
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def graded(t: Grid, stops: list[tuple[float, str]]) -> Grid:
    """Colours (..., 3) in linear light along t, between stops of (position, "#rrggbb")."""
    positions = [position for position, _ in stops]
    colours = np.array([linear(colour) for _, colour in stops])
    return np.stack([np.interp(t, positions, colours[:, c]) for c in range(3)], -1).astype(np.float32)


def linear(colour: str) -> np.ndarray:
    """ "#rrggbb" as linear light, (3,)."""
    srgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def over(below: Grid, colour: Grid | np.ndarray, cover: Grid) -> Grid:
    return below + (colour - below) * cover[..., None]


def paint_clouds(x: Grid, y: Grid) -> Grid:
    """Towering cumulus at dusk: gold where the low sun reaches, rose and violet in its own shade."""
    noise = Noise(11)
    sun_x, sun_y = 1.22, 0.74
    glow = np.exp(-(((x - sun_x) / 0.75) ** 2 + ((y - sun_y) / 0.42) ** 2))
    sky = graded(
        y, [(0, "#16306e"), (0.3, "#3d5ea8"), (0.52, "#9a86b8"), (0.72, "#f0a487"), (0.88, "#ffc774"), (1, "#f79a5c")]
    )
    sky = sky + glow[..., None] * linear("#ffb066") * 0.55

    # high thin cloud, drawn out along the wind and lit from below
    wisps = noise.fractal(x * 1.3 + y * 0.9 + 5, y * 6 - x * 1.1, 6, 0.6)
    cover = smoothstep(0.02, 0.55, wisps) * smoothstep(0.62, 0.1, y) * 0.75
    sky = over(sky, graded(y, [(0, "#c7a9d6"), (0.35, "#ffb7a8"), (0.6, "#ffd3a0")]), cover)

    picture = sky
    # (base line, height, size of the puffs, seed, haze): far banks first
    banks = [
        (0.80, 0.22, 9.0, 3, 0.60),
        (0.84, 0.46, 6.0, 7, 0.34),
        (0.90, 0.42, 5.2, 15, 0.18),
        (0.99, 0.40, 4.2, 21, 0.07),
        (1.12, 0.42, 3.2, 24, 0.0),
    ]
    for base, tall, scale, seed, haze in banks:
        picture = _cloud_bank(picture, x, y, (sun_x, sun_y), base, tall, scale, seed, haze)
    return picture


def _thickness(x: Grid, y: Grid, base: float, tall: float, scale: float, seed: int) -> Grid:
    """How thick the cloud bank is at a place, 0 at its edge, about 1 in its heart."""
    noise = Noise(seed)
    bend = noise.fractal(x * scale * 0.6, y * scale * 0.6, 3)
    u, v = x * scale + bend * 0.28, y * scale * 1.1 + noise.fractal(x * scale * 0.6 + 40, y * scale * 0.6, 3) * 0.28
    skyline = 0.55 + 1.05 * noise.fractal(x * scale * 0.22 + seed, np.zeros_like(x) + 0.5, 3, 0.55)
    rise = (y - (base - tall * skyline)) / tall
    puffs = (
        0.50 * noise.puffs(u, v)
        + 0.27 * noise.puffs(u * 2.1 + 3, v * 2.1)
        + 0.17 * noise.puffs(u * 4.3 + 9, v * 4.3)
        + 0.10 * noise.puffs(u * 8.9 + 1, v * 8.9)
        + 0.05 * noise.puffs(u * 18 + 5, v * 18)
        + 0.05 * noise.fractal(u * 9, v * 9, 4, 0.6)
    )
    return np.clip(rise, -1, 0.9) * 1.1 + puffs - 0.42


def _cloud_bank(
    below: Grid,
    x: Grid,
    y: Grid,
    sun: tuple[float, float],
    base: float,
    tall: float,
    scale: float,
    seed: int,
    haze: float,
) -> Grid:
    thick = _thickness(x, y, base, tall, scale, seed)
    cover = smoothstep(0.0, 0.055, thick)
    to_x, to_y = sun[0] - x, sun[1] - 0.25 - y
    reach = np.sqrt(to_x**2 + to_y**2) + 0.25
    to_x, to_y = to_x / reach, to_y / reach
    # light that comes through: less the thicker the cloud is on the way to the sun
    light = np.zeros_like(x)
    for step in (0.04, 0.12, 0.34):
        away = step * 2.2 / scale
        light += thick - _thickness(x + to_x * away, y + to_y * away - 0.2 * away, base, tall, scale, seed)
    light = np.clip(0.36 + light * 0.36, 0, 1)
    near_sun = np.exp(-((x - sun[0]) ** 2 + (y - sun[1]) ** 2) / 0.5)
    colour = graded(
        light,
        [(0, "#3b3768"), (0.28, "#6d4f86"), (0.5, "#c9788c"), (0.7, "#ffb38a"), (0.86, "#ffe0b0"), (1, "#fff6e2")],
    )
    rim = smoothstep(0.22, 0.0, thick) * near_sun
    colour = colour * (0.58 + 0.42 * near_sun[..., None]) + rim[..., None] * linear("#ffd9a0") * 0.7
    sunk = smoothstep(0.0, 0.7, (y - base + tall * 0.5) / tall)
    colour = over(colour, linear("#43376f"), sunk * 0.78)
    return over(below, over(colour, linear("#f2a98a"), np.full_like(x, haze)), cover)


def paint_aurora(x: Grid, y: Grid) -> Grid:
    """Curtains of northern light over dark hills and still water."""
    noise = Noise(5)
    shore = 0.80
    mirrored = np.where(y > shore, 2 * shore - y - 0.004, y)
    ripple = np.where(y > shore, noise.at(x * 9, (y - shore) * 160 / (0.3 + (y - shore) * 6)) * 0.02, 0)
    px, py = (x + ripple).astype(np.float32), (mirrored + ripple * 0.4).astype(np.float32)
    sky = graded(py, [(0, "#060a26"), (0.45, "#0b2448"), (0.8, "#1d5468"), (1, "#2b6d70")])
    stars = noise.puffs(px * 48, py * 48)
    bright = np.clip(noise.at(px * 31.7, py * 31.7) * 3 - 0.35, 0, 1.2)
    sky = sky + (smoothstep(0.985, 1.0, stars) * bright * smoothstep(0.8, 0.3, py))[..., None] * linear("#dfe8ff") * 1.4
    for index, (foot, height, tint) in enumerate([(0.60, 0.50, 0.25), (0.70, 0.58, 0.0), (0.52, 0.34, 0.6)]):
        sway = noise.fractal(px * 1.5 + index * 13, py * 0.35 + index * 7, 4, 0.5)
        line = foot + 0.20 * sway
        up = (line - py) / height
        strands = 0.55 + 0.9 * noise.fractal((px + sway * 0.35) * 16 + index * 5, py * 0.7 + index, 5, 0.65)
        folds = 0.35 + 1.1 * np.abs(noise.fractal(px * 2.2 + sway * 1.6 + index * 3, py * 0.5, 3))
        glow = np.clip(strands, 0, 2) * folds * np.where(up > 0, np.exp(-up * 2.6), np.exp(up * 26))
        colour = graded(
            np.clip(up + tint * 0.6, -0.2, 1.4), [(0, "#3dffa2"), (0.35, "#22d3c5"), (0.7, "#7b5cff"), (1.1, "#ff4fb4")]
        )
        sky = sky + colour * (glow * 1.25)[..., None]
    for index, (base, tall, colour) in enumerate([(0.70, 0.13, "#10303f"), (0.77, 0.09, "#071a26")]):
        ridge = base - tall * (noise.fractal(px * (1.7 + index) + index * 31, np.zeros_like(px) + 3.3, 7, 0.5))
        sky = over(sky, linear(colour), smoothstep(-0.001, 0.001, py - ridge))
    water = np.where(y > shore, 0.62, 1.0)
    return sky * water[..., None]


def paint_ridges(x: Grid, y: Grid) -> Grid:
    """Mountain ridges one behind the other at sunrise, mist in the valleys."""
    noise = Noise(29)
    sun_x, sun_y = 0.62, 0.33
    away = np.sqrt((x - sun_x) ** 2 + (y - sun_y) ** 2)
    picture = graded(y, [(0, "#2c6f9c"), (0.2, "#6fb0b8"), (0.36, "#ffd9a0"), (0.5, "#ffb27a"), (1, "#ff9a70")])
    picture = picture + np.exp(-away * 5.5)[..., None] * linear("#ffd27a") * 0.9
    streaks = noise.fractal(x * 1.6 + 3, y * 9, 6, 0.55)
    picture = over(picture, linear("#ff8f7a"), smoothstep(0.08, 0.5, streaks) * smoothstep(0.42, 0.1, y) * 0.75)
    picture = over(picture, linear("#fff6dc") * 1.6, smoothstep(0.043, 0.040, away))
    n_ridges = 7
    for index in range(n_ridges):
        near = index / (n_ridges - 1)
        base, tall = 0.44 + 0.50 * near**1.15, 0.13 + 0.16 * near
        frequency = 3.4 - 1.7 * near
        crest = noise.fractal(x * frequency + index * 11.7, np.zeros_like(x) + index * 5.1, 8, 0.48, fold=True)
        top = base - tall * (1.5 * crest - 0.35)
        colour = graded(
            np.full_like(x, near),
            [(0, "#e8a58c"), (0.25, "#b9728a"), (0.5, "#6d5590"), (0.75, "#2f4a7c"), (1, "#0f2b4a")],
        )
        slope = noise.fractal(x * 7 + index * 3, (y - top) * 9 + index, 6, 0.6, fold=True)
        lit = np.clip(1.25 - 1.3 * slope, 0.35, 1.5)
        colour = colour * lit[..., None] + (np.exp(-away * 2.6) * (1 - near) * 0.35)[..., None] * linear("#ffc07a")
        mist = smoothstep(0.02, 0.20, y - top) * (1 - near * 0.75)
        mist = mist * (0.55 + 0.6 * noise.fractal(x * 2.5 + index * 7, y * 8, 4))
        colour = over(colour, linear("#ffc9a3") * (1 - 0.35 * near), np.clip(mist, 0, 0.85))
        picture = over(picture, colour, smoothstep(-0.0012, 0.0012, y - top))
    return picture


def paint_marble(x: Grid, y: Grid) -> Grid:
    """Inks drawn through water: folds of teal, coral and gold."""
    noise = Noise(41)
    u, v = x * 1.15 + 2, y * 1.15
    first = (noise.fractal(u, v, 4), noise.fractal(u + 5.2, v + 1.3, 4))
    u2, v2 = u + 1.7 * first[0], v + 1.7 * first[1]
    second = (noise.fractal(u2 + 1.7, v2 + 9.2, 5), noise.fractal(u2 + 8.3, v2 + 2.8, 5))
    u3, v3 = u + 1.5 * second[0], v + 1.5 * second[1]
    field = noise.fractal(u3, v3, 7, 0.52)
    colour = graded(
        np.clip(0.5 + 0.85 * field, 0, 1),
        [
            (0, "#04222e"),
            (0.2, "#0b5563"),
            (0.38, "#1f9a94"),
            (0.5, "#f3e3c3"),
            (0.6, "#f2a65a"),
            (0.75, "#d6455d"),
            (1, "#4a1148"),
        ],
    )
    veins = np.abs(np.sin((second[0] + 0.25 * field) * 11))
    colour = over(colour, linear("#ffdf9a"), smoothstep(0.16, 0.0, veins) * 0.6)
    shade = np.clip(1 + 0.9 * (second[1] - first[0] * 0.5), 0.45, 1.5)
    return colour * shade[..., None]


#: preset folder -> its painter
SCENES: dict[str, Callable[[Grid, Grid], Grid]] = {
    "clouds": paint_clouds,
    "aurora": paint_aurora,
    "ridges": paint_ridges,
    "marble": paint_marble,
}


def render(name: str, width: int, height: int) -> np.ndarray:
    """The scene `name` as (height, width, 3) uint8 sRGB."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    light = SCENES[name]((x + 0.5) / height, (y + 0.5) / height)
    light = np.clip(light, 0, None)
    light = np.where(light > 0.7, 0.7 + 0.3 * np.tanh((light - 0.7) / 0.3), light)
    srgb = np.where(light <= 0.0031308, light * 12.92, 1.055 * np.maximum(light, 1e-9) ** (1 / 2.4) - 0.055)
    # grain of half a level breaks up banding in the sky
    grain = np.random.default_rng(1).uniform(-0.5, 0.5, srgb.shape)
    return np.clip(np.round(srgb * 255 + grain), 0, 255).astype(np.uint8)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of {', '.join(SCENES)}; all of them if none is given"
    )
    parser.add_argument("--folder", type=Path, default=Path(__file__).resolve().parent.parent / "presets")
    parser.add_argument("--size", default="1920x1080", metavar="WxH")
    arguments = parser.parse_args()
    width, height = (int(side) for side in arguments.size.split("x"))
    for name in arguments.names or SCENES:
        if name not in SCENES:
            parser.error(f"no scene is called {name!r}; there are: {', '.join(SCENES)}")
        file = arguments.folder / name / "image.jpg"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(render(name, width, height)).save(file, quality=92, subsampling=0, optimize=True)
        print(f"{file}: {width}x{height}, {file.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    main()
