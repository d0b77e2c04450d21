"""Whether two passes in one direction are one vehicle's."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.ways import COUNTING, ENTRY, GATE, SIZE, track

from edge.core.shapes import Point
from edge.core.tracks import Usual
from edge.counting.candidate import CrossingCandidate, make_candidate
from edge.counting.crossing_path import LineCrossing
from edge.counting.line import Line
from edge.counting.long_vehicle import follows_closely, is_seen_less_surely, may_be_long_vehicle
from edge.counting.parameters import DEFAULT_COUNTING
from edge.counting.same_vehicle import is_same_vehicle

LINE = Line(GATE, SIZE)
SPEED = Point(100.0, 0.0)  # pixels a second, into the gate
LEARNED = Usual(100.0, 60.0)
LEAST_SPEED = DEFAULT_COUNTING.same_vehicle.least_speed


def passed(x: float, y: float = 250.0, *, at: float = 10.0, name: str = "r-1", **more: Any) -> CrossingCandidate:
    """A vehicle of 100 x 60 pixels that was about (x, y) at 10 s and passed the line at ``at``."""
    found = track(x, y, name=name, **{"velocity": SPEED, "size": (100.0, 60.0), **more})
    return make_candidate(found, LineCrossing(ENTRY, at), 10.0, LINE.distance(found.box.center), LEAST_SPEED)


def same(one: CrossingCandidate, other: CrossingCandidate, at: float = 10.0) -> bool:
    """Whether they are one, whichever comes first."""
    found = is_same_vehicle(one, other, at, LINE, COUNTING.vehicle_classes)
    assert is_same_vehicle(other, one, at, LINE, COUNTING.vehicle_classes) is found
    return found


def test_two_boxes_in_one_place_are_one_vehicle() -> None:
    """No two vehicles can be there."""
    assert same(passed(520), passed(525, 255, name="r-2"))


def test_two_vehicles_side_by_side_are_two() -> None:
    """A width apart across the way."""
    assert not same(passed(520, 200), passed(520, 265, name="r-2"))


def test_two_vehicles_one_behind_the_other_are_two() -> None:
    """Bumper to bumper: a length apart along the way, a second between them."""
    assert not same(passed(620, at=9.0), passed(515, name="r-2", at=10.0))


def test_where_one_was_lost_it_is_expected_further_on() -> None:
    """A track that was last found a second ago is compared where it would be now."""
    lost = passed(520, at=9.5)
    assert lost.expected_center(11.0) == pytest.approx(Point(620, 250))
    late = passed(620, name="r-2", at=10.0)
    late.track_at = 11.0
    assert same(lost, late, at=11.0)
    lost.track, lost.track_at = track(700, velocity=SPEED, size=(100.0, 60.0)), 11.0
    assert lost.expected_center(11.0) == pytest.approx(Point(700, 250))
    assert not same(lost, late, at=11.0)


def test_a_part_within_the_whole_is_one_vehicle() -> None:
    """A windscreen that has a box of its own in the box of its car."""
    assert same(passed(520), passed(550, 235, name="r-2", size=(30.0, 25.0)))


def test_two_passes_far_apart_in_time_are_two_vehicles() -> None:
    """The place is the same, but the first one has long gone."""
    assert not same(passed(520, at=4.0), passed(520, name="r-2", at=10.0))


def test_how_long_the_line_is_covered_follows_length_and_speed() -> None:
    """A vehicle of 100 pixels at 100 pixels a second takes one; one that stands takes long, but not for ever."""
    assert passed(520).passing_seconds == pytest.approx(1.0)
    assert passed(520, velocity=Point(200.0, 0.0)).passing_seconds == pytest.approx(0.5)
    assert 1 < passed(520, velocity=Point(0.0, 0.0)).passing_seconds < math.inf


def test_a_lamp_is_as_large_as_its_vehicle_must_be() -> None:
    """Of two lights on one car each is taken for the whole; a car's two lights are one vehicle."""
    lamps: dict[str, Any] = {"votes": {"traffic light": 0.3}, "size": (10.0, 8.0)}
    left, right = passed(520, 235, **lamps, usual=LEARNED), passed(520, 258, name="r-2", **lamps, usual=LEARNED)
    assert same(left, right)
    sure: dict[str, Any] = {"votes": {"car": 0.7}, "size": (10.0, 8.0)}
    assert not same(passed(520, 235, **sure, usual=LEARNED), passed(520, 258, name="r-2", **sure, usual=LEARNED))


