import math

import numpy as np
import pytest

from visualizer.control.capabilities import Capability
from visualizer.control.parameters import Parameter, base_parameters
from visualizer.control.snapshot import Snapshot
from visualizer.panel import model as model

DECAY = Parameter("beat.decay", "", "number", 0.1, 0.999)
STEPS = Parameter("dream.steps_per_depth", "", "whole", 1, 8, rebakes=True)


def snapshot(**changes):
    return Snapshot(**{"time_s": 10.0, "title": "live", "preset": "clouds", "presets": ("clouds",), **changes})


def test_a_level_falls_slowly_and_its_peak_is_held():
    meter = model.Meter()
    meter.update(0.5, 1.0)
    assert meter.level_db == meter.held_db == pytest.approx(-6.02, abs=0.01)
    meter.update(0.0, 1.2)
    assert meter.level_db == pytest.approx(-6.02 - 0.2 * model.LEVEL_FALL_DB_S, abs=0.01)
    assert meter.held_db == pytest.approx(-6.02, abs=0.01)
    for step in range(100):
        meter.update(0.0, 1.2 + 0.1 * step)
    assert meter.level_db == meter.held_db == model.MIN_DB


@pytest.mark.parametrize("peak", [0.0, -1.0, math.nan, 1e-12])
def test_an_invalid_level_is_silence(peak):
    meter = model.Meter()
    meter.update(peak, 1.0)
    assert meter.level_db == model.MIN_DB and not meter.is_clipped


def test_the_clip_light_stays_on_for_a_while():
    meter = model.Meter()
    meter.update(1.0, 1.0)
    assert meter.is_clipped
    meter.update(0.1, 1.0 + model.CLIP_S * 0.9)
    assert meter.is_clipped
    meter.update(0.1, 1.0 + model.CLIP_S * 1.1)
    assert not meter.is_clipped


def test_bars_take_any_spectrum_and_fall_slower_than_it():
    bars = model.Bars()
    bars.update(np.zeros(0), 0.0)
    bars.update(np.array([-20.0, np.nan, -np.inf]), 1.0)
    assert bars.bands_db.tolist() == [-20.0, model.MIN_DB, model.MIN_DB]
    bars.update(np.array([-90.0, -30.0, -90.0]), 1.1)
    assert bars.bands_db == pytest.approx([-20.0 - 0.1 * model.BARS_FALL_DB_S, -30.0, -90.0])
    assert bars.held_db[0] == pytest.approx(-20.0 - 0.1 * model.HELD_FALL_DB_S)
    bars.update(np.zeros(7) - 50.0, 1.2)
    assert len(bars.bands_db) == 7


def test_the_kick_light_flashes_at_each_new_kick_and_not_at_the_first_look():
    flash = model.Flash()
    assert flash.brightness(7, 1.0) == 0.0
    assert flash.brightness(8, 2.0) == 1.0
    assert 0.0 < flash.brightness(8, 2.1) < 0.6
    assert flash.brightness(10, 3.0) == 1.0
    assert flash.brightness(0, 9.0) < 1e-6  # another song


def test_the_beat_phase_continues_between_two_snapshots():
    latest = snapshot(bpm=120.0, phase=0.75)
    assert model.beat_phase(latest, 10.0) == pytest.approx(0.75)
    assert model.beat_phase(latest, 10.25) == pytest.approx(0.25)
    assert model.beat_phase(snapshot(bpm=0.0), 10.0) is None
    assert model.beat_phase(snapshot(bpm=math.nan), 10.0) is None
    assert model.beat_brightness(0.0, 1.0) == 1.0
    assert model.beat_brightness(0.0, 0.1) < 0.5
    assert model.beat_brightness(0.9, 1.0) < 0.01
    assert model.beat_brightness(None, 1.0) == 0.0


def test_a_slider_does_not_jump_back_while_it_is_moved_and_then_follows_the_show():
    pending = model.PendingValues()
    assert pending.value("beat.decay", 0.93, 0.0) == 0.93
    assert pending.set(DECAY, 0.5, 1.0) == 0.5
    assert pending.value("beat.decay", 0.93, 1.1) == 0.5
    assert pending.value("beat.decay", 0.7, 1.0 + model.SETTLE_S * 1.1) == 0.7
    assert pending.release(DECAY, 2.0) is None


