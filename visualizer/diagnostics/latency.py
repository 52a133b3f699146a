"""From sound to light, measured on this machine: clicks are played, heard through the input, and seen in the window."""

from __future__ import annotations

import shutil
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from ..audio.clicks import REST_S, RecordingCapture, StampedBlock, arrival, click_times, write_clicks
from ..audio.decode import Song
from ..audio.playback import Playback
from ..beat import KickFollower
from ..clock import monotonic
from ..errors import BadInput, DeviceError, VisualizerError
from ..files.paths import temporary_folder
from ..files.remembered import remembered_delay_ms
from ..presets.cache import FrameCache
from ..presets.dreams import cache_key
from ..presets.loaded import LoadedPreset
from ..render.watched import ShownPicture, WatchedWindow
from ..settings import BeatSettings
from ..show.onscreen import Staging, run
from ..show.sources.input import InputSource
from .input_analysis import input_of

N_CLICKS = (5, 500)
# A picture shows the kick when it is so much brighter than the one before: the brightness is the depth's, 0..1.
RISE = 0.2
# The kick follower tells a kick, and the picture shows it, within so long, or not at all.
TOLD_S, SEEN_S = 0.15, 0.5
# Looks at the output's clock around a click that tell when it was heard: half a second of them.
N_NEAR = 31
# After so many clicks of which nothing was heard, nothing will be.
HOPELESS = 4
LEAST_SHARE = 0.5  # of the clicks, that must have been seen
MOST_LEAD_MS = 200
# How late a microphone on a cable is, about.
MICROPHONE_MS = 15
PARTS = ("capture", "analysis", "wait", "draw", "swap")


@dataclass(frozen=True)
class Delay:
    """How long one click took to be seen, and where: seconds. Their sum is `total_s`.

    capture_s: from being heard to the block with its beginning being delivered; below 0 where the input hears a sound before
    the loudspeaker does. analysis_s: what the kick follower must hear of it, and its computing. wait_s: until the next
    display frame is begun. draw_s, swap_s: drawing that, and showing it.
    """

    capture_s: float
    analysis_s: float
    wait_s: float
    draw_s: float
    swap_s: float

    @property
    def total_s(self) -> float:
        """From sound to light."""
        return self.capture_s + self.analysis_s + self.wait_s + self.draw_s + self.swap_s


@dataclass(frozen=True)
class Figure:
    """Median and 95th percentile, ms."""

    median_ms: float
    p95_ms: float


@dataclass(frozen=True)
class Latency:
    """What was measured. n_heard, n_told: clicks that came back, and those that the kick follower told; rate_hz: display
    frames a second; size: of the window, px; is_loopback: whether the input hears what the machine plays and not the loudspeaker;
    set_delay_ms: the delay that `play` remembers for the output.
    """

    input_name: str
    output_name: str
    size: tuple[int, int]
    rate_hz: float
    n_clicks: int
    n_heard: int
    n_told: int
    delays: tuple[Delay, ...]
    is_loopback: bool = True
    set_delay_ms: float = 0.0

    @property
    def delay_ms(self) -> int | None:
        """How late the loudspeaker is against what `play` takes it to be, ms: for `play --delay-ms`. None where it was not heard."""
        return None if self.is_loopback else max(0, round(self.parts["capture"].median_ms - MICROPHONE_MS))

    @property
    def total(self) -> Figure:
        """From sound to light."""
        return _figure([one.total_s for one in self.delays])

    @property
    def parts(self) -> dict[str, Figure]:
        """The same by PARTS."""
        return {part: _figure([getattr(one, f"{part}_s") for one in self.delays]) for part in PARTS}

    @property
    def lead_ms(self) -> int:
        """What `beat.lead_ms` should be, so that foreseen kicks are seen as they are heard."""
        return min(MOST_LEAD_MS, max(0, round(self.total.median_ms)))


def _figure(seconds: Sequence[float]) -> Figure:
    median, p95 = np.percentile(np.array(seconds) * 1000, (50, 95)).tolist()
    return Figure(median, p95)


def grey_ladder(loaded: LoadedPreset, cache: FrameCache) -> LoadedPreset:
    """The look with dream frames that are the brighter the deeper, 0..1, in place of its dreams; `cache` then holds them.

    They take as long to draw as any others, and their brightness tells the depth drawn.
    """
    shape = loaded.image.shape
    grey = np.linspace(0, 255, loaded.n_depths + 1).round().astype(np.uint8)
    ladder = replace(loaded, image=np.full(shape, grey[0], np.uint8))
    for variant in ladder.variants:
        key = cache_key(ladder.image, variant, cache)
        for depth_index, value in enumerate(grey.tolist()):
            cache.save(key, depth_index, np.full(shape, value, np.uint8))
    if cache.last_fault is not None:
        raise VisualizerError(f"the pictures to be measured cannot be kept: {cache.last_fault}")
    return ladder


