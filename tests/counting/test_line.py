"""Tests a gate's line in pixels: sides, ends, the direction to the inside, and the axes of driving."""

from __future__ import annotations

import math

import pytest
from support.scripted_tracks import SIZE

from edge.config.schema import GateConfig
from edge.core.shapes import Box, Point
from edge.counting.line import DrivingAxes, Line, dot


def make_line(
    points: tuple[tuple[float, float], ...], inside: tuple[float, float], size: tuple[int, int] = SIZE
) -> Line:
    """A line with its points in fractions of the frame."""
    return Line(GateConfig(id="g", line=points, inside=inside, floor="F"), size)


UPRIGHT = ((0.5, 0.2), (0.5, 0.8))
LYING = ((0.0, 0.5), (1.0, 0.5))
BENT = ((0.2, 0.2), (0.5, 0.5), (0.2, 0.8))


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(
    ("points", "inside", "place", "distance"),
    [
        (UPRIGHT, (0.9, 0.5), Point(700, 250), 200.0),
        (UPRIGHT, (0.1, 0.5), Point(700, 250), -200.0),
        (UPRIGHT, (0.9, 0.5), Point(450, 480), -50.0),
        (LYING, (0.5, 0.9), Point(30, 300), 50.0),
        (LYING, (0.5, 0.1), Point(30, 300), -50.0),
        (BENT, (0.9, 0.5), Point(600, 250), 100.0),
        (BENT, (0.0, 0.5), Point(600, 250), -100.0),
    ],
)
def test_distances_are_positive_on_the_inside(
    points: tuple[tuple[float, float], ...],
    inside: tuple[float, float],
    place: Point,
    distance: float,
    turned: bool,
) -> None:
    """The order of the line's points is irrelevant."""
    drawn = make_line(points[::-1] if turned else points, inside)
    assert drawn.distance(place) == pytest.approx(distance)


def test_a_line_of_several_segments_is_crossed_at_each_of_them() -> None:
    """A way crosses when it meets any segment between the line's ends."""
    bent = make_line(BENT, (0.9, 0.5))
    for y in (120.0, 250.0, 380.0):
        assert bent.is_crossed(Point(100, y), Point(700, y)), y
    for y in (80.0, 420.0):
        assert not bent.is_crossed(Point(100, y), Point(700, y)), y


@pytest.mark.parametrize(("inside", "direction"), [((0.9, 0.5), Point(1, 0)), ((0.1, 0.5), Point(-1, 0))])
def test_the_direction_inside_is_perpendicular_to_the_line(inside: tuple[float, float], direction: Point) -> None:
    """On both sides of the line it points to the inside."""
    drawn = make_line(UPRIGHT, inside)
    for x in (300, 700):
        assert drawn.direction_inside(Point(x, 250)) == pytest.approx(direction)


def test_the_direction_inside_has_length_one_for_an_inclined_line() -> None:
    """It is perpendicular in pixels to a line on the diagonal of a frame that is not square."""
    drawn = make_line(((0.0, 0.0), (1.0, 1.0)), (0.9, 0.1))
    direction = drawn.direction_inside(Point(600, 200))
    assert math.hypot(*direction) == pytest.approx(1.0)
    assert dot(direction, Point(*SIZE)) == pytest.approx(0.0, abs=1e-6)
    assert drawn.distance(Point(500 + 10 * direction.x, 250 + 10 * direction.y)) == pytest.approx(10.0)


def test_fractions_mean_the_same_in_every_size() -> None:
    """With twice the pixels the distance is twice as long."""
    small, large = make_line(UPRIGHT, (0.9, 0.5)), make_line(UPRIGHT, (0.9, 0.5), (2000, 1000))
    assert large.distance(Point(1400, 500)) == 2 * small.distance(Point(700, 250)) == pytest.approx(400.0)


def test_the_axes_of_driving_measure_a_box_along_and_across_the_velocity() -> None:
    """A box that drives down has its height as its length; without speed the other direction decides."""
    box, otherwise = Box(0, 0, 40, 100), Point(1, 0)
    down = DrivingAxes.of(Point(0, 50), otherwise, 1.0)
    assert (down.length(box), down.width(box)) == (100, 40)
    standing = DrivingAxes.of(Point(0, 0.5), otherwise, 1.0)
    assert (standing.length(box), standing.width(box)) == (40, 100)
