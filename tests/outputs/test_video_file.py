import hashlib
import os
import shutil
import subprocess
import sys
import threading
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests.render.pictures import noise, smooth
from visualizer.beat.features import Features
from visualizer.outputs.video_file import VideoFile
from visualizer.render.canvas import Canvas
from visualizer.render.offscreen import Offscreen
from visualizer.render.picture import Picture

SIZE = (128, 96)
NO_SOUND = np.zeros((0, 2), np.float32)


def flat(colour, size=SIZE):
    return np.full((size[1], size[0], 3), colour, np.uint8)


def moving(index, size=SIZE):
    y, x = np.mgrid[: size[1], : size[0]]
    return np.stack([(x * 2 + index * 3) % 256, (y * 2 + index) % 256, (x + y) % 256], axis=2).astype(np.uint8)


def write(path, n_pictures=30, fps=Fraction(30), sound_rate_hz=48000, size=SIZE, picture=moving, sound=None, **options):
    """A video of n_pictures with exactly as long a sound."""
    n_samples = round(n_pictures / fps * sound_rate_hz) if sound_rate_hz else 0
    if sound is None:
        tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(n_samples) / (sound_rate_hz or 1))
        sound = np.stack([tone, -tone], axis=1).astype(np.float32)
    with VideoFile(path, size, fps, sound_rate_hz=sound_rate_hz, **options) as writer:
        done = 0
        for index in range(n_pictures):
            if sound_rate_hz:
                end = round((index + 1) / fps * sound_rate_hz)
                writer.write_sound(sound[done:end])
                done = end
            writer.write_picture(picture(index))
        assert (writer.n_pictures, writer.n_samples) == (n_pictures, n_samples)
    return path


def pictures_of(path):
    """[(seconds, rgb)] decoded with the matrix and range the file itself names."""
    with av.open(str(path)) as container:
        return [
            (
                float(frame.pts * frame.time_base),
                frame.to_ndarray(format="rgb24", src_colorspace=int(frame.colorspace), dst_color_range=2),
            )
            for frame in container.decode(video=0)
        ]


def planes_of(path):
    """[Y, U, V] of the first picture as they were encoded."""
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
    return [np.frombuffer(one, np.uint8).reshape(-1, one.line_size)[:, : one.width].astype(int) for one in frame.planes]


class Drawn:
    """Pictures drawn on a canvas, one after another."""

    def __init__(self, surface):
        self.canvas = Canvas(surface.ctx)

    def draw(self, rgb):
        """The canvas with this picture on it."""
        size = rgb.shape[1::-1]
        picture = Picture(self.canvas.ctx, size, 1)
        picture.put(0, rgb)
        self.canvas.begin(size)
        picture.draw(0, size)
        picture.release()
        return self.canvas


def present(path, pictures, **options):
    """A silent video of pictures that were drawn."""
    with Offscreen(SIZE) as surface, VideoFile(path, SIZE, 30, sound_rate_hz=None, **options) as writer:
        drawn = Drawn(surface)
        for rgb in pictures:
            writer.write_canvas(drawn.draw(rgb))
        drawn.canvas.release()
        assert writer.n_pictures == len(pictures)
    return path


def sound_of(path):
    """(start seconds, rate, (samples, 2))"""
    with av.open(str(path)) as container:
        frames = list(container.decode(audio=0))
    sound = np.concatenate([frame.to_ndarray() for frame in frames], axis=1).T
    return float(frames[0].pts * frames[0].time_base), frames[0].sample_rate, sound


