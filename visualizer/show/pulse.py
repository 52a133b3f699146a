"""The internal clock: what the picture moves to while there is no sound."""

from __future__ import annotations

import math

# A dropout shorter than this is over before anybody would see it.
AFTER_S = 1.0
FADE_IN_S, FADE_OUT_S = 1.5, 0.8
# How deep its beats go, of the whole: one sees that it is not the music.
DEEPEST = 0.6
# The tempo where none was known, and how sure a known one must be.
USUAL_BPM = 100.0
LEAST_SURE = 0.3
# Faster than this every second beat is shown: it is to calm, and nothing may flash.
FASTEST_BPM = 140.0
# How fast it takes over another tempo's beats, as by tapping: time constant, and by how much of its own speed at most.
FOLLOW_S, HURRY = 0.3, 0.25


class InternalClock:
    """A steady, gentle pulse that fades in when the sound is lost and out when it is back. Pure: time is handed in.

    It goes on in the tempo and on the beats that were heard last, if they were sure; else, and until somebody taps, at 100 BPM.
    """

    def __init__(self) -> None:
        self._time_s: float | None = None
        self._lost_s = 0.0  # for how long there has been no sound
        self._weight = 0.0
        self._place = 0.5  # in its own beat, 0..1; 0 is where it is deepest
        self._rate_hz = USUAL_BPM / 60
        self._follows = False

    @property
    def is_seen(self) -> bool:
        """Whether it moves the picture now."""
        return self._weight > 0.0

    @property
    def tempo_bpm(self) -> float:
        """Its own beats a minute."""
        return 60.0 * self._rate_hz

    def step(self, time_s: float, *, lost: bool, tempo_bpm: float, confidence: float, phase: float) -> None:
        """Go on to time_s, rising seconds of sound. lost: there is no sound now; the rest: what is known of the beat at time_s,
        phase 0..1, confidence 0..1."""
        dt_s = 0.0 if self._time_s is None else max(0.0, time_s - self._time_s)
        self._time_s = time_s
        self._lost_s = self._lost_s + dt_s if lost else 0.0
        step = dt_s / FADE_IN_S if self._lost_s > AFTER_S else -dt_s / FADE_OUT_S
        if not lost and self._weight == 0.0:
            self._follows = False
            return
        # a tempo that is sure, or becomes it by tapping, is kept to, however unsure it grows in the silence
        self._follows = self._follows or (lost and confidence >= LEAST_SURE)
        n_beats = 2 if self._follows and tempo_bpm > FASTEST_BPM else 1
        self._rate_hz = (tempo_bpm if self._follows else USUAL_BPM) / 60 / n_beats
        self._place = (self._place + dt_s * self._rate_hz) % 1.0
        if self._follows:
            off = (phase - self._place * n_beats + 0.5) % 1.0 - 0.5  # to the nearest beat, in beats
            if self._weight > 0.0:
                # caught up with by going faster or slower, never by a jump
                most = HURRY * dt_s * self._rate_hz * n_beats
                off = min(most, max(-most, off * (1 - math.exp(-dt_s / FOLLOW_S))))
            self._place = (self._place + off / n_beats) % 1.0
        elif self._weight == 0.0 and step <= 0.0:
            self._place = 0.5  # it begins with a swell
        self._weight = min(1.0, max(0.0, self._weight + step))

    def level_at(self, time_s: float) -> float:
        """The level 0..0.6 at a time in seconds of sound near that of the last `step`."""
        if self._weight == 0.0 or self._time_s is None:
            return 0.0
        place = self._place + (time_s - self._time_s) * self._rate_hz
        swell = (0.5 + 0.5 * math.cos(2 * math.pi * place)) ** 2
        return DEEPEST * swell * self._weight * self._weight * (3 - 2 * self._weight)
