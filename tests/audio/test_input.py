"""An input that is lost in every way a sound server knows, and comes back, with real devices; and that takes no
other.
"""

from __future__ import annotations

import gc
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from tests.fixtures.pulse import Pulse, wait_until
from tests.fixtures.watching import takes
from visualizer.audio import input, portaudio, recovery, watch
from visualizer.audio.input import LOST, OK, WAITING, ZEROS, LiveInput
from visualizer.errors import BadInput, UnknownDevice
from visualizer.settings import BeatSettings
from visualizer.show.sources.input import InputSource

MIC_HZ, OTHER_HZ = 100, 300


@pytest.fixture
def pulse(mortal_pulse: Pulse) -> Pulse:
    """A server of this test's own, with a microphone that hears a tone and another that hears a higher one."""
    mortal_pulse.mic = mortal_pulse.plug_in("mic", MIC_HZ)
    mortal_pulse.plug_in("mic2", OTHER_HZ)
    return mortal_pulse


@pytest.fixture
def opened(pulse: Pulse) -> Iterator[Callable[..., LiveInput]]:
    inputs: list[LiveInput] = []

    def start(*words: object, **options: object) -> LiveInput:
        for one in inputs:  # of a take that was spoilt
            one.close()
        inputs.append(LiveInput(*words, **options))
        inputs[-1].start()
        return inputs[-1]

    yield start
    for source in inputs:
        source.close()
    wait_until(lambda: not any(thread.name == "audio-input" for thread in threading.enumerate()), "a thread is left")


def until(source: LiveInput, state: str) -> None:
    def reached() -> bool:
        source.drain()
        return source.state == state

    wait_until(reached, f"the state stayed {source.state!r} ({source.reason}), it should be {state!r}")


def said(source: LiveInput) -> list[str]:
    lines = []
    while (line := source.news()) is not None:
        lines.append(line)
    return lines


def pitch_hz(source: LiveInput, seconds: float = 0.2) -> float:
    """What is heard now, its loudest frequency."""
    heard: list[np.ndarray] = []
    source.drain()

    def enough() -> bool:
        heard.extend(source.drain()[0])
        return sum(map(len, heard)) >= seconds * source.sample_rate_hz

    wait_until(enough, "no sound")
    sound = np.concatenate(heard)
    return float(np.argmax(np.abs(np.fft.rfft(sound * np.hanning(len(sound))))) * source.sample_rate_hz / len(sound))


def test_it_hears_counts_nothing_and_closes(opened: Callable[..., LiveInput]) -> None:
    for _ in range(8):  # a machine too busy to fetch the sound says so, and proves nothing
        source = opened("mic")
        assert source.state == WAITING and source.device_name == "mic" and "Sine" in source.label
        until(source, OK)
        assert pitch_hz(source) == pytest.approx(MIC_HZ, abs=6)
        if source.n_overruns == 0:
            break
    assert (source.n_losses, source.n_recoveries, source.n_overruns, source.reason) == (0, 0, 0, "")
    assert said(source) == []
    source.close()
    source.close()
    source.start()  # closed is closed
    assert source.drain()[0] == []


def suspended(pulse: Pulse) -> Callable[[], object]:
    pulse.control("suspend-source", "mic", "1")
    return lambda: pulse.control("suspend-source", "mic", "0")


def unplugged(pulse: Pulse) -> Callable[[], object]:
    pulse.unplug(pulse.mic)
    return lambda: pulse.plug_in("mic", MIC_HZ)


def moved(pulse: Pulse) -> Callable[[], object]:
    pulse.control("move-source-output", pulse.streams()[0], "mic2")
    return lambda: None


def frozen(pulse: Pulse) -> Callable[[], object]:
    pulse.freeze()
    return lambda: pulse.freeze(False)


def killed(pulse: Pulse) -> Callable[[], object]:
    pulse.stop()

    def again() -> None:
        pulse.start()
        pulse.plug_in("mic2", OTHER_HZ)
        pulse.plug_in("mic", MIC_HZ)

    return again


