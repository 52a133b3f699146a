"""ReplayGain: the playback gain of a song, from the tags in its file."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Literal

Mode = Literal["track", "album"]

# Opus tags are relative to -23 LUFS (RFC 7845), ReplayGain 2.0 tags to -18 LUFS.
_R128_OFFSET_DB = 5.0
# Gains (dB) and peaks beyond these are ignored as damaged.
_MOST_DB, _HIGHEST_PEAK = 60.0, 4.0


def replay_gain(tags: Mapping[str, str], mode: Mode) -> float:
    """The factor to multiply a song's samples with; 1 without tags.

    tags: values by name in lower case. mode: the gain to use; if a file has only the other one, that is used. The peak
    tag limits the factor so that nothing clips; without a peak tag a song is never made louder.
    """
    for kind in (mode, "track" if mode == "album" else "album"):
        gain_db = _gain_db(tags, kind)
        if gain_db is not None:
            peak = _number(tags.get(f"replaygain_{kind}_peak")) or 1.0
            return min(10 ** (gain_db / 20), 1.0 / peak if 0 < peak <= _HIGHEST_PEAK else 1.0)
    return 1.0


def _gain_db(tags: Mapping[str, str], kind: str) -> float | None:
    steps = _number(tags.get(f"r128_{kind}_gain"))
    gain_db = _number(tags.get(f"replaygain_{kind}_gain")) if steps is None else steps / 256 + _R128_OFFSET_DB
    return gain_db if gain_db is not None and abs(gain_db) <= _MOST_DB else None


def _number(text: str | None) -> float | None:
    """The number at the start of a tag ("-6.5 dB"); None if there is none."""
    match = re.match(r"\s*([-+]?(?:\d+(?:[.,]\d*)?|[.,]\d+))", text or "")
    number = float(match[1].replace(",", ".")) if match is not None else math.nan
    return number if math.isfinite(number) else None
