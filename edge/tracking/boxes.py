"""Boxes in rows: how much every one of them shares with every other.

Boxes are arrays of n x 4: left, top, right, bottom in pixels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

LEAST_AREA = 1e-6  # keeps a box without area from dividing by zero


def rows(boxes: Iterable[tuple[float, float, float, float]]) -> Floats:
    """The boxes as an array of n x 4, also when there is none."""
    return np.array(list(boxes), dtype=np.float64).reshape(-1, 4)


def areas(boxes: Floats) -> Floats:
    """Square pixels of each box, never 0."""
    found: Floats = np.maximum((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]), LEAST_AREA)
    return found


def centers(boxes: Floats) -> Floats:
    """The middles, n x 2."""
    found: Floats = (boxes[:, :2] + boxes[:, 2:]) / 2
    return found


def shared(a: Floats, b: Floats) -> Floats:
    """Square pixels that each box of ``a`` (rows) shares with each of ``b`` (columns)."""
    across = np.minimum(a[:, None, 2], b[None, :, 2]) - np.maximum(a[:, None, 0], b[None, :, 0])
    down = np.minimum(a[:, None, 3], b[None, :, 3]) - np.maximum(a[:, None, 1], b[None, :, 1])
    found: Floats = np.clip(across, 0, None) * np.clip(down, 0, None)
    return found


def overlaps(a: Floats, b: Floats) -> tuple[Floats, Floats, Floats]:
    """Three matrices, a row a box of ``a``, a column a box of ``b``: intersection over union, the share of the one of
    ``a`` that lies in the one of ``b``, and the other way round."""
    both = shared(a, b)
    own, other = areas(a)[:, None], areas(b)[None, :]
    return both / (own + other - both), both / own, both / other