def digest(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def boxes(path):
    """Names of the top-level boxes of an MP4 file, whose sizes must add up to the file."""
    data, names, at = Path(path).read_bytes(), [], 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        names.append(data[at + 4 : at + 8].decode("ascii"))
        if size == 1:
            size = int.from_bytes(data[at + 8 : at + 16], "big")
        at += size
    assert at == len(data)
    return names


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".MP4"])
def test_streams_tags_and_every_picture(tmp_path, suffix):
    path = write(tmp_path / f"out{suffix}", n_pictures=45)
    with av.open(str(path)) as container:
        video, sound = container.streams.video[0], container.streams.audio[0]
        assert (video.codec_context.name, video.pix_fmt) == ("h264", "yuv420p")
        assert (video.width, video.height) == SIZE
        assert (sound.codec_context.name, sound.channels) == ("aac", 2)
        frame = next(container.decode(video=0))
        assert (frame.color_range, frame.colorspace, frame.color_primaries, frame.color_trc) == (1, 1, 1, 1)
    times = [time for time, _ in pictures_of(path)]
    assert np.allclose(times, np.arange(45) / 30, atol=0.00051)  # mkv counts milliseconds
    assert sorted(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_index_comes_before_the_data(tmp_path, suffix):
    names = boxes(write(tmp_path / f"out{suffix}"))
    assert names.index("moov") < names.index("mdat")


@pytest.mark.parametrize(
    "colour", [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0), (128, 128, 128), (255, 200, 40)]
)
def test_colours_survive(tmp_path, colour):
    path = write(tmp_path / "out.mp4", n_pictures=5, sound_rate_hz=None, picture=lambda _: flat(colour))
    for _, picture in pictures_of(path):
        assert np.abs(picture.astype(int) - colour).max() <= 3


def test_matrix_and_range_are_bt709_limited(tmp_path):
    """Against the standard's own numbers: Y of pure green is 16 + 219 * 0.7152, not 601's 0.587 or full range."""
    path = write(tmp_path / "out.mp4", n_pictures=3, sound_rate_hz=None, picture=lambda _: flat((0, 255, 0)), crf=1)
    with av.open(str(path)) as container:
        planes = next(container.decode(video=0)).to_ndarray()
    height, width = SIZE[1], SIZE[0]
    chroma = planes[height:].reshape(2, -1)[:, : width * height // 4]
    assert abs(int(np.median(planes[:height])) - (16 + 219 * 0.7152)) <= 1
    assert abs(int(np.median(chroma[0])) - (128 - 224 * 0.7152 / 1.8556)) <= 1
    assert abs(int(np.median(chroma[1])) - (128 - 224 * 0.7152 / 1.5748)) <= 1


def test_a_smooth_picture_comes_back_nearly_unchanged(tmp_path):
    y, x = np.mgrid[:180, :320]
    scene = np.stack([x * 255 / 319, y * 255 / 179, 128 + 100 * np.sin(x / 40)], axis=2).astype(np.uint8)
    path = write(tmp_path / "out.mp4", n_pictures=4, size=(320, 180), picture=lambda _: scene)
    error = np.mean((pictures_of(path)[2][1].astype(float) - scene) ** 2)
    assert 10 * np.log10(255**2 / error) > 38


@pytest.mark.parametrize("make", [noise, smooth])
def test_a_drawn_picture_is_encoded_as_the_same_pixels_are(tmp_path, make):
    """Converted by the shader, or by FFmpeg; crf 0 is lossless."""
    rgb = make(SIZE, 1)
    drawn = planes_of(present(tmp_path / "drawn.mp4", [rgb], crf=0))
    converted = planes_of(write(tmp_path / "rgb.mp4", 1, sound_rate_hz=None, picture=lambda _: rgb, crf=0))
    for plane, other in zip(drawn, converted, strict=True):
        differ = np.abs(plane - other)[:, 1:-1]  # FFmpeg handles the first column of U and V differently
        assert differ.max() <= 1 and differ.mean() < 0.1


def test_drawn_pictures_come_back_in_order_and_nearly_unchanged(tmp_path):
    pictures = [smooth(SIZE, seed) for seed in range(20)]
    seen = pictures_of(present(tmp_path / "out.mp4", pictures, crf=4))
    assert np.allclose([time for time, _ in seen], np.arange(20) / 30, atol=1e-6)
    for (_, picture), rgb in zip(seen, pictures, strict=True):
        differ = np.abs(picture.astype(int) - rgb)  # half of it is the decoder's coarse chroma
        assert differ.mean() < 2.5 and differ.max() <= 16


@pytest.mark.parametrize(
    "colour", [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0), (128, 128, 128), (255, 200, 40)]
)
def test_drawn_colours_survive(tmp_path, colour):
    for _, picture in pictures_of(present(tmp_path / "out.mp4", 3 * [flat(colour)])):
        assert np.abs(picture.astype(int) - colour).max() <= 3


