"""Measure the latency from sound to light: play clicks, record them through the input, and detect them in the
window.
"""

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
RISE = 0.2  # rise of the brightness, 0..1, by which a picture shows a click; the brightness is the depth / n_depths
DETECT_S, SHOW_S = 0.15, 0.5  # longest time until the kick follower reports a click, and until a picture shows it
N_NEAR = 31  # positions of the output around a click from which its time is computed: half a second of them
MAX_UNHEARD = 4  # give up if none of this many clicks was recorded
MIN_SEEN = 0.5  # fraction of the clicks that must be seen
MAX_LEAD_MS = 200
MICROPHONE_MS = 15  # typical latency of a microphone on a cable
PARTS = ("capture", "analysis", "wait", "draw", "swap")


@dataclass(frozen=True)
class Delay:
    """The latency of one click in parts, seconds; their sum is `total_s`.

    Parameters
    ----------
    capture_s : from the sound until the input has delivered the block with its beginning; below 0 if the input records
    the sound
        before the loudspeaker plays it.
    analysis_s : until the kick follower can report it, and the time to compute that.
    wait_s : until the next display frame begins.
    draw_s, swap_s : drawing that frame, and showing it.
    """

    capture_s: float
    analysis_s: float
    wait_s: float
    draw_s: float
    swap_s: float

    @property
    def total_s(self) -> float:
        """Latency from sound to light."""
        return self.capture_s + self.analysis_s + self.wait_s + self.draw_s + self.swap_s


@dataclass(frozen=True)
class Figure:
    """Median and 95th percentile, ms."""

    median_ms: float
    p95_ms: float


@dataclass(frozen=True)
class Latency:
    """The measurements.

    Parameters
    ----------
    size : of the window, px.
    rate_hz : rate of the display frames.
    n_clicks, n_heard, n_detected : clicks that were played, recorded, and reported by the kick follower.
    delays : of the clicks that were seen.
    is_loopback : the input records what the machine plays, not the loudspeaker.
    set_delay_ms : the delay that `play` remembers for the output.
    """

    input_name: str
    output_name: str
    size: tuple[int, int]
    rate_hz: float
    n_clicks: int
    n_heard: int
    n_detected: int
    delays: tuple[Delay, ...]
    is_loopback: bool = True
    set_delay_ms: float = 0.0

    @property
    def delay_ms(self) -> int | None:
        """Delay of the loudspeaker for `play --delay-ms`, ms; None if the loudspeaker was not recorded."""
        return None if self.is_loopback else max(0, round(self.parts["capture"].median_ms - MICROPHONE_MS))

    @property
    def total(self) -> Figure:
        """Latency from sound to light."""
        return _figure([one.total_s for one in self.delays])

    @property
    def parts(self) -> dict[str, Figure]:
        """The parts of the latency, by PARTS."""
        return {part: _figure([getattr(one, f"{part}_s") for one in self.delays]) for part in PARTS}

    @property
    def lead_ms(self) -> int:
        """The value for `beat.lead_ms` with which predicted kicks are shown when they sound."""
        return min(MAX_LEAD_MS, max(0, round(self.total.median_ms)))


def _figure(seconds: Sequence[float]) -> Figure:
    median, p95 = np.percentile(np.array(seconds) * 1000, (50, 95)).tolist()
    return Figure(median, p95)


def with_test_ramp(loaded: LoadedPreset, cache: FrameCache) -> LoadedPreset:
    """Replace the preset's dream frames by a test ramp: grey frames from black at depth 0 to white at the deepest.

    The brightness of a picture then shows its depth, and drawing takes as long as always. The frames are saved in
    `cache`.
    """
    shape = loaded.image.shape
    greys = np.linspace(0, 255, loaded.n_depths + 1).round().astype(np.uint8)
    ramp = replace(loaded, image=np.full(shape, greys[0], np.uint8))
    for variant in ramp.variants:
        key = cache_key(ramp.image, variant, cache)
        for depth_index, value in enumerate(greys.tolist()):
            cache.save(key, depth_index, np.full(shape, value, np.uint8))
    if cache.last_fault is not None:
        raise VisualizerError(f"the test ramp cannot be saved: {cache.last_fault}")
    return ramp


@dataclass(frozen=True)
class _Frame:
    """The begin of a display frame: when it began to take in sound, and when that was analysed."""

    begun_s: float
    analysed_s: float


