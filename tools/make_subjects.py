"""Paint two subjects that are hard to dream in: a pen drawing and a dark club.

    python tools/make_subjects.py           # the image of the club preset
    python tools/make_subjects.py FOLDER    # drawing.png and club.png, 1280x720

The drawing is thin dark lines on empty paper; the club is nearly black, with beams, haze and a sensor's noise. Both are
functions of a seed: the same on each run. tools/make_looks.py dreams in them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from make_images import Grid, Noise, linear, smoothstep
from PIL import Image, ImageDraw

SCALE = 4  # drawn so many times larger and averaged: smooth lines
PAPER, INK = (244, 238, 224), (38, 34, 44)


def paint_drawing(width: int, height: int) -> np.ndarray:
    """A pen drawing, (height, width, 3) uint8: an old tree on a hill, a village, a low sun, birds; hatched, no tone."""
    page = Image.new("L", (width * SCALE, height * SCALE), 0)
    pen = _Pen(ImageDraw.Draw(page), height * SCALE, np.random.default_rng(4))
    right = width / height

    def ground(x: float) -> float:
        return 0.80 - 0.10 * np.sin(1.9 * x + 0.3) + 0.02 * np.sin(7 * x)

    far = [(x, 0.60 - 0.05 * np.sin(2.6 * x + 1) - 0.03 * np.sin(6.1 * x)) for x in np.linspace(0, right, 90)]
    pen.line(far, 0.0022)
    pen.line([(x, ground(x)) for x in np.linspace(0, right, 120)], 0.004)
    for ring in (0.085, 0.1):
        turn = np.linspace(0, 2 * np.pi, 70)
        pen.line([(1.32 + ring * np.cos(t), 0.24 + ring * np.sin(t)) for t in turn], 0.002)
    for ray in np.linspace(0, 2 * np.pi, 25)[:-1]:
        near, away = 0.125, 0.155 + 0.025 * np.cos(ray * 6)
        pen.line([(1.32 + r * np.cos(ray), 0.24 + r * np.sin(ray)) for r in (near, away)], 0.002)
    for x, tall, wide in ((0.98, 0.13, 0.11), (1.12, 0.10, 0.13), (1.29, 0.15, 0.10), (1.42, 0.11, 0.12)):
        pen.house(x, ground(x + wide / 2) + 0.015, wide, tall)
    for x in np.arange(0.02, right, 0.021):
        foot = ground(x) + pen.rng.uniform(0.03, 0.16)
        for blade in (-0.4, 0, 0.35):
            pen.line([(x, foot), (x + 0.006 * blade, foot - 0.016), (x + 0.018 * blade, foot - 0.028)], 0.0016)
    for bird_x, bird_y in ((0.86, 0.16), (0.93, 0.21), (1.02, 0.13), (1.62, 0.42)):
        wing = [
            (bird_x + 0.03 * t, bird_y - 0.014 * (1 - abs(2 * abs(t) - 1)) + 0.004 * t) for t in np.linspace(-1, 1, 21)
        ]
        pen.line(wing, 0.0022)
    pen.branch(0.42, ground(0.42) + 0.02, -np.pi / 2 + 0.06, 0.172, 0.040, 9)
    cover = np.asarray(page.resize((width, height), Image.Resampling.BOX), np.float32)[..., None] / 255
    return np.round(np.array(PAPER) * (1 - cover) + np.array(INK) * cover).astype(np.uint8)


class _Pen:
    """Lines of an unsteady hand. Places in heights of the page, widths too."""

    def __init__(self, draw: ImageDraw.ImageDraw, height_px: int, rng: np.random.Generator) -> None:
        self._draw, self._height_px, self.rng = draw, height_px, rng

    def line(self, places: list[tuple[float, float]], width: float, fill: int = 255) -> None:
        shaken = np.array(places) + self.rng.normal(0, 0.0006, (len(places), 2))
        points = [tuple(place) for place in shaken * self._height_px]
        self._draw.line(points, fill=fill, width=max(2, round(width * self._height_px)), joint="curve")

    def clear(self, corners: list[tuple[float, float]]) -> None:
        """White paper again, so that what stands in front hides what is behind."""
        self._draw.polygon([(x * self._height_px, y * self._height_px) for x, y in corners], fill=0)

    def house(self, x: float, foot: float, wide: float, tall: float) -> None:
        eaves, ridge = foot - tall * 0.6, foot - tall
        outline = [(x, foot), (x, eaves), (x + wide / 2, ridge), (x + wide, eaves), (x + wide, foot), (x, foot)]
        self.clear(outline)
        self.line(outline, 0.003)
        self.line([(x - 0.008, eaves + 0.006), (x + wide / 2, ridge), (x + wide + 0.008, eaves + 0.006)], 0.004)
        for share in np.linspace(0.08, 0.92, 9):  # hatching of the roof
            top = eaves - (eaves - ridge) * (1 - abs(2 * share - 1))
            self.line([(x + wide * share, top), (x + wide * share, eaves)], 0.0014)
        side = wide * 0.2
        for left in (0.18, 0.62):
            box = [
                (x + wide * left + dx, eaves + tall * 0.12 + dy)
                for dx, dy in ((0, 0), (side, 0), (side, side), (0, side), (0, 0))
            ]
            self.line(box, 0.0022)
            self.line([box[0], box[2]], 0.0014)

    def branch(self, x: float, y: float, angle: float, length: float, width: float, left: int) -> None:
        """A branch with its twigs: outlined and hatched where thick, a stroke where thin, leaves at its ends."""
        bend = self.rng.normal(0, 0.16)
        turn = angle + bend * np.linspace(0, 1, 9)
        spine = np.array([x, y]) + np.cumsum(np.stack([np.cos(turn), np.sin(turn)], 1) * length / 9, axis=0)
        spine = np.vstack([[x, y], spine])
        if width > 0.008:
            across = np.stack([-np.sin(np.append(angle, turn)), np.cos(np.append(angle, turn))], 1)
            half = (width / 2 * np.linspace(1, 0.72, 10))[:, None]
            one, other = spine + across * half, spine - across * half
            self.clear([tuple(p) for p in one] + [tuple(p) for p in other[::-1]])
            self.line([tuple(p) for p in one], 0.003)
            self.line([tuple(p) for p in other], 0.003)
            for share in np.arange(0.04, 1, 0.07):
                row = round(share * 9)
                self.line([tuple(one[row]), tuple(one[row] * 0.45 + other[row] * 0.55 + (0, 0.006))], 0.0014)
        else:
            self.line([tuple(p) for p in spine], max(0.0018, width * 0.6))
        tip_x, tip_y = (float(part) for part in spine[-1])
        if left == 0:
            for _ in range(3):
                way = angle + self.rng.normal(0, 0.9)
                leaf = [
                    (tip_x + r * np.cos(way + s), tip_y + r * np.sin(way + s))
                    for r, s in ((0, 0), (0.011, 0.5), (0.02, 0), (0.011, -0.5), (0, 0))
                ]
                self.line(leaf, 0.0015)
            return
        for side in (-1, 1):
            spread = self.rng.uniform(0.22, 0.62) * side
            shorter = self.rng.uniform(0.66, 0.86)
            self.branch(tip_x, tip_y, angle + bend + spread, length * shorter, width * 0.70, left - 1)


def paint_club(width: int, height: int) -> np.ndarray:
    """A dark dance floor, (height, width, 3) uint8: beams through haze, a crowd in front of them, a sensor's noise."""
    y, x = (grid.astype(np.float32) for grid in np.mgrid[0:height, 0:width])
    x, y = (x + 0.5) / height, (y + 0.5) / height
    right = width / height
    noise = Noise(17)
    haze = 0.55 + 0.9 * noise.fractal(x * 2.1, y * 3.4, 5, 0.55)
    light = np.zeros((height, width, 3), np.float32)
    light += (smoothstep(1.0, 0.3, y) * 0.004)[..., None] * linear("#5a66c0")
    for at, angle, wide, colour, strength in _beams(right):
        light += _beam(x, y, at, angle, wide, haze)[..., None] * linear(colour) * strength
        lamp = np.exp(-((x - at) ** 2 + (y - 0.06) ** 2) / 0.00016)
        flare = np.exp(-np.hypot(x - at, y - 0.06) * 20)
        light += (lamp * 1.6 + flare * 0.10)[..., None] * (linear(colour) * 0.7 + 0.3)
    stage = np.exp(-(((x - right / 2) / 0.5) ** 2 + ((y - 0.60) / 0.13) ** 2))
    light += (stage * (0.5 + haze) * 0.13)[..., None] * linear("#ff5aa8")
    for row, (foot, size, shade) in enumerate(((0.74, 0.030, 0.055), (0.83, 0.044, 0.022), (0.99, 0.07, 0.006))):
        covered = _crowd(x, y, right, foot, size, np.random.default_rng(60 + row))
        body = linear("#8c78c8") * shade * (0.4 + stage[..., None] * 2)
        light = light * (1 - covered[..., None]) + body * covered[..., None]
    return _photographed(light, np.random.default_rng(8))