@pytest.mark.parametrize(
    ("lose", "reason"),
    [
        (suspended, "suspended"),
        (unplugged, "gone|not there"),
        (moved, "moved the stream to 'mic2'"),
        (frozen, "does not answer|no sound came in"),
        (killed, "stopped|gone|not there"),
    ],
)
def test_lost_noticed_and_back(
    pulse: Pulse, opened: Callable[..., LiveInput], lose: Callable[[Pulse], Callable[[], object]], reason: str
) -> None:
    source = opened("mic")
    until(source, OK)
    give_back = lose(pulse)
    # it may be back before this is looked at: another source was not silent
    wait_until(lambda: source.drain() and source.n_losses == 1, "it was not noticed")
    first, *more = said(source)
    assert first.startswith("sound lost (1): ") and "\n" not in first
    assert re.search(reason, first + source.reason)
    give_back()
    until(source, OK)
    assert (source.n_losses, source.n_recoveries, source.reason) == (1, 1, "")
    assert source.device_name == "mic" and pitch_hz(source) == pytest.approx(MIC_HZ, abs=6)
    assert any(line.startswith("sound is back (1)") for line in more + said(source))


def test_no_other_device_is_ever_taken(pulse: Pulse, opened: Callable[..., LiveInput]) -> None:
    """`mic2` is there, is the default, and its name contains the lost one's."""
    pulse.control("set-default-source", "mic2")
    source = opened("mic")
    until(source, OK)
    pulse.unplug(pulse.mic)
    until(source, LOST)
    deadline = time.monotonic() + 2.5  # several tries
    while time.monotonic() < deadline:
        assert source.drain()[0] == [] and source.state == LOST and source.device_name == "mic"
    pulse.plug_in("mic", MIC_HZ)
    until(source, OK)
    assert pitch_hz(source) == pytest.approx(MIC_HZ, abs=6)


def test_the_default_is_kept_to_when_another_becomes_the_default(
    pulse: Pulse, opened: Callable[..., LiveInput]
) -> None:
    pulse.control("set-default-source", "mic")
    source = opened()
    assert source.device_name == "mic"
    until(source, OK)
    pulse.control("set-default-source", "mic2")
    pulse.unplug(pulse.mic)
    until(source, LOST)
    pulse.plug_in("mic", MIC_HZ)
    until(source, OK)
    assert source.device_name == "mic" and pitch_hz(source) == pytest.approx(MIC_HZ, abs=6)


def test_a_device_that_is_not_there_yet(pulse: Pulse, opened: Callable[..., LiveInput]) -> None:
    with pytest.raises(UnknownDevice, match="'mic2'"):
        LiveInput("theremin")
    source = opened("theremin", must_be_there=False)
    assert source.state == WAITING and "theremin" in said(source)[0] and source.drain()[0] == []
    pulse.plug_in("my_theremin", 200)
    until(source, OK)
    assert pitch_hz(source) == pytest.approx(200, abs=6)
    assert (source.device_name, source.n_losses, source.n_recoveries) == ("my_theremin", 0, 0)
    assert any("sound has started" in line for line in said(source))


@pytest.mark.parametrize("wanted", [None, "mic"])
def test_a_sound_server_that_is_not_there_yet(mortal_pulse: Pulse, wanted: str | None) -> None:
    mortal_pulse.stop()
    with LiveInput(wanted) as source:
        source.start()
        assert source.state == WAITING and "waiting for" in said(source)[0]
        mortal_pulse.start()
        mortal_pulse.plug_in("mic", MIC_HZ)
        if wanted is not None:
            until(source, OK)
            assert pitch_hz(source) == pytest.approx(MIC_HZ, abs=6)
        else:
            wait_until(lambda: source.device_name != "the default input", "no default was found")


def test_only_zeros_are_told_and_sound_after_them_too(pulse: Pulse, opened: Callable[..., LiveInput]) -> None:
    pulse.control("load-module", "module-null-sink", "sink_name=quiet", "norewinds=1")
    before_s = time.monotonic()
    source = opened("quiet.monitor")
    until(source, OK)
    until(source, ZEROS)
    assert time.monotonic() - before_s > input.ZEROS_S - 0.1
    assert "only zeros" in said(source)[-1] and source.drain()[0] is not None
    with pulse.play(np.full(20 * 48_000, 0.1, np.float32), sink="quiet"):
        until(source, OK)
    assert source.n_losses == 0


