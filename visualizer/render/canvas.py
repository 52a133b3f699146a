"""The canvas: the one framebuffer that a show draws into, and from which every output takes the picture.

Copying a picture costs a software renderer as much as a third of drawing it. A window that is the only output therefore
lends its own framebuffer: what is drawn on the canvas then lies in the window already, and nothing is copied.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .gl import Surface, base_shader, compile_program, gl_finish, new_bgra_texture, read_rgb, set_uniforms

if TYPE_CHECKING:
    import moderngl


class Canvas:
    """A framebuffer of the size that is drawn. ctx: the context of a Surface, current while this is used.

    size: (width, height), px; (0, 0) before the first `begin`. is_lent: whether the framebuffer is that of the only
    output; it has no `pixels` then.
    """

    def __init__(self, ctx: moderngl.Context) -> None:
        self.size = (0, 0)
        self.is_lent = False
        self._ctx = ctx
        self._program = compile_program(ctx, base_shader("canvas.vert"), base_shader("canvas.frag"))
        set_uniforms(self._program, {"picture": 0})
        self._quad = ctx.vertex_array(self._program, [])
        self._texture: moderngl.Texture | None = None
        self._framebuffer: moderngl.Framebuffer | None = None
        self._pixels: np.ndarray | None = None
        self._is_read = False

    def begin(self, size: tuple[int, int], lender: Surface | None = None) -> None:
        """Draw here from now on. size: (width, height), px, at least 1; another size than before discards the picture.

        lender: the only output's surface, of that size: what is drawn lies there at once.
        """
        self.is_lent = lender is not None
        if lender is not None:
            lender.ctx.screen.use()
            return
        if self._framebuffer is None or self.size != size:
            self._release_picture()
            # BGRA is what window systems present: Mesa's software renderer copies it a third as quickly otherwise
            self._texture = new_bgra_texture(self._ctx, size)
            self._framebuffer = self._ctx.framebuffer([self._texture])
            self.size = size
        self._is_read = False
        self._framebuffer.use()

    def present_on(self, framebuffer: moderngl.Framebuffer, size: tuple[int, int]) -> None:
        """Draw the picture over a whole framebuffer of `size` (width, height), px, which is in use afterwards.

        At the canvas's own size every pixel is copied as it is; at another it is scaled smoothly.
        """
        import moderngl

        framebuffer.use()
        if self.is_lent or self._texture is None or min(size) < 1:
            return
        kind = moderngl.NEAREST if size == self.size else moderngl.LINEAR
        self._texture.filter = (kind, kind)
        self._texture.use(0)
        self._ctx.clear_samplers(0, 1)  # a sampler that is still bound would override the texture's filter
        self._ctx.enable_only(moderngl.NOTHING)
        self._ctx.viewport = (0, 0, *size)
        # two triangles and not the usual one that is too large: Mesa's software renderer copies rectangles quickly
        self._quad.render(moderngl.TRIANGLE_STRIP, vertices=4)

    def pixels(self) -> np.ndarray:
        """The picture: (height, width, 3) uint8 sRGB, top row first. Read once a display frame and valid until the next
        `begin`.

        Waits until the picture is drawn, while other Python threads run. Raises ValueError before the first `begin`,
        and where the framebuffer is lent.
        """
        if self._framebuffer is None or self.is_lent:
            raise ValueError(
                "nothing was drawn on the canvas itself, so there are no pixels; call begin without a lender"
            )
        width, height = self.size
        if self._pixels is None or self._pixels.shape != (height, width, 3):
            self._pixels = np.empty((height, width, 3), np.uint8)
        if not self._is_read:
            self._framebuffer.use()
            gl_finish(self._ctx)
            read_rgb(self._ctx, self._pixels)
            self._is_read = True
        return self._pixels[::-1]  # OpenGL's first row is the bottom one

    def release(self) -> None:
        """Release the graphics memory. The context must still exist; may be called twice."""
        self._release_picture()
        self._quad.release()
        self._program.release()

    def _release_picture(self) -> None:
        if self._framebuffer is not None:
            self._framebuffer.release()
        if self._texture is not None:
            self._texture.release()
        self._framebuffer = self._texture = None
        self.size = (0, 0)
