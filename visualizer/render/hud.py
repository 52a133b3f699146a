"""The HUD: text over the picture, in boxes at the top and a notice at the bottom, legible over any picture."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .gl import base_shader, compile_program, set_uniforms
from .text import Layout, draw_text_box, system_font_files, text_box_size, wrapped

if TYPE_CHECKING:
    import moderngl

#: lines that a long notice is divided into: the file, line and what is wrong of a look are seen in a small window, too
NOTICE_LINES = 3


class Hud:
    """Draws lines of text over a picture. ctx: the OpenGL context of the picture.

    Text is prepared by `write` when nothing is urgent, and drawn by `show` in every display frame.
    """

    def __init__(self, ctx: moderngl.Context) -> None:
        self._ctx = ctx
        self._program = compile_program(ctx, base_shader("cover.vert"), base_shader("panel.frag"))
        self._triangle = ctx.vertex_array(self._program, [])
        self._lines = _TextBox(ctx, steady=True)
        self._keys = _TextBox(ctx, steady=False)
        self._notice = _TextBox(ctx, steady=False)
        self._boxes: list[tuple[_TextBox, tuple[int, int]]] = []  # with the lower left corner of each, px
        self._written: object = None
        if (layout := Layout.of((640, 360))) is not None:
            draw_text_box(("…",), layout, steady=False)  # loads Pillow now, and not between two display frames
        # the fonts for other scripts are searched in a thread: with many fonts installed that takes several display
        # frames
        threading.Thread(target=system_font_files, name="fonts", daemon=True).start()

    def draw(
        self, lines: Sequence[str], size: tuple[int, int], notice: str | None = None, keys: Sequence[str] = ()
    ) -> None:
        """Draw text over the picture at once: `write` and `show`."""
        self.write(lines, size, notice, keys)
        self.show()

    def write(
        self, lines: Sequence[str], size: tuple[int, int], notice: str | None = None, keys: Sequence[str] = ()
    ) -> None:
        """Prepare the text that `show` draws: takes milliseconds where it has changed.

        Any text is accepted: what does not fit ends in an ellipsis; the font size follows the picture's.

        Parameters
        ----------
        lines : for the box at the top left; no box if empty.
        size : (width, height) of the framebuffer, px.
        notice : at the bottom, in at most NOTICE_LINES lines.
        keys : for a box at the top right; below the first one, in a smaller font or in two columns where it does not
            fit beside it.
        """
        text = (tuple(lines), size, notice, tuple(keys))
        if text == self._written:
            return
        self._boxes, self._written = [], None
        layout = Layout.of(size)
        if layout is None:
            return
        margin_px = layout.margin_px
        top_px = size[1] - margin_px
        self._lines.prepare(tuple(lines), layout)
        keys_text, keys_layout, below_px = self._fit_keys(tuple(keys), layout, size)
        self._keys.prepare(keys_text, keys_layout)
        keys_px = (
            margin_px if below_px else size[0] - margin_px - self._keys.size[0],
            top_px - below_px - self._keys.size[1],
        )
        left_px, room_px, is_at_top = self._notice_room(layout, size, keys_px)
        notice_layout = dataclasses.replace(layout, max_width_px=room_px)
        self._notice.prepare(wrapped(notice, notice_layout, NOTICE_LINES) if notice else (), notice_layout)
        width_px, height_px = self._notice.size
        notice_px = (left_px + (room_px - width_px) // 2, top_px - height_px if is_at_top else margin_px)
        self._boxes = [
            (self._lines, (margin_px, top_px - self._lines.size[1])),
            (self._keys, keys_px),
            (self._notice, notice_px),
        ]
        self._written = text

    def show(self) -> None:
        """Draw what was written over the picture. Takes almost no time."""
        for box, corner in self._boxes:
            self._draw_box(box, corner)

    def _fit_keys(
        self, keys: tuple[str, ...], layout: Layout, size: tuple[int, int]
    ) -> tuple[tuple[str, ...], Layout, int]:
        """The lines of the keys, as large as they fit (none: they do not), their layout, and their distance from the
        top, px.
        """
        gap_px = layout.margin_px // 2
        taken = self._lines.size
        beside = (size[0] - 2 * layout.margin_px - (taken[0] + gap_px if taken[0] else 0), layout.max_height_px)
        below_px = taken[1] + gap_px if taken[1] else 0
        below = (layout.max_width_px, layout.max_height_px - below_px)
        # a smaller font, two columns, lines close together rather than a list that is cut
        for text, closer in ((keys, 1.0), (_in_two_columns(keys), 1.0), (_in_two_columns(keys), 0.87)):
            for factor in (1.0, 0.85, 0.7, 0.55):
                for room, down_px in ((beside, 0), (below, below_px)):
                    tried = layout.smaller(factor, room, closer)
                    if tried is not None and tried.max_lines >= len(text):
                        whole = text_box_size(text, dataclasses.replace(tried, max_width_px=size[0]), steady=False)
                        if whole[0] <= room[0]:
                            return text, tried, down_px
        cut = layout.smaller(1.0, below)
        return (keys, cut, below_px) if cut is not None else ((), layout, 0)

    def _notice_room(self, layout: Layout, size: tuple[int, int], keys_px: tuple[int, int]) -> tuple[int, int, bool]:
        """Where a notice is written: left edge and width of its room, px, and whether it is at the top.

        It is at the bottom; where the keys reach as far down, beside them, or beside the figures at the top, if a
        quarter of the width is free there. keys_px: lower left corner of the keys.
        """
        margin_px, gap_px = layout.margin_px, layout.margin_px // 2
        highest_px = margin_px + NOTICE_LINES * layout.line_px + 2 * layout.padding_px
        if self._keys.size[0] and keys_px[1] <= highest_px:
            if (room_px := keys_px[0] - gap_px - margin_px) >= size[0] / 4:
                return margin_px, room_px, False
            left_px = margin_px + self._lines.size[0] + gap_px
            if (room_px := size[0] - margin_px - left_px) >= size[0] / 4:
                return left_px, room_px, True
        return margin_px, layout.max_width_px, False

    def release(self) -> None:
        """Release the textures and programs. The context must still exist. May be called twice."""
        self._boxes, self._written = [], None
        self._lines.release()
        self._notice.release()
        self._keys.release()
        self._triangle.release()
        self._program.release()

    def _draw_box(self, box: _TextBox, corner: tuple[int, int]) -> None:
        """corner: lower left corner of the box, px from the lower left of the picture."""
        import moderngl

        if box.texture is None:
            return
        ctx = self._ctx
        ctx.viewport = (*corner, *box.size)
        box.texture.use(0)
        set_uniforms(self._program, {"panel": 0, "panel_corner": corner, "panel_height": float(box.size[1])})
        ctx.enable_only(moderngl.BLEND)
        ctx.blend_func = (moderngl.ONE, moderngl.ONE_MINUS_SRC_ALPHA)
        self._triangle.render(vertices=3)
        ctx.enable_only(moderngl.NOTHING)


class _TextBox:
    """The texture of one text box, drawn again only when its text or the size of the picture changes."""

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
        pixels = draw_text_box(lines, layout, steady=self._steady)
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


def _in_two_columns(lines: tuple[str, ...]) -> tuple[str, ...]:
    """Lines of two cells as half as many of four: the second half beside the first."""
    n_rows = (len(lines) + 1) // 2
    return tuple("\t".join(lines[row::n_rows]) for row in range(n_rows))
