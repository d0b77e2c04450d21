"""Tests of which sighting is matched to which track."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.scripted import SIZE, box_at, sighting_at

from edge.core.shapes import Point
from edge.tracking.association import FORBIDDEN, TakenPlaces, cheapest_pairs, motion_costs, overlap_costs
from edge.tracking.boxes import box_array
from edge.tracking.observer import FrameStep, whole_frame
from edge.tracking.parameters import DEFAULT_TRACKING
from edge.tracking.tracklet import Tracklet

RIGHT = Point(100.0, 0.0)  # pixels a second
STEP = FrameStep(0.0, 0.1, SIZE, whole_frame(SIZE))
LIMITS = DEFAULT_TRACKING.association


def moving(x: float, y: float = 200.0) -> Tracklet:
    """A track of a car around (x, y) that moves to the right and was seen five times."""
    track = Tracklet.start(1, sighting_at(x, y), RIGHT, STEP, True, DEFAULT_TRACKING)
    track.evidence.sightings = 5
    return track


def resting(x: float, y: float = 200.0) -> Tracklet:
    """A track of a car that has been standing for a minute."""
    track = Tracklet.start(1, sighting_at(x, y), Point(0.0, 0.0), STEP, True, DEFAULT_TRACKING)
    track.rest.seconds, track.evidence.sightings = 60.0, 100
    track.save_fix(0.0)
    assert track.resting
    return track


def may_match_by_overlap(
    track: Tracklet, *boxes: tuple[float, float, float, float], least_iou: float = 0.2
) -> list[bool]:
    """Whether each box may be the track's by overlap."""
    costs = overlap_costs([track], box_array(boxes), least_iou, whole_frame(SIZE), LIMITS)[0]
    return [bool(cost < FORBIDDEN) for cost in costs]


def may_match_by_motion(track: Tracklet, box: tuple[float, float, float, float], velocity: Point | None) -> bool:
    """Whether the box may be the track's by place and velocity."""
    return bool(motion_costs([track], box_array([box]), [velocity], STEP, LIMITS)[0, 0] < FORBIDDEN)


def test_the_chosen_pairs_have_the_least_total_cost() -> None:
    """Not each track has the box that costs it least: the sum counts."""
    assert cheapest_pairs(np.array([[0.1, 0.2], [0.15, 0.9]])) == [(0, 1), (1, 0)]


def test_forbidden_pairs_are_never_chosen() -> None:
    """Also where there are more rows than columns or the other way round, or none at all."""
    assert cheapest_pairs(np.array([[0.5, FORBIDDEN], [FORBIDDEN, FORBIDDEN]])) == [(0, 0)]
    assert cheapest_pairs(np.array([[0.5, 0.4, 0.3]])) == [(0, 2)]
    assert cheapest_pairs(np.zeros((0, 3))) == cheapest_pairs(np.zeros((3, 0))) == []


@given(st.lists(st.lists(st.floats(0, 1), min_size=4, max_size=4), min_size=1, max_size=4))
def test_no_other_choice_of_pairs_costs_less(costs: list[list[float]]) -> None:
    """Compared with all choices."""
    matrix = np.array(costs)
    pairs = cheapest_pairs(matrix)
    assert len({row for row, _ in pairs}) == len({column for _, column in pairs}) == len(costs)
    least = min(
        sum(matrix[row, column] for row, column in enumerate(choice))
        for choice in itertools.permutations(range(4), len(costs))
    )
    assert sum(matrix[row, column] for row, column in pairs) == pytest.approx(least)


def test_a_larger_overlap_costs_less() -> None:
    """A box without overlap may not be the track's."""
    track = moving(300)
    boxes = box_array([box_at(330, 200), box_at(310, 200)])
    near, nearer = overlap_costs([track], boxes, 0.2, whole_frame(SIZE), LIMITS)[0]
    assert nearer < near < FORBIDDEN
    assert may_match_by_overlap(track, box_at(300, 200), box_at(390, 200), box_at(500, 200)) == [True, False, False]


