"""What is done with one look to check it, in a process with an OpenGL context of its own."""

from __future__ import annotations

import logging
import re
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ...beat.features import Features
from ...beat.sound import SoundBlock, block_samples
from ...clock import Stopwatch
from ...errors import VisualizerError
from ...looks.declaration import Value
from ...looks.look import Look, open_look_file, plain_look
from ...looks.source import ShaderSource
from ...looks.uniforms import SILENCE
from ...oneline import plain
from ...render.dream_texture import DreamTexture
from ...render.gl import gl_finish
from ...render.look_renderer import LookRenderer, clock_values
from ...render.offscreen import Offscreen
from ...render.programs import Programs
from ...render.targets import Target, TargetPool
from ...show.look_values import uniforms_of
from .checked import CheckedLook

log = logging.getLogger(__name__)

#: sizes that every look is drawn in, px; the last is measured
SIZES = ((160, 90), (256, 256))
#: seconds of the display frames drawn at each size, from a fixed beginning
TIMES_S = (1.0, 1.0 + 1 / 60, 2.3)
#: how far a transition at its ends may be from the picture there, mean of all pixels, of 255: with noise as pictures, a
#: shift by half a pixel is 40; single pixels at an edge are allowed
TOLERANCE = 2.0
#: progress of a transition in the display frames drawn
PROGRESS = (0.0, 0.5, 1.0)
GLSLANG_S = 30.0
_RATE_HZ = 48_000
_DREAM_PX, _N_DEPTHS = (320, 180), 3
_DATE = (2026.0, 11.0, 28.0, 43_200.0)
# "ERROR: /tmp/x.frag:12: 'foo' : undeclared identifier"
_GLSLANG_FAULT = re.compile(r"^ERROR: .*?\.(vert|frag):(\d+): (.*)$")


@dataclass(frozen=True)
class CheckOptions:
    """How a look is checked. glslang: the program glslangValidator, None: it is not asked. budget_s: longest time of a
    display frame of 256x256, seconds; None: any.
    """

    glslang: str | None = None
    budget_s: float | None = None


def check_look(surface: Offscreen, path: Path, file: str, options: CheckOptions) -> CheckedLook:
    """Read, translate, compile and draw the look in a file. file: what the result calls it."""
    problems: dict[str, str] = {}
    try:
        look = open_look_file(path)
    except VisualizerError as fault:
        return CheckedLook(file, problems={"read": str(fault)})
    kind = look.declaration.kind
    found = CheckedLook(file, kind, len(look.declaration.passes), problems=problems, news=look.declaration.news)
    if options.glslang is not None and (words := glslang_fault(options.glslang, look)):
        problems["glslang"] = words
    with ExitStack() as stack:
        drawing = _Drawing(surface)
        stack.callback(drawing.release)
        try:
            watch = Stopwatch()
            renderer = LookRenderer(surface.ctx, look, drawing.programs, drawing.dreams)
            stack.callback(renderer.release)
            found = replace(found, compile_s=watch.elapsed_s())
        except VisualizerError as fault:
            problems["compile"] = str(fault)
            return found
        try:
            pictures = []
            for size in SIZES:
                if kind == "transition":
                    drawn, frame_s = drawing.transition(renderer, look, size, problems)
                else:
                    drawn, frame_s = drawing.frames(renderer, look, size)
                pictures += drawn
            found = replace(found, frame_s=frame_s)
        except Exception as fault:
            log.exception("%s cannot be drawn", file)
            problems["draw"] = plain(f"{type(fault).__name__}: {' '.join(str(fault).split())}")
            return found
        if (error := surface.ctx.error) != "GL_NO_ERROR":
            problems["gl"] = error
    if all(_is_flat(one) for one in pictures):
        red, green, blue = pictures[-1][0, 0, :3]
        problems["flat"] = f"the last picture is red {red}, green {green}, blue {blue} everywhere"
    if options.budget_s is not None and frame_s > options.budget_s:
        problems["slow"] = f"{1000 * frame_s:.0f} ms; the budget is {1000 * options.budget_s:.0f} ms"
    return found