class _OutputLost(DeviceError):
    """The output was lost; on a busy machine a sound server may stop for a while, so it is tried once more."""


class _Measuring(InputSource):
    """The input as a source while clicks are played; records when it takes in sound."""

    def __init__(
        self, capture: RecordingCapture, playback: Playback, loaded: LoadedPreset, times_s: np.ndarray
    ) -> None:
        super().__init__(capture, loaded.settings.beat)
        self.capture, self.playback, self.times_s = capture, playback, times_s
        self.frames: list[_Frame] = []
        self.places: list[tuple[float, float]] = []  # time, and position in the clicks at that time, s

    def take_in(self, time_s: float) -> None:
        begun_s = monotonic()
        super().take_in(time_s)
        self.frames.append(_Frame(begun_s, monotonic()))
        self.places.append((monotonic(), self.playback.position_s))

    def start(self) -> None:
        super().start()
        self.playback.start()

    def news(self) -> str | None:
        return None  # a lost device ends the measurement, and no text may cover the picture

    @property
    def ended(self) -> bool:
        position_s = self.playback.position_s
        if self.capture.lost:
            raise DeviceError(f"the sound of {self.capture.device_name!r} is lost: {self.capture.lost}")
        if self.playback.lost:
            raise _OutputLost(f"the output {self.playback.device_name!r} is lost: {self.playback.lost}")
        n_sounded = int(np.searchsorted(self.times_s, position_s - REST_S / 2))
        if n_sounded == MAX_UNHEARD and not any(self.arrivals(MAX_UNHEARD)):
            raise self.no_sound()
        return self.playback.ended or n_sounded == len(self.times_s)

    def sounded_s(self) -> np.ndarray:
        """When each click sounded, by `monotonic`; NaN for those that were not played."""
        now_s, place_s = np.array(self.places or [(0.0, 0.0)]).T
        moving = place_s > 0
        now_s, place_s = now_s[moving], place_s[moving]
        sounded = []
        for time_s in self.times_s:
            # the device takes sound in bursts: the median is smooth
            near = np.argsort(np.abs(place_s - time_s))[:N_NEAR]
            was_played = len(place_s) > 0 and place_s[-1] >= time_s
            sounded.append(time_s + np.median((now_s - place_s)[near]) if was_played else np.nan)
        return np.array(sounded)

    def arrivals(self, n_clicks: int) -> list[int | None]:
        """Index of the block with the beginning of each of the first n clicks; None for those not recorded."""
        blocks, rate_hz = list(self.capture.blocks), self.capture.sample_rate_hz
        return [arrival(blocks, time_s, rate_hz) for time_s in self.sounded_s()[:n_clicks].tolist()]

    def no_sound(self) -> DeviceError:
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
    say: Callable[[str], None] = lambda line: None,
) -> Latency:
    """Play clicks, record them, show them as `live` does, and measure the latency.

    Parameters
    ----------
    loaded : the preset to show, with a test ramp instead of its dream frames, the motion decay and no lead.
    device, channels, gain_db : the input, as for `live`; None for the one that `live` would use.
    output : the output; None for the default one.
    n_clicks : 5..500.
    seed : of the times of the clicks.
    say : called with messages for the user.

    Raises BadInput, UnknownDevice, GraphicsError; DeviceError when a device is lost or no click is recorded.
    """
    if not N_CLICKS[0] <= n_clicks <= N_CLICKS[1]:
        raise BadInput(f"{n_clicks} clicks cannot be measured; allowed: {N_CLICKS[0]} .. {N_CLICKS[1]}")
    times_s = click_times(n_clicks, seed)
    beat = loaded.settings.beat.model_copy(update={"motion": "decay", "without_kicks": "rest", "lead_ms": 0.0})
    loaded = replace(loaded, settings=loaded.settings.model_copy(update={"beat": beat}), news=())

    def once() -> Latency:
        return _measure(loaded, device, channels, gain_db, output, times_s, staging, say)

    try:
        return once()
    except _OutputLost as lost:
        say(f"{lost}; trying once more")
        return once()