@pytest.mark.skipif(shutil.which("ffprobe") is None, reason="PyAV does not say where U and V lie; ffprobe does")
def test_the_file_says_where_its_chroma_lies(tmp_path):
    path = present(tmp_path / "out.mp4", [flat(0)])
    ask = ["ffprobe", "-v", "error", "-show_entries", "stream=chroma_location,color_range,color_space", path]
    said = subprocess.run(ask, capture_output=True, text=True, check=True).stdout
    assert "chroma_location=left" in said and "color_range=tv" in said and "color_space=bt709" in said


def test_close_fetches_the_pictures_under_way_while_there_still_is_a_context(tmp_path):
    with VideoFile(tmp_path / "out.mp4", SIZE, 30, sound_rate_hz=None) as writer, Offscreen(SIZE) as surface:
        drawn = Drawn(surface)
        for level in (0, 100, 200, 255):
            writer.present(drawn.draw(flat(level)), NO_SOUND, Features())
        writer.close()
        writer.close()
    levels = [picture.mean() for _, picture in pictures_of(tmp_path / "out.mp4")]
    assert np.allclose(levels, [0, 100, 200, 255], atol=2)


def test_with_the_graphics_built_again_the_video_goes_on_at_its_times(tmp_path):
    """What was under way in a context that is lost is missing: the picture before it stays."""
    with VideoFile(tmp_path / "out.mp4", SIZE, 30, sound_rate_hz=None) as writer:
        with Offscreen(SIZE) as surface:
            drawn = Drawn(surface)
            for _ in range(5):
                writer.write_canvas(drawn.draw(flat(50)))
        with Offscreen(SIZE) as surface:
            drawn = Drawn(surface)
            for _ in range(5):
                writer.write_canvas(drawn.draw(flat(200)))
            writer.close()
    seen = [(round(time * 30), round(picture.mean(), -1)) for time, picture in pictures_of(tmp_path / "out.mp4")]
    assert seen == [(0, 50), (1, 50), (2, 50), *((index, 200) for index in range(5, 10))]


def test_a_failure_while_pictures_are_under_way_leaves_no_file(tmp_path):
    with (
        pytest.raises(KeyError),
        Offscreen(SIZE) as surface,
        VideoFile(tmp_path / "out.mp4", SIZE, 30, sound_rate_hz=None) as writer,
    ):
        writer.write_canvas(Drawn(surface).draw(flat(0)))
        raise KeyError("something else")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("threads", [1, 3])
def test_same_input_gives_the_same_bytes(tmp_path, threads):
    paths = [tmp_path / f"{index}.mp4" for index in range(threads + 1)]
    write(paths[0], sound_rate_hz=44100)
    workers = [threading.Thread(target=write, args=(path,), kwargs={"sound_rate_hz": 44100}) for path in paths[1:]]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert len({digest(path) for path in paths}) == 1


#: encodes pictures whose blocks of 16 pixels do not fill the registers of AVX-512, and prints what comes out
ENCODES = """
import hashlib, pathlib, sys
from fractions import Fraction
import numpy as np
from PIL import Image
from visualizer.outputs.video_file import VideoFile
noise = np.random.default_rng(1).integers(0, 256, (30, 50), np.uint8)
clouds = Image.fromarray(noise).resize((500, 300), Image.Resampling.BICUBIC)
path = pathlib.Path(sys.argv[1])
with VideoFile(path, (320, 180), Fraction(30), sound_rate_hz=None) as video:
    for index in range(45):
        zoom = 1 / (1 + index * 0.004)
        at = (zoom, 0.02, 20 + index * 0.3, -0.02, zoom, 20)
        seen = clouds.transform((320, 180), Image.Transform.AFFINE, at, Image.Resampling.BICUBIC)
        video.write_picture(np.asarray(seen.convert("RGB")))
print(hashlib.sha256(path.read_bytes()).hexdigest())
"""


