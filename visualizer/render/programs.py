"""Looks compiled once and shared by the pictures that are drawn through them: compiling costs several display
frames.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import GraphicsError
from ..looks.declaration import GLSL_TYPES
from ..looks.look import Look
from ..looks.program import Program, TextureRef
from ..looks.uniforms import ISF, MUSIC, PICTURE, SHADERTOY
from .gl import base_shader, compile_program

if TYPE_CHECKING:
    import moderngl

Defines = Mapping[str, int]

_GL_TYPES = {
    "float": 0x1406,
    "int": 0x1404,
    "bool": 0x8B56,
    "vec2": 0x8B50,
    "vec3": 0x8B51,
    "vec4": 0x8B52,
    "sampler2D": 0x8B5E,
    "sampler3D": 0x8B5F,
    "samplerCube": 0x8B60,
    "sampler2DArray": 0x8DC1,
}
_SAMPLERS = {_GL_TYPES[kind] for kind in ("sampler2D", "sampler3D", "samplerCube", "sampler2DArray")}


@dataclass(eq=False)
class Compiled:
    """A program of a look, and the corners that are drawn with it.

    n_vertices: how many corners; drawn as a strip. text: the source it was compiled from. uniforms: those that the
    program uses and that are set for every pass. samplers: what it reads, by texture unit. n_users: how many pictures
    are drawn with it.
    """

    program: moderngl.Program
    corners: moderngl.VertexArray
    n_vertices: int = 3
    text: tuple[str, str] = ("", "")
    uniforms: dict[str, moderngl.Uniform] = field(default_factory=dict)
    samplers: tuple[TextureRef, ...] = ()
    n_users: int = 0

    def draw(self, values: Mapping[str, Any] | None = None) -> None:
        """Draw over the viewport. values: of uniforms, by name; those that the program does not use are ignored."""
        import moderngl

        for name, uniform in self.uniforms.items():
            if values is not None and name in values:
                uniform.value = values[name]
        self.corners.render(moderngl.TRIANGLE_STRIP, vertices=self.n_vertices)

    def release(self) -> None:
        """Release the graphics memory."""
        self.corners.release()
        self.program.release()


class Programs:
    """The compiled looks of a context. ctx: the context of the Surface.

    Of a look that was edited the newest is kept, and what it was before only as long as it is drawn with.
    """

    def __init__(self, ctx: moderngl.Context) -> None:
        self._ctx = ctx
        self._newest: dict[tuple[Path, int, int | None, tuple[tuple[str, int], ...]], Compiled] = {}
        self._replaced: list[Compiled] = []
        self._own: dict[tuple[str, tuple[tuple[str, int], ...]], Compiled] = {}

    def get(self, look: Look, defines: Defines, index: int = 0) -> Compiled:
        """The program of a pass of a look compiled with these names defined, until `give_back`. index: of the pass.

        Raises GraphicsError for a fault in it.
        """
        number = look.declaration.passes[index].program
        program = look.programs[number]
        # one compilation serves all sizes and variants where the shader does not care
        defines = {name: value for name, value in defines.items() if _has_word(program, name)}
        in_pass = index if _has_word(program, "PASSINDEX") else None
        if in_pass is not None:
            program = program.in_pass(in_pass)
        program = program.defining(defines)
        kind = (look.path, number, in_pass, tuple(sorted(defines.items())))
        text = (program.vertex.text, program.fragment.text)
        found = self._newest.get(kind)
        if found is None or found.text != text:
            compiled = self._compiled(look, program)
            if found is not None:
                self._replaced.append(found)
            found = self._newest[kind] = compiled
            self._release_unused()
        found.n_users += 1
        return found

    def own(
        self,
        fragment: str,
        defines: Defines | None = None,
        *,
        reads: tuple[str, ...] = (),
        vertex: str = "canvas.vert",
        n_vertices: int = 4,
    ) -> Compiled:
        """One of the program's own shaders in shaders/base/, drawn over the whole viewport; kept until `release`.

        fragment: its file. defines: for both shaders. reads: its samplers, in the order of their texture units. vertex,
        n_vertices: of another shape.
        """
        defines = defines or {}
        kind = (fragment, tuple(sorted(defines.items())))
        if kind not in self._own:
            sources = (base_shader(name).defining(defines) for name in (vertex, fragment))
            program = compile_program(self._ctx, *sources)
            uniforms = _uniforms(program)
            for unit, name in enumerate(reads):
                uniforms.pop(name).value = unit
            corners = self._ctx.vertex_array(program, [])
            self._own[kind] = Compiled(program, corners, n_vertices, uniforms=uniforms)
        return self._own[kind]

    def give_back(self, compiled: Compiled) -> None:
        """One of the users of a program draws with it no more."""
        compiled.n_users -= 1
        self._release_unused()

    def release(self) -> None:
        """Release the graphics memory. The context must still exist; may be called twice."""
        for compiled in (*self._newest.values(), *self._replaced, *self._own.values()):
            compiled.release()
        self._newest.clear()
        self._replaced.clear()
        self._own.clear()

    def _compiled(self, look: Look, program: Program) -> Compiled:
        compiled = compile_program(self._ctx, program.vertex, program.fragment)
        try:
            uniforms = _checked_uniforms(compiled, look)
        except GraphicsError:
            compiled.release()
            raise
        samplers: list[TextureRef] = []
        for name in [name for name, one in uniforms.items() if _gl_type(one) in _SAMPLERS]:
            # a sampler of a name that nothing has reads transparent black
            uniforms.pop(name).value = len(samplers)
            samplers.append(program.textures.get(name, TextureRef("target", name)))
        corners = self._ctx.vertex_array(compiled, [])
        text = program.vertex.text, program.fragment.text
        # one triangle that covers the picture, or two that are the picture
        n_vertices = 3 if look.format == "frag" else 4
        return Compiled(compiled, corners, n_vertices, text, uniforms, tuple(samplers))

    def _release_unused(self) -> None:
        for compiled in [one for one in self._replaced if one.n_users == 0]:
            self._replaced.remove(compiled)
            compiled.release()


def _has_word(program: Program, name: str) -> bool:
    return re.search(rf"\b{name}\b", program.fragment.text) is not None


def _uniforms(program: moderngl.Program) -> dict[str, moderngl.Uniform]:
    """The uniforms that a program uses, by name."""
    import moderngl

    return {name: one for name in program if isinstance(one := program[name], moderngl.Uniform)}


def _gl_type(uniform: moderngl.Uniform) -> int:
    return uniform.gl_type  # type: ignore[attr-defined]  # its stubs lack it


def _checked_uniforms(program: moderngl.Program, look: Look) -> dict[str, moderngl.Uniform]:
    """The uniforms that a program uses, by name. Raises GraphicsError for one of another type than the program sets."""
    kinds: dict[str, str] = {one.name: one.kind for one in (*PICTURE, *MUSIC)}
    kinds |= {one.name: GLSL_TYPES[one.kind] for one in look.declaration.inputs}
    uniforms = _uniforms(program)
    for name, one in uniforms.items():
        if name in kinds and (one.array_length > 1 or _gl_type(one) != _GL_TYPES[kinds[name]]):
            raise GraphicsError(f"shader {look.path}: the uniform {name} must be declared as {kinds[name]}")
    # a uniform of the look's own that has the name of one of these by chance is left as it is
    others = {one.name: _GL_TYPES[one.kind] for one in (*ISF, *SHADERTOY) if one.name not in kinds}
    return {name: one for name, one in uniforms.items() if others.get(name, _gl_type(one)) == _gl_type(one)}
