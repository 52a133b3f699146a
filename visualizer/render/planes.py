"""Pictures read back from the graphics card as Y, U and V, while the next ones are drawn.

Video encoders want Y of every pixel, and U and V of every 2 x 2. A shader converts: half as much is read back, and the
CPU converts nothing. Each picture has targets and a buffer of its own and is fetched two display frames later, so that
drawing, reading and encoding overlap (docs/decisions/0023-planes.md).
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import numpy as np

from .canvas import Canvas
from .gl import PixelBuffer, base_shader, compile_program, gl_flush, set_uniforms

if TYPE_CHECKING:
    import moderngl

#: pictures under way: one being drawn, one being read, one being fetched
N_IN_FLIGHT = 3


class PlaneReader:
    """Reads the pictures of a canvas back as planes in BT.709, limited range, U and V on the left one of two pixels.

    canvas: its context must be current whenever this is used. size: (width, height) of the planes, px. A picture of
    another size is scaled to it; one that is a pixel larger loses its last column or row.

        reader.begin(index)                     # the picture that is on the canvas now
        if reader.is_full:
            index = reader.fetch(y, uv)         # the oldest one
    """

    def __init__(self, canvas: Canvas, size: tuple[int, int]) -> None:
        self.canvas = canvas
        self._size = size
        ctx = canvas.ctx
        self._program = compile_program(ctx, base_shader("canvas.vert"), base_shader("planes.frag"))
        self._quad = ctx.vertex_array(self._program, [])
        self._scaled: tuple[moderngl.Texture, moderngl.Framebuffer] | None = None
        self._free = [_Slot(ctx, size) for _ in range(N_IN_FLIGHT)]
        self._pending: deque[tuple[int, _Slot]] = deque()

    def __len__(self) -> int:
        """How many pictures are under way."""
        return len(self._pending)

    @property
    def is_full(self) -> bool:
        """Whether a picture must be fetched before the next `begin`."""
        return not self._free

    def begin(self, index: int) -> None:
        """Begin to convert the picture on the canvas. index: returned with it. Does not wait, except for a software
        renderer that still draws the picture before. Raises ValueError where nothing was drawn on the canvas itself.
        """
        import moderngl

        if self._pending:
            # only now: a software renderer would have waited until it was drawn, and drew it meanwhile
            self._pending[-1][1].read()
        texture, ctx = self._picture(), self.canvas.ctx
        slot = self._free.pop()
        slot.framebuffer.use()
        width, height = self._size
        set_uniforms(self._program, {"picture": 0, "last": (width - 1, height - 1), "top": texture.height - 1})
        texture.use(0)
        ctx.clear_samplers(0, 1)
        ctx.enable_only(moderngl.NOTHING)
        ctx.viewport = (0, 0, *slot.size)
        self._quad.render(moderngl.TRIANGLE_STRIP, vertices=4)
        gl_flush(ctx)
        self._pending.append((index, slot))

    def fetch(self, y: np.ndarray, uv: np.ndarray) -> int:
        """Copy the oldest picture into arrays, and return its index. Waits until it was read, while other Python
        threads run.

        y: (height, width) uint8; uv: (height / 2, width) uint8, U and V in turns; of an odd size the next larger half.
        Raises IndexError if there is none, GraphicsError if the driver has lost it.
        """
        index, slot = self._pending.popleft()
        self._free.append(slot)
        slot.copy(y, uv)
        return index

    def release(self) -> None:
        """Release the graphics memory. The context must still exist; may be called twice."""
        for slot in (*self._free, *(slot for _, slot in self._pending)):
            slot.release()
        self._pending.clear()
        if self._scaled is not None:
            self._scaled[1].release()
            self._scaled[0].release()
        self._quad.release()
        self._program.release()

    def _picture(self) -> moderngl.Texture:
        """The canvas's picture in the size of the planes, or a pixel larger."""
        texture = self.canvas.texture()
        if all(0 <= there - wanted <= 1 for there, wanted in zip(texture.size, self._size, strict=True)):
            return texture
        if self._scaled is None:
            scaled = self.canvas.ctx.texture(self._size, 4)
            self._scaled = scaled, self.canvas.ctx.framebuffer([scaled])
        self.canvas.present_on(self._scaled[1], self._size)
        return self._scaled[0]


class _Slot:
    """The targets and the buffer of one picture. size: of the targets, each of whose pixels holds 4 x 2 of the
    picture's.
    """

    def __init__(self, ctx: moderngl.Context, size: tuple[int, int]) -> None:
        width, height = size
        self.size = -(-width // 4), -(-height // 2)
        self._targets = [ctx.renderbuffer(self.size, 4) for _ in range(3)]
        self.framebuffer = ctx.framebuffer(self._targets)
        self._row_bytes = 4 * self.size[0]
        self._y_bytes = 2 * self.size[1] * self._row_bytes
        self._buffer = PixelBuffer(ctx, self._y_bytes * 3 // 2)
        self._is_read = False

    def read(self) -> None:
        """Begin to read what was drawn, unless that was done before."""
        if not self._is_read:
            self._is_read = True
            self.framebuffer.use()
            for attachment, offset, rows in ((0, 0, 2), (1, self._row_bytes, 2), (2, self._y_bytes, 1)):
                self._buffer.read_rgba(attachment, self.size, offset, rows * self._row_bytes)

    def copy(self, y: np.ndarray, uv: np.ndarray) -> None:
        self.read()
        self._is_read = False
        with self._buffer.mapped() as data:
            for plane, out in ((data[: self._y_bytes], y), (data[self._y_bytes :], uv)):
                height, width = out.shape
                out[:] = plane.reshape(-1, self._row_bytes)[:height, :width]

    def release(self) -> None:
        self._buffer.release()
        self.framebuffer.release()
        for target in self._targets:
            target.release()
