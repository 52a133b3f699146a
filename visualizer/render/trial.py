"""The trial of looks, in a process of its own: errors, endless loops and crashes of the driver are found there.

It also fills the driver's cache of compiled shaders on the disk: the show then compiles the same looks in milliseconds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..clock import Stopwatch
from ..errors import GraphicsError
from .chain import Link
from .gl import Surface, gl_finish, new_bgra_texture
from .picture import Picture

if TYPE_CHECKING:
    import moderngl

#: a picture in a trial has at most so many pixels, px
MOST_PIXELS = 320 * 180
#: at most so many pictures are drawn and timed: on a busy machine one of them may wait
N_FRAMES = 3
#: looks that take longer than this for each of these pictures are not shown, seconds: the show's has up to a hundred
#: times as many pixels
LONGEST_S = 0.25


@dataclass(frozen=True)
class TrialOptions:
    """What looks are tried with, as in the show: size of the dream frames and of the picture, (width, height) px, and
    how many variants there are. is_journey: what is drawn are stations of a journey, by programs of its own.
    """

    frame_size: tuple[int, int]
    size: tuple[int, int]
    n_variants: int = 1
    is_journey: bool = False


def try_links(surface: Surface, links: Sequence[Link], options: TrialOptions) -> float:
    """Compile looks and draw some display frames. Returns how long compiling and the first display frame took, seconds.

    Each is drawn on the surface, of which only the driver's compiling matters, and then into a canvas, all of the
    picture: a hidden window may be smaller, and of what is drawn on it a driver may leave out everything.

    Raises what `Picture` raises, and GraphicsError where OpenGL reports an error, and for looks that take longer than
    LONGEST_S for each display frame after the first.
    """
    ctx = surface.ctx
    own = ctx.fbo
    # smaller, but with the same proportion of both sizes: which program is drawn with depends on it
    scale = min(1.0, (MOST_PIXELS / (options.size[0] * options.size[1])) ** 0.5)
    size, frame_size = (
        (max(1, round(width * scale)), max(1, round(height * scale)))
        for width, height in (options.size, options.frame_size)
    )
    watch = Stopwatch()
    with ExitStack() as stack:
        picture = Picture(ctx, frame_size, 1, links, options.n_variants, is_journey=options.is_journey)
        stack.callback(picture.release)
        for variant in range(options.n_variants):
            for depth_index in range(2):
                picture.put(depth_index, np.full((*frame_size[::-1], 3), 60 + 90 * depth_index, np.uint8), variant)
        if options.is_journey:
            picture.dreams.place_alone(0)
        canvas = new_bgra_texture(ctx, size)
        stack.callback(canvas.release)
        drawn = ctx.framebuffer([canvas])
        stack.callback(drawn.release)
        stack.callback(own.use)  # what is released must not be in use

        def draw(framebuffer: moderngl.Framebuffer, time_s: float) -> float:
            frame_watch = Stopwatch()
            framebuffer.use()
            picture.draw(0.5, size, time_s)
            gl_finish(ctx)
            return frame_watch.elapsed_s()

        # a driver compiles anew for each format that is drawn into: the window's, and that of a recording's canvas
        for framebuffer in (own, drawn):
            draw(framebuffer, 1.0)
        first_s = watch.elapsed_s()
        quickest_s = math.inf
        for index in range(1, N_FRAMES + 1):
            quickest_s = min(quickest_s, draw(drawn, 1.0 + index / 30))
            if quickest_s <= LONGEST_S:
                break
        names = ", ".join(one.look.name for one in links)
        if (error := ctx.error) != "GL_NO_ERROR":
            raise GraphicsError(f"OpenGL reports {error} while {names} is drawn")
        if quickest_s > LONGEST_S:
            raise GraphicsError(
                f"look {names}: takes {quickest_s:.1f} s for a picture of {size[0]}x{size[1]} px; make it simpler, or "
                "draw it smaller with SCALE in its header"
            )
    return first_s
