"""The fallback metronome: what moves the picture while there is no sound."""

from __future__ import annotations

import math

from ..easing import smoothstep

# The metronome begins only this long after the sound was lost: a shorter dropout is not noticed.
AFTER_S = 1.0
FADE_IN_S, FADE_OUT_S = 1.5, 0.8
# Its highest level, below that of a strong kick, so that it looks different from the music.
HIGHEST = 0.6
# The tempo where none was known, and the confidence that a known one must have.
DEFAULT_BPM = 100.0
LEAST_CONFIDENCE = 0.3
# Of a faster tempo only every second beat is shown, so that the picture moves calmly and never flashes.
FASTEST_BPM = 140.0
# How it approaches other beats, as those of tapping: time constant, and the largest change of its own speed.
FOLLOW_S, MOST_CHANGE = 0.3, 0.25


class FallbackMetronome:
    """A steady, gentle beat that fades in when the sound is lost and out when it is back. Pure: time is handed in.

    It continues the tempo and the beats that were known last, if they were certain; else, until somebody taps, it beats
    at 100 BPM.
    """

    def __init__(self) -> None:
        self._time_s: float | None = None
        self._lost_s = 0.0  # for how long there has been no sound
        self._weight = 0.0
        self._place = 0.5  # in its own beat, 0..1; 0 is where the level is highest
        self._rate_hz = DEFAULT_BPM / 60
        self._follows = False

    @property
    def is_active(self) -> bool:
        """Whether it moves the picture now."""
        return self._weight > 0.0

    @property
    def tempo_bpm(self) -> float:
        """Its own beats a minute."""
        return 60.0 * self._rate_hz

    def step(self, time_s: float, *, lost: bool, tempo_bpm: float, confidence: float, phase: float) -> None:
        """Advance to time_s, rising seconds. lost: there is no sound now; the rest: what is known of the beat at
        time_s, phase 0..1, confidence 0..1.
        """
        dt_s = 0.0 if self._time_s is None else max(0.0, time_s - self._time_s)
        self._time_s = time_s
        self._lost_s = self._lost_s + dt_s if lost else 0.0
        step = dt_s / FADE_IN_S if self._lost_s > AFTER_S else -dt_s / FADE_OUT_S
        if not lost and self._weight == 0.0:
            self._follows = False
            return
        # once the tempo was certain, also by tapping, it is followed, although its confidence falls in the silence
        self._follows = self._follows or (lost and confidence >= LEAST_CONFIDENCE)
        n_beats = 2 if self._follows and tempo_bpm > FASTEST_BPM else 1
        if not self._follows:
            self._rate_hz = DEFAULT_BPM / 60
        elif tempo_bpm > 0.0:
            self._rate_hz = tempo_bpm / 60 / n_beats
        self._place = (self._place + dt_s * self._rate_hz) % 1.0
        if self._follows and tempo_bpm > 0.0:
            off = (phase - self._place * n_beats + 0.5) % 1.0 - 0.5  # to the nearest beat, in beats
            if self._weight > 0.0:
                # approached by going faster or slower, never by a jump
                most = MOST_CHANGE * dt_s * self._rate_hz * n_beats
                off = min(most, max(-most, off * (1 - math.exp(-dt_s / FOLLOW_S))))
            self._place = (self._place + off / n_beats) % 1.0
        elif self._weight == 0.0 and step <= 0.0:
            self._place = 0.5  # the level begins at 0, rising
        self._weight = min(1.0, max(0.0, self._weight + step))

    def level_at(self, time_s: float) -> float:
        """The level 0..0.6 at a time near that of the last `step`, seconds."""
        if self._weight == 0.0 or self._time_s is None:
            return 0.0
        place = self._place + (time_s - self._time_s) * self._rate_hz
        swell = (0.5 + 0.5 * math.cos(2 * math.pi * place)) ** 2
        return HIGHEST * swell * smoothstep(self._weight)