def test_a_track_that_came_out_of_another_one_is_a_part_of_it() -> None:
    """A trailer behind its cab: farther apart than two halves, but it was followed back into the cab's box."""
    cab, trailer = passed(640), passed(520, 255, name="r-2", size=(160.0, 60.0), part_of="r-1")
    assert same(cab, trailer)
    assert not same(cab, passed(520, 255, name="r-2", size=(160.0, 60.0)))
    beside = passed(520, 330, name="r-2", size=(160.0, 60.0), part_of="r-1")
    assert not same(cab, beside)


def test_a_box_about_two_vehicles_abreast_is_not_one_of_them() -> None:
    """As wide as two, as long as one: the single one beside it is a vehicle of its own."""
    single = passed(520, 220, usual=LEARNED)
    both = passed(520, 250, name="r-2", size=(105.0, 125.0), usual=LEARNED)
    assert not same(single, both)


def test_two_that_stand_are_compared_along_the_way_in() -> None:
    """Without a velocity of their own the gate's way is theirs."""
    standing: dict[str, Any] = {"velocity": Point(0.0, 0.0)}
    assert same(passed(520, **standing), passed(530, name="r-2", **standing))
    assert not same(passed(520, 200, **standing), passed(520, 265, name="r-2", **standing))


def test_a_motorcycle_beside_a_car_is_not_that_car() -> None:
    """Both are seen well and called differently: nobody takes the one for the other."""
    car = passed(520)
    motorcycle = {"size": (60.0, 50.0), "votes": {"motorcycle": 0.7}}
    assert not same(car, passed(530, 262, name="r-2", **motorcycle))
    assert same(car, passed(530, 262, name="r-2", **{**motorcycle, "votes": {"car": 0.7}}))


def test_a_trailer_goes_right_behind_and_exactly_as_fast() -> None:
    """Not what is a length behind, beside, before, or slower."""
    car = passed(640)

    def close(x: float, y: float = 250.0, **more: Any) -> bool:
        return follows_closely(passed(x, y, name="r-2", **more), car, 10.0, LINE)

    assert close(535)
    assert not close(440)
    assert not close(535, 340)
    assert not close(745)
    assert not close(535, velocity=Point(40.0, 0.0))


def test_what_is_towed_is_seen_much_less_surely() -> None:
    """A trailer has no name of its own; a car behind a car has."""
    car = track(640, votes={"car": 0.8})
    assert is_seen_less_surely(track(535, name="r-2", votes={"car": 0.2}), car)
    assert not is_seen_less_surely(track(535, name="r-2", votes={"car": 0.7}), car)
    assert not is_seen_less_surely(car, car)


@given(st.floats(-200, 200), st.floats(-200, 200), st.floats(30, 200), st.floats(20, 120))
def test_the_order_does_not_matter(x: float, y: float, width: float, height: float) -> None:
    """What is one vehicle is so whichever of the two was first; and each is one with itself."""
    one = passed(520, usual=LEARNED)
    same(one, passed(520 + x, 250 + y, name="r-2", size=(width, height), usual=LEARNED))
    assert same(one, passed(520, name="r-2", usual=LEARNED))


def test_the_parts_of_a_long_vehicle_pass_one_right_after_the_other() -> None:
    """Each is on the line for a second: the next one a second later may be a trailer, after three it is none."""
    assert may_be_long_vehicle(passed(520, at=10.0), passed(440, name="r-2", at=11.0))
    assert not may_be_long_vehicle(passed(520, at=10.0), passed(440, name="r-2", at=13.0))
