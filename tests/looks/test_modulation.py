"""Modulation: what moves a number, that no change of a rate makes it jump, and that the frame rate does not matter."""

import itertools
import math
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from visualizer.looks.expression import FUNCTIONS, LIMIT, BadExpression
from visualizer.looks.modulation import NAMES, ManualSetting, ModulatedNumber, Modulation, check, in_silence
from visualizer.settings import SOURCES

SILENT = dict.fromkeys(NAMES, 0.0)


def played(expression, rate_hz, seconds, features, **changed):
    """The number at every display frame: (time, number)."""
    modulation = Modulation([ModulatedNumber("x", expression=expression, **changed)])
    found = []
    for n in range(round(seconds * rate_hz) + 1):
        time_s = n / rate_hz
        values = SILENT | features(time_s)
        found.append((time_s, modulation.advance(values, 1 / rate_hz if n else 0.0)["x"]))
    return found


def kicks(time_s):
    """A kick every half second, bass that swells, and the beat of 120 bpm."""
    since = (time_s + 0.013) % 0.5
    return {
        "kick": 0.5 ** (since / 0.1),
        "bass": 0.5 + 0.5 * math.sin(time_s * 3.0),
        "beat": 1.0 - (time_s / 0.5) % 1.0,
        "beat_number": float(int(time_s / 0.5 + 1e-9)),
        "time_s": time_s,
    }