def test_the_bytes_do_not_depend_on_what_lay_in_memory(tmp_path):
    found = set()
    for fill in ("0", "85", "170"):  # the C library of Linux fills memory with it that was not used yet
        command = [sys.executable, "-c", ENCODES, str(tmp_path / f"{fill}.mp4")]
        done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"MALLOC_PERTURB_": fill})
        assert done.returncode == 0, done.stderr
        found.add(done.stdout)
    assert len(found) == 1


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_no_date_and_no_library_version_in_the_file(tmp_path, suffix):
    path = write(tmp_path / f"out{suffix}")
    with av.open(str(path)) as container:
        said = {**container.metadata, **container.streams.video[0].metadata, **container.streams.audio[0].metadata}
    assert not any("date" in key.lower() or "time" in key.lower() for key in said)
    assert b"Lavf6" not in path.read_bytes() and b"Lavc6" not in path.read_bytes()


@pytest.mark.parametrize(
    "fps", [Fraction(1), Fraction(24000, 1001), Fraction(25), Fraction(30000, 1001), Fraction(60), Fraction(240), 50]
)
def test_exact_frame_rate_and_equal_lengths(tmp_path, fps):
    n_pictures = max(3, int(fps * 2))
    path = write(tmp_path / "out.mp4", n_pictures=n_pictures, fps=fps)
    with av.open(str(path)) as container:
        video, sound = container.streams.video[0], container.streams.audio[0]
        assert video.average_rate == fps
        assert video.frames == n_pictures
        assert Fraction(video.duration) * video.time_base == n_pictures / Fraction(fps)
        difference = abs(video.duration * video.time_base - sound.duration * sound.time_base)
        assert difference < 1 / Fraction(fps)
    times = [time for time, _ in pictures_of(path)]
    assert np.allclose(times, np.arange(n_pictures) / float(fps), atol=1e-9)


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize("rate_hz", [8000, 11025, 22050, 44100, 48000, 96000, 192000])
def test_flash_and_click_stay_together(tmp_path, suffix, rate_hz):
    """A white picture and a click at one time: AAC's priming and the resampler's delay must not show."""
    fps, flash = Fraction(30), 20
    sound = np.zeros((round(40 / fps * rate_hz), 2), np.float32)
    click = round(flash / fps * rate_hz)
    n = round(0.004 * rate_hz)
    sound[click : click + n] = 0.8 * np.hanning(n)[:, None]
    path = write(
        tmp_path / f"out{suffix}",
        n_pictures=40,
        fps=fps,
        sound_rate_hz=rate_hz,
        sound=sound,
        picture=lambda index: flat(255 if index == flash else 0),
    )
    seen = [time for time, picture in pictures_of(path) if picture.mean() > 128]
    start_s, heard_rate_hz, heard = sound_of(path)
    assert heard_rate_hz == (rate_hz if rate_hz in (44100, 48000) else 48000)
    assert np.abs(heard).max() > 0.5
    heard_s = start_s + int(np.argmax(np.abs(heard[:, 0]))) / heard_rate_hz - 0.002
    assert len(seen) == 1
    assert abs(seen[0] - flash / fps) < 0.001
    assert abs(heard_s - seen[0]) < 0.005


def test_both_channels_and_level_come_through(tmp_path):
    rate_hz = 48000
    t = np.arange(rate_hz) / rate_hz
    sound = np.stack([0.5 * np.sin(2 * np.pi * 500 * t), 0.25 * np.sin(2 * np.pi * 1500 * t)], axis=1)
    _, _, heard = sound_of(write(tmp_path / "out.mp4", sound=sound.astype(np.float32)))
    assert np.allclose(heard[4800:43200].std(axis=0), np.array([0.5, 0.25]) / np.sqrt(2), rtol=0.02)


@pytest.mark.parametrize("n_block", [1, 7, 1023, 1024, 1025, 48000])
def test_any_split_of_the_sound_gives_the_same_video(tmp_path, n_block):
    sound = np.random.default_rng(1).uniform(-0.5, 0.5, (9600, 2)).astype(np.float32)
    heard = []
    for n in (n_block, 9600):
        with VideoFile(tmp_path / "out.mp4", SIZE, 30, sound_rate_hz=48000) as writer:
            writer.write_picture(flat(0))
            for start in range(0, 4800 if n == 1 else 9600, n):
                writer.write_sound(sound[start : start + n])
            if n == 1:
                writer.write_sound(sound[4800:])
        heard.append(sound_of(tmp_path / "out.mp4")[2])
    assert np.array_equal(heard[0], heard[1])


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_pictures_and_sound_lie_side_by_side_in_the_file(tmp_path, suffix):
    """A player that reads from the front never has to wait for the other stream."""
    path = write(tmp_path / f"out{suffix}", n_pictures=300)
    newest = {}
    with av.open(str(path)) as container:
        for packet in container.demux():
            if packet.dts is not None:
                newest[packet.stream.type] = float(packet.dts * packet.time_base)
                if len(newest) == 2:
                    assert abs(newest["video"] - newest["audio"]) < 1.1
    assert newest["video"] > 9 and newest["audio"] > 9


