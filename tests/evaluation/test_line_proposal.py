"""Tests where a line is proposed: across the paths of vehicles, in whichever direction they drive."""

from __future__ import annotations

import math

from hypothesis import assume, given
from hypothesis import strategies as st

from edge.core.line_geometry import meets_line, signed_distance
from edge.core.shapes import Point
from edge.evaluation.label_file import gate_from_table
from edge.evaluation.line_proposal import VehiclePath, point_inside, propose_line

SIZE = (640, 360)


def straight_path(x: float, y: float, angle: float, length: float) -> VehiclePath:
    """A straight path of ``length`` pixels whose middle is (x, y)."""
    steps = [length * (number / 20 - 0.5) for number in range(21)]
    return VehiclePath(tuple(Point(x + step * math.cos(angle), y + step * math.sin(angle)) for step in steps), 40.0)


@given(
    st.floats(0, 2 * math.pi),
    st.lists(st.tuples(st.floats(260, 380), st.floats(140, 220), st.booleans()), min_size=1, max_size=6),
)
def test_vehicles_of_any_direction_cross_the_line(angle: float, places: list[tuple[float, float, bool]]) -> None:
    """All of them cross it between its ends, in either direction, and the gate is valid in a configuration."""
    paths = [straight_path(x, y, angle + math.pi * back, 300) for x, y, back in places]
    found = propose_line(paths, SIZE)
    assert found is not None
    assert (found.passing, found.seen) == (len(paths), len(paths))
    line = [Point(x * SIZE[0], y * SIZE[1]) for x, y in found.line]
    assert all(meets_line(line, path.points[0], path.points[-1]) for path in paths)
    gate_from_table({"line": found.line, "inside": found.inside}, "proposed")


def test_the_line_lies_where_most_pass() -> None:
    """A vehicle that is seen on half of the way moves the line to that half; without any path there is no line."""
    found = propose_line([straight_path(320, 100, 0, 600), straight_path(150, 200, 0, 200)], SIZE)
    assert found is not None
    assert found.passing == 2
    assert all(50 < x * SIZE[0] < 250 for x, _ in found.line)
    assert propose_line([], SIZE) is None


@given(*[st.floats(0, 1)] * 4)
def test_the_point_inside_has_a_side(ax: float, ay: float, bx: float, by: float) -> None:
    """The point lies in the picture and off the line."""
    assume(math.dist((ax, ay), (bx, by)) > 0.1)
    assume(all(0.05 < edge < 0.95 for edge in ((ax + bx) / 2, (ay + by) / 2)))
    x, y = point_inside([(ax, ay), (bx, by)])
    assert 0 <= x <= 1
    assert 0 <= y <= 1
    assert abs(signed_distance([Point(ax, ay), Point(bx, by)], Point(x, y))) > 0.005