@dataclass(frozen=True)
class _Frame:
    """A display frame begun: when its sound was asked for, and when that had been heard."""

    begun_s: float
    heard_s: float


class _OutputLost(DeviceError):
    """On a busy machine a sound server may take no sound for a while: worth another try."""


class _Measuring(InputSource):
    """The input as a source, with clicks being played, that notes when it took in sound."""

    def __init__(
        self, capture: RecordingCapture, playback: Playback, loaded: LoadedPreset, times_s: np.ndarray
    ) -> None:
        super().__init__(capture, loaded.settings.beat)
        self.capture, self.playback, self.times_s = capture, playback, times_s
        self.frames: list[_Frame] = []
        self.places: list[tuple[float, float]] = []  # when, and which second of the clicks was heard then

    def take_in(self, time_s: float) -> None:
        begun_s = monotonic()
        super().take_in(time_s)
        self.frames.append(_Frame(begun_s, monotonic()))
        self.places.append((monotonic(), self.playback.position_s))

    def start(self) -> None:
        super().start()
        self.playback.start()

    def news(self) -> str | None:
        return None  # a lost device ends it, and nothing may lie over the picture

    @property
    def ended(self) -> bool:
        position_s = self.playback.position_s
        if self.capture.lost:
            raise DeviceError(f"the sound of {self.capture.device_name!r} is lost: {self.capture.lost}")
        if self.playback.lost:
            raise _OutputLost(f"the output {self.playback.device_name!r} is lost: {self.playback.lost}")
        n_sounded = int(np.searchsorted(self.times_s, position_s - REST_S / 2))
        if n_sounded == HOPELESS and not any(self.arrivals(HOPELESS)):
            raise self.nothing_back()
        return self.playback.ended or n_sounded == len(self.times_s)

    def sounded_s(self) -> np.ndarray:
        """When each click was heard, by `monotonic`; NaN for those that were not played."""
        now_s, place_s = np.array(self.places or [(0.0, 0.0)]).T
        moving = place_s > 0
        now_s, place_s = now_s[moving], place_s[moving]
        sounded = []
        for time_s in self.times_s:
            # the device takes its sound in bursts: the median of a while is smooth
            near = np.argsort(np.abs(place_s - time_s))[:N_NEAR]
            was_played = len(place_s) > 0 and place_s[-1] >= time_s
            sounded.append(time_s + np.median((now_s - place_s)[near]) if was_played else np.nan)
        return np.array(sounded)

    def arrivals(self, n_clicks: int) -> list[int | None]:
        """The block that brought each of the first n clicks."""
        blocks, rate_hz = list(self.capture.blocks), self.capture.sample_rate_hz
        return [arrival(blocks, time_s, rate_hz) for time_s in self.sounded_s()[:n_clicks].tolist()]

    def nothing_back(self) -> DeviceError:
        return DeviceError(
            f"no sound came back from {self.capture.device_name!r}: choose the monitor of the output "
            f"({self.playback.device_name!r}) with --device, see `visualizer devices`, or turn the sound up"
        )


def measure(
    loaded: LoadedPreset,
    *,
    device: str | int | None = None,
    channels: Sequence[int] = (),
    gain_db: float = 0.0,
    output: str | int | None = None,
    n_clicks: int = 24,
    seed: int = 0,
    staging: Staging | None = None,
    said: Callable[[str], None] = lambda line: None,
) -> Latency:
    """Play n_clicks (5..500) through `output`, hear them through `device`, show them as `live` would, and time them.

    device None: the input `live` would listen to. said: told what happens, before it does. The look's kicks jump and are
    not led, and its dreams are greys. Raises BadInput, UnknownDevice, GraphicsError; DeviceError when a device is lost or
    no click comes back.
    """
    if not N_CLICKS[0] <= n_clicks <= N_CLICKS[1]:
        raise BadInput(f"{n_clicks} clicks cannot be measured; allowed: {N_CLICKS[0]} .. {N_CLICKS[1]}")
    times_s = click_times(n_clicks, seed)
    beat = loaded.settings.beat.model_copy(update={"motion": "decay", "lead_ms": 0.0})
    loaded = replace(loaded, settings=loaded.settings.model_copy(update={"beat": beat}), news=())

    def once() -> Latency:
        return _measure(loaded, device, channels, gain_db, output, times_s, staging, said)

    try:
        return once()
    except _OutputLost as lost:
        said(f"{lost}; once more")
        return once()


