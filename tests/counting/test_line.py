"""A gate's line in pixels: sides, ends, and the way in."""

from __future__ import annotations

import math

import pytest
from support.ways import SIZE

from edge.config.schema import GateConfig
from edge.core.shapes import Point
from edge.counting.line import Line


def line(points: tuple[tuple[float, float], ...], inside: tuple[float, float], size: tuple[int, int] = SIZE) -> Line:
    """A line by fractions of the frame."""
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
    """Whichever end of the line was named first."""
    drawn = line(points[::-1] if turned else points, inside)
    assert drawn.distance(place) == pytest.approx(distance)


def test_a_line_of_several_pieces_is_passed_at_each_of_them() -> None:
    """A way leads through when it meets any piece between the line's ends."""
    bent = line(BENT, (0.9, 0.5))
    for y in (120.0, 250.0, 380.0):
        assert bent.is_crossed(Point(100, y), Point(700, y)), y
    for y in (80.0, 420.0):
        assert not bent.is_crossed(Point(100, y), Point(700, y)), y


@pytest.mark.parametrize(("inside", "way"), [((0.9, 0.5), Point(1, 0)), ((0.1, 0.5), Point(-1, 0))])
def test_the_way_in_stands_square_on_the_line(inside: tuple[float, float], way: Point) -> None:
    """From both sides it points to the inside."""
    drawn = line(UPRIGHT, inside)
    for x in (300, 700):
        assert drawn.direction_inside(Point(x, 250)) == pytest.approx(way)


def test_the_way_in_is_one_pixel_long_whatever_the_slant() -> None:
    """A line across the picture's diagonal, in a frame that is not square: square on it in pixels."""
    drawn = line(((0.0, 0.0), (1.0, 1.0)), (0.9, 0.1))
    way = drawn.direction_inside(Point(600, 200))
    assert math.hypot(*way) == pytest.approx(1.0)
    assert way.x * SIZE[0] + way.y * SIZE[1] == pytest.approx(0.0, abs=1e-6)
    assert drawn.distance(Point(500 + 10 * way.x, 250 + 10 * way.y)) == pytest.approx(10.0)


def test_fractions_mean_the_same_in_every_size() -> None:
    """Twice the pixels, twice the distance."""
    small, large = line(UPRIGHT, (0.9, 0.5)), line(UPRIGHT, (0.9, 0.5), (2000, 1000))
    assert large.distance(Point(1400, 500)) == 2 * small.distance(Point(700, 250)) == pytest.approx(400.0)
