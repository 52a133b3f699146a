"""Shows in a real window, with real sound devices, driven by real keys and watched from outside."""

import time

import numpy as np
import pytest

from tests.fixtures.watching import finished, takes, wait_for, window_shown
from tests.sounds import KICKS_S, kicks, write_wav
from visualizer.audio.capture import Capture
from visualizer.errors import UnknownDevice
from visualizer.presets.dreams import open_cache
from visualizer.show.onscreen import Staging, run
from visualizer.show.play import play
from visualizer.show.sources.input import InputSource


def test_a_song_plays_to_its_end_and_the_picture_follows(screen, pulse, loaded, kick_song):
    last_s = 0.0
    for _ in range(5):  # a machine too busy to draw every now and then proves nothing
        times, depth = _depths_shown(kick_song, loaded)
        last_s = max(last_s, times[-1])
        at, before = _about_kicks(times, depth, -0.02, 0.1), _about_kicks(times, depth, -0.1, -0.03)
        n_shallow, n_deep = sum(one.max() <= 3.0 for one in at), sum(one.min() >= 2.5 for one in before)
        if times[-1] > 5.8 and min(len(at), len(before)) >= 7 and max(n_shallow, n_deep) <= 1:
            return
    assert last_s > 5.8, "it ends before its song"
    assert np.median([one.max() for one in at]) > 3.0, (n_shallow, len(at))
    assert np.median([one.min() for one in before]) < 2.5, (n_deep, len(before))


def _depths_shown(song_path, loaded):
    """The times and the depths of all display frames of a song."""
    depths = []
    _play_watched(song_path, loaded, lambda _, shown: depths.append((shown.time_s, shown.depth)))
    times, depth = np.array(depths).T
    assert np.all(np.diff(times) >= -1e-6)
    return times, depth


def _about_kicks(times, depth, from_s, to_s):
    """The depths about each kick, where anything was drawn then."""
    about = [depth[(times > kick + from_s) & (times < kick + to_s)] for kick in KICKS_S]
    return [depths for depths in about if len(depths)]


def _play_watched(song_path, loaded, on_frame, staging=None):
    """`play`, with every display frame told."""
    from visualizer.audio.playback import Playback
    from visualizer.audio.songlist import SongList
    from visualizer.show.sources.song import SongSource

    with SongList([song_path]) as song:
        playback = Playback(song)
        try:
            act = SongSource(playback, song, loaded.settings.beat)
            return run(loaded, act, open_cache(), title="watched", staging=staging, on_frame=on_frame)
        finally:
            playback.close()


def test_live_follows_what_the_sound_card_hears(screen, pulse, loaded):
    """Kicks played into the null sink by another program deepen the picture on the screen, and silence lets it go."""
    capture = Capture()
    depths = []
    end = time.monotonic() + 60
    try:
        with pulse.play(kicks(48000, np.arange(0.3, 120, 0.6), 120.0), 48000):

            def enough(n_frames, shown):
                depths.append(shown.depth)
                deep, shallow = max(depths) > 3.5, min(depths[-30:]) < 2.0
                return time.monotonic() > end or (n_frames > 90 and deep and shallow)

            run(loaded, InputSource(capture, loaded.settings.beat), open_cache(), title="live test", on_frame=enough)
    finally:
        capture.close()
    assert max(depths) > 3.5, "the picture never deepened"
    assert min(depths[10:]) < 2.0, "the picture never came back"


def test_an_unknown_input_names_what_there_is(pulse, loaded):
    with pytest.raises(UnknownDevice, match="no-such-thing"):
        Capture("no-such-thing")


def test_h_shows_a_panel_that_can_be_read_and_takes_it_away(started, screen, pulse):
    process = started("live")
    wait_for(lambda: window_shown(screen), "the window")
    screen.move_pointer(200, 150)

    def corner():
        return screen.screenshot()[8:60, 8:60].astype(int)

    bright = wait_for(lambda: c if (c := corner()).mean() > 20 else None, "the picture").mean()
    screen.key("h")
    panel = wait_for(lambda: c if (c := corner()).mean() < 0.75 * bright else None, "the panel")
    assert panel.max() - panel.min() > 120, "no light text on the dark panel"
    screen.key("h")
    wait_for(lambda: corner().mean() > 0.9 * bright, "the panel's end")
    screen.key("ctrl+q")
    assert finished(process)[0] == 0


