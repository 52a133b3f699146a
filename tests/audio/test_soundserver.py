"""What the sound server says of its sources, of our streams on them, and of itself when it is away."""

from __future__ import annotations

import sys
import threading
import time

import pytest

from tests.fixtures.pulse import Pulse, wait_until
from visualizer.audio import soundserver
from visualizer.audio.capture import Capture
from visualizer.audio.devices import find_output, list_devices
from visualizer.audio.soundserver import ServerError, SoundServer
from visualizer.audio.watch import StreamWatch
from visualizer.errors import UnknownDevice


def test_sources_with_names_channels_rates_and_states(mortal_pulse: Pulse) -> None:
    mortal_pulse.plug_in("mic", rate_hz=44_100)
    with SoundServer() as server:
        monitor, mic = server.sources()
        assert (monitor.name, monitor.n_channels, monitor.rate_hz) == (Pulse.source, 2, 48_000)
        assert (mic.name, mic.n_channels, mic.rate_hz) == ("mic", 1, 44_100)
        assert "Sine" in mic.description
        assert server.default_source() == Pulse.source
        assert not mic.is_suspended
        mortal_pulse.control("suspend-source", "mic", "1")
        assert server.sources()[1].is_suspended
        mortal_pulse.control("suspend-source", "mic", "0")
        assert not server.sources()[1].is_suspended


def test_our_streams_are_known_and_only_ours(mortal_pulse: Pulse) -> None:
    mortal_pulse.plug_in("mic")
    with SoundServer() as server, mortal_pulse.record("mic"):
        assert mortal_pulse.streams() and server.our_streams() == {}
        with Capture("mic") as capture:
            capture.start()
            mic = next(source.index for source in server.sources() if source.name == "mic")
            assert list(server.our_streams().values()) == [mic]


def test_an_answer_that_came_while_this_thread_was_held_up_is_taken(pulse: Pulse) -> None:
    n_asked, late_s = 0, 0.0

    def held_up() -> float:
        """Time as a thread sees it that gets no turn for longer than an answer is waited for."""
        nonlocal n_asked, late_s
        n_asked += 1
        if n_asked == 3:  # it has asked by then
            threading.Event().wait(0.3)
            late_s = 10 * soundserver.ANSWER_S
        return time.monotonic() + late_s

    with SoundServer() as server:
        server._now = held_up
        assert server.sources() and n_asked >= 3


def test_a_server_that_is_away_hangs_or_goes_is_told_at_once(mortal_pulse: Pulse) -> None:
    server = SoundServer()
    mortal_pulse.freeze()
    for ask in (server.sources, server.our_streams, server.default_source, SoundServer):
        with pytest.raises(ServerError, match="does not answer") as caught:
            ask()
        assert caught.value.hangs
    mortal_pulse.freeze(False)
    assert server.sources()
    mortal_pulse.stop()
    for ask in (server.sources, SoundServer):
        with pytest.raises(ServerError) as caught:
            ask()
        assert not caught.value.hangs
    server.close()
    server.close()
    assert list_devices() == []


def test_without_libpulse_there_are_just_portaudios_devices(pulse: Pulse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soundserver, "_library", lambda: None)
    with pytest.raises(ServerError, match="libpulse"):
        SoundServer()
    assert {device.name for device in list_devices()} == {"pulse", "default"}
    watch = StreamWatch()
    watch.prepare("mic")
    watch.identify()
    assert watch.check() == ("", "") and "libpulse" in watch.missing_reason("mic")


def test_another_system_has_no_such_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    soundserver._library.cache_clear()
    try:
        with pytest.raises(ServerError):
            SoundServer()
    finally:
        soundserver._library.cache_clear()


def test_the_servers_sources_are_inputs_by_name_and_by_description(mortal_pulse: Pulse) -> None:
    mortal_pulse.plug_in("alsa_input.usb-Scarlett-00", hz=300)
    devices = list_devices()
    assert [device.index for device in devices] == list(range(len(devices)))
    assert [device.name for device in devices if device.is_default_input] == [Pulse.source]
    for wanted in ("alsa_input.usb-Scarlett-00", "scarlett", "300 hz", devices[3].index):
        with Capture(wanted) as capture:
            assert capture.device_name == "alsa_input.usb-Scarlett-00" and capture.sample_rate_hz == 48_000
    assert [device.is_loopback for device in devices] == [False, False, True, False, False]
    assert [device.name for device in devices if device.is_default_output] == [Pulse.sink]
    assert find_output("null output", devices) == devices[-1]


def test_channels_that_the_server_would_mix_are_refused_one_by_one(mortal_pulse: Pulse) -> None:
    mortal_pulse.control(
        "load-module",
        "module-null-sink",
        "sink_name=pro",
        "channels=4",
        "channel_map=aux0,aux1,aux2,aux3",
        "norewinds=1",
    )
    with pytest.raises(UnknownDevice, match="only mixed"):
        Capture("pro.monitor", channels=[3])
    with Capture("pro.monitor") as capture:
        capture.start()
        wait_until(lambda: capture.has_delivered, "no sound came in")
        assert len(capture.take_peaks()) == 1
