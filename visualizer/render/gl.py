"""OpenGL: contexts, compiled shaders, and the calls that must not hold Python's lock.

A GL context belongs to one thread. In this program that is the main one: every object of this room is made, used and
released there.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, cast

from ..errors import GraphicsError
from ..looks.source import ShaderSource, read_shader
from ..oneline import plain
from ..resources import shipped

if TYPE_CHECKING:
    import moderngl
    import numpy as np

NEEDED_VERSION = 330

_GL_RGB, _GL_UNSIGNED_BYTE, _GL_PACK_ALIGNMENT = 0x1907, 0x1401, 0x0D05
_GL_TEXTURE_2D, _GL_RGBA, _GL_BGRA = 0x0DE1, 0x1908, 0x80E1
_GL_PACK_ROW_LENGTH, _GL_COLOR_ATTACHMENT0 = 0x0D02, 0x8CE0
_GL_PIXEL_PACK_BUFFER, _GL_STREAM_READ, _GL_MAP_READ_BIT = 0x88EB, 0x88E1, 0x0001
_GL_VENDOR_STRINGS = {"version": 0x1F02, "renderer": 0x1F01}


class Loader(Protocol):
    """Finds the driver's functions for the current context: a backend of glcontext, or the one of `Window` for glfw."""

    def load_opengl_function(self, name: str) -> int: ...


class Surface(Protocol):
    """What pictures are drawn on: a Window or an Offscreen. After it is made its context is the current one."""

    ctx: moderngl.Context

    @property
    def refresh_hz(self) -> float:
        """How many pictures a second it can show; never 0."""

    @property
    def framebuffer_size(self) -> tuple[int, int]:
        """Width and height to draw, px; (0, 0) for a minimised window."""

    def finish(self) -> None:
        """Wait until everything is drawn, without holding Python's lock."""

    def swap(self) -> None:
        """Show what was drawn and wait until that is done, without holding Python's lock."""

    def close(self) -> None:
        """Release everything; may be called twice."""


@dataclass(frozen=True)
class _Calls:
    """GL functions called through ctypes, which releases Python's lock during the call.

    moderngl's own `finish` and `read` hold it while a software driver draws: threads that handle sound would wait as
    long.
    """

    finish: Any
    flush: Any
    read_pixels: Any
    read_buffer: Any
    bind_buffer: Any
    buffer_data: Any
    map_buffer: Any
    unmap_buffer: Any
    pixel_store: Any
    tex_image: Any
    reset_status: Any  # None where the driver cannot tell


def _function(loader: Loader, name: str, result: Any, *arguments: Any) -> Any:
    address = loader.load_opengl_function(name)
    if not address:
        raise GraphicsError(f"the graphics driver has no {name}; update it, or install Mesa (libgl1-mesa-dri)")
    # GL is stdcall on 32-bit Windows; everywhere else the two are the same
    prototype = getattr(ctypes, "WINFUNCTYPE", ctypes.CFUNCTYPE)
    return prototype(result, *arguments)(address)


def offered_version(loader: Loader) -> str:
    """Version and name of the current context's driver, such as "2.1 Mesa 22.3.6, llvmpipe"; for messages."""
    get_string = _function(loader, "glGetString", ctypes.c_char_p, ctypes.c_uint)
    found = [get_string(code) for code in _GL_VENDOR_STRINGS.values()]
    return ", ".join(text.decode("utf-8", "replace") for text in found if text) or "nothing"


def wrap_context(loader: Loader, *, standalone: bool) -> moderngl.Context:
    """A moderngl context for the GL context that is current, with the calls of `_Calls` in its `extra`.

    loader: finds the functions. standalone: True if there is no window's framebuffer. Raises GraphicsError for a driver
    older than OpenGL 3.3.
    """
    import moderngl

    try:
        # moderngl's stubs know only dictionaries here; it takes any object with these methods
        ctx = moderngl.create_context(require=NEEDED_VERSION, standalone=standalone, context=cast(Any, loader))
    except (ValueError, moderngl.Error) as error:
        raise GraphicsError(needs_newer(offered_version(loader))) from error
    integer, code, length, pointer = ctypes.c_int, ctypes.c_uint, ctypes.c_ssize_t, ctypes.c_void_p
    ctx.extra = _Calls(
        finish=_function(loader, "glFinish", None),
        flush=_function(loader, "glFlush", None),
        read_pixels=_function(loader, "glReadPixels", None, *4 * (integer,), code, code, pointer),
        read_buffer=_function(loader, "glReadBuffer", None, code),
        bind_buffer=_function(loader, "glBindBuffer", None, code, code),
        buffer_data=_function(loader, "glBufferData", None, code, length, pointer, code),
        map_buffer=_function(loader, "glMapBufferRange", pointer, code, length, length, code),
        unmap_buffer=_function(loader, "glUnmapBuffer", ctypes.c_ubyte, code),
        pixel_store=_function(loader, "glPixelStorei", None, code, integer),
        tex_image=_function(loader, "glTexImage2D", None, code, *5 * (integer,), code, code, pointer),
        reset_status=_reset_status(loader, ctx),
    )
    return ctx


