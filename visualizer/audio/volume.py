"""The playback volume. The analysis gets the sound before it, so the picture does not depend on the volume."""

from __future__ import annotations

import numpy as np

# Duration of a change from silence to full volume: slow enough to be free of clicks.
RAMP_S = 0.05


class Volume:
    """A gain that changes without clicks. level_db, -60..0, and is_muted may be set from any thread."""

    def __init__(self) -> None:
        self.level_db = 0.0
        self.is_muted = False
        self._gain = 1.0

    def apply(self, sound: np.ndarray, rate_hz: int) -> None:
        """Multiply sound, (n, channels) float32, by the gain, in place. Successive calls take successive blocks."""
        wanted = 0.0 if self.is_muted else 10.0 ** (self.level_db / 20)
        if self._gain != wanted:
            change = wanted - self._gain
            ramp = np.arange(1, len(sound) + 1, dtype=np.float32) / (RAMP_S * rate_hz)
            gains = self._gain + np.copysign(np.minimum(ramp, abs(change)), change)
            self._gain = float(gains[-1]) if ramp[-1] < abs(change) else wanted
            sound *= gains.astype(np.float32)[:, np.newaxis]
        elif wanted != 1.0:
            sound *= np.float32(wanted)
