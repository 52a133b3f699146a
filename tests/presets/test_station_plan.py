"""Where the stations of a recorded journey lie."""

from __future__ import annotations

from visualizer.journey.geometry import Transform, crop, view
from visualizer.journey.stations import fixed_crop
from visualizer.presets.station_plan import RecordedPlan
from visualizer.settings import JourneySettings


def test_a_recorded_journey_keeps_its_stations():
    assert "recorded" in RecordedPlan(JourneySettings(), 4).refusal


def test_only_recorded_crops_that_a_zoom_can_lead_to_are_taken():
    plan, middle = RecordedPlan(JourneySettings(), 4), fixed_crop(0.0, 1.0)
    found = crop(0.1, 0.05 - 0.02j)
    plan.take({0: found, 1: Transform(0.0, 0.0), 2: Transform(1.0, 0.0), 3: Transform(0.5, 1e300), 4: Transform(1e9)})
    assert [plan.crop(station) for station in range(6)] == [found, *[middle] * 5]
    assert plan.crop(-1) == found, "as earlier versions had it, which recorded no station before the first"
    plan.take({0: found, -1: crop(0.2, 0)})
    assert plan.crop(-1) == crop(0.2, 0)
    for station in range(6):
        view(station + 0.5, plan.crop)
