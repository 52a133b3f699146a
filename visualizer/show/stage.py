"""The stage: the presets that are shown, the transition from one to the next, freeze and blackout. Time is handed
in.
"""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import nullcontext
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from ..beat.features import VARIANT, Features
from ..control.parameters import Value
from ..easing import smoothstep
from ..oneline import plain
from ..presets.dreams import DreamFrame, FrameSource
from ..presets.loaded import LoadedPreset
from ..render.chain import Attempts, Link
from ..render.dream_texture import TooLittleMemory
from ..render.gl import Surface, gl_finish
from ..render.layer import Layer, Overlay
from ..render.look_renderer import Date
from ..render.picture import Picture
from ..render.programs import Programs
from ..settings import BeatSettings
from ..supervision.resume import JourneyState
from .chain_control import ChainControl
from .depth import DepthLimiter, depth_of
from .journey_state import ResumedJourney
from .look_values import needs_of, uniforms_of
from .open_looks import open_links, open_transition
from .travel import N_SLOTS, Travel

FADE_S = 0.7  # from one preset to the next
BLACKOUT_S = 0.3  # to black, and back
UNKNOWN_START = datetime(2000, 1, 1)  # local date and time at second 0 of a source, where nothing else is known
WAIT_S = 2.5  # how long the next preset is waited for to have its first depth; then its image alone is shown
NO_JOURNEY = "this preset has no journey that could come to a picture; --journey makes one of any"


class DisplayFrame(NamedTuple):
    """One display frame.

    time_s: seconds of the source. depth: the dream frame drawn, 0..n_depths. n_baked: finished dream frames so far, see
    `Scene.n_baked`: of all variants, or of the station that a journey is in; all are n_depths of each, since depth 0 is
    the image itself. variant: the one drawn, 0..n_variants - 1. is_drawn: False where drawing failed and the display
    frame before stays on the screen.
    """

    time_s: float
    depth: float
    n_baked: int
    variant: float = 0.0
    is_drawn: bool = True


