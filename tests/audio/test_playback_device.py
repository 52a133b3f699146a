"""Playing through a real (if private) sound server, judged by what its monitor hears."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from tests.fixtures.pulse import SINK_RATE_HZ, Pulse, wait_until
from tests.fixtures.watching import takes
from visualizer.audio import devices, portaudio
from visualizer.audio.decode import Song
from visualizer.audio.playback import Playback
from visualizer.audio.songlist import SongList
from visualizer.errors import UnknownDevice
from visualizer.show.live import open_input
from visualizer.show.song_output import open_playback

from .sounds import chirp, wav_bytes

PATIENCE_S = 60.0  # in place of the time that the sound system may take: whoever waited for it would be noticed


def write_song(folder: Path, sound: np.ndarray, rate_hz: int = SINK_RATE_HZ) -> Path:
    """sound (n,) or (n, 2) float32 -> a WAV file."""
    sides = sound if sound.ndim == 2 else np.repeat(sound[:, np.newaxis], 2, axis=1)
    path = folder / f"song-{rate_hz}.wav"
    path.write_bytes(wav_bytes(np.ascontiguousarray(sides, np.float32), rate_hz))
    return path


def never_zero(n_samples: int, seed: int = 0) -> np.ndarray:
    """(n,) float32: multiples of 1/64 of either sign, none of them 0, so that silence cannot be mistaken for sound."""
    rng = np.random.default_rng(seed)
    return (rng.integers(1, 32, n_samples) * rng.choice([-1, 1], n_samples) / 64).astype(np.float32)


def heard_sound(recording: np.ndarray) -> np.ndarray:
    """What is not silence, with the silences taken out."""
    return recording[np.abs(recording) > 0.005]


@pytest.mark.slow
@pytest.mark.parametrize("rate_hz", [44_100, pytest.param(48_000, marks=pytest.mark.long)])
def test_position_is_what_is_heard_within_10_ms(
    pulse: Pulse, tmp_path: Path, rate_hz: int, record_property: pytest.RecordProperty
) -> None:
    click_s, n_clicks = 0.25, 14
    sound = np.zeros(round((n_clicks + 2) * click_s * rate_hz), np.float32)
    for index in range(1, n_clicks + 1):
        start = round(index * click_s * rate_hz)
        sound[start : start + rate_hz // 1000] = 0.7
    # the recorder, another process, may be late, and then for a whole take; a player that is wrong is so each time
    for _ in range(8):
        usual_ms = _errors_ms(pulse, write_song(tmp_path, sound, rate_hz), n_clicks, click_s)
        figures = f"{rate_hz} Hz: mean {usual_ms.mean():.1f} ms, sd {usual_ms.std():.1f} ms"
        print(figures)  # noqa: T201
        if abs(usual_ms.mean()) < 10 and usual_ms.std() < 10:
            break
    record_property("position_error", figures)
    assert abs(usual_ms.mean()) < 10, figures
    assert usual_ms.std() < 10, figures


def _errors_ms(pulse: Pulse, path: Path, n_clicks: int, click_s: float) -> np.ndarray:
    """How far what is heard lies from what the player reports, without the outermost: one value a click."""
    asked: list[tuple[float, float]] = []
    with Song(path) as song, pulse.record() as recording, Playback(song) as player:
        player.start()

        def ended() -> bool:
            asked.append((time.monotonic(), player.position_s))
            return player.ended

        wait_until(ended, "it does not end")
        if player.news() is not None:
            return np.full(1, 1e9)  # a machine so busy that the output was given up for a moment proves nothing
        n_heard = sum(len(block) for _, block in recording.blocks)
        recording.wait_for(n_heard + 4800)
        blocks = recording.blocks
    ends = np.cumsum([len(block) for _, block in blocks])
    heard = np.concatenate([block for _, block in blocks])
    loud = np.flatnonzero(np.abs(heard) > 0.2)
    clicks = loud[np.insert(np.diff(loud) > SINK_RATE_HZ // 10, 0, True)]
    assert len(clicks) == n_clicks
    which = np.searchsorted(ends, clicks, side="right")
    heard_s = np.array([blocks[i][0] for i in which]) - (ends[which] - clicks) / SINK_RATE_HZ
    stamps, positions = np.array(asked).T
    assert (np.diff(positions) >= 0).all()
    errors_ms = 1000 * (np.interp(heard_s, stamps, positions) - np.arange(1, n_clicks + 1) * click_s)
    return np.sort(errors_ms)[2:-2]  # late now and then


@takes()  # the recorder may be late, too
def test_every_sample_is_heard_once_across_a_pause(pulse: Pulse, tmp_path: Path) -> None:
    sound = never_zero(2 * SINK_RATE_HZ)
    for _ in range(8):  # a machine too busy to feed the device says so, and proves nothing
        held_s, recorded, n_underruns = _played_with_a_pause(pulse, write_song(tmp_path, sound), len(sound))
        if n_underruns == 0:
            break
    assert n_underruns == 0
    loud = np.flatnonzero(np.abs(recorded) > 0.005)
    silences = np.diff(loud)
    assert (silences > 1).sum() == 1  # one pause
    assert silences.max() > 0.3 * SINK_RATE_HZ
    assert held_s * SINK_RATE_HZ == pytest.approx(np.argmax(silences), abs=0.1 * SINK_RATE_HZ)
    heard = heard_sound(recorded)
    assert len(heard) == len(sound)
    assert np.abs(heard - sound).max() < 1e-3


def _played_with_a_pause(pulse: Pulse, path: Path, n_samples: int) -> tuple[float, np.ndarray, int]:
    """Where it was paused, what was recorded, and how often the device had nothing to play."""
    with Song(path) as song, pulse.record() as recording, Playback(song) as player:
        player.start()
        wait_until(lambda: player.position_s > 0.5, "it does not play")
        player.pause()
        held_s = player.position_s
        n_heard = len(recording.samples)
        recording.wait_for(n_heard + SINK_RATE_HZ // 2)
        assert player.position_s == held_s
        assert player.paused and not player.ended
        player.resume()
        assert player.position_s == held_s
        wait_until(lambda: player.ended, "it does not end")
        assert player.position_s == pytest.approx(2.0)
        if player.n_underruns or player.news() is not None:
            return held_s, recording.samples, 1  # so busy that the output was given up for a moment, perhaps
        wait_until(lambda: len(heard_sound(recording.samples)) >= n_samples, "some of it was not heard", 10.0)
        return held_s, recording.samples, player.n_underruns


@takes()
def test_songs_of_a_list_are_heard_without_a_gap(pulse: Pulse, tmp_path: Path) -> None:
    sound = never_zero(SINK_RATE_HZ, seed=4)
    paths = []
    for number, part in enumerate(np.split(sound, [20_001, 30_000])):
        (tmp_path / str(number)).mkdir(exist_ok=True)
        paths.append(write_song(tmp_path / str(number), part))
    for _ in range(8):  # a machine too busy to feed the device says so, and proves nothing
        with SongList(paths) as songs, pulse.record() as recording, Playback(songs) as player:
            player.start()
            wait_until(lambda: player.ended, "the list does not end")
            if not player.n_underruns:
                wait_until(lambda: len(heard_sound(recording.samples)) >= len(sound), "some of it was not heard", 10.0)
            n_underruns, recorded = player.n_underruns, recording.samples
        if n_underruns == 0:
            break
    assert n_underruns == 0
    first = np.flatnonzero(np.abs(recorded) > 0.005)[0]
    assert np.abs(recorded[first:][: len(sound)] - sound).max() < 1e-3


@takes()
def test_seek_is_heard_at_once_and_exactly(pulse: Pulse, tmp_path: Path) -> None:
    sound = never_zero(20 * SINK_RATE_HZ, seed=1)
    with (
        Song(write_song(tmp_path, sound)) as song,
        pulse.record() as recording,
        Playback(song, device="pulse") as player,
    ):
        player.start()
        wait_until(lambda: player.position_s > 0.3, "it does not play")
        player.seek(15.0)
        assert 15.0 <= player.position_s < 15.5
        wait_until(lambda: player.position_s > 15.5, "it does not play on")
        assert player.drain()[0][0] == 13 * SINK_RATE_HZ  # two seconds of preroll
        player.pause()
        player.seek(3.0)
        assert player.position_s == 3.0
        player.resume()
        wait_until(lambda: player.position_s > 3.3, "it does not play on")
        player.seek(1e9)
        wait_until(lambda: player.ended, "it does not end")
        recorded = recording.samples
    heard = heard_sound(recorded)
    for second in (15, 3):
        start = second * SINK_RATE_HZ
        piece = sound[start : start + 5000]
        assert find_piece(heard, piece) is not None
        before = sound[start - 200 : start]
        assert find_piece(heard, before) is None  # the preroll is not for the speaker


def find_piece(sound: np.ndarray, piece: np.ndarray) -> int | None:
    """Where piece lies in sound, to within 1e-3 per sample."""
    for start in np.flatnonzero(np.abs(sound[: len(sound) - len(piece) + 1] - piece[0]) < 1e-3):
        if np.abs(sound[start : start + len(piece)] - piece).max() < 1e-3:
            return int(start)
    return None


@takes()
def test_loud_sound_is_clipped_not_wrapped(pulse: Pulse, tmp_path: Path) -> None:
    sound = np.full(SINK_RATE_HZ, 3.0, np.float32)
    with Song(write_song(tmp_path, sound)) as song, pulse.record() as recording, Playback(song) as player:
        player.start()
        wait_until(lambda: player.ended, "it does not end")
        heard = heard_sound(recording.samples)
    assert heard.min() > 0.9
    assert heard.max() < 1.01


@takes()
def test_a_rate_the_device_refuses_is_resampled(pulse: Pulse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "unsupported_reason", lambda *_: "Invalid sample rate")
    t = np.arange(12_000 * 2) / 12_000
    sound = (0.5 * np.sin(2 * np.pi * 440 * t)).astype(np.float32)
    with Song(write_song(tmp_path, sound, 12_000)) as song, pulse.record() as recording, Playback(song) as player:
        player.start()
        wait_until(lambda: player.ended, "it does not end")
        assert player.position_s == pytest.approx(2.0, abs=0.01)
        assert sum(len(block) for _, block in player.drain()) == len(sound)
        recorded = recording.samples
    loud = np.flatnonzero(np.abs(recorded) > 0.1)
    piece = recorded[loud[0] : loud[0] + SINK_RATE_HZ]
    assert np.argmax(np.abs(np.fft.rfft(piece))) == pytest.approx(440, abs=3)


def suspended(pulse: Pulse) -> Callable[[], object]:
    pulse.control("suspend-sink", pulse.sink, "1")
    return lambda: pulse.control("suspend-sink", pulse.sink, "0")


def unloaded(pulse: Pulse) -> Callable[[], object]:
    modules = [
        line.split()[0] for line in pulse.control("list", "short", "modules").splitlines() if "null-sink" in line
    ]
    pulse.control("unload-module", modules[0])
    return lambda: pulse.control(
        "load-module", "module-null-sink", f"sink_name={pulse.sink}", f"rate={SINK_RATE_HZ}", "channels=2"
    )


def killed(pulse: Pulse) -> Callable[[], object]:
    pulse.stop()
    return pulse.start


def frozen(pulse: Pulse) -> Callable[[], object]:
    pulse.freeze()
    return lambda: pulse.freeze(False)


@takes()
def check_heard_where_told(pulse: Pulse, player: Playback, sound: np.ndarray) -> float:
    """The place that is heard is that of the player's position; how far from it, seconds, the median of half a
    second.
    """
    told = []
    with pulse.record() as recording:

        def heard() -> bool:
            told.append((time.monotonic(), player.position_s))
            return len(heard_sound(recording.samples)) > SINK_RATE_HZ // 2

        wait_until(heard, "no sound came back")
        wait_until(lambda: player.lost is None, "the output does not return")
        blocks = recording.blocks
    stamps, positions = np.array(told).T
    errors = []
    for stamp_s, block in blocks:
        if len(block) >= 64 and np.abs(block[:64]).min() > 0.005:
            about = float(np.interp(stamp_s, stamps, positions))
            first = max(0, round((about - 1.0) * SINK_RATE_HZ))
            index = find_piece(sound[first : first + 2 * SINK_RATE_HZ], block[:64])
            if index is not None:
                errors.append((first + index + len(block)) / SINK_RATE_HZ - about)
    assert len(errors) > 5, "what is heard is not what should be"
    assert abs(np.median(errors)) < 0.06
    return float(np.median(errors))


@pytest.mark.parametrize("lose", [suspended, pytest.param(unloaded, marks=pytest.mark.long), killed, frozen])
@takes()
def test_a_lost_output_returns_at_the_right_place(
    mortal_pulse: Pulse, tmp_path: Path, lose: Callable[[Pulse], Callable[[], object]]
) -> None:
    sound = never_zero(120 * SINK_RATE_HZ, seed=2)
    with Song(write_song(tmp_path, sound)) as song, Playback(song) as player, ExitStack() as stack:
        stack.enter_context(
            mortal_pulse.record()
        )  # a null sink takes sound in steps of two seconds when nobody records it
        player.start()
        wait_until(lambda: player.position_s > 0.3, "it does not play")
        before_s, since_s = player.position_s, time.monotonic()
        give_back = lose(mortal_pulse)
        positions: list[tuple[float, float, float]] = []  # seconds before it was asked for, of the song, and after it

        def lasted(seconds: float) -> Callable[[], bool]:
            def enough() -> bool:
                asked_s = time.monotonic() - since_s
                positions.append((asked_s, player.position_s - before_s, time.monotonic() - since_s))
                return player.lost is not None and asked_s > seconds

            return enough

        try:
            wait_until(lasted(1.2), "the loss was not noticed")
            assert player.lost and "\n" not in player.lost
            assert "playing on silently" in (player.news() or "")
        finally:
            give_back()
        error_s = check_heard_where_told(mortal_pulse, player, sound)
        print(f"{lose.__name__}: {1000 * error_s:.0f} ms")  # noqa: T201  the figure is what the test is about
        assert "sound is back (1)" in (player.news() or "")
        assert player.news() is None
    asked_s, gone_s, answered_s = np.array(positions).T
    assert (np.diff(gone_s) >= 0).all()
    assert (asked_s - gone_s).max() < 0.1 and (gone_s - answered_s).max() < 0.1


def test_paused_and_sought_while_the_output_is_lost(mortal_pulse: Pulse, tmp_path: Path) -> None:
    sound = never_zero(120 * SINK_RATE_HZ, seed=3)
    with Song(write_song(tmp_path, sound)) as song, Playback(song) as player:
        player.start()
        wait_until(lambda: player.position_s > 0.3, "it does not play")
        mortal_pulse.stop()
        wait_until(lambda: player.lost, "the loss was not noticed")
        player.pause()
        held_s = player.position_s
        player.seek(40.0)
        assert held_s > 0.3 and player.position_s == 40.0
        starts = [start for start, _ in wait_until(player.drain, "nothing for the follower")]
        assert starts[0] == 38 * SINK_RATE_HZ
        mortal_pulse.start()
        with mortal_pulse.record() as recording:
            wait_until(lambda: player.lost is None, "the output does not return")
            assert player.position_s == 40.0
            assert not len(heard_sound(recording.samples)), "paused, it is heard"
        player.resume()
        wait_until(lambda: player.position_s > 40.2, "it does not go on")
        check_heard_where_told(mortal_pulse, player, sound)
        mortal_pulse.stop()
        wait_until(lambda: player.lost, "the second loss was not noticed")
        player.seek(119.5)
        wait_until(lambda: player.ended, "it does not end")
    wait_until(lambda: not [t for t in threading.enumerate() if t.name.startswith("audio")], "threads are left")


def test_without_any_output_it_plays_silently_until_there_is_one(mortal_pulse: Pulse, tmp_path: Path) -> None:
    sound = never_zero(120 * SINK_RATE_HZ, seed=4)
    mortal_pulse.stop()
    with Song(write_song(tmp_path, sound)) as song, Playback(song) as player:
        player.start()
        wait_until(lambda: player.position_s > 0.2, "the song does not go on")
        assert "playing silently" in (player.news() or "")
        mortal_pulse.start()
        wait_until(lambda: player.lost is None, "there is no sound")
        assert "sound has started" in (player.news() or "")
        check_heard_where_told(mortal_pulse, player, sound)


def test_a_hung_sound_server_does_not_keep_the_song_from_starting(mortal_pulse: Pulse, tmp_path: Path) -> None:
    sound = never_zero(120 * SINK_RATE_HZ, seed=5)
    with Song(write_song(tmp_path, sound)) as song, Playback(song) as player:
        mortal_pulse.freeze()
        try:
            player.start()
            assert player.position_s == 0.0
            wait_until(lambda: player.position_s > 0.2, "the song does not go on")
            assert "hangs" in (player.news() or "")
        finally:
            mortal_pulse.freeze(False)
        check_heard_where_told(mortal_pulse, player, sound)
        assert "sound has started" in (player.news() or "")


def test_unknown_output_and_impossible_device(pulse: Pulse, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with Song(write_song(tmp_path, chirp(4800, SINK_RATE_HZ))) as song:
        with pytest.raises(UnknownDevice, match=f"no output matches 'nowhere'.*{pulse.sink}"):
            Playback(song, device="nowhere")
        with Playback(song, device="nowhere", must_be_there=False) as player:
            player.start()
            wait_until(lambda: player.position_s > 0, "it does not play silently")
            assert "nowhere" in (player.news() or "")
    assert capfd.readouterr().err == ""


def test_of_several_outputs_with_a_part_of_the_name_the_one_chosen_last_is_meant(
    pulse: Pulse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    twins = [devices.Device(n, f"hdmi {n}", "PulseAudio", 0, 2, SINK_RATE_HZ) for n in range(3)]
    monkeypatch.setattr("visualizer.audio.output.list_devices_at_start", lambda: twins)
    chosen: list[str] = []
    with Song(write_song(tmp_path, chirp(4800, SINK_RATE_HZ))) as song:
        Playback(song, device="hdmi", remembered="hdmi 2", on_choice=chosen.append, must_be_there=False).close()
        assert chosen == ["hdmi 2"]
        with pytest.raises(UnknownDevice, match="matches several"):
            Playback(song, device="hdmi", remembered="elsewhere", on_choice=chosen.append)


@pytest.mark.parametrize("name", ["", " "])
def test_an_empty_name_of_a_device_is_refused_whatever_is_remembered(
    name: str, pulse: Pulse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("visualizer.show.song_output.remembered_output", lambda: pulse.sink)
    monkeypatch.setattr("visualizer.show.live.remembered_input", lambda: pulse.source)
    song_path = write_song(tmp_path, chirp(4800, SINK_RATE_HZ))
    with SongList([song_path]) as songs, pytest.raises(UnknownDevice, match="is empty"):
        open_playback(songs, name)
    with pytest.raises(UnknownDevice, match="is empty"):
        open_input(name)


def test_a_named_output_is_played_through_and_stays_the_one(mortal_pulse: Pulse, tmp_path: Path) -> None:
    mortal_pulse.control("load-module", "module-null-sink", "sink_name=hdmi", f"rate={SINK_RATE_HZ}", "channels=2")
    sound, chosen = never_zero(40 * SINK_RATE_HZ, seed=6), []
    with (
        Song(write_song(tmp_path, sound)) as song,
        mortal_pulse.record("hdmi.monitor") as hdmi,
        mortal_pulse.record() as other,
        Playback(song, device="HDM", remembered="elsewhere", on_choice=chosen.append) as player,
    ):
        assert (chosen, player.device_name) == (["hdmi"], "hdmi")
        player.start()
        wait_until(lambda: len(heard_sound(hdmi.samples)) > 4800, "nothing is heard")
        assert not len(heard_sound(other.samples))
        hdmi.stop()
        modules = [line.split()[0] for line in mortal_pulse.control("list", "short", "modules").splitlines()]
        mortal_pulse.control("unload-module", modules[-1])  # the server moves the stream to the other one
        wait_until(lambda: player.device_name == mortal_pulse.sink, "the other sink is not named")
        assert "playing through Null Output" in iter(player.news, None)


def test_the_remembered_output_is_taken_and_its_absence_reported(mortal_pulse: Pulse, tmp_path: Path) -> None:
    mortal_pulse.control("load-module", "module-null-sink", "sink_name=hdmi", f"rate={SINK_RATE_HZ}", "channels=2")
    with Song(write_song(tmp_path, chirp(20 * SINK_RATE_HZ, SINK_RATE_HZ))) as song:
        for remembered, taken in (("hdmi", "hdmi"), ("hdm", mortal_pulse.sink)):
            with Playback(song, remembered=remembered) as player:
                player.start()
                wait_until(lambda taken=taken: player.device_name == taken, "it is not taken")
                lines = list(iter(player.news, None))
        assert lines == ["hdm is not there; playing through the default output instead"]


@takes()
def test_the_volume_changes_what_is_heard_without_a_click_and_not_what_is_analysed(
    pulse: Pulse, tmp_path: Path
) -> None:
    sound = np.full(3 * SINK_RATE_HZ, 0.5, np.float32)
    with Song(write_song(tmp_path, sound)) as song, pulse.record() as recording, Playback(song) as player:
        player.start()
        wait_until(lambda: len(heard_sound(recording.samples)) > 4800, "nothing is heard")
        player.volume.level_db = -20.0
        wait_until(lambda: player.position_s > 0.7, "it does not go on")
        player.volume.is_muted = True
        wait_until(lambda: player.position_s > 1.2, "it does not go on")
        heard = heard_sound(recording.samples)
        analysed = np.concatenate([block for _, block in player.drain()])
    assert np.median(heard[-4800:]) == pytest.approx(0.05, abs=0.045)
    assert np.abs(heard - 0.05).min() < 1e-3 and heard[-1] < 0.01
    assert np.abs(np.diff(heard)).max() < 0.01
    assert (analysed == 0.5).all()


def test_a_fault_in_the_callback_is_a_loss_not_an_exception(pulse: Pulse, tmp_path: Path) -> None:
    with Song(write_song(tmp_path, chirp(96_000, SINK_RATE_HZ))) as song, Playback(song) as player:
        player.start()
        wait_until(lambda: player.position_s > 0.1, "it does not play")
        player._audible.delivered = None  # type: ignore[assignment]  # a fault that no device has
        assert wait_until(lambda: player.lost, "the loss was not noticed").startswith("TypeError")
        wait_until(lambda: player.position_s > 0.5, "the position froze")


def test_opening_and_closing_leaves_nothing_behind(pulse: Pulse, tmp_path: Path) -> None:
    path = write_song(tmp_path, chirp(48_000, SINK_RATE_HZ))

    def n_open() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    def cycle() -> None:
        with Song(path) as song, Playback(song) as player:
            player.start()
            player.seek(0.5)

    for _ in range(2):
        cycle()
    n_threads, n_before = threading.active_count(), n_open()
    for _ in range(18):
        cycle()
    wait_until(lambda: threading.active_count() <= n_threads, "threads are left")
    wait_until(lambda: n_open() <= n_before + 1, "open files are left")


def test_a_server_that_hangs_keeps_no_picture_waiting(
    mortal_pulse: Pulse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An output that was asked for is looked for before the window opens."""
    monkeypatch.setattr(portaudio, "ANSWER_S", PATIENCE_S)
    mortal_pulse.freeze()
    with Song(write_song(tmp_path, chirp(4800, SINK_RATE_HZ))) as song:
        before_s = time.monotonic()
        with Playback(song, device="anything") as player:
            assert time.monotonic() - before_s < PATIENCE_S / 2
            assert player.position_s == 0
    mortal_pulse.freeze(False)


def test_a_server_that_hangs_is_left_behind_promptly(mortal_pulse: Pulse, tmp_path: Path) -> None:
    player = None
    try:
        with Song(write_song(tmp_path, chirp(20 * SINK_RATE_HZ, SINK_RATE_HZ))) as song:
            player = Playback(song)
            player.start()
            wait_until(lambda: player.position_s > 0.2, "it does not play")
            mortal_pulse.freeze()
            wait_until(lambda: player.lost, "the loss was not noticed")
            lost_s = player.position_s
            wait_until(lambda: player.position_s > lost_s + 0.3, "the position froze")
            closing = threading.Thread(target=player.close)
            closing.start()
            closing.join(60)
            assert not closing.is_alive()
    finally:
        mortal_pulse.freeze(False)
    wait_until(lambda: not [t for t in threading.enumerate() if t.name.startswith("audio")], "threads are left")
