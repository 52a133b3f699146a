"""Which looks are drawn, which of them is suspected when drawing hangs, and which are turned off."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from ..presets.loaded import LoadedPreset
from ..render.chain import Link
from ..render.picture import Picture
from .budget import LookBudget

#: a look that has been drawn for longer than this is suspected only if no look is newer, seconds
NEW_S = 10.0


class DrawnLooks:
    """The looks of a show by the paths of their files. now: seconds, rising.

    left_out: those that are not drawn as long as the same preset is shown, since they took too long or drawing them has
    hung.
    """

    def __init__(self, now: Callable[[], float], left_out: Collection[str] = ()) -> None:
        self.left_out = frozenset(left_out)
        self._now = now
        self._since_s: dict[str, float] = {}

    def note(self, links: Iterable[Link]) -> None:
        """These are drawn now."""
        now_s = self._now()
        paths = {str(link.look.path) for link in links if not link.is_left_out and not link.look.is_plain}
        self._since_s = {path: self._since_s.get(path, now_s) for path in paths}

    def renew(self) -> None:
        """Those that are drawn were edited, and are drawn again if they were left out."""
        self._since_s, self.left_out = {}, frozenset()

    @property
    def has_new(self) -> bool:
        """Whether a look is drawn only since a moment ago."""
        return any(self._now() - since_s < NEW_S for since_s in self._since_s.values())

    @property
    def suspects(self) -> tuple[str, ...]:
        """The looks that are to be left out if drawing hangs now: those that are drawn only since a moment ago, all if
        there is none.
        """
        now_s = self._now()
        new = [path for path, since_s in self._since_s.items() if now_s - since_s < NEW_S]
        return tuple(sorted(new or self._since_s))

    def leave_out(self, links: Iterable[Link], paths: Collection[str]) -> list[str]:
        """Leave out those of the links that have one of these paths; returns the names of these looks."""
        names = []
        for link in links:
            if str(link.look.path) in paths:
                link.is_left_out = True
                names.append(link.look.name)
                self.left_out |= {str(link.look.path)}
        return names


def again(names: Iterable[str]) -> str:
    """How looks that are left out are drawn again, for people."""
    its = "their files are" if len(list(names)) > 1 else "its file is"
    return f"tried again when {its} saved or the preset is opened again"


class LookGuard:
    """Turns off looks of a show that take too long, and those with which the graphics were lost.

    now: seconds, rising. n_openings: returns how often a preset was asked for so far: after that, looks are tried
    again. say: called with a line about what is turned off. left_out: see `DrawnLooks`.
    """

    def __init__(
        self,
        now: Callable[[], float],
        n_openings: Callable[[], int],
        say: Callable[[str], object],
        left_out: Collection[str] = (),
    ) -> None:
        self.drawn = DrawnLooks(now, left_out)
        self._now, self._n_openings, self._say = now, n_openings, say
        self._n_openings_then = n_openings()
        self._lost_s = -NEW_S
        self._budget = LookBudget(0.1)

    def shown(self, loaded: LoadedPreset) -> None:
        """This preset is shown from now on."""
        self._budget = LookBudget(loaded.settings.render.budget_ms / 1000)

    def edited(self, loaded: LoadedPreset) -> None:
        """The preset shown, or one of its looks, was edited: all are tried again."""
        self.shown(loaded)
        self.drawn.renew()

    def left_out(self) -> frozenset[str]:
        """The looks that a preset that comes now is not drawn with: none once it was asked for."""
        if self._n_openings() != self._n_openings_then:
            self._n_openings_then, self.drawn.left_out = self._n_openings(), frozenset()
        return self.drawn.left_out

    def keep_budget(self, picture: Picture, work_s: float, *, can_be_smaller: bool) -> None:
        """Turn off a look that takes longer than its budget. work_s, can_be_smaller: see `LookBudget.note`."""
        # without its look a picture is drawn through the plain one
        times_s = [
            0.0 if link.look.is_plain else time_s
            for link, time_s in zip(picture.links, picture.look_times_s(), strict=False)
        ]
        index = self._budget.note(work_s, times_s, can_be_smaller=can_be_smaller)
        picture.measure(self._budget.is_measuring)
        if index is not None:
            name = picture.links[index].look.name
            self._leave_out(
                picture,
                [str(picture.links[index].look.path)],
                f"look {name} takes {1000 * times_s[index]:.0f} ms for a display frame, more than render.budget_ms "
                "allows, and is turned off",
            )

    def graphics_lost(self, picture: Picture) -> None:
        """The graphics were lost: leave out the looks that are drawn only since a moment ago, or all where the graphics
        were lost a moment ago, too. One of them may have hung the graphics card. picture: the one shown.
        """
        again_s, self._lost_s = self._now() - self._lost_s, self._now()
        if self.drawn.has_new or again_s < NEW_S:
            suspects = self.drawn.suspects
            names = ", ".join(link.look.name for link in picture.links if str(link.look.path) in suspects)
            self._leave_out(picture, suspects, f"look {names}: the graphics were lost while it was drawn")

    def _leave_out(self, picture: Picture, paths: Collection[str], why: str) -> None:
        self._n_openings_then = self._n_openings()
        if names := self.drawn.leave_out(picture.links, paths):
            self._say(f"{why}; {again(names)}")
