"""The trial of looks, in a process of its own: errors, endless loops and crashes of the driver are found there.

It also fills the driver's cache of compiled shaders on the disk: the show then compiles the same looks in milliseconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np

from ..clock import Stopwatch
from ..errors import GraphicsError
from .chain import Link
from .gl import Surface, gl_finish, new_bgra_texture
from .picture import Picture

#: a picture in a trial has at most so many pixels, px: an endless loop shows in one of them, too
MOST_PIXELS = 320 * 180
N_FRAMES = 2
#: looks that take longer than this for one of these pictures are not shown, seconds: the show's would take far longer
LONGEST_S = 1.0


@dataclass(frozen=True)
class TrialOptions:
    """What looks are tried with, as in the show: size of the dream frames and of the picture, (width, height) px, and
    how many variants there are. in_canvas: whether it is drawn into a canvas instead of a window: a driver compiles
    anew for each format that is drawn into.
    """

    frame_size: tuple[int, int]
    size: tuple[int, int]
    n_variants: int = 1
    in_canvas: bool = False


def try_links(surface: Surface, links: Sequence[Link], options: TrialOptions) -> float:
    """Compile looks and draw some display frames. Returns how long compiling and the first display frame took, seconds.

    Raises what `Picture` raises, and GraphicsError where OpenGL reports an error, and for looks that take longer than
    LONGEST_S for the last display frame.
    """
    ctx = surface.ctx
    own = ctx.fbo
    # smaller, but with the same proportion of both sizes: which program is drawn with depends on it
    scale = min(1.0, (MOST_PIXELS / (options.size[0] * options.size[1])) ** 0.5)
    size, frame_size = (
        (max(1, round(width * scale)), max(1, round(height * scale)))
        for width, height in (options.size, options.frame_size)
    )
    watch, first_s = Stopwatch(), 0.0
    with ExitStack() as stack:
        picture = Picture(ctx, frame_size, 1, links, options.n_variants)
        stack.callback(picture.release)
        for variant in range(options.n_variants):
            for depth_index in range(2):
                picture.put(depth_index, np.full((*frame_size[::-1], 3), 60 + 90 * depth_index, np.uint8), variant)
        drawn = own
        if options.in_canvas:
            canvas = new_bgra_texture(ctx, size)
            stack.callback(canvas.release)
            drawn = ctx.framebuffer([canvas])
            stack.callback(drawn.release)
        stack.callback(own.use)  # what is released must not be in use
        for index in range(N_FRAMES):
            frame_watch = Stopwatch()
            drawn.use()
            picture.draw(0.5, size, 1.0 + index / 30)
            gl_finish(ctx)
            first_s = first_s or watch.elapsed_s()
        last_s, names = frame_watch.elapsed_s(), ", ".join(one.look.name for one in links)
        if (error := ctx.error) != "GL_NO_ERROR":
            raise GraphicsError(f"OpenGL reports {error} while {names} is drawn")
        if last_s > LONGEST_S:
            raise GraphicsError(
                f"look {names}: takes {last_s:.1f} s for a picture of {size[0]}x{size[1]} px; make it simpler, or draw it "
                "smaller with SCALE in its header"
            )
    return first_s
