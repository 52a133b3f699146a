"""Looks compiled once and shared by the pictures that are drawn through them: compiling costs several display frames."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from visualizer.resources import shipped

from .gl import compile_program, read_shader, set_uniforms

if TYPE_CHECKING:
    import moderngl

Defines = dict[str, int]


@dataclass(eq=False)
class Compiled:
    """A look's program, and the triangle that is drawn with it. text: the source it was compiled from; n_users: how many draw with it."""

    program: moderngl.Program
    triangle: moderngl.VertexArray
    text: str
    n_users: int = 0

    def release(self) -> None:
        """Give the graphics memory back."""
        self.triangle.release()
        self.program.release()


class Programs:
    """The compiled looks of a context. ctx: the context of the Stage.

    Of a look that is edited the newest is kept, and what it was before only as long as it is drawn with.
    """

    def __init__(self, ctx: moderngl.Context) -> None:
        self._ctx = ctx
        self._newest: dict[tuple[Path, tuple[tuple[str, int], ...]], Compiled] = {}
        self._replaced: list[Compiled] = []

    def get(self, look: Path, defines: Defines) -> Compiled:
        """A look's file as it is now, compiled with these names defined; to be given back. GraphicsError for a fault in it."""
        kind, text = (look, tuple(sorted(defines.items()))), read_shader(look, defines).text
        found = self._newest.get(kind)
        if found is None or found.text != text:
            program = compile_program(self._ctx, shipped("shaders") / "base" / "cover.vert", look, defines)
            set_uniforms(program, {"frames": 0, "texels": 1})
            if found is not None:
                self._replaced.append(found)
            found = self._newest[kind] = Compiled(program, self._ctx.vertex_array(program, []), text)
            self._release_unused()
        found.n_users += 1
        return found

    def give_back(self, compiled: Compiled) -> None:
        """It is drawn with no more by one of its users."""
        compiled.n_users -= 1
        self._release_unused()

    def release(self) -> None:
        """Give the graphics memory back. The context must still be there; may be called twice."""
        for compiled in (*self._newest.values(), *self._replaced):
            compiled.release()
        self._newest.clear()
        self._replaced.clear()

    def _release_unused(self) -> None:
        for compiled in [one for one in self._replaced if one.n_users == 0]:
            self._replaced.remove(compiled)
            compiled.release()
