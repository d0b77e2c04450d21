"""Which box is given to which track."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.scripted import SIZE, box_at

from edge.core.shapes import Point
from edge.tracking.association import NEVER, best_pairs, by_motion, by_overlap
from edge.tracking.boxes import rows
from edge.tracking.parameters import DEFAULT_TRACKING
from edge.tracking.tracklet import Tracklet

RIGHT = Point(100.0, 0.0)  # pixels a second


def tracklet(x: float, y: float = 200.0, *, velocity: Point | None = RIGHT, number: int = 1) -> Tracklet:
    """A track of a car about (x, y), seen five times."""
    box = np.array(box_at(x, y))
    one = Tracklet.begin(number, box, 0.8, {"car": 0.8}, velocity, 0.0, 0.1, True, DEFAULT_TRACKING)
    one.sightings = 5
    return one


def resting(x: float, y: float = 200.0) -> Tracklet:
    """One that has stood still for long."""
    one = tracklet(x, y, velocity=Point(0.0, 0.0))
    one.rested, one.sightings = 60.0, 100
    one.remember(0.0)
    assert one.resting
    return one


def overlap_cost(one: Tracklet, *boxes: tuple[float, float, float, float], least: float = 0.2) -> list[bool]:
    """Whether each box may be the track's, by overlap."""
    return [bool(cost < NEVER) for cost in by_overlap([one], rows(boxes), least, SIZE, DEFAULT_TRACKING.association)[0]]


def motion_cost(one: Tracklet, box: tuple[float, float, float, float], velocity: Point | None) -> bool:
    """Whether the box may be the track's, by place and velocity."""
    return bool(by_motion([one], rows([box]), [velocity], 0.1, SIZE, DEFAULT_TRACKING.association)[0, 0] < NEVER)


def test_the_best_pairs_cost_least_together() -> None:
    """Not each track its own best: the sum counts."""
    assert best_pairs(np.array([[0.1, 0.2], [0.15, 0.9]])) == [(0, 1), (1, 0)]


def test_what_costs_too_much_stays_alone() -> None:
    """Also where there are more of one kind than of the other, or none at all."""
    assert best_pairs(np.array([[0.5, NEVER], [NEVER, NEVER]])) == [(0, 0)]
    assert best_pairs(np.array([[0.5, 0.4, 0.3]])) == [(0, 2)]
    assert best_pairs(np.zeros((0, 3))) == best_pairs(np.zeros((3, 0))) == []


@given(st.lists(st.lists(st.floats(0, 1), min_size=4, max_size=4), min_size=1, max_size=4))
def test_no_other_choice_costs_less(costs: list[list[float]]) -> None:
    """Held against all of them."""
    matrix = np.array(costs)
    pairs = best_pairs(matrix)
    assert len({i for i, _ in pairs}) == len({j for _, j in pairs}) == len(costs)
    least = min(
        sum(matrix[i, j] for i, j in enumerate(choice)) for choice in itertools.permutations(range(4), len(costs))
    )
    assert sum(matrix[i, j] for i, j in pairs) == pytest.approx(least)


def test_overlap_is_needed() -> None:
    """The better the overlap the less it costs; without any it is not the track's box."""
    one = tracklet(300)
    near, nearer = by_overlap(
        [one], rows([box_at(330, 200), box_at(310, 200)]), 0.2, SIZE, DEFAULT_TRACKING.association
    )[0]
    assert nearer < near < NEVER
    assert overlap_cost(one, box_at(300, 200), box_at(390, 200), box_at(500, 200)) == [True, False, False]


def test_a_track_that_reaches_over_the_edge_is_compared_as_far_as_it_can_be_seen() -> None:
    """Of a car that leaves the picture a part is detected; the rest of its box is not held against it."""
    assert overlap_cost(tracklet(640), (590.0, 170.0, 640.0, 230.0), least=0.9) == [True]


def test_a_resting_track_takes_no_box_that_hardly_overlaps() -> None:
    """A car that drives by in front of a parked one."""
    passing = box_at(360, 200)
    assert overlap_cost(tracklet(300), passing, least=0.2) == [True]
    assert overlap_cost(resting(300), passing, least=0.2) == [False]


def test_by_motion_a_box_is_found_that_goes_the_same_way_near_by() -> None:
    """Beyond the overlap that is asked for otherwise; not one that goes another way, or is far off."""
    one = tracklet(300)
    for _ in range(5):
        one.motion.predict(0.1, one.size)
    x = one.motion.x
    near, far = box_at(x + 50, 200), box_at(x + 300, 200)
    assert motion_cost(one, near, RIGHT)
    assert not motion_cost(one, near, Point(-300.0, 200.0))
    assert not motion_cost(one, far, RIGHT)


def test_by_motion_the_size_must_be_alike() -> None:
    """No lorry where a motorcycle was, and the other way round."""
    one = tracklet(300)
    assert motion_cost(one, box_at(305, 200), RIGHT)
    assert not motion_cost(one, box_at(305, 200, 400, 240), RIGHT)
    assert not motion_cost(one, box_at(305, 200, 25, 15), RIGHT)


def test_a_box_without_a_velocity_must_overlap_well() -> None:
    """Where flow saw nothing, the place alone has to do."""
    one = tracklet(300)
    assert motion_cost(one, box_at(305, 200), None)
    assert not motion_cost(one, box_at(380, 200), None)


def test_a_parked_vehicle_is_found_again_where_it_stood() -> None:
    """Hidden for a while, seen again in place; a box beside it is another vehicle's."""
    parked = resting(300)
    assert motion_cost(parked, box_at(302, 201), None)
    assert not motion_cost(parked, box_at(400, 200), Point(0.0, 0.0))
    assert not motion_cost(parked, box_at(365, 200), RIGHT)