def test_only_the_part_of_a_track_inside_the_frame_is_compared() -> None:
    """Of a car that leaves the picture the detector finds only the part that is still in it."""
    assert may_match_by_overlap(moving(640), (590.0, 170.0, 640.0, 230.0), least_iou=0.9) == [True]


def test_a_resting_track_needs_more_overlap() -> None:
    """The box of a car that drives past in front of a parked one is not the parked one's."""
    passing = box_at(360, 200)
    assert may_match_by_overlap(moving(300), passing, least_iou=0.2) == [True]
    assert may_match_by_overlap(resting(300), passing, least_iou=0.2) == [False]


def test_by_motion_a_near_box_of_the_same_velocity_may_match_without_overlap() -> None:
    """Not one of another velocity, nor one that is far away."""
    track = moving(300)
    for _ in range(5):
        track.motion.predict(0.1, track.size)
    x = track.motion.x
    near, far = box_at(x + 50, 200), box_at(x + 300, 200)
    assert may_match_by_motion(track, near, RIGHT)
    assert not may_match_by_motion(track, near, Point(-300.0, 200.0))
    assert not may_match_by_motion(track, far, RIGHT)


def test_by_motion_only_a_box_of_similar_size_may_match() -> None:
    """A lorry is not matched to the track of a motorcycle, nor the other way round."""
    track = moving(300)
    assert may_match_by_motion(track, box_at(305, 200), RIGHT)
    assert not may_match_by_motion(track, box_at(305, 200, 400, 240), RIGHT)
    assert not may_match_by_motion(track, box_at(305, 200, 25, 15), RIGHT)


def test_a_box_without_a_velocity_must_overlap_well() -> None:
    """Where optical flow measured none, only the place is known."""
    track = moving(300)
    assert may_match_by_motion(track, box_at(305, 200), None)
    assert not may_match_by_motion(track, box_at(380, 200), None)


def test_a_parked_vehicle_is_matched_only_in_its_place() -> None:
    """It was hidden for a while; a box beside its place is another vehicle's."""
    parked = resting(300)
    assert may_match_by_motion(parked, box_at(302, 201), None)
    assert not may_match_by_motion(parked, box_at(400, 200), Point(0.0, 0.0))
    assert not may_match_by_motion(parked, box_at(365, 200), RIGHT)


def test_a_sighting_on_a_track_starts_no_other_track() -> None:
    """A weak box is taken by little overlap or by lying inside, a sure one by much overlap; one beside it is free."""
    taken = TakenPlaces([moving(300)], DEFAULT_TRACKING.birth, partial_boxes=True)
    assert taken.include(np.array(box_at(310, 200)), sure=True)
    assert taken.include(np.array(box_at(350, 200)), sure=False)
    assert not taken.include(np.array(box_at(350, 200)), sure=True)
    assert taken.include(np.array(box_at(280, 200, 20, 20)), sure=False)
    assert not taken.include(np.array(box_at(450, 200)), sure=False)
    assert not TakenPlaces([], DEFAULT_TRACKING.birth, partial_boxes=True).include(np.array(box_at(3, 2)), sure=False)


def test_another_part_of_a_partly_hidden_track_starts_no_other_track() -> None:
    """With the mechanism ``partial_boxes``, a sure box in the track's box that is not the part that was seen."""
    track = moving(300)
    track.last = track.last._replace(box=np.array([250.0, 170.0, 280.0, 230.0]), is_part=True)
    other_part = np.array([310.0, 170.0, 350.0, 230.0])
    assert TakenPlaces([track], DEFAULT_TRACKING.birth, partial_boxes=True).include(other_part, sure=True)
    assert not TakenPlaces([track], DEFAULT_TRACKING.birth, partial_boxes=False).include(other_part, sure=True)
