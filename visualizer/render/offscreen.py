"""A surface without a window: pictures are drawn into memory and read back. Needs no display."""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import BadInput, GraphicsError
from .gl import NEEDED_VERSION, gl_finish, leave, needs_newer, offered_version, read_rgb, take_over, wrap_context

if TYPE_CHECKING:
    import moderngl


class Offscreen:
    """A picture in memory to draw on. size: (width, height), px.

    Its context is current on the calling thread once it is made. Raises BadInput for a size that the driver cannot
    draw, and GraphicsError if no OpenGL 3.3 context can be made.
    """

    refresh_hz = 60.0

    def __init__(self, size: tuple[int, int]) -> None:
        self.size = (int(size[0]), int(size[1]))
        if min(self.size) < 1:
            raise BadInput(f"a picture of {size[0]}x{size[1]} px cannot be drawn; both must be at least 1")
        self._scratch: np.ndarray | None = None
        self._loader: Any = None
        take_over(_detach_context)
        try:
            self._loader = _open_loader()
            self.ctx: moderngl.Context = wrap_context(self._loader, standalone=True)
            largest = min(self.ctx.info["GL_MAX_RENDERBUFFER_SIZE"], *self.ctx.info["GL_MAX_VIEWPORT_DIMS"])
            if max(self.size) > largest:
                raise BadInput(
                    f"this graphics driver cannot draw pictures of {size[0]}x{size[1]}; "
                    f"--size may be up to {largest}x{largest} here"
                )
            self._target = self.ctx.renderbuffer(self.size, 4)
            self.framebuffer = self.ctx.framebuffer([self._target])
            self.framebuffer.use()
        except BaseException:
            self.close()
            raise

    @property
    def framebuffer_size(self) -> tuple[int, int]:
        """Width and height, px."""
        return self.size

    def make_current(self) -> None:
        """Make this the surface that is drawn on, when another was used on this thread since."""
        take_over(_detach_context)
        self._loader.__enter__()
        self.framebuffer.use()

    def finish(self) -> None:
        """Does nothing: reading the picture waits for it."""

    def swap(self) -> None:
        """Wait until the picture is drawn, while other Python threads run."""
        gl_finish(self.ctx)

    def read(self, out: np.ndarray | None = None) -> np.ndarray:
        """The picture drawn: (H, W, 3) uint8, top row first. out: a contiguous array of that kind to fill and
        return.
        """
        width, height = self.size
        if out is None:
            out = np.empty((height, width, 3), np.uint8)
        elif out.shape != (height, width, 3) or out.dtype != np.uint8:
            raise BadInput(f"out must be {(height, width, 3)} uint8, not {out.shape} {out.dtype}")
        if self._scratch is None:
            self._scratch = np.empty((height, width, 3), np.uint8)
        read_rgb(self.ctx, self._scratch)
        np.copyto(out, self._scratch[::-1])  # OpenGL's first row is the bottom one
        return out

    def close(self) -> None:
        """Release everything; may be called twice."""
        leave(_detach_context)
        if self._loader is not None:
            # textures and programs are released with their context
            self._loader.release()
            self._loader = None

    def __enter__(self) -> Offscreen:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def _detach_context() -> None:
    """Make no EGL context current on this thread. The other kinds of context do not need it."""
    if not sys.platform.startswith("linux"):
        return
    library = ctypes.util.find_library("EGL")
    if library:
        egl = ctypes.CDLL(library)
        egl.eglGetCurrentDisplay.restype = ctypes.c_void_p
        egl.eglMakeCurrent.argtypes = [ctypes.c_void_p] * 4
        if display := egl.eglGetCurrentDisplay():
            egl.eglMakeCurrent(display, None, None, None)


def _open_loader() -> Any:
    """A new context without a window, made current: by EGL on Linux, by glcontext's default elsewhere."""
    import glcontext  # type: ignore[import-untyped]

    ways = [glcontext.default_backend]
    if sys.platform.startswith("linux"):
        ways = [lambda: glcontext.get_backend_by_name("egl")]
        if os.environ.get("DISPLAY"):
            ways.append(glcontext.default_backend)  # GLX: for drivers without EGL
    reasons: list[str] = []
    for way in ways:
        try:
            return way()(mode="standalone", glversion=NEEDED_VERSION)
        except Exception as error:  # noqa: BLE001  glcontext raises bare Exception, ImportError and OSError for one cause
            reasons.append(" ".join(str(error).split()))
    older = _older_version(ways[0])
    if older:
        raise GraphicsError(needs_newer(older))
    raise GraphicsError(
        f"no OpenGL for drawing without a window ({'; '.join(reasons)}); "
        "on Linux install libegl1, libgl1 and libgl1-mesa-dri"
    )


def _older_version(way: Any) -> str | None:
    """The version of a driver that has no OpenGL 3.3; None if there is no OpenGL at all."""
    try:
        loader = way()(mode="standalone", glversion=210)
        try:
            return offered_version(loader)
        finally:
            loader.release()
    except Exception:  # noqa: BLE001  as above; the first reason is the one to report
        return None