def glslang_fault(program: str, look: Look) -> str:
    """The first thing that glslangValidator says against a look's shaders, with file and line; "" for nothing.

    It reads GLSL strictly, where drivers are lenient in different ways.
    """
    for one in look.programs:
        with tempfile.TemporaryDirectory(prefix="visualizer-look-") as folder:
            paths = {}
            for suffix, source in (("vert", one.vertex), ("frag", one.fragment)):
                paths[suffix] = Path(folder) / f"look.{suffix}"
                paths[suffix].write_text(source.text, encoding="utf-8")
            try:
                run = subprocess.run(
                    [program, "-l", *map(str, paths.values())],
                    capture_output=True,
                    encoding="utf-8",
                    errors="replace",
                    timeout=GLSLANG_S,
                )
            except (OSError, subprocess.TimeoutExpired) as fault:
                return f"{program} failed: {type(fault).__name__}"
        if run.returncode:
            return _first_fault(run.stdout, {"vert": one.vertex, "frag": one.fragment})
    return ""


def _first_fault(said: str, sources: Mapping[str, ShaderSource]) -> str:
    lines = [line for line in said.splitlines() if line.startswith("ERROR:")]
    for line in lines:
        if found := _GLSLANG_FAULT.match(line):
            lines_of = sources[found[1]].lines
            line_of = lines_of[min(int(found[2]), len(lines_of)) - 1]
            return f"{line_of.place}:{line_of.number}: {found[3]} | {line_of.text.strip()}"
    return " ".join(lines)[:200] or "it is refused"


class _Drawing:
    """What looks are drawn with: a dream, noise for their pictures, sound with a kick in it."""

    def __init__(self, surface: Offscreen) -> None:
        self._surface, self._ctx = surface, surface.ctx
        ctx = surface.ctx
        self.programs, self._pool = Programs(ctx), TargetPool(ctx)
        self.dreams = DreamTexture(ctx, _DREAM_PX, _N_DEPTHS, 1)
        for depth_index in range(_N_DEPTHS + 1):
            self.dreams.put(depth_index, dream_picture(depth_index))
        self._plain = LookRenderer(ctx, plain_look(), self.programs, self.dreams)

    def frames(self, renderer: LookRenderer, look: Look, size: tuple[int, int]) -> tuple[list[np.ndarray], float]:
        """Some display frames, (H, W, 4) uint8 each, and how long the last took, seconds."""
        with ExitStack() as stack:
            images = self._images(stack, renderer, size)
            return self._draw(stack, renderer, look, size, images, [{}] * len(TIMES_S))

    def transition(
        self, renderer: LookRenderer, look: Look, size: tuple[int, int], problems: dict[str, str]
    ) -> tuple[list[np.ndarray], float]:
        """The same of a transition, at PROGRESS; what is wrong with its ends is put into `problems`."""
        with ExitStack() as stack:
            images = self._images(stack, renderer, size)
            ends = {}
            for seed, name in enumerate(("startImage", "endImage")):
                ends[name] = noise_picture(size, seed)
                target = self._target(stack, size)
                target.texture.write(ends[name].tobytes())
                images[name] = target
            drawn, frame_s = self._draw(
                stack, renderer, look, size, images, [{"progress": progress} for progress in PROGRESS]
            )
        for problem, picture, name in (("start", drawn[0], "startImage"), ("end", drawn[-1], "endImage")):
            off = np.abs(picture[..., :3].astype(int) - ends[name][..., :3])
            if off.mean() > TOLERANCE:
                problems.setdefault(
                    problem,
                    f"at {size[0]}x{size[1]} it is off by {off.mean():.1f} of 255 on average, "
                    f"in {np.mean(off.max(axis=2) > TOLERANCE):.0%} of the pixels",
                )
        return drawn, frame_s

    def release(self) -> None:
        """Release the graphics memory."""
        for part in (self._plain, self._pool, self.programs, self.dreams):
            part.release()

    def _images(self, stack: ExitStack, renderer: LookRenderer, size: tuple[int, int]) -> dict[str, Target]:
        """The pictures that a look reads: the dream as inputImage, noise for all others."""
        images = {}
        for seed, name in enumerate(sorted(renderer.image_inputs), start=10):
            target = self._target(stack, size)
            if name == "inputImage":
                target.framebuffer.use()
                self._plain.draw(self._values(0), size, {}, {}, self._pool)
            else:
                target.texture.write(noise_picture(size, seed).tobytes())
            images[name] = target
        return images

    def _draw(
        self,
        stack: ExitStack,
        renderer: LookRenderer,
        look: Look,
        size: tuple[int, int],
        images: Mapping[str, Target],
        changes: list[dict[str, Value]],
    ) -> tuple[list[np.ndarray], float]:
        renderer.clear_history()
        shown = self._target(stack, size)
        defaults = {one.name: one.default for one in look.declaration.controls}
        events = [one.name for one in look.declaration.controls if one.kind == "event"]
        textures = {name: target.texture for name, target in images.items()}
        drawn, frame_s = [], 0.0
        for index, change in enumerate(changes):
            features = features_at(TIMES_S[index])
            values = self._values(index) | uniforms_of(features, renderer.needs)
            parameters = defaults | dict.fromkeys(events, int(index == 1)) | change
            gl_finish(self._ctx)
            watch = Stopwatch()
            shown.framebuffer.use()
            renderer.draw(values, size, parameters, textures, self._pool)
            gl_finish(self._ctx)
            frame_s = watch.elapsed_s()
            drawn.append(np.frombuffer(shown.texture.read(), np.uint8).reshape(size[1], size[0], 4))
        return drawn, frame_s

    def _values(self, index: int) -> dict[str, Any]:
        time_s = TIMES_S[index]
        step_s = time_s - TIMES_S[index - 1] if index else 0.0
        return {**SILENCE, **clock_values(time_s, step_s, index, _DATE), **self.dreams.values(1.5, 0.0)}

    def _target(self, stack: ExitStack, size: tuple[int, int]) -> Target:
        target = Target(self._ctx, size)
        stack.callback(target.release)
        stack.callback(self._surface.framebuffer.use)  # what is released must not be in use
        return target


