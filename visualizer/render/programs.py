"""Looks compiled once and shared by the pictures that are drawn through them: compiling costs several display frames."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from visualizer.resources import shipped

from .gl import compile_program, read_shader, set_uniforms

if TYPE_CHECKING:
    import moderngl

Defines = dict[str, int]


class Programs:
    """The compiled looks of a context. ctx: the context of the Stage."""

    def __init__(self, ctx: moderngl.Context) -> None:
        self._ctx = ctx
        self._made: dict[tuple[Path, str], tuple[moderngl.Program, moderngl.VertexArray]] = {}

    def get(self, look: Path, defines: Defines) -> tuple[moderngl.Program, moderngl.VertexArray]:
        """A look's file as it is now, compiled with these names defined. GraphicsError for a fault in it."""
        kind = (look, read_shader(look, defines).text)  # one that was edited is another look
        if kind not in self._made:
            program = compile_program(self._ctx, shipped("shaders") / "base" / "cover.vert", look, defines)
            set_uniforms(program, {"frames": 0, "texels": 1})
            self._made[kind] = (program, self._ctx.vertex_array(program, []))
        return self._made[kind]

    def release(self) -> None:
        """Give the graphics memory back. The context must still be there; may be called twice."""
        for program, triangle in self._made.values():
            triangle.release()
            program.release()
        self._made.clear()
