"""Which looks are drawn, which of them is suspected when drawing hangs, and which are left out since."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from ..render.chain import Link

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
