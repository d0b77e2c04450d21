"""Where a line is proposed: across the way of the vehicles, whatever that is."""

from __future__ import annotations

import math

from hypothesis import assume, given
from hypothesis import strategies as st

from edge.core.line_geometry import meets_line, signed_distance
from edge.core.shapes import Point
from edge.evaluation.label_file import make_gate
from edge.evaluation.line_proposal import Way, inside_of, propose

SIZE = (640, 360)


def straight(x: float, y: float, angle: float, length: float) -> Way:
    """A way about a point."""
    steps = [length * (number / 20 - 0.5) for number in range(21)]
    return Way(tuple(Point(x + step * math.cos(angle), y + step * math.sin(angle)) for step in steps), 40.0)


@given(
    st.floats(0, 2 * math.pi),
    st.lists(st.tuples(st.floats(260, 380), st.floats(140, 220), st.booleans()), min_size=1, max_size=6),
)
def test_vehicles_of_any_direction_pass_the_line(angle: float, places: list[tuple[float, float, bool]]) -> None:
    """All of them, either way, between its ends; and the gate is one that the configuration takes."""
    ways = [straight(x, y, angle + math.pi * back, 300) for x, y, back in places]
    found = propose(ways, SIZE)
    assert found is not None
    assert (found.passing, found.seen) == (len(ways), len(ways))
    line = [Point(x * SIZE[0], y * SIZE[1]) for x, y in found.line]
    assert all(meets_line(line, way.points[0], way.points[-1]) for way in ways)
    make_gate({"line": found.line, "inside": found.inside}, "proposed")


def test_the_line_stands_where_most_pass() -> None:
    """A vehicle that is seen for half of the way moves it to that half; none without any way."""
    found = propose([straight(320, 100, 0, 600), straight(150, 200, 0, 200)], SIZE)
    assert found is not None
    assert found.passing == 2
    assert all(50 < x * SIZE[0] < 250 for x, _ in found.line)
    assert propose([], SIZE) is None


@given(*[st.floats(0, 1)] * 4)
def test_inside_has_a_side(ax: float, ay: float, bx: float, by: float) -> None:
    """The point lies in the picture, off the line: below it, or right of a steep one, where there is room."""
    assume(math.dist((ax, ay), (bx, by)) > 0.1)
    assume(all(0.05 < edge < 0.95 for edge in ((ax + bx) / 2, (ay + by) / 2)))
    x, y = inside_of([(ax, ay), (bx, by)])
    assert 0 <= x <= 1
    assert 0 <= y <= 1
    assert abs(signed_distance([Point(ax, ay), Point(bx, by)], Point(x, y))) > 0.005
