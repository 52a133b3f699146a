"""Whole shows: exporting, playing in a window, and how much memory both take.

python -m benchmarks show [--quick]
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import numpy as np

from benchmarks.draw import display, falling_depths

SIZE = (1280, 720)
FPS = Fraction(30)
PEAK = """
import sys
from pathlib import Path
from visualizer.cli.run import run
status = run(sys.argv[1:])
try:
    # ru_maxrss would count what the benchmark itself held when it started this process
    lines = Path("/proc/self/status").read_text().splitlines()
    kib = int(next(line for line in lines if line.startswith("VmHWM")).split()[1])
except OSError:
    import resource
    kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "darwin" else 1)
print(kib)
sys.exit(status)
"""


def run(quick: bool) -> list[tuple[str, str]]:
    """Rows of (what, figure). quick: shorter songs."""
    from visualizer.presets.dreams import Dreams, open_cache

    from .plain import open_plain

    seconds = 15 if quick else 60
    loaded = open_plain(SIZE)
    list(Dreams(loaded, open_cache()).frames())  # warm: these figures are of showing, not of dreaming
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        song = write_song(folder / "song.wav", seconds)
        rows = export_rows(loaded, folder, seconds=10 if quick else 20)
        with display():
            rows.append((f"warm start at {SIZE[0]}x{SIZE[1]}: command to first picture", f"{warm_start_s(song):.2f} s"))
            rows += play_rows(loaded, write_song(folder / "short.wav", 60))
            peak = peak_mb("play", str(folder / "short.wav"))
            rows.append((f"play at {SIZE[0]}x{SIZE[1]}: peak memory", f"{peak:.0f} MB"))
        peak = peak_mb("export", str(song), "-o", str(folder / "peak.mp4"))
        rows.append((f"export of {seconds} s at {SIZE[0]}x{SIZE[1]}: peak memory", f"{peak:.0f} MB"))
        small, minutes = ("--size", "64x48", "--fps", "10"), 10 if quick else 60
        peak_mb("bake", *small[:2])  # warm, so that torch is in neither figure
        first = peak_mb("export", str(song), "-o", str(folder / "peak.mp4"), *small)
        long_song = write_song(folder / "long.wav", 60 * minutes)
        long = peak_mb("export", str(long_song), "-o", str(folder / "peak.mp4"), *small)
        rows.append(
            (f"export of {minutes} min against {seconds} s (64x48): peak memory", f"{long:.0f} / {first:.0f} MB")
        )
    return rows


def write_song(path: Path, seconds: int) -> Path:
    """The bundled song, over and over for so many seconds, as a WAV file."""
    import wave

    from visualizer.audio.decode import Song
    from visualizer.resources import demo_song

    with Song(demo_song()) as song:
        once = np.concatenate(list(_blocks(song)))
        rate_hz = song.sample_rate_hz
    once = (np.clip(once, -1, 1) * 32767).astype("<i2")
    with wave.open(str(path), "wb") as out:
        out.setnchannels(2)
        out.setsampwidth(2)
        out.setframerate(rate_hz)
        left = seconds * rate_hz
        while left > 0:
            out.writeframes(once[:left].tobytes())
            left -= len(once)
    return path


def _blocks(song) -> Iterator[np.ndarray]:
    while len(block := song.read(65536)):
        yield block


def export_rows(loaded, folder: Path, seconds: int) -> list[tuple[str, str]]:
    """An export of so many seconds and its two parts alone, in turns: medians of display frames a second and of CPU."""
    song, shown = write_song(folder / "turn.wav", seconds), folder / "show.mp4"
    _measured(exported(loaded, song, shown))
    pictures, n = _pictures(shown, n=150), int(seconds * FPS)
    turns = [
        (
            _measured(exported(loaded, song, shown)),
            _measured(encoded(pictures, folder / "alone.mp4", n)),
            _measured(drawn(loaded, n)),
        )
        for _ in range(3)
    ]
    (whole_fps, whole_ms), (encoding_fps, encoding_ms), (drawing_fps, drawing_ms) = np.median(turns, axis=0)
    name = f"{SIZE[0]}x{SIZE[1]}p{float(FPS):g}"
    return [
        (f"export of {seconds} s at {name}", f"{whole_fps:.1f} fps, {whole_ms:.1f} ms of CPU a picture"),
        ("of it encoding alone, the same pictures", f"{encoding_fps:.1f} fps, {encoding_ms:.1f} ms"),
        ("of it drawing, converting and reading back alone", f"{drawing_fps:.1f} fps, {drawing_ms:.1f} ms"),
        ("export against encoding alone: fps, CPU", f"{whole_fps / encoding_fps:.2f}, {encoding_ms / whole_ms:.2f}"),
    ]


def _measured(pictures: Iterator[object]) -> tuple[float, float]:
    """Pictures a second, and ms of CPU time a picture, of something that yields once a picture; the first one and what
    is done before it are not counted.
    """
    next(pictures)
    began_s, cpu_s = time.perf_counter(), time.process_time()
    n_pictures = sum(1 for _ in pictures)
    return n_pictures / (time.perf_counter() - began_s), (time.process_time() - cpu_s) / n_pictures * 1e3


def exported(loaded, song: Path, out: Path) -> Iterator[object]:
    """Export a song."""
    from visualizer.presets.dreams import open_cache
    from visualizer.show.export import VideoOptions, export

    for step in export(song, out, loaded, open_cache(), VideoOptions(fps=FPS)):
        if step.stage == "exporting" and step.done:
            yield step


def encoded(pictures: list, out: Path, n: int) -> Iterator[object]:
    """Encode n pictures that are planes already, without sound."""
    from visualizer.outputs.encoder import Encoder

    out.unlink(missing_ok=True)
    encoder = Encoder(out, SIZE, FPS, None, crf=18, preset="veryfast")
    for index in range(n):
        frame = pictures[index % len(pictures)]
        frame.pts, frame.time_base = index, 1 / FPS
        encoder.push(frame)
        yield frame
    encoder.finish()


def drawn(loaded, n: int) -> Iterator[object]:
    """Draw n pictures of the dream and read them back as planes, without sound and encoder."""
    from visualizer.presets.dreams import Dreams, complete, open_cache
    from visualizer.render.canvas import Canvas
    from visualizer.render.offscreen import Offscreen
    from visualizer.render.picture import Picture
    from visualizer.render.planes import PlaneReader

    width, height = SIZE
    with Offscreen(SIZE) as surface:
        picture, canvas = Picture(surface.ctx, SIZE, loaded.n_depths), Canvas(surface.ctx)
        for placed in complete(Dreams(loaded, open_cache())):
            picture.put(placed.depth_index, placed.frame)
        reader, depths = PlaneReader(canvas, SIZE), falling_depths()
        y, uv = np.empty((height, width), np.uint8), np.empty((height // 2, width), np.uint8)
        for index in range(n):
            canvas.begin(SIZE)
            picture.draw(next(depths), SIZE)
            reader.begin(index)
            if reader.is_full:
                reader.fetch(y, uv)
            yield y


def _pictures(path: Path, n: int) -> list:
    """n pictures of a video from its fifth second on, in order, as planes of NV12."""
    import av

    found = []
    with av.open(str(path)) as video:
        for index, frame in enumerate(video.decode(video=0)):
            if index >= 5 * FPS:
                found.append(frame.reformat(format="nv12"))
            if len(found) == n:
                break
    return found


def play_rows(loaded, song_path: Path) -> list[tuple[str, str]]:
    """A show as fast as it can be drawn against clearing the window, taking turns; and one at its own pace."""
    from visualizer.render.window import Window
    from visualizer.show.onscreen import Staging

    def shown(rate_hz: float | None, n_frames: int) -> tuple[float, list[float]]:
        stamps: list[float] = []

        def note(count: int, _) -> bool:
            stamps.append(time.perf_counter())
            return count >= n_frames

        report = play_silently(loaded, song_path, Staging(rate_hz=rate_hz, adapt=False), note)
        return report.rate_hz, stamps

    def cleared(n_frames: int) -> float:
        with Window(SIZE, "benchmark") as window:
            start = time.perf_counter()
            for _ in range(n_frames):
                window.ctx.clear(0.1, 0.2, 0.3)
                window.swap()
                window.events()
            return n_frames / (time.perf_counter() - start)

    turns = [(shown(1e6, 300)[0], cleared(300)) for _ in range(3)]
    show_fps, clear_fps = (float(np.median([turn[i] for turn in turns])) for i in (0, 1))
    _, stamps = shown(None, 400)
    frame_ms = np.diff(stamps[30:]) * 1e3
    name = f"{SIZE[0]}x{SIZE[1]}"
    behind, calm_p95 = baking_rows(loaded, song_path), float(np.percentile(frame_ms, 95))
    return [
        (f"play at {name}, unpaced", f"{show_fps:.0f} fps"),
        (f"clear + swap at {name}", f"{clear_fps:.0f} fps"),
        (
            f"play at {name}, paced at 60: frame time median / p95 / p99",
            " / ".join(f"{value:.1f}" for value in np.percentile(frame_ms, [50, 95, 99])) + " ms",
        ),
        *((what, figure) for what, figure, _ in behind),
        ("p95 with a bake behind against without", f"{behind[0][2] / calm_p95:.2f}"),
    ]


def play_silently(loaded, song_path: Path, staging, on_frame, **how):
    """Play a song silently at its own speed until on_frame returns True; the Report. how: further arguments of
    `onscreen.run`.
    """
    from visualizer.audio.playback import SilentPlayback
    from visualizer.audio.songlist import SongList
    from visualizer.presets.dreams import open_cache
    from visualizer.show.onscreen import run as run_show
    from visualizer.show.sources.song import SongSource

    with SongList([song_path]) as songs, closing(SilentPlayback(songs)) as playback:
        source = SongSource(playback, songs, loaded.settings.beat)
        return run_show(
            loaded, source, open_cache(), title="benchmark", greeting="", staging=staging, on_frame=on_frame, **how
        )


def baking_rows(loaded, song_path: Path) -> list[tuple[str, str, float]]:
    """A show at its own pace with nothing baked before it, until all is: (what, figure, the p95 or seconds)."""
    from dataclasses import replace

    from visualizer.presets.loaded import Variant
    from visualizer.show.onscreen import Staging

    fresh = loaded.settings.dream.model_copy(update={"seed": 1})  # not in the cache
    loaded = replace(loaded, settings=loaded.settings.model_copy(update={"dream": fresh}), variants=(Variant(fresh),))
    stamps: list[float] = []
    finished: list[int] = []

    def note(_: int, shown) -> bool:
        stamps.append(time.perf_counter())
        finished.append(shown.n_baked)
        return shown.n_baked >= loaded.n_depths

    play_silently(loaded, song_path, Staging(adapt=False), note)
    if finished[-1] < loaded.n_depths:
        raise RuntimeError(f"the song ended at depth {finished[-1]} of {loaded.n_depths}")
    frame_ms = np.diff(stamps[30:]) * 1e3
    p50, p95, p99 = np.percentile(frame_ms, [50, 95, 99])
    seconds = stamps[-1] - stamps[0]
    name = f"{SIZE[0]}x{SIZE[1]}"
    return [
        (
            f"play at {name} with the bake behind it: frame time median / p95 / p99",
            f"{p50:.1f} / {p95:.1f} / {p99:.1f} ms",
            p95,
        ),
        (f"play at {name}: all {loaded.n_depths} depths baked behind it after", f"{seconds:.1f} s", seconds),
    ]


def warm_start_s(song: Path) -> float:
    """Seconds from starting the command to its first picture on the screen, according to its log; the median of
    five.
    """
    log = Path(os.environ["VISUALIZER_LOG_DIR"]) / "visualizer.log"
    taken = []
    for _ in range(5):
        before = log.read_text().count("first picture") if log.exists() else 0
        start = time.perf_counter()
        show = subprocess.Popen([sys.executable, "-m", "visualizer", "play", str(song)], stderr=subprocess.DEVNULL)
        while not log.exists() or log.read_text().count("first picture") == before:
            if show.poll() is not None or time.perf_counter() - start > 60:
                raise RuntimeError("the show did not start")
            time.sleep(0.005)
        taken.append(time.perf_counter() - start)
        show.terminate()
        show.wait()
    return float(np.median(taken))


def peak_mb(*arguments: str) -> float:
    """The most memory one command held at once, MB (of the program's own process)."""
    done = subprocess.run([sys.executable, "-c", PEAK, *arguments], stdout=subprocess.PIPE, check=True, env=os.environ)
    return float(done.stdout.split()[-1]) * 1024 / 1e6
