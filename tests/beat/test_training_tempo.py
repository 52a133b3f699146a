"""The committed weights of the judge of the beat like the true beat best, on newly generated songs that nothing was
trained on.

Not bit for bit what tools/train_tempo.py gives: training carries a rounding on, and its songs are made of the drums of
tools/kick_sounds.py, which have been changed since (docs/decisions/0011-tempo.md). So the score is checked instead.
"""

import numpy as np
import pytest

from tools import train_tempo
from visualizer.beat.tempo_metre import WEIGHTS_FILE


@pytest.mark.long
def test_the_committed_weights_know_the_beat_of_songs_held_out():
    heard = [train_tempo.lesson((train_tempo.HELD_OUT_SEED, index)) for index in range(0, 120, 5)]
    shown, allowed = (np.concatenate(part) for part in zip(*heard, strict=True))
    shown, allowed = shown[allowed[:, 0]], allowed[allowed[:, 0]]
    with np.load(WEIGHTS_FILE, allow_pickle=False) as file:
        right = train_tempo.share_right(dict(file), shown, allowed)
        # of up to 22 related beats; chance would be right in one of fifteen
        assert right == pytest.approx(float(file["held_out_right"]), abs=0.12)