def test_on_a_mac_zeros_are_a_microphone_that_is_not_allowed(
    pulse: Pulse, opened: Callable[..., LiveInput], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Mac:
        platform = "darwin"

    monkeypatch.setattr(input, "ZEROS_S", 0.2)
    monkeypatch.setattr(input, "sys", Mac)
    source = opened(Pulse.source)
    until(source, ZEROS)
    assert "Privacy & Security, Microphone" in source.reason


def test_the_same_name_with_another_rate(pulse: Pulse, opened: Callable[..., LiveInput]) -> None:
    """The server resamples, so that the followers need not begin anew."""
    source = opened("mic")
    until(source, OK)
    pulse.unplug(pulse.mic)
    until(source, LOST)
    pulse.plug_in("mic", MIC_HZ, rate_hz=22_050)
    until(source, OK)
    assert source.sample_rate_hz == 48_000 and pitch_hz(source) == pytest.approx(MIC_HZ, abs=6)


@takes()
def test_next_input_goes_round_and_is_told(pulse: Pulse, opened: Callable[..., LiveInput]) -> None:
    chosen: list[str] = []
    source = opened("mic", on_choice=chosen.append)
    assert chosen == ["mic"]
    until(source, OK)
    for name in ("mic2", Pulse.source, "mic"):
        source.next_input()
        wait_until(lambda name=name: chosen[-1] == name, f"{name} was not gone to")
        assert source.device_name == name
    assert chosen == ["mic", "mic2", Pulse.source, "mic"]
    assert next(line for line in said(source) if line.startswith("input: ")) == "input: Sine source at 300 Hz"
    assert pitch_hz(source) == pytest.approx(MIC_HZ, abs=6) and source.n_losses == 0


@pytest.fixture
def slow_opening(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[threading.Event, threading.Event]]:
    """Holds a device back while it is opened -> (set when one is being opened, to be set for it to go on)."""
    begun, go_on = threading.Event(), threading.Event()
    really = input.Capture.start

    def start(capture: input.Capture) -> None:
        begun.set()
        assert go_on.wait(60)
        really(capture)

    monkeypatch.setattr(input.Capture, "start", start)
    yield begun, go_on
    go_on.set()


@takes()
def test_what_is_set_while_a_device_is_opened_holds(
    pulse: Pulse, opened: Callable[..., LiveInput], slow_opening: tuple[threading.Event, threading.Event]
) -> None:
    begun, go_on = slow_opening
    begun.clear()
    go_on.clear()
    chosen: list[str] = []
    source = opened("mic", on_choice=chosen.append)
    assert begun.wait(60)
    source.set_gain(-6.02)
    source.next_input()
    source.next_input()
    go_on.set()
    wait_until(lambda: chosen[-1] == Pulse.source, "the second next input was swallowed")
    assert chosen == ["mic", "mic2", Pulse.source] and source.n_losses == 0
    begun.clear()
    go_on.clear()
    source.next_input()
    assert begun.wait(60)
    source.next_input()
    source.set_gain(-12.04)
    go_on.set()
    wait_until(lambda: chosen[-1] == "mic2", "the second next input was swallowed")
    assert chosen[3:] == ["mic", "mic2"] and source.gain_db == -12.04
    until(source, OK)
    source.drain()
    blocks = wait_until(lambda: source.drain()[0], "no sound")
    assert np.abs(np.concatenate(blocks)).max() == pytest.approx(0.125, abs=0.01)  # the tone is at half of full scale


def test_nothing_is_chosen_or_left_open_after_closing(
    pulse: Pulse, slow_opening: tuple[threading.Event, threading.Event]
) -> None:
    begun, go_on = slow_opening
    chosen: list[str] = []
    source = LiveInput("mic", on_choice=chosen.append)
    source.next_input()
    source.start()
    assert begun.wait(60)
    closing = threading.Thread(target=source.close)
    closing.start()
    wait_until(source._stop.is_set)
    go_on.set()
    closing.join(60)
    assert not closing.is_alive() and chosen == ["mic"] and said(source) == []
    wait_until(lambda: pulse.streams() == [], "a stream is left open")


def test_a_device_that_lacks_the_channels_comes_back(pulse: Pulse, opened: Callable[..., LiveInput]) -> None:
    """`mic` has one channel; it was gone to from an input with two."""
    source = opened(Pulse.source, channels=[2])
    source.next_input()
    wait_until(lambda: source.take_peaks() is not None and source.device_name == "mic", "mic was not gone to")
    until(source, OK)
    wait_until(lambda: source.take_peaks() == pytest.approx((0.5,), abs=0.01), "the tone is not heard")
    pulse.unplug(pulse.mic)
    until(source, LOST)
    pulse.plug_in("mic", MIC_HZ)
    until(source, OK)
    source.next_input()  # it is the last of the list now
    wait_until(lambda: source.device_name == Pulse.source, "the first input was not gone back to")
    wait_until(lambda: source._capture is not None and source._capture._columns == [1], "the channel was lost")


def test_a_fault_while_opening_leaves_nothing_open(
    pulse: Pulse,
    opened: Callable[..., LiveInput],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    n_tries = 0

    def fails(_: watch.StreamWatch) -> None:
        nonlocal n_tries
        n_tries += 1
        raise ZeroDivisionError

    with monkeypatch.context() as broken:
        broken.setattr(watch.StreamWatch, "identify", fails)
        source = opened("mic")
        wait_until(lambda: n_tries >= 3, "no fault")
        wait_until(lambda: pulse.streams() == [], "a stream is left open")
    assert caplog.text.count("Traceback") == 1  # of a fault that repeats
    until(source, OK)


def test_a_sound_server_that_hangs_at_the_start(
    pulse: Pulse, opened: Callable[..., LiveInput], monkeypatch: pytest.MonkeyPatch
) -> None:
    pulse.freeze()
    with monkeypatch.context() as patient:
        patient.setattr(portaudio, "ANSWER_S", 120.0)  # whoever waited for PortAudio's answer would be noticed
        before_s = time.monotonic()
        source = opened("mic")
        assert time.monotonic() - before_s < 60.0
    assert (source.state, source.reason) == (WAITING, "the sound server does not answer; restart it")
    assert said(source) == ["no sound yet: waiting for mic; until then the picture moves by itself"]
    pulse.freeze(False)
    until(source, OK)
    assert said(source) == ["sound has started: Sine source at 100 Hz"] and source.n_losses == 0


def test_a_sound_server_that_hangs_while_a_device_is_opened(
    pulse: Pulse,
    opened: Callable[..., LiveInput],
    slow_opening: tuple[threading.Event, threading.Event],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun, go_on = slow_opening
    source = opened("mic")
    assert begun.wait(60)
    pulse.freeze()
    with monkeypatch.context() as hasty:
        hasty.setattr(portaudio, "ANSWER_S", 0.3)
        go_on.set()
        wait_until(lambda: "the sound system hangs" in source.reason, "it was not given up")
        lines = wait_until(lambda: said(source), "nothing was said")
        assert lines == ["no sound yet: waiting for mic; until then the picture moves by itself"]
    pulse.freeze(False)
    until(source, OK)
    assert said(source) == ["sound has started: Sine source at 100 Hz"]


def test_next_input_where_there_is_no_other(mortal_pulse: Pulse) -> None:
    with LiveInput() as source:
        source.start()
        source.next_input()
        wait_until(lambda: "there is no other input" in said(source), "nothing was said")
        assert source.device_name == Pulse.source


def test_the_remembered_one_and_what_stands_in_for_it(pulse: Pulse) -> None:
    chosen: list[str] = []
    with LiveInput(remembered="mic2", on_choice=chosen.append) as source:
        assert source.device_name == "mic2" and said(source) == []
    with LiveInput(remembered="mic3", on_choice=chosen.append) as source:
        assert source.device_name == Pulse.source
        assert said(source) == ["mic3 is not there; listening to Monitor of Null Output instead"]
    assert chosen == []  # neither was asked for now


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"channels": [2]}, "has no channel 2; it has one channel, 1"),
        ({"gain_db": 61}, "-60 .. 60"),
        ({"channels": [0]}, "0"),
    ],
)
def test_wrong_channels_and_gains(pulse: Pulse, options: dict[str, object], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        LiveInput("mic", **options)


@takes()
def test_gain_and_a_backlog(pulse: Pulse, opened: Callable[..., LiveInput]) -> None:
    source = opened("mic", gain_db=-6.02)
    until(source, OK)
    source.drain()
    n_dropped, capture = source.n_dropped, source._capture
    assert capture is not None
    n_late = 1.2 * source.sample_rate_hz
    wait_until(lambda: capture._ring.n_ready > n_late, "no backlog grew")  # nobody comes for the sound
    blocks, _ = source.drain()
    assert sum(map(len, blocks)) <= 0.5 * source.sample_rate_hz + 1
    assert source.n_dropped - n_dropped > 0.6 * source.sample_rate_hz
    assert np.abs(np.concatenate(blocks)).max() == pytest.approx(0.25, abs=0.01)  # the tone is at half of full scale
    assert source.n_losses == 0


def test_a_fault_of_its_own_is_survived(
    pulse: Pulse, opened: Callable[..., LiveInput], monkeypatch: pytest.MonkeyPatch
) -> None:
    source = opened("mic")
    until(source, OK)
    with monkeypatch.context() as broken:
        broken.setattr(source._watch, "check", lambda: 1 / 0)
        until(source, LOST)
        assert "ZeroDivisionError" in source.reason
    until(source, OK)


def test_a_stream_that_does_not_close_keeps_nobody_waiting(
    pulse: Pulse, opened: Callable[..., LiveInput], monkeypatch: pytest.MonkeyPatch
) -> None:
    source = opened("mic")
    until(source, OK)
    stuck = threading.Event()
    stream = source._capture._stream  # type: ignore[union-attr]
    really = stream.close

    def close() -> None:
        stuck.wait(600)
        really()

    monkeypatch.setattr(stream, "close", close)
    pulse.unplug(pulse.mic)
    until(source, LOST)
    before_s = time.monotonic()
    assert source.drain()[0] == [] and time.monotonic() - before_s < 60.0
    pulse.plug_in("mic", MIC_HZ)
    stuck.set()
    until(source, OK)


@pytest.mark.alone
@pytest.mark.long  # a hundred losses take half a minute: the server itself needs a tenth of a second for each
def test_a_hundred_losses_leave_nothing_behind(mortal_pulse: Pulse, monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name, seconds in ((input, "POLL_S", 0.01), (recovery, "RETRY_S", 0.01), (watch, "WATCH_S", 0.02)):
        monkeypatch.setattr(module, name, seconds)

    def plug_in() -> str:
        return mortal_pulse.control("load-module", "module-null-sink", "sink_name=stage", "norewinds=1")

    def held() -> tuple[int, int, int]:
        gc.collect()
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return threading.active_count(), len(list(Path("/proc/self/fd").iterdir())), pages * os.sysconf("SC_PAGE_SIZE")

    module = plug_in()
    now: list[tuple[float, float, float]] = []  # where the picture's time was, and between when and when
    with LiveInput("stage.monitor") as source:
        sound = InputSource(source, BeatSettings())
        source.start()

        def noticed(n_before: int) -> bool:
            """Whether it was lost again, after another display frame."""
            sound.take_in(sound.position_s())
            now.append((time.monotonic(), sound.position_s(), time.monotonic()))
            return source.n_losses > n_before

        def back() -> bool:
            return noticed(-1) and source.state == OK and source.n_recoveries == source.n_losses

        wait_until(back, "nothing was heard")
        for loss in range(100):
            n_before = source.n_losses
            if loss % 4 == 3:
                mortal_pulse.control("move-source-output", mortal_pulse.streams()[0], Pulse.source)
                wait_until(partial(noticed, n_before), "not noticed")
            elif loss % 4 == 2:
                mortal_pulse.control("suspend-sink", "stage", "1")
                wait_until(partial(noticed, n_before), "not noticed")
                mortal_pulse.control("suspend-sink", "stage", "0")
            else:
                mortal_pulse.unplug(module)
                wait_until(partial(noticed, n_before), "not noticed")
                module = plug_in()
            wait_until(back, f"loss {loss}: {source.state}, {source.reason}")
            if loss == 20:
                n_threads, n_files, n_bytes = held()
        wait_until(lambda: held()[0] <= n_threads and held()[1] <= n_files, "threads or files are left")
        assert held()[2] - n_bytes < 8_000_000
        wait_until(back, "it was not back")
        assert source.n_losses >= 100 and source.n_recoveries == source.n_losses
        assert source.device_name == "stage.monitor"
    # the picture's time went on through all of it
    before_s, position_s, after_s = np.array(now).T
    least_s, most_s, went_s = before_s[1:] - after_s[:-1], after_s[1:] - before_s[:-1], np.diff(position_s)
    assert went_s.min() >= 0 and (least_s - went_s).max() < 0.5 and (went_s - most_s).max() < 0.5
