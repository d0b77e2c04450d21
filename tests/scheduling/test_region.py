"""Tests of the part of the frame that is looked at."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.shapes import Box
from edge.scheduling.parameters import DEFAULT_SCHEDULING
from edge.scheduling.region import fitted_region, region_of_interest

STEP = 32 / 640
HD = (1920, 1080)
fractions = st.floats(0, 1)
points = st.tuples(fractions, fractions)
lines = st.lists(points, min_size=2, max_size=4)
sizes = st.tuples(st.integers(16, 4000), st.integers(16, 4000))


@given(sizes, st.lists(lines, min_size=1, max_size=3), st.sampled_from([STEP, 32 / 320, 32 / 2048]))
def test_the_region_holds_every_line_and_lies_in_the_frame(
    size: tuple[int, int], gates: list[list[tuple[float, float]]], step: float
) -> None:
    """It has whole pixels, and about every line the smallest margin where the frame has room for it."""
    left, top, right, bottom = region = region_of_interest(size, gates, step)
    assert all(float(edge).is_integer() for edge in region)
    assert 0 <= left < right <= size[0]
    assert 0 <= top < bottom <= size[1]
    margin = DEFAULT_SCHEDULING.region.least_margin * max(size) - 1
    for x, y in (point for gate in gates for point in gate):
        assert left <= max(0, x * size[0] - margin)
        assert min(size[0], x * size[0] + margin) <= right
        assert top <= max(0, y * size[1] - margin)
        assert min(size[1], y * size[1] + margin) <= bottom


@given(sizes, st.tuples(fractions, fractions, fractions, fractions), st.sampled_from([STEP, 32 / 320]))
def test_a_region_is_whole_steps_or_as_long_as_the_frame(
    size: tuple[int, int], edges: tuple[float, float, float, float], step: float
) -> None:
    """The network's input has no padding in a region that is smaller than the frame."""
    wanted = (edges[0] * size[0], edges[1] * size[1], edges[2] * size[0], edges[3] * size[1])
    region = fitted_region(size, wanted, step)
    for axis, length in ((0, region.width), (1, region.height)):
        steps = length / max(1.0, step * max(size))
        assert length == size[axis] or abs(steps - round(steps)) * max(1.0, step * max(size)) <= 1


@pytest.mark.parametrize(
    ("line", "share"),
    [
        pytest.param([(0.45, 0.5), (0.6, 0.5)], 0.25, id="a lane in a wide view"),
        pytest.param([(0.0, 0.5), (1.0, 0.5)], 1.0, id="a line across the picture"),
        pytest.param([(0.5, 0.25), (0.5, 0.98)], 1.0, id="a gate as high as the picture"),
        pytest.param([(0.02, 0.1), (0.08, 0.1)], 0.1, id="a gate in a corner"),
    ],
)
def test_a_region_is_small_where_the_gate_is_small(line: list[tuple[float, float]], share: float) -> None:
    """Where vehicles fill the picture the whole frame is looked at, because every margin would cut them."""
    area = region_of_interest(HD, [line], STEP).area / (HD[0] * HD[1])
    assert area == share if share == 1 else area < share


def test_without_gates_the_whole_frame_is_looked_at() -> None:
    """A camera whose gates are not drawn yet shows everything."""
    assert region_of_interest(HD, [], STEP) == Box(0, 0, 1920, 1080)
