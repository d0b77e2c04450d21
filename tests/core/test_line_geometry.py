"""Tests sides and crossings of lines, straight and bent."""

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
def test_the_distance_has_the_sign_of_the_side(line: list[Point], point: Point, distance: float) -> None:
    """The first and last segment of a line have no end; right of the direction along the line is positive."""
    assert signed_distance(line, point) == pytest.approx(distance)


@given(points, points, points)
def test_a_line_with_its_points_reversed_has_the_sides_swapped(a: Point, b: Point, p: Point) -> None:
    """The same line from its other end has the positive distances on the other side."""
    assume(math.dist(a, b) > 0.1)
    assert signed_distance([a, b], p) == pytest.approx(-signed_distance([b, a], p), abs=1e-6)


@given(points, points, points, points)
def test_a_way_between_two_sides_of_a_line_meets_it_or_leads_round_its_ends(
    a: Point, b: Point, start: Point, end: Point
) -> None:
    """A way between points on different sides meets a straight line exactly if it passes between the line's ends."""
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
    """A way that ends on the line, and one that lies on it, meet it."""
    assert meets_line(ACROSS, Point(5, -1), Point(5, 0))
    assert meets_line(ACROSS, Point(-5, 0), Point(5, 0))
    assert not meets_line(ACROSS, Point(11, 0), Point(12, 0))
    assert meets_line(CORNER, Point(9, 5), Point(11, 5))


def test_a_line_needs_two_points() -> None:
    """One point is an error."""
    with pytest.raises(ValueError, match="two or more"):
        signed_distance([Point(0, 0)], Point(1, 1))
