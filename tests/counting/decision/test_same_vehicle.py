"""Tests whether two crossings in one direction are of one vehicle."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.scripted_tracks import COUNTING, LINE, make_candidate_at, make_track

from edge.core.shapes import Point
from edge.core.tracks import UsualSize
from edge.counting.decision.same_vehicle import is_same_vehicle

if TYPE_CHECKING:
    from edge.counting.decision.candidate import CrossingCandidate

LEARNED = UsualSize(100.0, 60.0)


def are_same(a: CrossingCandidate, b: CrossingCandidate, at: float = 10.0) -> bool:
    """Whether both are one vehicle, in either order."""
    result = is_same_vehicle(a, b, at, LINE, COUNTING.vehicle_classes)
    assert is_same_vehicle(b, a, at, LINE, COUNTING.vehicle_classes) is result
    return result


def test_two_boxes_in_one_place_are_one_vehicle() -> None:
    """Two vehicles cannot be in one place."""
    assert are_same(make_candidate_at(520), make_candidate_at(525, 255, track_id="r-2"))


@pytest.mark.parametrize(("seconds", "same"), [(0.2, True), (0.5, False)])
def test_two_that_were_surely_seen_in_two_places_are_two(seconds: float, same: bool) -> None:
    """Wherever they are now: one may hide a part of the other at the line. A moment may be an error of the detector."""
    first, second = make_candidate_at(520), make_candidate_at(525, 255, track_id="r-2")
    second.track = replace(second.track, apart={first.track_id: seconds})
    assert are_same(first, second) is same
    traced = make_candidate_at(525, 255, track_id="r-3")
    traced.track = replace(traced.track, part_of=first.track_id, apart={first.track_id: seconds})
    assert are_same(first, traced) is same


def test_two_vehicles_side_by_side_are_two() -> None:
    """They are a width apart across the way."""
    assert not are_same(make_candidate_at(520, 200), make_candidate_at(520, 265, track_id="r-2"))


def test_two_vehicles_one_behind_the_other_are_two() -> None:
    """Bumper to bumper they are a length apart along the way, and a second apart in time."""
    ahead, behind = make_candidate_at(620, crossed_at=9.0), make_candidate_at(515, track_id="r-2", crossed_at=10.0)
    assert not are_same(ahead, behind)


def test_a_lost_track_is_compared_where_it_is_expected() -> None:
    """A track that was last found a second ago is a second of its speed further on."""
    lost = make_candidate_at(520, crossed_at=9.5)
    assert lost.expected_center(11.0) == pytest.approx(Point(620, 250))
    late = make_candidate_at(620, track_id="r-2", crossed_at=10.0)
    late.track_at = 11.0
    assert are_same(lost, late, at=11.0)
    lost.track, lost.track_at = make_track(700, velocity=Point(100.0, 0.0), size=(100.0, 60.0)), 11.0
    assert lost.expected_center(11.0) == pytest.approx(Point(700, 250))
    assert not are_same(lost, late, at=11.0)


def test_a_part_within_the_whole_is_one_vehicle() -> None:
    """A windscreen may have a box of its own in the box of its car."""
    assert are_same(make_candidate_at(520), make_candidate_at(550, 235, track_id="r-2", size=(30.0, 25.0)))


def test_two_crossings_far_apart_in_time_are_two_vehicles() -> None:
    """The place is the same, but the first vehicle has long gone."""
    assert not are_same(make_candidate_at(520, crossed_at=4.0), make_candidate_at(520, track_id="r-2", crossed_at=10.0))


def test_the_passing_time_follows_from_length_and_speed() -> None:
    """A vehicle of 100 pixels at 100 pixels a second takes one; the time of one that stands is bounded."""
    assert make_candidate_at(520).passing_seconds == pytest.approx(1.0)
    assert make_candidate_at(520, velocity=Point(200.0, 0.0)).passing_seconds == pytest.approx(0.5)
    assert 1 < make_candidate_at(520, velocity=Point(0.0, 0.0)).passing_seconds < math.inf


def test_lights_are_taken_to_be_as_large_as_their_vehicle() -> None:
    """The two lights of a car are one vehicle; two small boxes that are surely cars are two."""
    lights: dict[str, Any] = {"confidences": {"traffic light": 0.3}, "size": (10.0, 8.0), "usual_size": LEARNED}
    assert are_same(make_candidate_at(520, 235, **lights), make_candidate_at(520, 258, track_id="r-2", **lights))
    cars = {**lights, "confidences": {"car": 0.7}}
    assert not are_same(make_candidate_at(520, 235, **cars), make_candidate_at(520, 258, track_id="r-2", **cars))


def test_a_track_that_was_traced_back_into_another_one_is_a_part_of_it() -> None:
    """A trailer behind its cab: further apart than two halves, but it was followed back into the cab's box."""
    cab, trailer = make_candidate_at(640), make_candidate_at(520, 255, track_id="r-2", size=(160.0, 60.0))
    traced = make_candidate_at(520, 255, track_id="r-2", size=(160.0, 60.0), part_of="r-1")
    assert are_same(cab, traced)
    assert not are_same(cab, trailer)
    beside = make_candidate_at(520, 330, track_id="r-2", size=(160.0, 60.0), part_of="r-1")
    assert not are_same(cab, beside)


def test_a_box_about_two_vehicles_abreast_is_not_one_of_them() -> None:
    """It is as wide as two and as long as one: the single vehicle in it counts for itself."""
    single = make_candidate_at(520, 220, usual_size=LEARNED)
    both = make_candidate_at(520, 250, track_id="r-2", size=(105.0, 125.0), usual_size=LEARNED)
    assert not are_same(single, both)


def test_two_that_stand_are_compared_along_the_direction_inside() -> None:
    """Without a velocity of their own the direction straight into the gate is theirs."""
    standing: dict[str, Any] = {"velocity": Point(0.0, 0.0)}
    assert are_same(make_candidate_at(520, **standing), make_candidate_at(530, track_id="r-2", **standing))
    assert not are_same(
        make_candidate_at(520, 200, **standing), make_candidate_at(520, 265, track_id="r-2", **standing)
    )


def test_a_motorcycle_beside_a_car_is_not_that_car() -> None:
    """Both are seen surely under different names, which the detector does not confuse."""
    car, size = make_candidate_at(520), (60.0, 50.0)
    assert not are_same(car, make_candidate_at(530, 262, track_id="r-2", size=size, confidences={"motorcycle": 0.7}))
    assert are_same(car, make_candidate_at(530, 262, track_id="r-2", size=size, confidences={"car": 0.7}))


@given(st.floats(-200, 200), st.floats(-200, 200), st.floats(30, 200), st.floats(20, 120))
def test_the_order_of_two_crossings_does_not_matter(x: float, y: float, width: float, height: float) -> None:
    """The answer is the same in either order, and a track is always the same vehicle as itself."""
    candidate = make_candidate_at(520, usual_size=LEARNED)
    are_same(candidate, make_candidate_at(520 + x, 250 + y, track_id="r-2", size=(width, height), usual_size=LEARNED))
    assert are_same(candidate, make_candidate_at(520, track_id="r-2", usual_size=LEARNED))