class Scene:
    """A preset on the stage: its picture, and its dream frames as they arrive.

    picture: released with the scene. loaded: the preset; beat: its beat settings with what was set by hand. at_most:
    how many dream frames are put into the picture for one display frame, None: all that have arrived. Each takes
    milliseconds, so a show that is running takes one at a time. journey: where its journey goes on.

    control: sets the numbers of its looks. travel: of a preset with a journey, where the show is along it. frames:
    which dream frames are in the picture, as (variant, depth), and whether each is finished. on_put: called with every
    one that is put in.
    """

    def __init__(
        self,
        picture: Picture,
        dreams: FrameSource,
        loaded: LoadedPreset,
        *,
        at_most: int | None = None,
        journey: JourneyState | None = None,
    ) -> None:
        self.picture, self.dreams, self.loaded, self.at_most = picture, dreams, loaded, at_most
        self.n_depths, self.beat = loaded.n_depths, loaded.settings.beat
        self.control = ChainControl(loaded, picture.links)
        self.n_put = 0  # for the last display frame
        self.frames: dict[tuple[int, int], bool] = {}
        self.on_put: Callable[[DreamFrame], None] = ignored_frame
        self._waiting: deque[DreamFrame] = deque()
        self._finished: set[tuple[int, int]] = set()
        self._depths, self._variants = DepthLimiter(self.n_depths), DepthLimiter(max(picture.n_variants - 1, 1))
        self._last_variant = 0
        self.began_s: float | None = None  # time of its first display frame
        self._n_asked = 0  # pictures of the preset, by a key
        self.travel: Travel | None = None
        if loaded.journey is not None and dreams.stations is not None:
            self.travel = Travel(dreams, dreams.stations, picture.dreams, journey)

    @property
    def n_baked(self) -> int:
        """Finished dream frames so far, of all variants; of a journey those of the station that it is in."""
        if self.travel is None:
            return len(self._finished)
        return sum(slot == self.travel.slot for slot, _ in self._finished)

    @property
    def news(self) -> tuple[str, ...]:
        """Lines the user should read about the preset and its look."""
        own = self.travel.news if self.travel is not None else ()
        return (*self.loaded.news, *own, *(line for one in self.all_links for line in one.look.declaration.news))

    @property
    def faults(self) -> tuple[str | None, ...]:
        """Lines about what its dream or its journey could not do, None where there is nothing to say."""
        return self.dreams.fault, self.travel.fault if self.travel is not None else None

    @property
    def all_links(self) -> tuple[Link, ...]:
        """Its looks, and the one that leads to it."""
        transition = self.picture.transition
        return (*self.picture.links, *([transition] if transition is not None else []))

    @property
    def transition_s(self) -> float:
        """How long the transition to it takes, seconds."""
        transition = self.loaded.settings.render.transition
        return FADE_S if transition is None or self.picture.transition is None else transition.seconds

    @property
    def has_depth(self) -> bool:
        """Whether there is more to see than the image alone."""
        return self.picture.deepest > 0

    def take(self) -> None:
        """Put the dream frames that have arrived into the picture."""
        self._waiting.extend(self.dreams.poll())
        self.n_put = 0
        while self._waiting and (self.at_most is None or self.n_put < self.at_most):
            placed = self._waiting.popleft()
            if self.travel is not None:
                if (slot := self.travel.slot_of(placed.variant)) is None:  # passed meanwhile
                    continue
                placed = placed._replace(variant=slot)
                if placed.depth_index == 0:  # another station is in this slot from now on
                    self.frames = {place: done for place, done in self.frames.items() if place[0] != slot}
                    self._finished = {place for place in self._finished if place[0] != slot}
            self.picture.put(placed.depth_index, placed.frame, placed.variant)
            self.n_put += 1
            self.frames[placed.variant, placed.depth_index] = placed.finished
            self.on_put(placed)
            if placed.finished and placed.depth_index > 0:
                self._finished.add((placed.variant, placed.depth_index))
        picture = self.picture
        # a variant is crossed to once it goes as deep as the first: a picture that crosses to it must not lose its
        # depth
        while self._last_variant + 1 < picture.n_variants and picture.deepest_of(self._last_variant + 1) >= max(
            picture.deepest, 1
        ):
            self._last_variant += 1

    def ease(self, dt_s: float) -> None:
        """Go on by dt_s seconds: the depths and variants that exist are reached smoothly."""
        self._depths.advance(max(self.picture.deepest, 0), dt_s)
        self._variants.advance(self._last_variant, dt_s)

    def depth_and_variant(self, features: Features) -> tuple[float, float]:
        """The depth and the variant to draw, of those that exist."""
        depth = depth_of(features.level, self.n_depths, self.beat)
        if self.travel is not None:  # each station is limited by itself
            return depth, 0.0
        variant = self._variants.limited(features.variant * (self.picture.n_variants - 1))
        return self._depths.limited(depth), variant

    def exchange(self, loaded: LoadedPreset, links: Sequence[Link], transition: Link | None) -> None:
        """Show the preset as it was edited, with these looks and the one that leads to it. What they keep from one
        display frame to the next stays. Raises VisualizerError, and changes nothing then.
        """
        control = ChainControl(loaded, links, self.control)
        self.picture.set_links(links, transition)
        self.loaded, self.beat, self.control = loaded, loaded.settings.beat, control
        if self.travel is not None and loaded.journey is not None:
            self.travel.settings = loaded.journey

    @property
    def needs(self) -> frozenset[str]:
        """The fields of `Features` that it is drawn from."""
        if self.travel is not None:
            own = self.travel.needs
        else:
            own = frozenset({VARIANT}) if self.picture.n_variants > 1 else frozenset()
        return needs_of(self.picture.needs) | self.control.needs | own

    def lead_to(self, picture: Path) -> str:
        """Begin the next station of its journey with the picture of a file. Returns a line for the user."""
        return f"{plain(picture.name)}: {NO_JOURNEY}" if self.travel is None else self.travel.lead_to(picture)

    def lead_to_next(self) -> str:
        """Begin the next station of its journey with the next picture of the preset: the one that would come next by
        itself, then those after it. Returns a line for the user.
        """
        journey, folder = self.loaded.journey, self.loaded.folder
        if self.travel is None or journey is None:
            return NO_JOURNEY
        if not journey.pictures or folder is None:
            return "this preset has no pictures; name some as journey.pictures in its preset.yaml"
        n_passed = int(abs(self.travel.position) // journey.picture_every) if journey.picture_every else 0
        picture = journey.pictures[(n_passed + self._n_asked) % len(journey.pictures)]
        self._n_asked += 1
        return self.travel.lead_to(folder / picture)

    @property
    def is_led(self) -> bool:
        """Whether its journey comes to a picture that is not seen yet."""
        return self.travel is not None and self.travel.is_led

    def next_layer(self) -> str:
        """Dream the next station of its journey with another dream, see `Travel`. Returns a line for the user."""
        return NO_JOURNEY if self.travel is None else self.travel.next_layer()

    def move(self, features: Features) -> None:
        """Move the numbers of the looks, and a journey, to the instant of the features: before each display frame,
        drawn or not.
        """
        # after a seek backwards the looks begin anew, too
        if self.began_s is None or features.time_s < self.began_s:
            self.began_s = features.time_s
        if self.travel is not None:
            self.travel.move(features)
        self.control.move(features, *self.depth_and_variant(features))

    def draw(self, features: Features, size: tuple[int, int], date: Date, attempts: Attempts | None = None) -> None:
        """Draw over the whole framebuffer in use. size: its (width, height), px. date: of the display frame. attempts:
        see `Picture.draw`.
        """
        if self.picture.deepest >= 0:
            depth, variant = self.depth_and_variant(features)
            uniforms = uniforms_of(features, self.picture.needs)
            began_s = self.began_s or 0.0
            self.picture.draw(
                depth, size, features.time_s, variant, uniforms, date=date, began_s=began_s, attempts=attempts
            )

    def clear_history(self) -> None:
        """Begin again with what its looks keep from one display frame to the next."""
        self.picture.clear_history()
        self.control.begin_again()
        self.began_s = None


class Stage:
    """Draws scenes. surface: whose context it draws with.

    All that is kept from one display frame to the next (fades, transitions, limiters, and what a look declares that it
    keeps) lives here and in the scenes, and depends on nothing but the features and the seconds handed in: running a
    show again from its start rebuilds it.

    scene: the one shown, coming: the one that waits for its first depth, leaving: the one that the transition fades
    out. began: local date and time at second 0 of the source. unseen_size: (width, height) that a look which keeps
    something is drawn in where nothing is seen, px: the size drawn last, that of the dream frames if None.
    """

    def __init__(self, surface: Surface, scene: Scene) -> None:
        self.scene = scene
        self.coming: Scene | None = None
        self.leaving: Scene | None = None
        self.is_dark = False
        self.is_frozen = False
        self.journey_speed = 1.0
        self._waited_s = self._mix = self._dark = 0.0
        self._kept: Features | None = None  # the features at the moment of the freeze
        self._ctx = surface.ctx
        self._overlay, self._leaving_layer = Overlay(surface.ctx), Layer(surface.ctx)
        self._scene_layer, self._unseen_layer = Layer(surface.ctx), Layer(surface.ctx)
        self.began = UNKNOWN_START
        self.unseen_size: tuple[int, int] | None = None

    @property
    def scenes(self) -> list[Scene]:
        """All that are on it."""
        return [scene for scene in (self.scene, self.coming, self.leaving) if scene is not None]

    @property
    def is_crossing(self) -> bool:
        """Whether a transition from one scene to the next is under way."""
        return self.leaving is not None

    @property
    def is_busy(self) -> bool:
        """Whether the last display frame took longer than they usually do: a transition, or new dream frames."""
        return self.leaving is not None or self.coming is not None or self.scene.n_put > 0

    @property
    def needs(self) -> frozenset[str]:
        """The fields of `Features` that are drawn from."""
        return frozenset().union(*(scene.needs for scene in self.scenes))

    def set_by_hand(self, by_hand: Mapping[str, Value]) -> None:
        """Take over all that a hand has set of the looks of the scene shown, see `ChainControl`."""
        self.scene.control.set_by_hand(by_hand)

    @property
    def moving(self) -> dict[str, float]:
        """The parameters of the looks of the scene shown that the music moves now, and the number that each has."""
        return self.scene.control.numbers

    def fire(self, name: str) -> None:
        """Set an event of the looks of the scene shown: it is on for one display frame."""
        self.scene.control.fire(name)

    def moved_beat(self, known: Mapping[str, Value]) -> dict[str, float]:
        """The settings of the beat that expressions of the scene shown have moved, see `ChainControl.moved_beat`."""
        return self.scene.control.moved_beat(known)

    def set_beat(self, beat: BeatSettings) -> None:
        """Take over the beat settings of the scene that is shown, with what was set by hand: `motion` decides whether
        depths are whole.
        """
        self.scene.beat = beat

    def freeze(self, frozen: bool) -> None:
        """Freeze the picture, or let it move on."""
        self.is_frozen, self._kept = frozen, None

    def begin_dark(self) -> None:
        """Begin black, without a fade."""
        self.is_dark, self._dark = True, 1.0

    def continue_from(self, before: Stage) -> None:
        """Take over whether another stage was frozen, how dark it was, its date, and what moves its looks, which are
        the same.
        """
        self.scene.control = before.scene.control
        self.began = before.began
        self.scene.began_s = before.scene.began_s
        self.is_dark, self._dark = before.is_dark, before._dark
        self.is_frozen, self._kept = before.is_frozen, before._kept

    def bring(self, scene: Scene) -> Scene | None:
        """Begin a transition to a scene as soon as it has its first depth. Returns the scene that was waiting before,
        if any.
        """
        replaced, self.coming = self.coming, scene
        self._waited_s = 0.0
        return replaced

    def cross(self) -> None:
        """Begin the transition to the scene that waits, with the depths that it has; only if none is under way."""
        if self.coming is not None and self.leaving is None:
            self.leaving, self.scene, self.coming = self.scene, self.coming, None
            self._mix = 0.0
            self.scene.ease(0.0)

    def take_gone(self) -> Scene | None:
        """The scene whose transition has ended, once."""
        if self.leaving is None or self._mix < 1.0:
            return None
        gone, self.leaving = self.leaving, None
        self._leaving_layer.release()
        self._scene_layer.release()
        return gone

    def advance(self, dt_s: float) -> None:
        """Go on by dt_s seconds: fades, transitions, and the dream frames that have arrived. Sound may be paused
        meanwhile.
        """
        change = dt_s / BLACKOUT_S
        self._dark = min(self._dark + change, 1.0) if self.is_dark else max(self._dark - change, 0.0)
        if self.leaving is not None:
            self._mix = min(self._mix + dt_s / self.scene.transition_s, 1.0)
            self.leaving.ease(dt_s)
        self.scene.take()
        self.scene.ease(dt_s)
        if self.coming is not None and self.leaving is None:
            self.coming.take()
            self._waited_s += dt_s
            if self.coming.has_depth or (self._waited_s > WAIT_S and self.coming.picture.deepest == 0):
                self.cross()

    def draw(self, features: Features, size: tuple[int, int], attempts: Attempts | None = None) -> DisplayFrame:
        """Draw the picture of one instant over the whole framebuffer in use.

        size: its (width, height), px; (0, 0) draws nothing. attempts: a look that fails is left out, see
        `Picture.draw`.

        Looks that keep something are drawn even where nothing is seen (size (0, 0), a blackout): what they keep must
        not depend on whether the window is minimised.
        """
        features = self.held(features)
        for scene in filter(None, (self.leaving, self.scene)):
            if scene.travel is not None:
                scene.travel.speed = self.journey_speed
            scene.move(features)
        depth, variant = self.scene.depth_and_variant(features)
        is_seen = min(size) > 0
        if is_seen:
            self.unseen_size = size
        if is_seen and self._dark < 1.0:
            self._unseen_layer.release()
            self._draw_scenes(features, size, attempts)
        else:
            self._draw_unseen(features, attempts)
            if is_seen:
                self._overlay.darken(size, 1.0)
        return DisplayFrame(features.time_s, depth, self.scene.n_baked, variant)

    def draw_plainly(self, features: Features, size: tuple[int, int]) -> DisplayFrame:
        """Draw the scene's first variant and nothing else: for when `draw` fails."""
        features = self.held(features)
        depth, _ = self.scene.depth_and_variant(features)
        if self.is_dark:
            self._overlay.darken(size, 1.0)
        elif min(size) > 0:
            self.scene.picture.draw_plainly(depth, size)
        return DisplayFrame(features.time_s, depth, self.scene.n_baked)

    def release(self) -> None:
        """Release the graphics memory, the scenes' too."""
        for scene in self.scenes:
            scene.picture.release()
        for part in (self._overlay, self._leaving_layer, self._scene_layer, self._unseen_layer):
            part.release()

    def clear_history(self) -> None:
        """Begin again with what looks keep from one display frame to the next: a recording begins."""
        for scene in self.scenes:
            scene.clear_history()

    def held(self, features: Features) -> Features:
        """What is drawn from: the features, or those of the moment of the freeze while it lasts."""
        if not self.is_frozen:
            return features
        if self._kept is None:
            self._kept = dataclasses.replace(features, kick=False)
        return self._kept

    def _draw_scenes(self, features: Features, size: tuple[int, int], attempts: Attempts | None) -> None:
        date = date_at(self.began, features.time_s)
        if self.leaving is None:
            self.scene.draw(features, size, date, attempts)
        else:
            with self._leaving_layer.drawn_on(size):
                self.leaving.draw(features, size, date, attempts)
            # Mesa's software renderer keeps what the second of two passes has drawn with: all of the scene that leaves
            gl_finish(self._ctx)
            if not self._draw_transition(features, size, date, attempts):
                self.scene.draw(features, size, date, attempts)
                if self._leaving_layer.texture is not None:
                    self._overlay.lay(self._leaving_layer.texture, size, 1 - smoothstep(self._mix))
        if self._dark > 0:
            self._overlay.darken(size, self._dark)

    def _draw_transition(
        self, features: Features, size: tuple[int, int], date: Date, attempts: Attempts | None
    ) -> bool:
        """Draw the scene through the look that leads to it, and return True; False where there is none, or it fails."""
        picture = self.scene.picture
        if picture.transition is None or self._leaving_layer.texture is None or picture.deepest < 0:
            return False
        name = f"transition {picture.transition.look.name}"
        attempt = attempts(name, "the presets are crossfaded") if attempts is not None else None
        if attempt is not None and attempt.is_suspended:
            return False
        with attempt or nullcontext():
            with self._scene_layer.drawn_on(size):
                self.scene.draw(features, size, date, attempts)
            if self._scene_layer.texture is not None:
                picture.draw_transition(self._leaving_layer.texture, self._scene_layer.texture, self._mix, size)
                return True
        return False

    def _draw_unseen(self, features: Features, attempts: Attempts | None) -> None:
        """Draw the scenes, and the look that leads from one to the other, for what they keep."""
        if self.leaving is not None and self.scene.picture.transition_has_history:
            size = self.unseen_size or self.scene.loaded.size
            with self._unseen_layer.drawn_on(size):
                self._draw_scenes(features, size, attempts)
            return
        for scene in filter(None, (self.leaving, self.scene)):
            if scene.picture.has_history:
                size = self.unseen_size or scene.loaded.size
                with self._unseen_layer.drawn_on(size):
                    scene.draw(features, size, date_at(self.began, features.time_s), attempts)
            else:
                scene.picture.pass_events()


def date_at(began: datetime, time_s: float) -> Date:
    """Year, month, day, and seconds since midnight, time_s seconds after `began`."""
    moment = began + timedelta(seconds=time_s)
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return float(moment.year), float(moment.month), float(moment.day), (moment - midnight).total_seconds()


def ignored_frame(placed: DreamFrame) -> None:
    """What a scene does with its dream frames besides putting them into its picture: nothing."""


def build_picture(
    loaded: LoadedPreset,
    surface: Surface,
    programs: Programs,
    before: Picture | None = None,
    *,
    left_out: Collection[str] = (),
    journey: ResumedJourney | None = None,
    fewer_stations: bool = False,
) -> Picture:
    """The picture of a preset with its image in place. Raises BadInput or GraphicsError for one that this driver cannot
    show.

    before: a picture of the same preset, whose looks and parameters are taken over; the looks' files are not read
    again. left_out: paths of looks that are not drawn. journey: in place of the image the one of the station in which a
    journey goes on. fewer_stations: where graphics memory is too small for all that are seen of a journey.
    """
    if before is not None:
        links, transition = before.links, before.transition
    else:
        links, transition = open_links(loaded), open_transition(loaded)
    for link in links:
        link.is_left_out = link.is_left_out or str(link.look.path) in left_out
    is_journey = loaded.journey is not None
    n_variants = N_SLOTS if is_journey else len(loaded.variants)
    while True:
        try:
            picture = Picture(
                surface.ctx,
                loaded.size,
                loaded.n_depths,
                links,
                n_variants,
                programs,
                transition,
                is_journey=is_journey,
            )
            break
        except TooLittleMemory:
            if not (is_journey and fewer_stations) or n_variants == 1:
                raise
            n_variants -= 1
    try:
        picture.put(0, loaded.image if journey is None else journey.image)
        if journey is not None:
            picture.dreams.stations = (journey.placed,)
        elif is_journey:
            picture.dreams.place_alone(0)  # until it begins
    except BaseException:
        picture.release()
        raise
    return picture
