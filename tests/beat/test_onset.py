"""One kick, one onset."""

from visualizer.beat.onset import RisePicker


def fired(levels, rise=0.25, hold_hops=1):
    picker = RisePicker(rise, hold_hops)
    return [index for index, level in enumerate(levels) if picker.step(level)]


def test_a_slow_attack_fires_once():
    assert fired([0, 0.1, 0.2, 0.3, 0.5, 0.8, 1.0, 0.9, 0.8]) == [3]


def test_small_rises_do_not_fire():
    assert fired([0, 0.2, 0.1, 0.24, 0.2, 0.24]) == []


def test_it_fires_again_after_a_fall():
    assert fired([0, 1.0, 0.9, 0.8, 0.6, 0.9, 0.8, 0.5, 1.0]) == [1, 5, 8]


def test_rises_are_counted_from_the_lowest_level_since_the_last_kick():
    assert fired([0, 0.3, 0.29, 0.28, 0.5, 0.54]) == [1, 5]


def test_a_second_rise_within_the_hold_belongs_to_the_same_kick():
    stumbling = [0, 0.4, 0.39, 0.7, 0.69, 0.95, 0.9, 0.6, 0.5, 0.8]
    assert fired(stumbling) == [1, 3, 5, 9]
    assert fired(stumbling, hold_hops=5) == [1, 9]
