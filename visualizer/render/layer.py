"""Pictures drawn into a texture and blended over others: for transitions, for drawing at another size, for black."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .gl import base_shader, compile_program, set_uniforms

if TYPE_CHECKING:
    import moderngl


class Overlay:
    """Blends pictures over the framebuffer in use. ctx: the context of the Surface."""

    def __init__(self, ctx: moderngl.Context) -> None:
        self._ctx = ctx
        self._program = compile_program(ctx, base_shader("cover.vert"), base_shader("layer.frag"))
        set_uniforms(self._program, {"layer": 0})
        self._triangle = ctx.vertex_array(self._program, [])
        self._black = ctx.texture((1, 1), 3, data=bytes(4), alignment=4)

    def darken(self, size: tuple[int, int], opacity: float) -> None:
        """Blend black over everything. opacity: 0 changes nothing .. 1 is black. size: of the framebuffer, px."""
        if opacity >= 1:
            self._ctx.clear(0.0, 0.0, 0.0, 1.0)
        else:
            self.lay(self._black, size, opacity)

    def lay(self, texture: moderngl.Texture, size: tuple[int, int], opacity: float = 1.0) -> None:
        """Blend a texture over everything, stretched smoothly to `size` (width, height), px. opacity: 0..1."""
        import moderngl

        if opacity <= 0 or min(size) < 1:
            return
        ctx = self._ctx
        ctx.viewport = (0, 0, *size)
        texture.use(0)
        ctx.clear_samplers(0, 1)  # the samplers of a picture would replace the texture's filter
        set_uniforms(self._program, {"opacity": min(opacity, 1.0)})
        if opacity < 1:
            ctx.enable_only(moderngl.BLEND)
            ctx.blend_func = (moderngl.SRC_ALPHA, moderngl.ONE_MINUS_SRC_ALPHA)
        self._triangle.render(vertices=3)
        ctx.enable_only(moderngl.NOTHING)

    def release(self) -> None:
        """Release the graphics memory. The context must still exist; may be called twice."""
        self._triangle.release()
        self._program.release()
        self._black.release()


class Layer:
    """A texture to draw on. ctx: the context of the Surface. texture: None before the first drawing."""

    def __init__(self, ctx: moderngl.Context) -> None:
        self._ctx = ctx
        self._fbo: moderngl.Framebuffer | None = None
        self.texture: moderngl.Texture | None = None

    @contextmanager
    def drawn_on(self, size: tuple[int, int]) -> Iterator[None]:
        """Inside, everything is drawn on it, and not on the framebuffer in use before. size: (width, height), px, at
        least 1; another size than before discards what was drawn.
        """
        if self.texture is None or self._fbo is None or self.texture.size != size:
            self.release()
            self.texture = self._ctx.texture(size, 3)
            self.texture.repeat_x = self.texture.repeat_y = False
            self._fbo = self._ctx.framebuffer([self.texture])
        before = self._ctx.fbo
        self._fbo.use()
        try:
            yield
        finally:
            before.use()

    def release(self) -> None:
        """Release the graphics memory. The context must still exist; may be called twice."""
        if self._fbo is not None:
            self._fbo.release()
        if self.texture is not None:
            self.texture.release()
        self._fbo = self.texture = None
