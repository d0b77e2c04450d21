"""Tests of areas, centres, overlaps, and of the edges at which a box is cut."""

from __future__ import annotations

import numpy as np
import pytest

from edge.core.shapes import Box
from edge.tracking.boxes import areas, box_array, center, centers, edges_cut_by_view, hidden_edge, overlaps
from edge.tracking.boxes import shared_areas as shared
from edge.tracking.parameters import DEFAULT_TRACKING

SQUARE = box_array([(0, 0, 10, 10)])
LIMITS = DEFAULT_TRACKING.parts


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        pytest.param((0, 0, 10, 10), (1.0, 1.0, 1.0), id="the same"),
        pytest.param((5, 0, 15, 10), (1 / 3, 0.5, 0.5), id="half of each"),
        pytest.param((0, 0, 20, 20), (0.25, 1.0, 0.25), id="inside"),
        pytest.param((20, 20, 30, 30), (0.0, 0.0, 0.0), id="apart"),
        pytest.param((10, 0, 20, 10), (0.0, 0.0, 0.0), id="edge to edge"),
        pytest.param((5, 5, 5, 5), (0.0, 0.0, 0.0), id="without area"),
    ],
)
def test_two_boxes_have_three_overlaps(
    box: tuple[float, float, float, float], expected: tuple[float, float, float]
) -> None:
    """Intersection over union, the share of the first in the second, and of the second in the first."""
    assert [float(matrix[0, 0]) for matrix in overlaps(SQUARE, box_array([box]))] == pytest.approx(expected, abs=1e-6)


def test_matrices_have_a_row_for_each_first_box_and_a_column_for_each_second() -> None:
    """Also where there are no boxes."""
    three = box_array([(0, 0, 10, 10), (100, 100, 110, 120), (0, 0, 4, 4)])
    assert all(matrix.shape == (3, 1) for matrix in overlaps(three, SQUARE))
    assert shared(three, three).tolist() == [[100, 0, 16], [0, 200, 0], [16, 0, 16]]
    none = box_array([])
    assert none.shape == (0, 4)
    assert all(matrix.shape == (0, 3) for matrix in overlaps(none, three))


def test_areas_and_centers_of_boxes() -> None:
    """A box without area has almost none but never 0, because areas are divided by."""
    boxes = box_array([(0, 0, 10, 20), (5, 5, 5, 9)])
    assert areas(boxes)[0] == 200
    assert 0 < areas(boxes)[1] < 1e-3
    assert np.array_equal(centers(boxes), [[5, 10], [5, 7]])
    assert center(boxes[0]) == (5, 10)


def test_the_frame_cuts_boxes_that_end_at_its_edges() -> None:
    """Within a margin of a few pixels, at either end of an axis."""
    assert edges_cut_by_view(np.array([1.0, 50.0, 100.0, 120.0]), 0, Box(0, 0, 640, 360), LIMITS) == (True, False)
    assert edges_cut_by_view(np.array([1.0, 50.0, 100.0, 358.5]), 1, Box(0, 0, 640, 360), LIMITS) == (False, True)


@pytest.mark.parametrize(
    ("box", "expected", "hidden"),
    [
        pytest.param((200, 100, 240, 160), (200, 100, 300, 160), 1, id="something hides the right end"),
        pytest.param((260, 100, 300, 160), (200, 100, 300, 160), -1, id="something hides the left end"),
        pytest.param((230, 100, 270, 160), (200, 100, 300, 160), 0, id="both ends are off alike"),
        pytest.param((590, 100, 640, 160), (585, 100, 685, 160), 1, id="the frame cuts the right end"),
        pytest.param((0, 100, 60, 160), (-45, 100, 55, 160), -1, id="the frame cuts the left end"),
    ],
)
def test_the_hidden_end_of_a_box_is_the_one_that_is_cut_or_off(
    box: tuple[float, ...], expected: tuple[float, ...], hidden: int
) -> None:
    """The other end is where it is expected."""
    assert hidden_edge(np.array(box, float), np.array(expected, float), 0, Box(0, 0, 640, 360), LIMITS) == hidden