def _is_flat(picture: np.ndarray) -> bool:
    colours = picture[..., :3].reshape(-1, 3)
    return bool(np.all(np.ptp(colours, axis=0) <= 1))


def noise_picture(size: tuple[int, int], seed: int) -> np.ndarray:
    """Fixed noise, (H, W, 4) uint8, opaque."""
    picture = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 4), np.uint8)
    picture[..., 3] = 255
    return picture


def dream_picture(depth_index: int) -> np.ndarray:
    """A picture like a dream frame, (H, W, 3) uint8: figures of several sizes, more of them the deeper."""
    width, height = _DREAM_PX
    rows, columns = np.mgrid[0:height, 0:width]
    random = np.random.default_rng(7)
    picture = np.full((height, width, 3), 110.0)
    for period_px in (160, 90, 50, 28, 16, 9)[: 3 + depth_index]:
        angle, phase = random.uniform(0, 2 * np.pi, 2)
        wave = np.sin((columns * np.cos(angle) + rows * np.sin(angle)) * 2 * np.pi / period_px + phase)
        picture += 30 * wave[..., None] * random.uniform(0.3, 1, 3)
    return np.clip(picture, 0, 255).astype(np.uint8)


def features_at(time_s: float) -> Features:
    """What is heard of a sine of 440 Hz and a kick 0.2 s ago."""
    n_samples = block_samples(_RATE_HZ)
    at_s = time_s - np.arange(n_samples)[::-1] / _RATE_HZ
    sine = 0.3 * np.sin(2 * np.pi * 440 * at_s)
    since_s = np.clip(at_s - (time_s - 0.2), 0, None)
    kick = 0.8 * np.sin(2 * np.pi * 55 * since_s) * np.exp(-8 * since_s) * (since_s > 0)
    samples = np.stack([sine + kick, 0.5 * sine + kick]).astype(np.float32)
    return Features(
        time_s=time_s,
        level=0.6,
        kick_strength=0.8,
        kick_time_s=0.2,
        n_kicks=3,
        bass=0.7,
        mid=0.5,
        high=0.3,
        loudness=0.6,
        low_energy=0.6,
        bpm=120.0,
        beat_phase=0.4,
        bar_phase=0.6,
        beat_number=4,
        confidence=0.9,
        sound=SoundBlock(samples, _RATE_HZ),
    )
