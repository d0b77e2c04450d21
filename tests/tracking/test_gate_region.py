"""Tests of which places of the picture are near a gate."""

from __future__ import annotations

import numpy as np
import pytest

from edge.tracking.parameters import DEFAULT_TRACKING
from edge.tracking.sightings import GateRegion

GATE = ((0.4, 0.5), (0.6, 0.5))
SIZE = (1000, 500)


def inside(points: list[tuple[float, float]], *, sure: bool = True, lines: tuple = (GATE,)) -> list[int]:
    """The indices of the points inside the region, in a frame of 1000 x 500."""
    places = np.array(points, dtype=np.float64).reshape(-1, 2)
    return GateRegion(lines, DEFAULT_TRACKING.sightings).indices_inside(places, np.full(len(places), sure), SIZE)


def test_places_near_the_line_are_inside_and_places_far_away_are_not() -> None:
    """The distance is measured from the line between its ends, in every direction."""
    narrow = (((0.0, 0.9), (0.05, 0.9)),)
    assert inside([(20, 450), (60, 300), (980, 20)], lines=narrow) == [0, 1]


def test_the_region_is_smaller_for_weak_boxes() -> None:
    """Each place inside for a weak box is inside for a sure one, and there are places only for the sure one."""
    points = [(10.0 * number, 250.0) for number in range(100)]
    narrow = (((0.0, 0.4), (0.0, 0.6)),)
    sure, weak = inside(points, lines=narrow), inside(points, sure=False, lines=narrow)
    assert set(weak) < set(sure)


def test_a_place_near_any_gate_is_inside() -> None:
    """With a gate at each end of the picture."""
    ends = (((0.0, 0.4), (0.0, 0.6)), ((1.0, 0.4), (1.0, 0.6)))
    assert inside([(10, 250), (990, 250)], lines=ends) == [0, 1]
    assert inside([(10, 250), (990, 250)], lines=ends[:1]) == [0]


def test_each_piece_of_a_bent_line_counts() -> None:
    """Places near either piece, and near their corner, are inside."""
    bent = (((0.0, 0.0), (0.0, 1.0), (1.0, 1.0)),)
    assert inside([(10, 490), (900, 480), (20, 20)], lines=bent) == [0, 1, 2]


@pytest.mark.parametrize("lines", [(), (GATE,)])
def test_without_lines_the_region_is_the_whole_frame(lines: tuple) -> None:
    """A list without points gives a list without indices, with and without lines."""
    assert inside([], lines=lines) == []
    assert inside([(0, 0), (999, 499)], lines=()) == [0, 1]