def test_broken_sound_is_made_harmless(tmp_path):
    sound = np.zeros((48000, 2), np.float32)
    sound[100:200], sound[300], sound[400], sound[500:600] = np.nan, np.inf, -np.inf, 1e30
    _, _, heard = sound_of(write(tmp_path / "out.mp4", sound=sound))
    assert np.isfinite(heard).all() and np.abs(heard).max() < 2.5


def test_the_caller_may_reuse_its_arrays(tmp_path):
    picture, block = flat(0), np.zeros((1600, 2), np.float32)
    with VideoFile(tmp_path / "out.mp4", SIZE, 30, sound_rate_hz=48000, crf=10) as writer:
        for index in range(24):
            picture[:], block[:] = index * 10, index / 48
            writer.write_picture(picture)
            writer.write_sound(block)
    levels = [picture.mean() for _, picture in pictures_of(tmp_path / "out.mp4")]
    assert np.allclose(levels, np.arange(24) * 10, atol=3)


def test_arrays_that_are_views(tmp_path):
    """Turned, mirrored and strided pictures are legal numpy."""
    scene = np.ascontiguousarray(moving(3)[::-1])
    path = write(tmp_path / "out.mp4", 2, sound_rate_hz=None, picture=lambda _: scene[::-1], crf=5)
    assert np.abs(pictures_of(path)[0][1].astype(int) - moving(3)).mean() < 12


def test_smallest_and_tall_sizes(tmp_path):
    for size in ((16, 16), (18, 640), (1280, 16)):
        path = write(tmp_path / "out.mp4", 3, size=size, picture=lambda _, size=size: flat(90, size))
        assert pictures_of(path)[0][1].shape == (size[1], size[0], 3)


def test_wrong_arrays_are_told(tmp_path):
    with VideoFile(tmp_path / "out.mp4", SIZE, 30, sound_rate_hz=48000) as writer:
        writer.write_picture(flat(0))
        writer.write_sound(np.zeros((0, 2), np.float32))
        for wrong in (flat(0)[:-2], flat(0).astype(np.float32), flat(0)[..., 0]):
            with pytest.raises(ValueError, match="expected"):
                writer.write_picture(wrong)
        for wrong in (np.zeros(10, np.float32), np.zeros((10, 1), np.float32)):
            with pytest.raises(ValueError, match="expected"):
                writer.write_sound(wrong)
    silent = VideoFile(tmp_path / "out.mp4", SIZE, 30, sound_rate_hz=None)
    with pytest.raises(ValueError, match="without sound"):
        silent.write_sound(np.zeros((10, 2), np.float32))
    with pytest.raises(ValueError, match="with"):
        silent.write_picture(flat(0))


def test_memory_does_not_grow_when_the_encoder_is_behind(tmp_path):
    """The queue is bounded: a writer whose encoder is stopped blocks instead of collecting pictures."""
    writer = VideoFile(tmp_path / "out.mp4", SIZE, 30, sound_rate_hz=None)
    gate = threading.Event()
    with writer:
        handed = []

        def flood():
            for index in range(200):
                handed.append(index)
                writer.write_picture(flat(index % 256))

        from visualizer.outputs import encoder

        original = encoder.Encoder.push
        try:
            encoder.Encoder.push = lambda self, frame: (gate.wait(60), original(self, frame))[1]
            thread = threading.Thread(target=flood)
            thread.start()
            thread.join(1.0)
            assert thread.is_alive() and len(handed) < 30
        finally:
            gate.set()
            thread.join(60)
            encoder.Encoder.push = original
    assert len(pictures_of(tmp_path / "out.mp4")) == 200
