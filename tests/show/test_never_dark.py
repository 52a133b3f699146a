"""The watcher itself: it distinguishes a picture, a black window and the desktop, and how long each was there."""

from __future__ import annotations

from tests.fixtures.never_dark import NeverDark
from tests.fixtures.screen import Screen
from visualizer.render.window import Window


def fill(window: Window, colour: tuple[float, float, float]) -> None:
    window.events()
    window.ctx.clear(*colour, 1.0)
    window.swap()


def seen_for(eye: NeverDark, n_looks: int) -> list[str]:
    """What is seen once it has looked so often."""
    stretches = []
    while n_looks > 0:
        seen = eye.report()
        n_looks -= seen.n_looks
        stretches += [stretch.kind for stretch in seen.stretches]
    return stretches


def test_it_tells_a_picture_from_black_and_from_the_desktop(screen: Screen) -> None:
    with NeverDark(screen.display, (0, 0, 160, 90)) as eye:
        assert "desktop" in seen_for(eye, 3)
        with Window((160, 90), "watched") as window:
            fill(window, (0.4, 0.2, 0.0))
            fill(window, (0.4, 0.2, 0.0))
            eye.report()
            assert seen_for(eye, 10) == []
            fill(window, (0.0, 0.02, 0.0))
            eye.report()
            assert "black" in seen_for(eye, 10)
            fill(window, (0.2, 0.0, 0.2))
            eye.report()
            seen = eye.report()
            assert seen.longest_s == 0.0
        eye.report()
        seen = eye.report()
        assert seen.stretches[-1].kind == "desktop" and seen.longest_s <= seen.n_looks * seen.blind_s + 1.0