def _reset_status(loader: Loader, ctx: moderngl.Context) -> Any:
    """The function that says whether the graphics card was reset, under any of its names; None if the driver has
    none.
    """
    # some loaders return an address for any name: only functions that the driver lists can be called
    for suffix, known in (
        ("", ctx.version_code >= 450),
        ("ARB", "GL_ARB_robustness" in ctx.extensions),
        ("KHR", "GL_KHR_robustness" in ctx.extensions),
        ("EXT", "GL_EXT_robustness" in ctx.extensions),
    ):
        if known and loader.load_opengl_function(name := f"glGetGraphicsResetStatus{suffix}"):
            return _function(loader, name, ctypes.c_uint)
    return None


def was_reset(ctx: moderngl.Context) -> bool:
    """Whether the graphics card or its driver was reset, so that everything in this context is lost. ctx: the current
    one.
    """
    status = ctx.extra.reset_status
    return status is not None and status() != 0


def needs_newer(offered: str) -> str:
    """The message for a driver that is too old."""
    return f"OpenGL 3.3 is needed, the graphics driver offers {offered}; update it, or install Mesa (libgl1-mesa-dri)"


def gl_finish(ctx: moderngl.Context) -> None:
    """Wait until everything is drawn, while other Python threads run. ctx: of a Surface."""
    ctx.extra.finish()


def read_rgb(ctx: moderngl.Context, into: np.ndarray, origin: tuple[int, int] = (0, 0)) -> None:
    """Read the framebuffer in use, while other Python threads run. into: (H, W, 3) uint8 contiguous; its first row is
    the bottom one.

    origin: x and y of the first pixel read, px from the bottom left corner.
    """
    height, width = into.shape[:2]
    calls: _Calls = ctx.extra
    calls.pixel_store(_GL_PACK_ALIGNMENT, 1)
    calls.read_pixels(*origin, width, height, _GL_RGB, _GL_UNSIGNED_BYTE, into.ctypes.data)


