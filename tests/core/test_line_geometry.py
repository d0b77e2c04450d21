"""Sides and crossings of lines, straight and bent."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from edge.core.line_geometry import meets_line, signed_distance
from edge.core.shapes import Point

ACROSS = [Point(0, 0), Point(10, 0)]
CORNER = [Point(0, 0), Point(10, 0), Point(10, 10)]
coordinates = st.floats(-100, 100)
points = st.builds(Point, coordinates, coordinates)


@pytest.mark.parametrize(
    ("line", "point", "distance"),
    [
        (ACROSS, Point(5, 3), 3),
        (ACROSS, Point(5, -3), -3),
        (ACROSS, Point(50, 3), 3),
        (ACROSS, Point(5, 0), 0),
        (CORNER, Point(7, 2), 2),
        (CORNER, Point(13, 5), -3),
        (CORNER, Point(13, -4), -5),
        (CORNER, Point(8, 40), 2),
        (CORNER, Point(-20, 3), 3),
    ],
)
def test_signed_distance(line: list[Point], point: Point, distance: float) -> None:
    """The distance to a line whose end pieces go on for ever; right of the way along it is positive."""
    assert signed_distance(line, point) == pytest.approx(distance)


@given(points, points, points)
def test_turning_the_line_round_swaps_the_sides(a: Point, b: Point, p: Point) -> None:
    """The same line drawn from the other end has its positive side on the other side."""
    assume(math.dist(a, b) > 0.1)
    assert signed_distance([a, b], p) == pytest.approx(-signed_distance([b, a], p), abs=1e-6)


@given(points, points, points, points)
def test_a_way_between_two_sides_of_a_bent_line_meets_it_or_goes_round_its_ends(
    a: Point, b: Point, start: Point, end: Point
) -> None:
    """Two points on different sides of a straight line: the way meets it exactly if it passes between the ends."""
    assume(math.dist(a, b) > 1)
    d1, d2 = signed_distance([a, b], start), signed_distance([a, b], end)
    assume(d1 * d2 < 0)
    assume(min(abs(d1), abs(d2)) > 1e-3)
    share = abs(d1) / (abs(d1) + abs(d2))
    at = Point(start.x + share * (end.x - start.x), start.y + share * (end.y - start.y))
    along = ((at.x - a.x) * (b.x - a.x) + (at.y - a.y) * (b.y - a.y)) / math.dist(a, b) ** 2
    assume(min(abs(along), abs(along - 1)) > 1e-6)
    assert meets_line([a, b], start, end) == (0 < along < 1)


def test_touching_and_lying_on_the_line_count_as_meeting_it() -> None:
    """Edge cases of the meeting of two segments."""
    assert meets_line(ACROSS, Point(5, -1), Point(5, 0))
    assert meets_line(ACROSS, Point(-5, 0), Point(5, 0))
    assert not meets_line(ACROSS, Point(11, 0), Point(12, 0))
    assert meets_line(CORNER, Point(9, 5), Point(11, 5))


def test_a_line_needs_two_points() -> None:
    """One point is no line."""
    with pytest.raises(ValueError, match="two or more"):
        signed_distance([Point(0, 0)], Point(1, 1))
