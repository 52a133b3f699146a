"""Reads annotated sound: NAME.wav or NAME.flac beside NAME.ENDING.txt, one event a line, its time in seconds first."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from visualizer.audio.decode import Song
from visualizer.audio.mono import MonoMix


def sound_of(file: Path) -> tuple[NDArray[np.float32], int]:
    """Mono sound, (n,) mixed as the program does, and its sample rate. Raises BadInput."""
    with Song(file) as song:
        return MonoMix(song.sample_rate_hz).push(song.read(round(1e9))), song.sample_rate_hz


def times_of(file: Path) -> np.ndarray:
    """The times in a file of annotations, seconds, sorted; (0,) for an empty file."""
    return np.sort([float(line.split()[0]) for line in file.read_text().splitlines() if line.strip()])


def annotated(folder: Path, ending: str) -> Iterator[tuple[str, NDArray[np.float32], int, np.ndarray]]:
    """(name, mono sound, sample rate, times in seconds) of every annotated file in a folder. ending: "kicks",
    "beats".
    """
    for file in sorted(folder.glob(f"*.{ending}.txt")):
        name = file.name.removesuffix(f".{ending}.txt")
        for sound_file in (folder / f"{name}.wav", folder / f"{name}.flac"):
            if sound_file.exists():
                yield name, *sound_of(sound_file), times_of(file)
                break