def _measure(
    loaded: LoadedPreset,
    device: str | int | None,
    channels: Sequence[int],
    gain_db: float,
    output: str | int | None,
    times_s: np.ndarray,
    staging: Staging | None,
    said: Callable[[str], None],
) -> Latency:
    windows: list[WatchedWindow] = []

    def opens(*arguments: object, **named: object) -> WatchedWindow:
        windows.append(WatchedWindow(*arguments, **named))
        return windows[-1]

    folder = temporary_folder("visualizer-")
    try:
        with (
            RecordingCapture(input_of(device), channels=channels, gain_db=gain_db) as capture,
            Song(write_clicks(folder / "clicks.wav", times_s)) as song,
            Playback(song, device=output) as playback,
        ):
            cache = FrameCache(folder / "cache", 10**11)
            loaded = grey_ladder(loaded, cache)
            source = _Measuring(capture, playback, loaded, times_s)
            said(
                f"{len(times_s)} clicks through {playback.device_name}, heard from {capture.device_name}: {times_s[-1] + 3:.0f} s"
            )
            report = run(loaded, source, cache, title="latency - visualizer", greeting="", staging=staging, opens=opens)
            return _judged(source, windows[-1].seen, loaded, report.rate_hz)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _judged(source: _Measuring, seen: list[ShownPicture], loaded: LoadedPreset, rate_hz: float) -> Latency:
    """The delays of the clicks that were played."""
    blocks = list(source.capture.blocks)
    sounded_s = source.sounded_s()
    arrived = source.arrivals(len(sounded_s))
    told = told_in(blocks, source.capture.sample_rate_hz, loaded.settings.beat)
    n_played = int(np.count_nonzero(np.isfinite(sounded_s)))
    n_heard = n_told = 0
    delays = []
    shown = _paired(source.frames, seen)
    for time_s, first in zip(sounded_s.tolist(), arrived, strict=True):
        if first is None:
            continue
        n_heard += 1
        last = next((one for one in told if one >= first), None)
        if last is None or blocks[last].stamp_s - blocks[first].stamp_s > TOLD_S:
            continue
        n_told += 1
        delay = _delay(time_s, blocks[first].stamp_s, blocks[last].stamp_s, shown)
        if delay is not None:
            delays.append(delay)
    if n_played < len(sounded_s):
        raise VisualizerError(
            f"the window was closed after {n_played} of {len(sounded_s)} clicks; leave it open until it is done"
        )
    if not n_heard:
        raise source.nothing_back()
    if n_told < LEAST_SHARE * n_heard:
        raise DeviceError(
            f"{n_heard} of {n_played} clicks came back from {source.capture.device_name!r}, but only {n_told} sounded like a "
            "kick: turn the sound up, use loudspeakers that have bass, or choose the monitor of the output with --device"
        )
    if len(delays) < LEAST_SHARE * n_told:
        raise VisualizerError(
            f"only {len(delays)} of {n_told} kicks were seen; leave the window in sight, and close what makes the machine slow"
        )
    return Latency(
        input_name=source.capture.device_name,
        output_name=source.playback.device_name,
        size=loaded.size,
        rate_hz=rate_hz,
        n_clicks=n_played,
        n_heard=n_heard,
        n_told=n_told,
        delays=tuple(delays),
        is_loopback=source.capture.device.is_loopback,
        set_delay_ms=remembered_delay_ms(source.playback.output_name or source.playback.device_name),
    )


def _paired(frames: Sequence[_Frame], seen: Sequence[ShownPicture]) -> list[tuple[_Frame, ShownPicture]]:
    """Each picture with the last hearing before it was drawn. The last of all became none."""
    drawn_s = [picture.drawn_s for picture in seen]
    last = {bisect_left(drawn_s, frame.heard_s): frame for frame in frames}
    return [(frame, seen[index]) for index, frame in last.items() if index < len(seen)]


def told_in(blocks: Sequence[StampedBlock], rate_hz: int, beat: BeatSettings) -> list[int]:
    """The blocks with which a kick could be told, by their index."""
    follower = KickFollower(rate_hz, beat)
    return [index for index, block in enumerate(blocks) if follower.push(block.samples)]


def _delay(time_s: float, came_s: float, told_s: float, shown: Sequence[tuple[_Frame, ShownPicture]]) -> Delay | None:
    """The delay of a click heard at time_s, whose beginning came in at came_s and that could be told at told_s."""
    for (_, before), (frame, picture) in pairwise(shown):
        if not told_s < picture.shown_s < told_s + SEEN_S:
            continue
        if picture.brightness - before.brightness >= RISE:
            begun_s = max(frame.begun_s, came_s)
            told_s = min(told_s, begun_s)  # it may have come in while the frame was taking in its sound
            return Delay(
                capture_s=came_s - time_s,
                analysis_s=told_s - came_s + frame.heard_s - begun_s,
                wait_s=begun_s - told_s,
                draw_s=picture.drawn_s - frame.heard_s,
                swap_s=picture.shown_s - picture.drawn_s,
            )
    return None