@pytest.mark.parametrize(
    ("expression", "tolerance"),
    [
        ("1 + 0.08*kick", 1e-12),
        ("integrate(0.1 + 0.5*bass)", 1e-3),  # of 10 that are reached
        ("integrate(kick)", 0.25),  # of 4.6: where in a display frame a kick begins is not known
        ("smooth(bass, 0.3)", 1e-3),
        ("smooth(kick, 0.2)", 0.06),
        ("hold(beat, bass)", 0.06),
        ("random(beat_number)", 1e-12),
        ("noise(time_s*3)", 1e-12),
    ],
)
def test_the_frame_rate_does_not_matter(expression, tolerance):
    at_rates = {rate_hz: played(expression, rate_hz, 16.0, kicks) for rate_hz in (30, 60, 144)}
    for sixth in range(96):  # all three have a display frame at every sixth of a second
        if sixth % 3:  # not on a beat, where each begins within a display frame
            numbers = [found[sixth * rate_hz // 6][1] for rate_hz, found in at_rates.items()]
            assert max(numbers) - min(numbers) <= tolerance, sixth / 6


def test_a_rate_that_changes_makes_no_jump():
    def features(time_s):
        return {"bass": 1.0 if time_s > 1.0 else 0.0}

    turned = [number for _, number in played("integrate(1 + 20*bass)", 60, 2.0, features)]
    steps = [b - a for a, b in itertools.pairwise(turned)]
    assert max(steps) <= 21 / 60 + 1e-9 and min(steps) >= 1 / 60 - 1e-9
    # the same written as a product of speed and time jumps by 20 at once
    jumps = [number for _, number in played("time_s*(1 + 20*bass)", 60, 2.0, lambda t: features(t) | {"time_s": t})]
    assert max(b - a for a, b in itertools.pairwise(jumps)) > 19


def test_hold_takes_the_value_at_each_rise_of_the_trigger():
    found = played("hold(beat, time_s)", 60, 3.0, kicks)
    for time_s, number in found:
        assert number == pytest.approx(int(time_s * 2 + 1e-6) / 2, abs=1 / 60)
    counted = played("hold(beat_number, time_s)", 60, 3.0, kicks)
    assert {round(number, 1) for _, number in counted} == {0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0}


def test_a_trigger_fires_again_before_it_has_fallen_to_nothing():
    def rolls(time_s):  # kicks 120 ms apart: the level between them stays above 0.4
        return {"kick": 0.5 ** ((time_s % 0.12) / 0.1), "time_s": time_s}

    assert len({number for _, number in played("hold(kick, time_s)", 60, 1.15, rolls)}) == 10


def test_smoothing_follows_with_its_time_constant():
    found = played("smooth(bass, 0.5)", 60, 2.0, lambda t: {"bass": float(t > 0)})
    assert found[0][1] == 0.0
    assert dict(found)[0.5] == pytest.approx(1 - math.exp(-1), abs=0.02)
    assert [number for _, number in played("smooth(bass, 0)", 60, 0.1, lambda t: {"bass": t})][-1] == 0.1


def test_nothing_moves_while_no_time_passes():
    modulation = Modulation([ModulatedNumber("x", expression="integrate(1) + smooth(bass, 0.5)")])
    modulation.advance(SILENT, 0.0)
    before = modulation.advance(SILENT, 0.1)["x"]
    assert modulation.advance(SILENT | {"bass": 1.0}, 0.0)["x"] == before


def test_a_seek_is_no_jump_of_what_is_integrated():
    modulation = Modulation([ModulatedNumber("x", expression="integrate(2)")])
    assert modulation.advance(SILENT, 600.0)["x"] == 2.0
    assert modulation.advance(SILENT, -30.0)["x"] == 2.0


def test_it_begins_again():
    modulation = Modulation([ModulatedNumber("x", expression="integrate(1)"), ModulatedNumber("y")])
    modulation.set_by_hand({"y": ManualSetting(source="bass", amount=1.0, smoothing_s=1.0)})
    first = [dict(modulation.advance(SILENT | {"bass": n / 10}, 0.1 if n else 0.0)) for n in range(5)]
    modulation.begin_again()
    assert [dict(modulation.advance(SILENT | {"bass": n / 10}, 0.1 if n else 0.0)) for n in range(5)] == first


def test_what_was_integrated_goes_on_when_an_expression_is_edited():
    """Also where the text is another: a rate that is changed while a show runs makes no jump."""
    before = Modulation(
        [
            ModulatedNumber("x", expression="integrate(1)"),
            ModulatedNumber("y", expression="hold(bass, kick)"),
            ModulatedNumber("z"),
        ]
    )
    before.set_by_hand({"z": ManualSetting(source="bass", amount=1.0, smoothing_s=1.0)})
    heard = SILENT | {"bass": 0.5, "kick": 0.7}
    for n in range(5):
        before.advance(heard, 0.1 if n else 0.0)
    edited = "0.5*integrate(3) + integrate(2) + 0*hold(mid, mid)"
    after = Modulation(
        [
            ModulatedNumber("x", expression=edited),
            ModulatedNumber("y", expression="1 + hold(bass, mid)"),
            ModulatedNumber("z"),
        ],
        before,
    )
    after.set_by_hand({"z": ManualSetting(source="bass", amount=1.0, smoothing_s=1.0)})
    found = after.advance(heard, 0.0)
    assert found == pytest.approx({"x": 0.2, "y": 1.7, "z": 0.5})
    assert after.advance(heard, 0.1)["x"] == pytest.approx(0.5 * (0.4 + 0.3) + 0.2)


def test_what_a_hand_smooths_goes_on_when_a_preset_is_edited():
    """As in a show: the control of the edited preset gets again what was set by hand."""
    by_hand = {"z": ManualSetting(source="bass", amount=1.0, smoothing_s=1.0)}
    before = Modulation([ModulatedNumber("y"), ModulatedNumber("z")])
    before.set_by_hand({**by_hand, "y": ManualSetting(source="kick", amount=1.0)})
    for n in range(5):
        last = before.advance(SILENT | {"bass": n / 10}, 0.1 if n else 0.0)["z"]
    after = Modulation([ModulatedNumber("x"), ModulatedNumber("z")], before)
    after.set_by_hand(by_hand)
    assert last < 0.2 and after.advance(SILENT | {"bass": 0.4}, 0.0)["z"] == pytest.approx(last)


def test_what_remembers_may_stand_in_what_remembers():
    found = played("integrate(integrate(1) + smooth(0, integrate(0)))", 10, 1.0, lambda t: {})
    assert found[-1][1] == pytest.approx(0.5)


def test_a_number_is_limited():
    assert played("5*bass", 60, 0.0, lambda t: {"bass": 1.0}, low=0.0, high=2.0) == [(0.0, 2.0)]
    assert played("-5", 60, 0.0, lambda t: {}, low=0.0, high=2.0) == [(0.0, 0.0)]


def test_what_a_hand_turns_wins_until_it_is_taken_back():
    modulation = Modulation([ModulatedNumber("x", 0, 10, expression="integrate(1)"), ModulatedNumber("y", 0, 10, 4.0)])
    assert modulation.moving == {"x"}
    modulation.set_by_hand({"x": ManualSetting(7.0), "y": ManualSetting(5.0)})
    assert modulation.moving == frozenset()
    assert modulation.advance(SILENT, 0.5) == {"x": 7.0, "y": 5.0}
    modulation.set_by_hand({})
    assert modulation.advance(SILENT, 0.5) == {"x": 1.0, "y": 4.0}  # it has been integrated all the while


def test_a_source_is_added_to_what_the_number_is():
    modulation = Modulation(
        [ModulatedNumber("x", 0, 10, expression="2*beat"), ModulatedNumber("y", 0, 10, 4.0), ModulatedNumber("z")]
    )
    by_hand = {
        "x": ManualSetting(source="bass", amount=0.5),
        "y": ManualSetting(3.0, "kick", -0.2),
        "z": ManualSetting(1.0, "level", 0.5),  # a number without limits: the amount itself is added
    }
    modulation.set_by_hand(by_hand)
    assert modulation.moving == {"x", "y", "z"}
    assert modulation.names == {"beat", "bass", "kick", "level"}
    for _ in range(2):
        numbers = modulation.advance(SILENT | {"beat": 1.0, "bass": 1.0, "kick": 1.0, "level": 0.5}, 0.1)
        assert numbers == {"x": 7.0, "y": 1.0, "z": 1.25}


def test_a_smoothed_source_goes_on_when_its_amount_is_turned():
    modulation = Modulation([ModulatedNumber("x", 0, 1)])
    modulation.set_by_hand({"x": ManualSetting(0.0, "bass", 1.0, 1.0)})
    modulation.advance(SILENT, 0.0)
    before = modulation.advance(SILENT | {"bass": 1.0}, 0.5)["x"]
    modulation.set_by_hand({"x": ManualSetting(0.0, "bass", 0.5, 1.0)})
    assert modulation.advance(SILENT | {"bass": 1.0}, 0.0)["x"] == pytest.approx(before / 2)


def test_every_source_is_a_name_that_expressions_know():
    assert set(SOURCES) <= NAMES.keys()


def test_the_document_names_every_name_and_function():
    text = (Path(__file__).resolve().parents[2] / "docs" / "modulation.md").read_text()
    assert {name: f"| {name} | {words} |" in text for name, words in NAMES.items()} == dict.fromkeys(NAMES, True)
    table = text[text.index("| function |") : text.index("**A speed")]
    missing = [name for name in (*FUNCTIONS, "integrate", "hold", "smooth") if not re.search(rf"\b{name}\b", table)]
    assert not missing


def test_a_wrong_expression_is_refused():
    with pytest.raises(BadExpression, match=r"column 11: unknown name 'kik' \(did you mean 'kick'\?\)"):
        check("integrate( kik)".replace(" ", ""))
    with pytest.raises(BadExpression, match="hold takes 2 values, not 1"):
        Modulation([ModulatedNumber("x", expression="hold(kick)")])


def test_in_silence_an_expression_has_a_number():
    assert in_silence(ModulatedNumber("x", 0, 500, expression="120 + 400*bass")) == 120
    assert in_silence(ModulatedNumber("x", 0, 100, expression="120 + 400*bass")) == 100


@settings(max_examples=100, deadline=None)
@given(
    numbers=st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=5, max_size=5),
    dt_s=st.floats(0, 1),
)
def test_a_value_that_is_no_number_does_no_harm_for_long(numbers, dt_s):
    modulation = Modulation(
        [ModulatedNumber("x", expression="integrate(bass) + hold(kick, mid) + smooth(high, level)")]
    )
    for number in numbers:
        found = modulation.advance(dict.fromkeys(NAMES, number), dt_s)["x"]
        assert math.isfinite(found) and abs(found) <= LIMIT
    for _ in range(3):
        assert math.isfinite(modulation.advance(SILENT, 0.1)["x"])
