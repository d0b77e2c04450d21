"""How much boxes share."""

from __future__ import annotations

import numpy as np
import pytest

from edge.tracking.boxes import areas, centers, overlaps, rows, shared

A = rows([(0, 0, 10, 10)])


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
def test_the_three_shares(box: tuple[float, float, float, float], expected: tuple[float, float, float]) -> None:
    """Intersection over union, the share of the first in the second, and of the second in the first."""
    assert [float(matrix[0, 0]) for matrix in overlaps(A, rows([box]))] == pytest.approx(expected, abs=1e-6)


def test_rows_and_columns() -> None:
    """A row each of the first, a column each of the second, also when there is none."""
    many = rows([(0, 0, 10, 10), (100, 100, 110, 120), (0, 0, 4, 4)])
    assert all(matrix.shape == (3, 1) for matrix in overlaps(many, A))
    assert shared(many, many).tolist() == [[100, 0, 16], [0, 200, 0], [16, 0, 16]]
    nothing = rows([])
    assert nothing.shape == (0, 4)
    assert all(matrix.shape == (0, 3) for matrix in overlaps(nothing, many))


def test_areas_and_middles() -> None:
    """A box without area has almost none, never 0, which would divide."""
    boxes = rows([(0, 0, 10, 20), (5, 5, 5, 9)])
    assert areas(boxes)[0] == 200
    assert 0 < areas(boxes)[1] < 1e-3
    assert np.array_equal(centers(boxes), [[5, 10], [5, 7]])
