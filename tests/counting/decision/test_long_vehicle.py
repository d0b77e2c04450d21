"""Tests whether two crossings are of the parts of one long vehicle."""

from __future__ import annotations

from typing import Any

from support.scripted_tracks import LINE, make_candidate_at, make_track

from edge.core.shapes import Point
from edge.counting.decision.long_vehicle import follows_closely, is_part_of, is_seen_less_surely, may_be_long_vehicle


def test_a_trailer_is_right_behind_and_as_fast() -> None:
    """A vehicle that is a length behind, beside, ahead or slower is no trailer."""
    car = make_candidate_at(640)

    def follows(x: float, y: float = 250.0, **track: Any) -> bool:
        return follows_closely(make_candidate_at(x, y, track_id="r-2", **track), car, 10.0, LINE)

    assert follows(535)
    assert not follows(440)
    assert not follows(535, 340)
    assert not follows(745)
    assert not follows(535, velocity=Point(40.0, 0.0))


def test_a_trailer_is_seen_much_less_surely() -> None:
    """The detector has no name for a trailer; it has one for a car behind a car."""
    car = make_track(640, confidences={"car": 0.8})
    assert is_seen_less_surely(make_track(535, track_id="r-2", confidences={"car": 0.2}), car)
    assert not is_seen_less_surely(make_track(535, track_id="r-2", confidences={"car": 0.7}), car)
    assert not is_seen_less_surely(car, car)


def test_the_parts_of_a_long_vehicle_cross_one_right_after_the_other() -> None:
    """Each needs a second to pass: the next crossing a second later may be a trailer's, after three it is not."""
    car = make_candidate_at(520, crossed_at=10.0)
    assert may_be_long_vehicle(car, make_candidate_at(440, track_id="r-2", crossed_at=11.0))
    assert not may_be_long_vehicle(car, make_candidate_at(440, track_id="r-2", crossed_at=13.0))


def test_a_part_is_one_that_the_tracker_absorbed_or_one_that_is_towed() -> None:
    """It stays a part when it stumbles after it followed closely at the line."""
    car = make_candidate_at(640, confidences={"car": 0.8})
    absorbed = make_candidate_at(300, track_id="r-2", absorbed=("r-1",))
    assert is_part_of(absorbed, car, 10.0, LINE)
    assert is_part_of(car, absorbed, 10.0, LINE)
    faint: dict[str, Any] = {"track_id": "r-2", "confidences": {"car": 0.2}}
    assert is_part_of(make_candidate_at(535, **faint), car, 10.0, LINE)
    stumbles = make_candidate_at(400, **faint)
    assert not is_part_of(stumbles, car, 10.0, LINE)
    stumbles.followed_closely.append(car)
    assert is_part_of(stumbles, car, 10.0, LINE)
    assert not is_part_of(make_candidate_at(535, crossed_at=14.0, **faint), car, 10.0, LINE)
