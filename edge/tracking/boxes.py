"""Computes areas, centres and overlaps of many boxes at once.

Boxes are float arrays of n x 4: left, top, right, bottom in pixels.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from edge.core.shapes import Box
    from edge.tracking.parameters import PartParameters

    Floats = NDArray[np.float64]

# Square pixels that a box without area counts as, because areas are divided by.
LEAST_AREA = 1e-6


def box_array(boxes: Iterable[tuple[float, float, float, float]]) -> Floats:
    """Return the boxes as an array of n x 4, also where n is 0."""
    return np.array(list(boxes), dtype=np.float64).reshape(-1, 4)


def areas(boxes: Floats) -> Floats:
    """Return the square pixels of each box (n), never 0."""
    found: Floats = np.maximum((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]), LEAST_AREA)
    return found


def centers(boxes: Floats) -> Floats:
    """Return the centre of each box (n x 2)."""
    found: Floats = (boxes[:, :2] + boxes[:, 2:]) / 2
    return found


def center(box: Floats) -> tuple[float, float]:
    """Return the centre of one box (4)."""
    return float(box[0] + box[2]) / 2, float(box[1] + box[3]) / 2


def side_of(width: float, height: float) -> float:
    """Return the side of a square as large as a box, at least 1 pixel."""
    return math.sqrt(max(width * height, 1.0))


def shared_areas(a: Floats, b: Floats) -> Floats:
    """Return the square pixels that each box of ``a`` (rows) shares with each box of ``b`` (columns)."""
    across = np.minimum(a[:, None, 2], b[None, :, 2]) - np.maximum(a[:, None, 0], b[None, :, 0])
    down = np.minimum(a[:, None, 3], b[None, :, 3]) - np.maximum(a[:, None, 1], b[None, :, 1])
    found: Floats = np.clip(across, 0, None) * np.clip(down, 0, None)
    return found


def overlaps(a: Floats, b: Floats) -> tuple[Floats, Floats, Floats]:
    """Return three matrices with a row for each box of ``a`` and a column for each box of ``b``.

    The first is their intersection over union, the second the share of the box of ``a`` that lies in the box of ``b``,
    the third the share of the box of ``b`` that lies in the box of ``a``.
    """
    both = shared_areas(a, b)
    areas_a, areas_b = areas(a)[:, None], areas(b)[None, :]
    return both / (areas_a + areas_b - both), both / areas_a, both / areas_b


def edges_cut_by_view(box: Floats, axis: int, view: Box, limits: PartParameters) -> tuple[bool, bool]:
    """Return whether the view cuts a box at its lower coordinate and at its higher one along ``axis`` (0 x, 1 y).

    ``view`` is the part of the frame in which the detector looked.
    """
    margin = limits.frame_edge_pixels + limits.frame_edge_share * (view[axis + 2] - view[axis])
    return bool(box[axis] <= view[axis] + margin), bool(box[axis + 2] >= view[axis + 2] - margin)


def hidden_edge(box: Floats, expected: Floats, axis: int, view: Box, limits: PartParameters) -> int:
    """Return at which end a box that is too small along ``axis`` (0 x, 1 y) ends before the vehicle does.

    -1 is the lower coordinate, 1 the higher one: the view's edge or something in front cuts the vehicle there, and the
    other edge is where it is ``expected``. 0 where that is not clear.
    """
    whole = float(expected[axis + 2] - expected[axis])
    cut_low, cut_high = edges_cut_by_view(box, axis, view, limits)
    low, high = abs(float(box[axis] - expected[axis])), abs(float(box[axis + 2] - expected[axis + 2]))
    if not cut_high and (cut_low or (low > limits.edge_ratio * high and high < limits.own_edge * whole)):
        return -1
    if not cut_low and (cut_high or (high > limits.edge_ratio * low and low < limits.own_edge * whole)):
        return 1
    return 0
