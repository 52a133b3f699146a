"""What the audience sees: a scene, the crossing to the next one, the freeze, the blackout, and the size it is drawn in."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from ..render.gl import Stage, gl_finish
from ..render.layer import Layer, Overlay
from .loop import Shown
from .scene import Scene
from .sound import Sound

FADE_S = 0.7  # from one scene to the next
BLACKOUT_S = 0.3  # to black, and back
WAIT_S = 2.5  # how long the next scene is waited for to have its first depth; then its image alone comes
LONGEST_STEP_S = 0.1  # after a pause a fade goes on from where it was


class Projection:
    """Draws scenes. stage: what is drawn on. now: seconds; fades go by it and not by the sound, which may be paused.

    scale: the share of the stage's width and height that is drawn and then stretched; at 1 nothing is.
    """

    def __init__(self, stage: Stage, scene: Scene, *, now: Callable[[], float]) -> None:
        self.scene = scene
        self.coming: Scene | None = None
        self.leaving: Scene | None = None
        self.scale = 1.0
        self.is_dark = False
        self.is_busy = False  # whether the last display frame took longer than they do
        self._now = now
        self._last_s = now()
        self._waited_s = self._mix = self._dark = 0.0
        self._frozen: tuple[float, float, float] | None = None  # time, level and place along the variants
        self._freezes = False
        self._depth = 0.0  # drawn last
        self._ctx = stage.ctx
        self._overlay = Overlay(stage.ctx)
        self._small, self._aside = Layer(stage.ctx), Layer(stage.ctx)

    @property
    def is_frozen(self) -> bool:
        """Whether the picture stands still."""
        return self._freezes

    @property
    def is_black(self) -> bool:
        """Whether nothing is left to be seen."""
        return self._dark >= 1.0

    @property
    def is_crossing(self) -> bool:
        """Whether one scene is passing into the next."""
        return self.leaving is not None

    def freeze(self, frozen: bool) -> None:
        """Let the picture stand still, or go on."""
        self._freezes, self._frozen = frozen, None

    def begin_dark(self) -> None:
        """Be black from the first picture on, with no fade."""
        self.is_dark, self._dark = True, 1.0

    def go_on_from(self, before: Projection) -> None:
        """Stand as another did: frozen, dark, and as small."""
        self.is_dark, self._dark, self.scale = before.is_dark, before._dark, before.scale
        self._freezes, self._frozen = before._freezes, before._frozen

    def draw_plainly(self, time_s: float, sound: Sound, size: tuple[int, int]) -> Shown:
        """Draw the scene's first variant and nothing else, for when the rest fails."""
        with suppress(Exception):  # what failed may be this; then the depth drawn last goes on
            time_s, level, place = self._heard(time_s, sound)
            self._depth, _ = self.scene.where(level, place, self._last_s)
        if self.is_dark:
            self._overlay.darken(size, 1.0)
        elif min(size) > 0:
            self.scene.picture.draw_plainly(self._depth, size)
        return Shown(time_s, self._depth, self.scene.n_baked)

    def bring(self, scene: Scene) -> Scene | None:
        """Cross to a scene as soon as it has something to show. Another that was to come and is not seen yet is returned."""
        replaced, self.coming = self.coming, scene
        self._waited_s = 0.0
        return replaced

    def take_gone(self) -> Scene | None:
        """The scene that has left the stage, once."""
        if self.leaving is None or self._mix < 1.0:
            return None
        gone, self.leaving = self.leaving, None
        self._aside.release()
        return gone

    def draw(self, time_s: float, sound: Sound, size: tuple[int, int]) -> Shown:
        """Draw the display frame of a time in seconds of sound on a stage of `size` (width, height), px."""
        self._go_on()
        time_s, level, place = self._heard(time_s, sound)
        if size != (0, 0):
            self._picture(time_s, level, place, size)
        depth, variant = self.scene.where(level, place, self._last_s)
        self._depth = depth
        return Shown(time_s, depth, self.scene.n_baked, variant)

    def release(self) -> None:
        """Give the graphics memory back, the scenes' too."""
        for scene in (self.scene, self.coming, self.leaving):
            if scene is not None:
                scene.picture.release()
        self._overlay.release()
        self._small.release()
        self._aside.release()

    def _go_on(self) -> None:
        """Let the fades go on, and take the dream frames that have come."""
        now_s = self._now()
        step_s = min(now_s - self._last_s, LONGEST_STEP_S)
        self._last_s = now_s
        change = step_s / BLACKOUT_S
        self._dark = min(self._dark + change, 1.0) if self.is_dark else max(self._dark - change, 0.0)
        if self.leaving is not None:
            self._mix = min(self._mix + step_s / FADE_S, 1.0)
        self.scene.take()
        self.is_busy = self.leaving is not None or self.coming is not None or self.scene.n_put > 0
        if self.coming is not None and self.leaving is None:
            self.coming.take()
            self._waited_s += step_s
            if self.coming.has_depth or (self._waited_s > WAIT_S and self.coming.picture.deepest == 0):
                self.leaving, self.scene, self.coming = self.scene, self.coming, None
                self._mix = 0.0

    def _heard(self, time_s: float, sound: Sound) -> tuple[float, float, float]:
        """Time, level 0..1, and place along the variants; those of the moment of the freeze while it lasts."""
        if self._frozen is not None:
            return self._frozen
        heard = (time_s, sound.level_at(time_s), sound.variant_at(time_s))
        if self._freezes:
            self._frozen = heard
        return heard

    def _picture(self, time_s: float, level: float, place: float, size: tuple[int, int]) -> None:
        if self._dark >= 1.0:
            self._overlay.darken(size, 1.0)
            return
        drawn = (
            size if self.scale == 1.0 else (max(1, round(size[0] * self.scale)), max(1, round(size[1] * self.scale)))
        )
        if self.leaving is not None:
            self._aside.begin(drawn)
            self._draw_scene(self.leaving, time_s, level, place, drawn)
            self._aside.end()
            # with two passes at work llvmpipe keeps what the second has drawn with, here all of the scene that leaves
            gl_finish(self._ctx)
        if drawn != size:
            self._small.begin(drawn)
        self._draw_scene(self.scene, time_s, level, place, drawn)
        if self.leaving is not None and self._aside.texture is not None:
            mix = self._mix * self._mix * (3 - 2 * self._mix)
            self._overlay.lay(self._aside.texture, drawn, 1 - mix)
        if drawn != size:
            self._small.end()
            if self._small.texture is not None:
                self._overlay.lay(self._small.texture, size)
        if self._dark > 0:
            self._overlay.darken(size, self._dark)

    def _draw_scene(self, scene: Scene, time_s: float, level: float, place: float, size: tuple[int, int]) -> None:
        # how far the beat may act eases with the time of the fades: it does so while the sound is paused, too
        depth, variant = scene.where(level, place, self._last_s)
        if scene.picture.deepest >= 0:
            scene.picture.draw(depth, size, time_s, variant)
