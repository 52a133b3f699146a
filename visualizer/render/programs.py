"""Looks compiled once and shared by the pictures that are drawn through them: compiling costs several display
frames.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from visualizer.errors import GraphicsError
from visualizer.looks.declaration import GLSL_TYPES
from visualizer.looks.look import Look
from visualizer.looks.uniforms import MUSIC, PICTURE

from .gl import compile_program

if TYPE_CHECKING:
    import moderngl

Defines = dict[str, int]

#: the texture unit of each sampler that the program fills
UNITS = {"frames": 0, "texels": 1, "spectrum": 2, "waveform": 3}

_GL_TYPES = {
    "float": 0x1406,
    "int": 0x1404,
    "bool": 0x8B56,
    "vec2": 0x8B50,
    "vec4": 0x8B52,
    "sampler2D": 0x8B5E,
    "sampler2DArray": 0x8DC1,
}


@dataclass(eq=False)
class Compiled:
    """A look's program, and the triangle that is drawn with it.

    text: the source it was compiled from. uniforms: those that the program uses and that are set for every display
    frame.
    n_users: how many pictures are drawn with it.
    """

    program: moderngl.Program
    triangle: moderngl.VertexArray
    text: str
    uniforms: dict[str, moderngl.Uniform] = field(default_factory=dict)
    n_users: int = 0

    def release(self) -> None:
        """Release the graphics memory."""
        self.triangle.release()
        self.program.release()


class Programs:
    """The compiled looks of a context. ctx: the context of the Surface.

    Of a look that was edited the newest is kept, and what it was before only as long as it is drawn with.
    """

    def __init__(self, ctx: moderngl.Context) -> None:
        self._ctx = ctx
        self._newest: dict[tuple[Path, tuple[tuple[str, int], ...]], Compiled] = {}
        self._replaced: list[Compiled] = []

    def get(self, look: Look, defines: Defines) -> Compiled:
        """A look compiled with these names defined, until `give_back`. Raises GraphicsError for a fault in it."""
        kind, one = (look.path, tuple(sorted(defines.items()))), look.programs[0].defining(defines)
        found = self._newest.get(kind)
        if found is None or found.text != one.fragment.text:
            program = compile_program(self._ctx, one.vertex, one.fragment)
            try:
                uniforms = _uniforms(program, look)
            except GraphicsError:
                program.release()
                raise
            if found is not None:
                self._replaced.append(found)
            triangle = self._ctx.vertex_array(program, [])
            found = self._newest[kind] = Compiled(program, triangle, one.fragment.text, uniforms)
            self._release_unused()
        found.n_users += 1
        return found

    def give_back(self, compiled: Compiled) -> None:
        """One of the users of a program draws with it no more."""
        compiled.n_users -= 1
        self._release_unused()

    def release(self) -> None:
        """Release the graphics memory. The context must still exist; may be called twice."""
        for compiled in (*self._newest.values(), *self._replaced):
            compiled.release()
        self._newest.clear()
        self._replaced.clear()

    def _release_unused(self) -> None:
        for compiled in [one for one in self._replaced if one.n_users == 0]:
            self._replaced.remove(compiled)
            compiled.release()


def _uniforms(program: moderngl.Program, look: Look) -> dict[str, moderngl.Uniform]:
    """The uniforms that a program uses, by name. Raises GraphicsError for one of another type than the program sets."""
    import moderngl

    kinds: dict[str, str] = {one.name: one.kind for one in (*PICTURE, *MUSIC)}
    kinds |= {one.name: GLSL_TYPES[one.kind] for one in look.declaration.inputs}
    found: dict[str, moderngl.Uniform] = {}
    for name in program:
        if not isinstance(one := program[name], moderngl.Uniform):
            continue
        if name in kinds and (one.array_length > 1 or one.gl_type != _GL_TYPES[kinds[name]]):  # type: ignore[attr-defined]  # its stubs lack it
            raise GraphicsError(f"shader {look.path}: the uniform {name} must be declared as {kinds[name]}")
        if name in UNITS:
            one.value = UNITS[name]
        found[name] = one
    return found