@takes()
def test_space_pauses_and_arrows_seek(screen, pulse, loaded, long_song):
    from visualizer.audio.playback import Playback
    from visualizer.audio.songlist import SongList
    from visualizer.show.sources.song import SongSource

    with SongList([long_song]) as song:
        playback = Playback(song)
        try:
            act = SongSource(playback, song, loaded.settings.beat)
            script = iter(
                ["pause", None, "pause", "seek_forward", None, "seek_forward", None, "seek_back", None, "end"]
            )
            seen, at_s = [], []

            def drive(n_frames, shown):
                if n_frames % 15:
                    return False
                step = next(script)
                asked_s = time.monotonic()
                seen.append((step, playback.position_s, playback.paused))
                at_s.append((asked_s, time.monotonic()))
                if step == "end":
                    return True
                if step:
                    act.do(step)
                return False

            run(loaded, act, open_cache(), title="keys", on_frame=drive)
        finally:
            playback.close()
    at = [position for _, position, _ in seen]
    assert seen[1][2] and abs(at[2] - at[1]) < 0.02, "paused, the position stands"
    assert not seen[3][2]

    def leaps(step, by_s):
        """Whether it is so much further after this step than by playing on, within the time that looking took."""
        (first_s, last_s), (next_first_s, next_last_s) = at_s[step], at_s[step + 1]
        gone_s = at[step + 1] - at[step]
        return next_first_s - last_s - 0.7 < gone_s - by_s < next_last_s - first_s + 0.7

    assert leaps(3, 5), "right goes 5 s on"
    assert leaps(5, 5), "and on"
    assert leaps(7, -5), "left goes 5 s back"


def test_without_a_sound_card_a_song_plays_silently_and_says_so(started, screen, tmp_path):
    song = tmp_path / "short.wav"
    write_wav(song, kicks(44100, [0.5], 4.0), 44100)  # so long that a busy machine shows some of it
    process = started("play", str(song), PULSE_SERVER=f"unix:{tmp_path}/none")
    status, out, err = finished(process)
    assert status == 0 and out == ""
    assert err.count("\n") == 1 and "playing silently" in err


def test_with_a_hung_sound_server_a_song_has_its_picture_and_can_be_ended(
    started, screen, mortal_pulse, kick_song, home
):
    mortal_pulse.freeze()
    try:
        process = started("play", str(kick_song))
        wait_for(lambda: window_shown(screen), "the window")
        wait_for(lambda: any("notice: no sound" in log.read_text() for log in (home / "log").glob("*.log")), "the line")
        process.terminate()
        err = finished(process)[2]
    finally:
        mortal_pulse.freeze(False)
    assert err.count("\n") == 1 and "playing silently" in err


def test_the_window_shows_depth_0_at_once_and_deepens_as_the_bake_goes_on(started, screen, long_song, pulse, home):
    """Cold: nothing is cached. The image stands before torch is even loaded, and every depth joins as it lands."""
    process = started("play", str(long_song))
    wait_for(lambda: window_shown(screen), "the window")
    first = screen.screenshot()[60:170, 60:310].astype(int)
    wait_for(lambda: len(list((home / "cache").rglob("*.frame"))) == 5, "the bake")
    screen.move_pointer(200, 150)
    wait_for(
        lambda: np.abs(screen.screenshot()[60:170, 60:310].astype(int) - first).mean() > 2,
        "a picture deeper than the image",
    )
    assert process.poll() is None, "the bake should come behind the show, not after it"
    screen.key("ctrl+q")
    assert finished(process)[0] == 0
    assert not list((home / "cache").rglob("*.part"))


def test_the_display_frame_loop_keeps_going_when_the_window_is_resized(screen, pulse, loaded, long_song):
    import glfw

    sizes = []

    def resize(n_frames, shown):
        if n_frames == 10:
            screen.resize("watched", 500, 500)
        sizes.append(tuple(glfw.get_framebuffer_size(glfw.get_current_context())))
        return sizes.count((500, 500)) > 50

    _play_watched(long_song, loaded, resize)
    assert sizes.count((500, 500)) > 50


def test_a_window_may_be_larger_than_the_dream(screen, pulse, loaded, kick_song):
    import glfw

    sizes = set()

    def note(n_frames, shown):
        sizes.add(tuple(glfw.get_framebuffer_size(glfw.get_current_context())))
        return n_frames > 3

    _play_watched(kick_song, loaded, note, Staging(size=(400, 240)))
    assert sizes == {(400, 240)} and loaded.size != (400, 240)


def test_play_refuses_what_is_no_song_before_opening_a_window(loaded, tmp_path):
    from visualizer.errors import BadInput

    with pytest.raises(BadInput):
        play([tmp_path / "nothing.mp3"], loaded, open_cache())