def _beams(right: float) -> list[tuple[float, float, float, str, float]]:
    """Where each lamp hangs, which way it shines (0 is straight down), how wide, its colour and strength."""
    return [
        (right * 0.14, 0.50, 0.050, "#2f5bff", 1.0),
        (right * 0.27, 0.18, 0.035, "#20e0d0", 0.5),
        (right * 0.40, -0.32, 0.045, "#ff2f9a", 0.75),
        (right * 0.58, 0.36, 0.040, "#7a3cff", 0.95),
        (right * 0.73, -0.14, 0.035, "#ff8a2a", 0.45),
        (right * 0.87, -0.52, 0.055, "#ff2a4a", 0.8),
    ]


def _beam(x: Grid, y: Grid, at: float, angle: float, wide: float, haze: Grid) -> Grid:
    """Light scattered along a beam from a lamp at (at, 0.06), 0..1."""
    across = (x - at) * np.cos(angle) - (y - 0.06) * np.sin(angle)
    along = (x - at) * np.sin(angle) + (y - 0.06) * np.cos(angle)
    spread = 0.010 + wide * 2.4 * np.clip(along, 0, None)
    core = np.exp(-((across / spread) ** 2)) * 0.05 / (0.05 + spread * 3.2)
    return np.where(along > 0, core, 0) * np.clip(haze, 0.1, None) * smoothstep(1.15, 0.2, along)