class PixelBuffer:
    """Memory of the graphics driver that pixels are read into without waiting for what draws them.

    ctx: of a Surface. n_bytes: its size. All calls let other Python threads run.
    """

    def __init__(self, ctx: moderngl.Context, n_bytes: int) -> None:
        self._calls: _Calls = ctx.extra
        self._n_bytes = n_bytes
        self._buffer = ctx.buffer(reserve=n_bytes)
        with self._bound():  # moderngl makes buffers that are meant for drawing: mapped, these can be slow to read
            self._calls.buffer_data(_GL_PIXEL_PACK_BUFFER, n_bytes, None, _GL_STREAM_READ)

    def read_rgba(self, attachment: int, size: tuple[int, int], offset: int, row_bytes: int) -> None:
        """Begin to read four bytes a pixel of the framebuffer in use, the bottom row first.

        attachment: which of its colours. size: (width, height), px, from the bottom left corner. offset: where in the
        buffer the first row begins, row_bytes: how far it is to the next, both multiples of 4.
        """
        calls = self._calls
        with self._bound():
            calls.read_buffer(_GL_COLOR_ATTACHMENT0 + attachment)
            calls.pixel_store(_GL_PACK_ALIGNMENT, 4)
            calls.pixel_store(_GL_PACK_ROW_LENGTH, row_bytes // 4)
            calls.read_pixels(0, 0, *size, _GL_RGBA, _GL_UNSIGNED_BYTE, offset)
            calls.pixel_store(_GL_PACK_ROW_LENGTH, 0)

    @contextmanager
    def mapped(self) -> Iterator[np.ndarray]:
        """What was read, as (n_bytes,) uint8, valid inside the `with` block; waits until it is there.

        Raises GraphicsError where the driver has lost it.
        """
        import numpy as np

        with self._bound():
            at = self._calls.map_buffer(_GL_PIXEL_PACK_BUFFER, 0, self._n_bytes, _GL_MAP_READ_BIT)
            if not at:
                raise GraphicsError("the graphics driver cannot hand over a picture that was read back")
            try:
                yield np.ctypeslib.as_array((ctypes.c_ubyte * self._n_bytes).from_address(at))
            finally:
                is_whole = self._calls.unmap_buffer(_GL_PIXEL_PACK_BUFFER)
            if not is_whole:
                raise GraphicsError("the graphics driver lost a picture that was read back")

    def release(self) -> None:
        """Release the memory. The context must still exist; may be called twice."""
        self._buffer.release()

    @contextmanager
    def _bound(self) -> Iterator[None]:
        """While inside, reading pixels and mapping mean this buffer; outside, reading goes to ordinary memory."""
        self._calls.bind_buffer(_GL_PIXEL_PACK_BUFFER, self._buffer.glo)
        try:
            yield
        finally:
            self._calls.bind_buffer(_GL_PIXEL_PACK_BUFFER, 0)


def gl_flush(ctx: moderngl.Context) -> None:
    """Let the driver begin with everything that was asked for, without waiting. ctx: of a Surface."""
    ctx.extra.flush()


def new_bgra_texture(ctx: moderngl.Context, size: tuple[int, int]) -> moderngl.Texture:
    """A texture of 8 bits a channel, clamped at its edges, in the order of channels that window systems use. size:
    (width, height), px.

    moderngl makes RGBA only.
    """
    texture = ctx.texture(size, 4)
    texture.repeat_x = texture.repeat_y = False
    texture.use(0)
    ctx.extra.tex_image(_GL_TEXTURE_2D, 0, _GL_RGBA, *size, 0, _GL_BGRA, _GL_UNSIGNED_BYTE, None)
    return texture


# How the context that is current now is detached, at most one entry: see `take_over`.
_current: list[Callable[[], None]] = []


def take_over(detach: Callable[[], None]) -> None:
    """Detach the context that is current, before another surface makes its own current. detach: detaches the new one
    later.

    Linux has two families of contexts, EGL and GLX. Making one current over the other fails without a word, or kills
    the process.
    """
    leave()
    _current.append(detach)


def leave(detach: Callable[[], None] | None = None) -> None:
    """Detach the current context; if `detach` is given, only the one that was taken over with it."""
    if _current and detach in (None, _current[0]):
        _current.pop()()


# How drivers write the place of an error: Mesa "0:6(10): error: x", NVIDIA "0(6) : error C1008: x", Apple, AMD and
# Intel "ERROR: 0:6: x"
_FAULT = re.compile(r"^(?:ERROR:\s*)?\d+[:(](\d+)\)?(?:\(\d+\))?\s*:?\s*(?:error\s*\w*\s*:)?\s*(.*)$", re.IGNORECASE)


def _first_fault(message: str, source: ShaderSource) -> str:
    """The first error of a compiler's message as `FILE:LINE: what, in "the line"`."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    for line in lines:
        if (found := _FAULT.match(line)) and "warning" not in line.lower():
            at = source.lines[min(max(int(found[1]), 1), len(source.lines)) - 1]
            return f'{at.place}:{at.number}: {found[2].strip()}, in "{plain(at.text.strip(), 100)}"'
    # an error of linking has no line
    what = [line for line in lines if not set(line) <= set("=") and line not in ("fragment_shader", "vertex_shader")]
    return f"{source.lines[0].place if source.lines else 'shader'}: {' '.join(what)[:200]}"


def base_shader(name: str) -> ShaderSource:
    """A shader of shaders/base/. Raises BadInput where the program's files are damaged."""
    return read_shader(shipped("shaders") / "base" / name)


def compile_program(ctx: moderngl.Context, vertex: ShaderSource, fragment: ShaderSource) -> moderngl.Program:
    """Compile two shaders. Raises GraphicsError with file, line and the driver's words for a fault in one of them."""
    import moderngl

    try:
        return ctx.program(vertex_shader=vertex.text, fragment_shader=fragment.text)
    except moderngl.Error as error:
        message = str(error)
        source = vertex if "vertex_shader" in message else fragment
        raise GraphicsError(_first_fault(message, source)) from error


def set_uniforms(program: moderngl.Program, values: dict[str, Any]) -> None:
    """Set those uniforms that the program uses. The compiler removes the others, which is no error."""
    for name, value in values.items():
        if name in program:
            program[name] = value
