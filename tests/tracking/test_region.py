"""Which places of the picture are near a gate."""

from __future__ import annotations

import numpy as np
import pytest

from edge.tracking.parameters import DEFAULT_TRACKING
from edge.tracking.sightings import Region

GATE = ((0.4, 0.5), (0.6, 0.5))
SIZE = (1000, 500)


def wanted(points: list[tuple[float, float]], *, sure: bool = True, lines: tuple = (GATE,)) -> list[int]:
    """The numbers of the points that matter, in a frame of 1000 x 500."""
    places = np.array(points, dtype=np.float64).reshape(-1, 2)
    return Region(lines, DEFAULT_TRACKING.sightings).wanted(places, np.full(len(places), sure), SIZE)


def test_what_is_at_the_gate_matters_and_what_is_far_away_does_not() -> None:
    """Measured from the line between its ends, in every direction."""
    narrow = (((0.0, 0.9), (0.05, 0.9)),)
    assert wanted([(20, 450), (60, 300), (980, 20)], lines=narrow) == [0, 1]


def test_weak_boxes_matter_in_a_smaller_part() -> None:
    """Whatever is wanted of the weak is wanted of the sure, and there is a place where only the sure is."""
    points = [(x, 250.0) for x in range(0, 1000, 10)]
    narrow = (((0.0, 0.4), (0.0, 0.6)),)
    sure, weak = wanted(points, lines=narrow), wanted(points, sure=False, lines=narrow)
    assert set(weak) < set(sure)


def test_any_of_several_gates_will_do() -> None:
    """A gate at each end of the picture."""
    ends = (((0.0, 0.4), (0.0, 0.6)), ((1.0, 0.4), (1.0, 0.6)))
    assert wanted([(10, 250), (990, 250)], lines=ends) == [0, 1]
    assert wanted([(10, 250), (990, 250)], lines=ends[:1]) == [0]


def test_the_corner_of_a_bent_line_is_near_too() -> None:
    """Each piece counts by itself."""
    bent = (((0.0, 0.0), (0.0, 1.0), (1.0, 1.0)),)
    assert wanted([(10, 490), (900, 480), (20, 20)], lines=bent) == [0, 1, 2]


@pytest.mark.parametrize("lines", [(), (GATE,)])
def test_without_lines_all_matters_and_no_points_are_none(lines: tuple) -> None:
    """A camera without gates is looked at everywhere."""
    assert wanted([], lines=lines) == []
    assert wanted([(0, 0), (999, 499)], lines=()) == [0, 1]
