"""Settings go on accepting what earlier versions of the program wrote."""

from visualizer.control.parameters import base_parameters
from visualizer.settings import BeatSettings, Preset


def test_the_motion_decay_is_still_accepted_by_its_former_name():
    assert BeatSettings.model_validate({"motion": "seed"}) == BeatSettings()
    assert base_parameters().find("beat.motion").checked("seed") == "decay"


def test_variants_are_still_accepted_by_their_former_name():
    preset = Preset.model_validate({"title": "Two", "dream": {"seed": 3}, "rows": [{"colour": 0.5}]})
    assert [(one.seed, one.colour) for one in preset.variants] == [(3, 0.5)]