def test_what_bakes_again_is_sent_when_the_slider_is_released():
    pending = model.PendingValues()
    assert pending.set(STEPS, 3.0, 1.0) is None
    assert pending.set(STEPS, 5.0, 9.0) is None
    assert pending.value(STEPS.name, 2.0, 60.0) == 5.0
    assert pending.release(STEPS, 61.0) == 5.0
    assert pending.release(STEPS, 61.1) is None
    assert pending.value(STEPS.name, 2.0, 61.2) == 5.0
    assert pending.value(STEPS.name, 2.0, 70.0) == 2.0


@pytest.mark.parametrize(
    ("size", "columns"), [((480, 700), 1), ((640, 980), 1), ((900, 760), 2), ((700, 480), 2), ((1600, 1000), 3)]
)
def test_the_panel_is_laid_out_in_as_many_columns_as_fit(size, columns):
    assert model.n_columns(*size) == columns
    zoom = model.zoom(*size)
    assert 1.0 <= zoom <= 1.6
    margin = 20
    assert model.n_columns(size[0] / zoom - margin, size[1] / zoom) == columns


def test_small_buttons_fill_their_rows():
    assert [model.n_buttons_across(380, n) for n in (0, 3, 6, 7, 9)] == [0, 3, 3, 3, 3]
    assert [model.n_buttons_across(540, n) for n in (5, 7, 8, 9)] == [3, 4, 4, 3]
    assert model.n_buttons_across(50, 4) == 1


def test_two_or_more_thumbnails_side_by_side():
    assert model.n_thumbnails_across(200, 6) == 2
    assert model.n_thumbnails_across(560, 6) == 3
    assert model.n_thumbnails_across(560, 30) == 4
    assert model.n_thumbnails_across(5000, 1) == 5


def test_only_actions_that_the_source_can_carry_out_have_a_button():
    live = [one.name for one in model.small_buttons({Capability.DEVICES, Capability.TEMPO})]
    assert "next_input" in live and "fullscreen" in live and not {"next_song", "previous_song"} & set(live)
    assert [one.name for one in model.small_buttons()] == [
        one.name for one in sorted(model.small_buttons(), key=lambda one: one.button_order)
    ]
    assert {"next_input", "next_song"} <= {one.name for one in model.small_buttons()}


@pytest.mark.parametrize("one", base_parameters().values(), ids=lambda one: one.name)
def test_every_control_has_a_name_a_value_and_a_place(one):
    assert model.label(one) and "_" not in model.label(one)
    for value in (one.choices[-1],) if one.choices else (one.high, one.low if math.isfinite(one.low) else one.high):
        assert 0.0 <= model.slider_position(one, value) <= 1.0
        assert model.format_value(one, value)


def test_values_have_their_unit_and_only_useful_digits():
    known = base_parameters()
    shown = {
        "beat.decay": (0.93, "0.930"),
        "beat.high_hz": (120.0, "120 Hz"),
        "beat.sensitivity": (1.25, "1.25"),
        "beat.smoothing_ms": (40.0, "40 ms"),
        "input.gain_db": (-6.0, "-6 dB"),
        "beat.motion": ("pump", "pump"),
        "dream.n_octaves": (7.0, "7"),
        "lock": (1.0, "on"),
    }
    for name, (value, text) in shown.items():
        assert model.format_value(known[name], value) == text


@pytest.mark.parametrize("value", ["a word", None, math.nan, math.inf, -math.inf])
def test_a_slider_has_a_position_whatever_the_value(value):
    assert 0.0 <= model.slider_position(DECAY, value) <= 1.0


def test_the_amount_of_a_source_is_a_signed_percentage_and_a_label_is_used():
    amount = Parameter("look.zoom.amount", "", "number", -1.0, 1.0)
    assert [model.format_value(amount, value) for value in (0.5, -0.25, 0.0)] == ["+50%", "-25%", "+0%"]
    own = Parameter("look.zoom.amount", "", "number", -1.0, 3.0, can_move=True)
    assert model.format_value(own, 0.5) == "0.50", "an input of the look zoom that is called so"
    assert model.label(Parameter("look.tint.red", "", "number", label="tint red")) == "tint red"


def test_the_first_cell_of_a_row_takes_what_fixed_ones_leave():
    assert model.weights_beside(300, (86, 60)) == [300 - 86 - 60 - 16, 86, 60]
    assert model.weights_beside(100, (86, 60))[0] == 1.0
