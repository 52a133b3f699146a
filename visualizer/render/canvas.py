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

    supersample: how many times as wide and high as the picture that outputs get it is drawn; each of their pixels is
    the mean of supersample x supersample, in linear light. size: (width, height) that is drawn, px; (0, 0) before the
    first `begin`. is_lent: whether the framebuffer is that of the only output; it has no `pixels` then.
    """

    def __init__(self, ctx: moderngl.Context, *, supersample: int = 1) -> None:
        self.size = (0, 0)
        self.is_lent = False
        self.supersample = supersample
        self.ctx = ctx
        self._program = compile_program(ctx, base_shader("canvas.vert"), base_shader("canvas.frag"))
        set_uniforms(self._program, {"picture": 0})
        self._quad = ctx.vertex_array(self._program, [])
        self._texture: moderngl.Texture | None = None
        self._framebuffer: moderngl.Framebuffer | None = None
        self._averaged = _Averaged(ctx, supersample) if supersample > 1 else None
        self._pixels: np.ndarray | None = None
        self._is_read = False

    @property
    def picture_size(self) -> tuple[int, int]:
        """Width and height of the picture that outputs get, px."""
        return self.size[0] // self.supersample, self.size[1] // self.supersample

    def begin(self, size: tuple[int, int], lender: Surface | None = None) -> None:
        """Draw here from now on. size: (width, height), px, at least 1, a multiple of `supersample`; another size than
        before discards the picture.

        lender: the only output's surface, of that size: what is drawn lies there at once.
        """
        self.is_lent = lender is not None
        if lender is not None:
            lender.ctx.screen.use()
            return
        if self._framebuffer is None or self.size != size:
            self._release_picture()
            # BGRA is what window systems present: Mesa's software renderer copies it a third as quickly otherwise
            self._texture = new_bgra_texture(self.ctx, size)
            self._framebuffer = self.ctx.framebuffer([self._texture])
            self.size = size
        self._is_read = False
        if self._averaged is not None:
            self._averaged.is_old = True
        self._framebuffer.use()

    def present_on(self, framebuffer: moderngl.Framebuffer, size: tuple[int, int]) -> None:
        """Draw the picture over a whole framebuffer of `size` (width, height), px, which is in use afterwards.

        At the canvas's own size every pixel is copied as it is; at another it is scaled smoothly.
        """
        import moderngl

        if self.is_lent or self._texture is None or min(size) < 1:
            framebuffer.use()
            return
        texture, _ = self._picture()
        framebuffer.use()
        kind = moderngl.NEAREST if size == self.picture_size else moderngl.LINEAR
        texture.filter = (kind, kind)
        texture.use(0)
        self.ctx.clear_samplers(0, 1)  # a sampler that is still bound would override the texture's filter
        self.ctx.enable_only(moderngl.NOTHING)
        self.ctx.viewport = (0, 0, *size)
        # two triangles and not the usual one that is too large: Mesa's software renderer copies rectangles quickly
        self._quad.render(moderngl.TRIANGLE_STRIP, vertices=4)

    def texture(self) -> moderngl.Texture:
        """The picture on the graphics card, of `picture_size`, first row the bottom one; valid until the next `begin`.

        Raises ValueError as `pixels` does.
        """
        return self._picture()[0]

    def pixels(self) -> np.ndarray:
        """The picture: (height, width, 3) uint8 sRGB, top row first. Read once a display frame and valid until the next
        `begin`.

        Waits until the picture is drawn, while other Python threads run. Raises ValueError before the first `begin`,
        and where the framebuffer is lent.
        """
        _, framebuffer = self._picture()
        width, height = self.picture_size
        if self._pixels is None or self._pixels.shape != (height, width, 3):
            self._pixels = np.empty((height, width, 3), np.uint8)
        if not self._is_read:
            framebuffer.use()
            gl_finish(self.ctx)
            read_rgb(self.ctx, self._pixels)
            self._is_read = True
        return self._pixels[::-1]  # OpenGL's first row is the bottom one

    def release(self) -> None:
        """Release the graphics memory. The context must still exist; may be called twice."""
        self._release_picture()
        if self._averaged is not None:
            self._averaged.release()
        self._quad.release()
        self._program.release()

    def _picture(self) -> tuple[moderngl.Texture, moderngl.Framebuffer]:
        """The picture that outputs get, of `picture_size`. Raises ValueError."""
        if self._texture is None or self._framebuffer is None or self.is_lent:
            raise ValueError(
                "nothing was drawn on the canvas itself, so there are no pixels; call begin without a lender"
            )
        if self._averaged is None:
            return self._texture, self._framebuffer
        return self._averaged.of(self._texture)

    def _release_picture(self) -> None:
        if self._framebuffer is not None:
            self._framebuffer.release()
        if self._texture is not None:
            self._texture.release()
        self._framebuffer = self._texture = None
        self.size = (0, 0)


class _Averaged:
    """A picture averaged down `factor` times in width and height. is_old: whether it must be averaged again."""

    def __init__(self, ctx: moderngl.Context, factor: int) -> None:
        self.is_old = True
        self._ctx, self._factor = ctx, factor
        self._program = compile_program(ctx, base_shader("canvas.vert"), base_shader("average.frag"))
        set_uniforms(self._program, {"picture": 0, "factor": factor})
        self._quad = ctx.vertex_array(self._program, [])
        self._made: tuple[moderngl.Texture, moderngl.Framebuffer] | None = None

    def of(self, texture: moderngl.Texture) -> tuple[moderngl.Texture, moderngl.Framebuffer]:
        """`texture` averaged down, as a texture and the framebuffer that draws into it."""
        import moderngl

        size = (texture.width // self._factor, texture.height // self._factor)
        if self._made is None or self._made[0].size != size:
            self._release_made()
            made = new_bgra_texture(self._ctx, size)
            self._made = made, self._ctx.framebuffer([made])
        if self.is_old:
            # Mesa's software renderer keeps what the second of two passes has drawn with: all of the first
            gl_finish(self._ctx)
            self._made[1].use()
            texture.use(0)
            self._ctx.clear_samplers(0, 1)
            self._ctx.enable_only(moderngl.NOTHING)
            self._ctx.viewport = (0, 0, *size)
            self._quad.render(moderngl.TRIANGLE_STRIP, vertices=4)
            self.is_old = False
        return self._made

    def release(self) -> None:
        self._release_made()
        self._quad.release()
        self._program.release()

    def _release_made(self) -> None:
        if self._made is not None:
            self._made[1].release()
            self._made[0].release()
        self._made = None
