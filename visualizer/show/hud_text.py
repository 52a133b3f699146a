"""Text over the picture: the figures of the HUD, and notices."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable

from ..presets.loaded import LoadedPreset
from .frametimes import FrameTimes
from .stage import DisplayFrame

log = logging.getLogger(__name__)

HUD_REFRESH_S = 0.15  # figures that change at every display frame cannot be read, and cost a new texture each
NOTICE_S = 6.0  # how long a notice is shown
ANSWER_S = 2.0  # how long an answer to a key is shown: shorter, since it is expected
REPEAT_S = 10.0  # a line that was shown is not shown again before
LONGEST_WAIT_S = 10.0  # lines that could not be shown by then, as in a blackout, are dropped; the log has them
MOST_WAITING = 8
DEPTH_BAR = 24  # characters of the HUD's depth bar


class Notices:
    """Lines at the bottom of the screen: notices one after another, and answers to keys, which are shown first.

    now: seconds, rising. Of notices that cannot be shown for a while the newest MOST_WAITING are kept, for
    LONGEST_WAIT_S. line: the newest line of all.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self.line = ""
        self._now = now
        self._waiting: deque[tuple[float, str]] = deque(maxlen=MOST_WAITING)  # since when it waits, and the line
        self._said_s: dict[str, float] = {}
        self._since_s = 0.0
        self._current: str | None = None
        self._answer: str | None = None
        self._answered_s = 0.0
        self._answer_since_s: float | None = None

    def say(self, line: str) -> bool:
        """Queue a notice, unless the same one waits or was shown a moment ago. Returns whether it is queued."""
        said_s, now_s = self._said_s.get(line), self._now()
        is_new = said_s is None or now_s - said_s > REPEAT_S
        if is_new:
            self._said_s = {one: at_s for one, at_s in self._said_s.items() if now_s - at_s <= REPEAT_S}
            self._said_s[line] = now_s
            self._waiting.append((now_s, line))
            self.line = line
            log.info("notice: %s", line)
        return is_new

    def take_back(self, line: str) -> None:
        """No longer show a notice that is not true any more. Said again, it is shown again."""
        self._waiting = deque((one for one in self._waiting if one[1] != line), maxlen=MOST_WAITING)
        self._said_s.pop(line, None)
        if self._current == line:
            self._current = None

    def record(self, line: str) -> None:
        """Make a line the newest one without showing it on the picture: the panel shows it."""
        self.line = line

    def answer(self, line: str) -> None:
        """Show an answer at once, for a shorter time, in place of the answer before."""
        self._answer, self._answered_s, self._answer_since_s = line, self._now(), None
        self.line = line
        log.info("answer: %s", line)

    def current(self) -> str | None:
        """The line to show now, if there is one."""
        now_s = self._now()
        if self._answer is not None:
            if self._answer_since_s is None and now_s - self._answered_s <= LONGEST_WAIT_S:
                self._answer_since_s = now_s
            if self._answer_since_s is not None and now_s - self._answer_since_s <= ANSWER_S:
                return self._answer
            self._answer = None
        if self._current is None or now_s - self._since_s > NOTICE_S:
            while self._waiting and now_s - self._waiting[0][0] > LONGEST_WAIT_S:
                self._waiting.popleft()
            self._current = self._waiting.popleft()[1] if self._waiting else None
            self._since_s = now_s
            if self._current is not None:
                self._said_s[self._current] = now_s
        return self._current


def figure_lines(
    loaded: LoadedPreset, shown: DisplayFrame, times: FrameTimes, rate_hz: float, scale: float, states: str
) -> list[str]:
    """The lines of the HUD about the picture. rate_hz: display frames a second; scale: fraction of the width and
    height that is drawn; states: "frozen" and the like.
    """
    n_depths, n_variants = loaded.n_depths, len(loaded.variants)
    total = n_variants * n_depths
    variant = f"   variant {shown.variant + 1:.1f} / {n_variants}" if n_variants > 1 else ""
    bar = min(round(DEPTH_BAR * shown.depth / n_depths), DEPTH_BAR)
    recent = times.recent()
    size = f"   drawn at {scale:.0%}" if scale < 1 else ""
    lines = [
        loaded.settings.title,
        f"depth\t{shown.depth:.1f} / {n_depths}  {'|' * bar}{'·' * (DEPTH_BAR - bar)}{variant}",
        f"screen\t{rate_hz:.0f} fps{size}   dropped {times.n_dropped}   repeated {times.n_repeated}",
        f"frame\t{recent.p50_ms:.1f} / {recent.p95_ms:.1f} / {recent.p99_ms:.1f} ms  (50 / 95 / 99 %)",
    ]
    if shown.n_baked < total:
        lines.append(f"dream\t{shown.n_baked} / {total}")
    lines.append(f"sensitivity\t{loaded.settings.beat.sensitivity:.2f}")
    if states:
        lines.append(f"now\t{states}")
    return lines