def _measure(
    loaded: LoadedPreset,
    device: str | int | None,
    channels: Sequence[int],
    gain_db: float,
    output: str | int | None,
    times_s: np.ndarray,
    staging: Staging | None,
    say: Callable[[str], None],
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
            loaded = with_test_ramp(loaded, cache)
            source = _Measuring(capture, playback, loaded, times_s)
            say(
                f"{len(times_s)} clicks through {playback.device_name}, recorded from {capture.device_name}: {times_s[-1] + 3:.0f} s"
            )
            report = run(loaded, source, cache, title="latency - visualizer", greeting="", staging=staging, opens=opens)
            return _judged(source, windows[-1].seen, loaded, report.rate_hz)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _judged(source: _Measuring, seen: list[ShownPicture], loaded: LoadedPreset, rate_hz: float) -> Latency:
    """Compute the delays of the clicks."""
    blocks = list(source.capture.blocks)
    sounded_s = source.sounded_s()
    arrived = source.arrivals(len(sounded_s))
    detected = detections(blocks, source.capture.sample_rate_hz, loaded.settings.beat)
    n_played = int(np.count_nonzero(np.isfinite(sounded_s)))
    n_heard = n_detected = 0
    delays = []
    shown = _paired(source.frames, seen)
    for time_s, first in zip(sounded_s.tolist(), arrived, strict=True):
        if first is None:
            continue
        n_heard += 1
        last = next((one for one in detected if one >= first), None)
        if last is None or blocks[last].stamp_s - blocks[first].stamp_s > DETECT_S:
            continue
        n_detected += 1
        delay = _delay(time_s, blocks[first].stamp_s, blocks[last].stamp_s, shown)
        if delay is not None:
            delays.append(delay)
    if n_played < len(sounded_s):
        raise VisualizerError(
            f"the window was closed after {n_played} of {len(sounded_s)} clicks; leave it open until it is done"
        )
    if not n_heard:
        raise source.no_sound()
    if n_detected < MIN_SEEN * n_heard:
        raise DeviceError(
            f"{n_heard} of {n_played} clicks were recorded from {source.capture.device_name!r}, but only {n_detected} were detected as "
            "kicks: turn the sound up, use loudspeakers that have bass, or choose the monitor of the output with --device"
        )
    if len(delays) < MIN_SEEN * n_detected:
        raise VisualizerError(
            f"only {len(delays)} of {n_detected} kicks were seen; keep the window visible, and close programs that make the machine slow"
        )
    return Latency(
        input_name=source.capture.device_name,
        output_name=source.playback.device_name,
        size=loaded.size,
        rate_hz=rate_hz,
        n_clicks=n_played,
        n_heard=n_heard,
        n_detected=n_detected,
        delays=tuple(delays),
        is_loopback=source.capture.device.is_loopback,
        set_delay_ms=remembered_delay_ms(source.playback.output_name or source.playback.device_name),
    )


def _paired(frames: Sequence[_Frame], seen: Sequence[ShownPicture]) -> list[tuple[_Frame, ShownPicture]]:
    """Pair each picture with the last frame that began before it was drawn; frames without a picture are left out."""
    drawn_s = [picture.drawn_s for picture in seen]
    last = {bisect_left(drawn_s, frame.analysed_s): frame for frame in frames}
    return [(frame, seen[index]) for index, frame in last.items() if index < len(seen)]


def detections(blocks: Sequence[StampedBlock], rate_hz: int, beat: BeatSettings) -> list[int]:
    """Indices of the blocks after which a kick can be reported."""
    follower = KickFollower(rate_hz, beat)
    return [index for index, block in enumerate(blocks) if follower.push(block.samples)]


def _delay(
    time_s: float, delivered_s: float, detected_s: float, shown: Sequence[tuple[_Frame, ShownPicture]]
) -> Delay | None:
    """Delay of a click that sounded at time_s, was delivered at delivered_s and could be reported at detected_s; None
    if not seen.
    """
    for (_, before), (frame, picture) in pairwise(shown):
        if not detected_s < picture.shown_s < detected_s + SHOW_S:
            continue
        if picture.brightness - before.brightness >= RISE:
            begun_s = max(frame.begun_s, delivered_s)
            detected_s = min(detected_s, begun_s)  # it may have arrived while the frame took in its sound
            return Delay(
                capture_s=delivered_s - time_s,
                analysis_s=detected_s - delivered_s + frame.analysed_s - begun_s,
                wait_s=begun_s - detected_s,
                draw_s=picture.drawn_s - frame.analysed_s,
                swap_s=picture.shown_s - picture.drawn_s,
            )
    return None
