"""What the features of sound cost: `python -m benchmarks.features`, for the table in docs/kick.md.

The analyzer gets the bundled song, as live sound in blocks of 256 samples and as a known song in blocks of 4096, and is
asked for features 60 times a second. Printed is the processor time it takes, relative to the length of the sound.
"""

from __future__ import annotations

import time
from collections.abc import Collection

import numpy as np

from visualizer.audio.decode import Song
from visualizer.audio.mixing import to_mono
from visualizer.beat import Analyzer
from visualizer.beat.features import BANDS, RELATIVE, SOUND, TEMPO
from visualizer.beat.sound import spectrum
from visualizer.resources import demo_song
from visualizer.settings import BeatSettings

RATE_HZ, SECONDS, FPS = 48_000, 30, 60
#: what a look may need, by the name that the table has for it
NEEDS: dict[str, Collection[str]] = {
    "no further needs": (),
    "bands": BANDS,
    "md_bass and the like": RELATIVE,
    "sound, and its spectrum": (SOUND,),
    "tempo": TEMPO,
}


def share(sound: np.ndarray, needs: Collection[str], *, is_live: bool) -> float:
    """Processor time relative to the length of the sound, (n,) float32 at RATE_HZ."""
    analyzer = Analyzer(RATE_HZ, BeatSettings(), needs, is_live=is_live, is_known=not is_live)
    n_block, n_asked = 256 if is_live else 4096, 0
    start_s = time.process_time()
    for first in range(0, len(sound), n_block):
        analyzer.push(sound[first : first + n_block])
        end_s = first / RATE_HZ - (0.0 if is_live else analyzer.needs_ahead_s)
        while n_asked / FPS < end_s:
            features = analyzer.features_at(n_asked / FPS, 0.0)
            if features.sound is not None:
                spectrum(features.sound)
            n_asked += 1
    return (time.process_time() - start_s) / (len(sound) / RATE_HZ)


def main() -> None:
    with Song(demo_song(), sample_rate_hz=RATE_HZ) as song:
        sound = to_mono(song.read(SECONDS * RATE_HZ))
    for what, needs in NEEDS.items():
        live, known = (min(share(sound, needs, is_live=is_live) for _ in range(3)) for is_live in (True, False))
        print(f"| {what} | {live:.1%} | {known:.1%} |")


if __name__ == "__main__":
    main()
