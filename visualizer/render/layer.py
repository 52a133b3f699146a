"""Pictures drawn aside and laid over others: to cross from one to another, to draw smaller than shown, to go black."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .gl import base_shader, compile_program, set_uniforms

if TYPE_CHECKING:
    import moderngl


class Overlay:
    """Lays pictures over the framebuffer in use. ctx: the context of the Surface."""

    def __init__(self, ctx: moderngl.Context) -> None:
        self._ctx = ctx
        self._program = compile_program(ctx, base_shader("cover.vert"), base_shader("layer.frag"))
        set_uniforms(self._program, {"layer": 0})
        self._triangle = ctx.vertex_array(self._program, [])
        self._black = ctx.texture((1, 1), 3, data=bytes(4), alignment=4)

    def darken(self, size: tuple[int, int], opacity: float) -> None:
        """Lay black over everything. opacity: 0 nothing changes .. 1 all black. size: of the framebuffer, px."""
        if opacity >= 1:
            self._ctx.clear(0.0, 0.0, 0.0, 1.0)
        else:
            self.lay(self._black, size, opacity)

    def lay(self, texture: moderngl.Texture, size: tuple[int, int], opacity: float = 1.0) -> None:
        """Lay a texture over everything, stretched smoothly to `size` (width, height), px. opacity: 0..1."""
        import moderngl

        if opacity <= 0 or min(size) < 1:
            return
        ctx = self._ctx
        ctx.viewport = (0, 0, *size)
        texture.use(0)
        ctx.clear_samplers(0, 1)  # a picture's own would hide the texture's filter
        set_uniforms(self._program, {"opacity": min(opacity, 1.0)})
        if opacity < 1:
            ctx.enable_only(moderngl.BLEND)
            ctx.blend_func = (moderngl.SRC_ALPHA, moderngl.ONE_MINUS_SRC_ALPHA)
        self._triangle.render(vertices=3)
        ctx.enable_only(moderngl.NOTHING)

    def release(self) -> None:
        """Give the graphics memory back. The context must still be there; may be called twice."""
        self._triangle.release()
        self._program.release()
        self._black.release()


class Layer:
    """A picture drawn aside. Between `begin` and `end` everything is drawn on it and not on the stage."""

    def __init__(self, ctx: moderngl.Context) -> None:
        self._ctx = ctx
        self._fbo: moderngl.Framebuffer | None = None
        self._before: moderngl.Framebuffer | None = None
        self.texture: moderngl.Texture | None = None

    def begin(self, size: tuple[int, int]) -> None:
        """Draw here from now on. size: (width, height), px, at least 1; what was drawn before is lost if it is another."""
        if self.texture is None or self._fbo is None or self.texture.size != size:
            self.release()
            self.texture = self._ctx.texture(size, 3)
            self.texture.repeat_x = self.texture.repeat_y = False
            self._fbo = self._ctx.framebuffer([self.texture])
        self._before = self._ctx.fbo
        self._fbo.use()

    def end(self) -> None:
        """Draw on the stage again."""
        if self._before is not None:
            self._before.use()
            self._before = None

    def release(self) -> None:
        """Give the graphics memory back. The context must still be there; may be called twice."""
        if self._fbo is not None:
            self._fbo.release()
        if self.texture is not None:
            self.texture.release()
        self._fbo = self.texture = None
