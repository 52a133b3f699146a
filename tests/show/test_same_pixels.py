"""An export and a play of a song are the same frame loop: driven by the same frame times they draw the same pixels."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from tests.fixtures.pulse import wait_until
from tests.show.test_frame import Pixels
from visualizer.audio.decode import Song
from visualizer.audio.playback import SilentPlayback
from visualizer.audio.songlist import SongList
from visualizer.outputs.video_file import VideoFile
from visualizer.presets.dreams import Dreams, ReadyDreams, complete, open_cache
from visualizer.presets.loaded import open_preset
from visualizer.render.canvas import Canvas
from visualizer.render.offscreen import Offscreen
from visualizer.render.programs import Programs
from visualizer.settings import RenderSettings
from visualizer.show.clocks import FrameClock
from visualizer.show.export import VideoOptions, export
from visualizer.show.frame import FrameLoop
from visualizer.show.guard import Guard
from visualizer.show.sources.song import SongFileSource, SongSource
from visualizer.show.stage import Scene, Stage, build_picture

SIZE, FPS, SONG_S = (160, 96), Fraction(30), 6.0


class Driven(SongSource):
    """A song being played whose clock stands at the time of each display frame until all that it needs was read."""

    def __init__(self, songs, beat):
        self.now_s = 0.0
        super().__init__(SilentPlayback(songs, now=lambda: self.now_s), songs, beat)

    def take_in(self, time_s):
        self.now_s = time_s

        def is_read():
            super(Driven, self).take_in(time_s)
            needed_s = min(time_s + self.analyzer.needs_ahead_s, SONG_S)
            return self._next_sample >= round(needed_s * self.sample_rate_hz)

        wait_until(is_read)


def loop_of(loaded, surface, source, clock, output):
    """A frame loop with the whole dream of a preset in it."""
    scene = Scene(build_picture(loaded, surface, Programs(surface.ctx)), ReadyDreams(dreamt(loaded)), loaded)
    return FrameLoop(
        clock, source, Stage(surface, scene), Canvas(surface.ctx), [output], Guard(raises=True), lambda: SIZE
    )


def dreamt(loaded):
    return list(complete(Dreams(loaded, open_cache())))


def exported(song, loaded, out, monkeypatch, **options):
    """The pictures of a real export, as they are drawn. options: of VideoOptions."""
    pictures, write = [], VideoFile.write_canvas
    monkeypatch.setattr(
        VideoFile, "write_canvas", lambda self, one: (pictures.append(one.pixels().copy()), write(self, one))
    )
    list(export(song, out, loaded, open_cache(), VideoOptions(fps=FPS, **options)))
    return np.stack(pictures)


def played(song, loaded):
    pixels = Pixels()
    with SongList([song]) as songs, Offscreen(SIZE) as surface:
        source = Driven(songs, loaded.settings.beat)
        with closing(source.playback):
            source.start()
            for _ in loop_of(loaded, surface, source, FrameClock(FPS), pixels).frames():
                pass
    return np.stack(pixels.pictures)


def preset_with(tiny_preset, shader, n_variants=1):
    """The tiny preset with another look, and with further variants of other seeds."""
    loaded = open_preset(str(tiny_preset), size=SIZE)
    (first,) = loaded.variants
    seeded = [first.settings.model_copy(update={"seed": seed}) for seed in range(1, n_variants)]
    changed = {"render": RenderSettings(shader=shader), "variants": seeded}
    variants = (first, *(replace(first, settings=one) for one in seeded))
    return replace(loaded, settings=loaded.settings.model_copy(update=changed), variants=variants)


@pytest.mark.parametrize(("shader", "n_variants"), [("crossfade", 1), ("pulse", 2)])
def test_an_export_and_a_play_at_the_same_frame_times_give_the_same_pixels(
    kick_song, tiny_preset, tmp_path, monkeypatch, shader, n_variants
):
    loaded = preset_with(tiny_preset, shader, n_variants)
    of_export = exported(kick_song, loaded, tmp_path / "out.mp4", monkeypatch)
    of_play = played(kick_song, loaded)
    assert len(of_export) == 180 and abs(len(of_play) - len(of_export)) <= 1
    n = min(len(of_export), len(of_play))
    differ = np.flatnonzero((of_export[:n] != of_play[:n]).any(axis=(1, 2, 3)))
    assert not len(differ), f"display frames {differ.tolist()} differ"
    away = np.abs(of_export.astype(int) - of_export[0]).mean(axis=(1, 2, 3))
    assert away[15:].max() > 3, "the kicks are seen"


class FromZero(FrameClock):
    """A frame clock whose display frames are seen at their beginning: every 1/6 s those of 30, 60 and 144 a second
    coincide.
    """

    def now(self):
        return float(self.frame_index / self.fps)


class EverySixth(Pixels):
    """Keeps the picture of every sixth of a second."""

    def __init__(self, fps):
        super().__init__()
        self._fps = fps

    def present(self, canvas, sound, features):
        if round(features.time_s * self._fps) % (self._fps // 6) == 0:
            super().present(canvas, sound, features)


def every_sixth(song_path, loaded, fps):
    """The pictures of a song every 1/6 s, drawn at so many display frames a second: (35, height, width, 3)."""
    pixels = EverySixth(fps)
    with Song(song_path) as song, Offscreen(SIZE) as surface:
        source = SongFileSource(song, loaded.settings.beat)
        for _ in loop_of(loaded, surface, source, FromZero(Fraction(fps)), pixels).frames():
            pass
    return np.stack(pixels.pictures[:35]).astype(int)


@pytest.mark.parametrize("shader", ["crossfade", "pulse"])
def test_the_same_sound_gives_the_same_picture_at_the_same_times_at_any_frame_rate(kick_song, tiny_preset, shader):
    loaded = preset_with(tiny_preset, shader)

    at_60 = every_sixth(kick_song, loaded, 60)
    assert np.abs(at_60 - at_60[0]).mean(axis=(1, 2, 3)).max() > 3, "the kicks are seen"
    for fps in (30, 144):
        assert np.abs(every_sixth(kick_song, loaded, fps) - at_60).max() <= 1, fps
