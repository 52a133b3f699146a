"""Settings go on accepting what earlier versions of the program wrote."""

from visualizer.control.parameters import base_parameters
from visualizer.settings import BOUNDS, BeatSettings, DreamSettings, Preset


def test_the_motion_decay_is_still_accepted_by_its_former_name():
    assert BeatSettings.model_validate({"motion": "seed"}) == BeatSettings()
    assert base_parameters().find("beat.motion").checked("seed") == "decay"


def test_variants_are_still_accepted_by_their_former_name():
    preset = Preset.model_validate({"title": "Two", "dream": {"seed": 3}, "rows": [{"colour": 0.5}]})
    assert [(one.seed, one.colour) for one in preset.variants] == [(3, 0.5)]


def test_a_preset_with_the_smoothing_of_earlier_versions_is_not_bounded():
    for key in ("smoothing_px", "smoothing_growth_px"):
        former = DreamSettings.model_validate({key: 0.9})
        assert {getattr(former, name) for name in BOUNDS} == {1.0}
        assert (former.smoothing_px, former.smoothing_growth_px) == (
            (0.9, 1.0) if key == "smoothing_px" else (0.9, 0.9)
        )
    preset = Preset.model_validate({"title": "Two", "dream": {"smoothing_px": 0.9}, "variants": [{"seed": 1}]})
    assert preset.variants[0].contrast_growth == 1


def test_a_preset_of_today_is_bounded():
    default = DreamSettings()
    assert max(getattr(default, name) for name in BOUNDS) < 1
    named = DreamSettings.model_validate({"smoothing_px": 0.9, "contrast_growth": 0.2})
    assert (named.contrast_growth, named.saturation_growth) == (0.2, default.saturation_growth)
    assert DreamSettings.model_validate(default.model_dump()) == default