def _crowd(x: Grid, y: Grid, right: float, foot: float, size: float, rng: np.random.Generator) -> Grid:
    """Heads, shoulders and some raised arms side by side, 1 where they are."""
    covered = np.zeros_like(x)
    place = -size
    while place < right + size:
        head_y, head = foot - size * rng.uniform(0.5, 1.6), size * rng.uniform(0.42, 0.52)
        shapes = [np.hypot((x - place) * 1.15, y - head_y) - head]
        shapes.append(np.hypot((x - place) * 0.9, (y - head_y - head * 3.2) * 0.62) - head * 1.75)
        for side in (-1, 1):
            if rng.random() < 0.4:
                hand = (place + side * size * rng.uniform(0.6, 1.4), head_y - size * rng.uniform(1.2, 2.4))
                elbow = (place + side * size * rng.uniform(1.0, 1.5), head_y + size * 0.1)
                shoulder = (place + side * head * 1.3, head_y + head * 2.0)
                shapes += [_limb(x, y, shoulder, elbow, head * 0.36), _limb(x, y, elbow, hand, head * 0.28)]
                shapes.append(np.hypot(x - hand[0], y - hand[1]) - head * 0.38)
        for shape in shapes:
            covered = np.maximum(covered, smoothstep(0.0025, -0.0025, shape))
        place += size * rng.uniform(1.5, 2.4)
    return covered


def _limb(x: Grid, y: Grid, start: tuple[float, float], end: tuple[float, float], radius: float) -> Grid:
    """Distance to a rounded stroke, negative inside."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    share = np.clip(((x - start[0]) * dx + (y - start[1]) * dy) / (dx * dx + dy * dy), 0, 1)
    return np.hypot(x - start[0] - share * dx, y - start[1] - share * dy) - radius


def _photographed(light: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Linear light as a small sensor at a high ISO sees it: shot and read noise, coloured a little, then sRGB bytes."""
    height, width = light.shape[:2]
    light = np.clip(light + 0.0012, 0, None)
    coarse = rng.normal(0, 1, (height // 2 + 1, width // 2 + 1, 3)).repeat(2, 0).repeat(2, 1)[:height, :width]
    light = light + (rng.normal(0, 1, light.shape) + coarse * 0.7) * np.sqrt(light * 0.0009 + 0.0000022)
    light = np.clip(light, 0, None)
    light = np.where(light > 0.6, 0.6 + 0.4 * np.tanh((light - 0.6) / 0.4), light)
    srgb = np.where(light <= 0.0031308, light * 12.92, 1.055 * np.maximum(light, 1e-9) ** (1 / 2.4) - 0.055)
    return np.clip(np.round(srgb * 255), 0, 255).astype(np.uint8)


def paint_all(width: int, height: int) -> Iterator[tuple[str, np.ndarray]]:
    """(name, (height, width, 3) uint8) of each subject."""
    yield "drawing", paint_drawing(width, height)
    yield "club", paint_club(width, height)


def main() -> None:
    """Paint into the folder named, or the preset's image."""
    if len(sys.argv) > 1:
        for name, pixels in paint_all(1280, 720):
            file = Path(sys.argv[1]) / f"{name}.png"
            Image.fromarray(pixels).save(file)
            print(file)
        return
    file = Path(__file__).resolve().parent.parent / "presets" / "club" / "image.jpg"
    Image.fromarray(paint_club(1920, 1080)).save(file, quality=90, subsampling="4:2:0", optimize=True)
    print(file)


if __name__ == "__main__":
    main()
