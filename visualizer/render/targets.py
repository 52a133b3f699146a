"""Textures that passes draw into: those of one display frame, and those that a look keeps for the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import GraphicsError
from .programs import Programs

if TYPE_CHECKING:
    import moderngl

#: the largest side of a target, px, and the most pixels of one: as many as 8K has
MAX_SIDE_PX, MAX_PIXELS = 8192, 7680 * 4320
#: the most graphics memory that the targets of one look may take
MAX_BYTES = 4 * 10**9


class Target:
    """A texture to draw into: red, green, blue and alpha, 8 bits each or 32-bit floats; its first row is the bottom
    one.

    size: (width, height), px. Begins transparent black. Raises GraphicsError where there is no memory for it.
    """

    def __init__(self, ctx: moderngl.Context, size: tuple[int, int], is_float: bool = False) -> None:
        import moderngl

        self.size, self.is_float = size, is_float
        try:
            self.texture = ctx.texture(size, 4, dtype="f4" if is_float else "f1")
            self.framebuffer = ctx.framebuffer([self.texture])
        except moderngl.Error as error:
            raise GraphicsError(f"too little graphics memory for a picture of {size[0]}x{size[1]}") from error
        self.texture.repeat_x = self.texture.repeat_y = False
        if ctx.error == "GL_OUT_OF_MEMORY":
            self.release()
            raise GraphicsError(f"too little graphics memory for a picture of {size[0]}x{size[1]}")
        self.framebuffer.clear()

    def release(self) -> None:
        """Release the graphics memory. The context must still exist; may be called twice."""
        self.framebuffer.release()
        self.texture.release()


class TargetPool:
    """Targets that are used for a part of a display frame, again and again. ctx: the context of the Surface."""

    def __init__(self, ctx: moderngl.Context) -> None:
        self._ctx = ctx
        self._free: list[Target] = []
        self._unused: list[Target] = []  # those of `_free` that this display frame did not need

    def take(self, size: tuple[int, int], is_float: bool = False) -> Target:
        """A target of a size (width, height), px, until `give`; what is in it is not defined. Raises GraphicsError."""
        for one in self._free:
            if one.size == size and one.is_float == is_float:
                self._free.remove(one)
                if one in self._unused:
                    self._unused.remove(one)
                return one
        return Target(self._ctx, size, is_float)

    def give(self, target: Target) -> None:
        """A target that was taken is not read any more."""
        self._free.append(target)

    def end(self) -> None:
        """The display frame is drawn: what it did not need is released."""
        for one in self._unused:
            self._free.remove(one)
            one.release()
        self._unused = list(self._free)

    def release(self) -> None:
        """Release the graphics memory. The context must still exist; may be called twice."""
        for one in self._free:
            one.release()
        self._free, self._unused = [], []


class History:
    """A target of a look that is kept from one display frame to the next.

    n_writes: how many passes draw into it for one display frame. It holds one texture more than that, so that a pass
    reads what the one before it drew, and the display frame can be drawn again from what was there when it began.
    """

    def __init__(self, ctx: moderngl.Context, programs: Programs, n_writes: int, is_float: bool) -> None:
        self.is_float = is_float
        self._ctx, self._programs = ctx, programs
        self._ring: list[Target | None] = [None] * (n_writes + 1)
        self._at = self._began = 0

    @property
    def texture(self) -> moderngl.Texture | None:
        """What was drawn last; None where that is nothing, transparent black."""
        newest = self._ring[self._at]
        return None if newest is None else newest.texture

    def is_like(self, other: History) -> bool:
        """Whether another one holds the same kind of textures."""
        return self.is_float == other.is_float and len(self._ring) == len(other._ring)

    def begin(self, size: tuple[int, int], *, advances: bool) -> None:
        """Begin a display frame: the next one, or the one before once more. size: (width, height), px; what is kept is
        scaled to it.
        """
        if advances:
            self._began = self._at
        self._at = self._began
        for index, one in enumerate(self._ring):
            if one is not None and one.size != size:
                self._ring[index] = self._scaled(one, size)
                one.release()

    def next(self, size: tuple[int, int]) -> Target:
        """The target for the next pass that draws into it; once it is drawn, call `drawn`."""
        index = (self._at + 1) % len(self._ring)
        target = self._ring[index]
        if target is None or target.size != size:
            if target is not None:
                target.release()
                self._ring[index] = None
            target = self._ring[index] = Target(self._ctx, size, self.is_float)
        return target

    def drawn(self) -> None:
        """What is in the target of `next` is the newest."""
        self._at = (self._at + 1) % len(self._ring)

    def pixels(self) -> np.ndarray | None:
        """What is kept, read back: (H, W, 4) uint8 or float32, bottom row first; None for transparent black."""
        newest = self._ring[self._at]
        if newest is None:
            return None
        data = newest.texture.read(alignment=1)
        kind = np.float32 if self.is_float else np.uint8
        return np.frombuffer(data, kind).reshape(newest.size[1], newest.size[0], 4)

    def restore(self, pixels: np.ndarray) -> None:
        """Go on from what `pixels` of another one of its kind returned."""
        target = self.next((pixels.shape[1], pixels.shape[0]))
        target.texture.write(pixels.tobytes(), alignment=1)
        self.drawn()
        self._began = self._at

    def clear(self) -> None:
        """Begin black again, and release the graphics memory."""
        for one in self._ring:
            if one is not None:
                one.release()
        self._ring = [None] * len(self._ring)
        self._at = self._began = 0

    def _scaled(self, before: Target, size: tuple[int, int]) -> Target:
        import moderngl

        target = Target(self._ctx, size, self.is_float)
        used = self._ctx.fbo
        target.framebuffer.use()
        self._ctx.viewport = (0, 0, *size)
        before.texture.filter = (moderngl.LINEAR, moderngl.LINEAR)
        before.texture.use(0)
        self._ctx.clear_samplers(0, 1)
        self._programs.own("canvas.frag", reads=("picture",)).draw()
        used.use()
        return target


def limited(width: float, height: float, largest_px: int) -> tuple[int, int]:
    """A size that a target can have, for one that was asked for. largest_px: of the driver."""
    largest = min(largest_px, MAX_SIDE_PX)
    size = [max(1, min(int(one), largest)) for one in (width, height)]
    if size[0] * size[1] > MAX_PIXELS:
        share = (MAX_PIXELS / (size[0] * size[1])) ** 0.5
        size = [max(1, int(one * share)) for one in size]
    return size[0], size[1]
