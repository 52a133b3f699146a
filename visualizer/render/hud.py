"""Words over the picture: a panel of lines in the corner and a short notice at the bottom, legible over anything."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .gl import base_shader, compile_program, set_uniforms
from .text import Layout, draw_panel, panel_size, system_font_files

if TYPE_CHECKING:
    import moderngl


class Hud:
    """Lines of text drawn over a picture. ctx: the context of the Stage. Text that stays the same costs next to nothing."""

    def __init__(self, ctx: moderngl.Context) -> None:
        self._ctx = ctx
        self._program = compile_program(ctx, base_shader("cover.vert"), base_shader("panel.frag"))
        self._triangle = ctx.vertex_array(self._program, [])
        self._lines = _Panel(ctx, steady=True)
        self._keys = _Panel(ctx, steady=False)
        self._notice = _Panel(ctx, steady=False)
        if (layout := Layout.of((640, 360))) is not None:
            draw_panel(
                ("…",), layout, steady=False
            )  # what draws letters is loaded now and not in the middle of the picture
        # the fonts for other scripts are found beside it: with many fonts installed that takes several display frames
        threading.Thread(target=system_font_files, name="fonts", daemon=True).start()

    def draw(
        self,
        lines: Sequence[str],
        size: tuple[int, int],
        notice: str | None = None,
        keys: Sequence[str] = (),
    ) -> None:
        """Draw over what is there.

        lines: for the panel at the top left; nothing if empty. size: (width, height) of the framebuffer, px. notice: one
        short line at the bottom, in the middle. keys: for a panel at the top right; where it does not fit beside the first,
        below that one or in smaller letters. Text may be anything: what does not fit ends in an ellipsis. Letters grow with
        the height of the picture.
        """
        layout = Layout.of(size)
        if layout is None:
            return
        margin_px = layout.margin_px
        top_px = size[1] - margin_px
        self._lines.prepare(tuple(lines), layout)
        self._notice.prepare((notice,) if notice else (), layout)
        keys_layout, below_px = self._room_for(tuple(keys), layout, size)
        self._keys.prepare(tuple(keys) if keys_layout is not None else (), keys_layout or layout)
        left_px = margin_px if below_px else size[0] - margin_px - self._keys.size[0]
        self._draw_panel(self._lines, (margin_px, top_px - self._lines.size[1]))
        self._draw_panel(self._keys, (left_px, top_px - below_px - self._keys.size[1]))
        self._draw_panel(self._notice, ((size[0] - self._notice.size[0]) // 2, margin_px))

    def _room_for(self, keys: tuple[str, ...], layout: Layout, size: tuple[int, int]) -> tuple[Layout | None, int]:
        """How the keys are laid out, as large as they fit (None: not at all), and how far below the top they begin, px."""
        if not keys:
            return None, 0
        gap_px = layout.margin_px // 2
        taken = self._lines.size
        beside = (size[0] - 2 * layout.margin_px - (taken[0] + gap_px if taken[0] else 0), layout.max_height_px)
        below_px = taken[1] + gap_px if taken[1] else 0
        below = (layout.max_width_px, layout.max_height_px - below_px)
        for factor in (1.0, 0.85, 0.7, 0.55):
            for room, down_px in ((beside, 0), (below, below_px)):
                # a long list is not cut while smaller letters can show it all
                if (tried := layout.smaller(factor, room)) is not None and tried.max_lines >= len(keys):
                    whole = panel_size(keys, dataclasses.replace(tried, max_width_px=size[0]), steady=False)
                    if whole[0] <= room[0]:
                        return tried, down_px
        return layout.smaller(1.0, below), below_px

    def release(self) -> None:
        """Give the graphics memory back. The context must still be there; may be called twice."""
        self._lines.release()
        self._notice.release()
        self._keys.release()
        self._triangle.release()
        self._program.release()

    def _draw_panel(self, panel: _Panel, corner: tuple[int, int]) -> None:
        """corner: the lower left one, px from the picture's lower left."""
        import moderngl

        if panel.texture is None:
            return
        ctx = self._ctx
        ctx.viewport = (*corner, *panel.size)
        panel.texture.use(0)
        set_uniforms(self._program, {"panel": 0, "panel_corner": corner, "panel_height": float(panel.size[1])})
        ctx.enable_only(moderngl.BLEND)
        ctx.blend_func = (moderngl.ONE, moderngl.ONE_MINUS_SRC_ALPHA)
        self._triangle.render(vertices=3)
        ctx.enable_only(moderngl.NOTHING)


class _Panel:
    """One panel's texture, made anew only when its text or the picture's size changes."""

    def __init__(self, ctx: moderngl.Context, *, steady: bool) -> None:
        self._ctx = ctx
        self._steady = steady
        self._shown: tuple[tuple[str, ...], Layout] | None = None
        self.texture: moderngl.Texture | None = None
        self.size = (0, 0)

    def prepare(self, lines: tuple[str, ...], layout: Layout) -> None:
        if self._shown == (lines, layout) or (not lines and self.texture is None):
            return
        self._shown = (lines, layout)
        pixels = draw_panel(lines, layout, steady=self._steady)
        size = (0, 0) if pixels is None else (pixels.shape[1], pixels.shape[0])
        if size != self.size:
            self.release()
            self._shown = (lines, layout)
            self.size = size
            if pixels is not None:
                self.texture = self._ctx.texture(size, 4)
        if pixels is not None and self.texture is not None:
            self.texture.write(pixels)

    def release(self) -> None:
        if self.texture is not None:
            self.texture.release()
        self.texture, self.size, self._shown = None, (0, 0), None
