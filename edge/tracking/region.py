"""The part of the picture that matters: what is far from every gate is not followed."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge.tracking.boxes import Floats

# Shares of the frame's longer side about a gate's line.
REACH, WEAK_REACH = 0.5, 0.35


class Region:
    """The surroundings of some lines, for any size of the frame."""

    def __init__(self, lines: Sequence[Sequence[tuple[float, float]]]) -> None:
        """``lines`` are the gates': points as fractions of the frame's width and height. None: all matters."""
        self._lines = lines

    def wanted(self, points: Floats, sure: NDArray[np.bool_], size: tuple[int, int]) -> list[int]:
        """The numbers of those points (n x 2, pixels of a frame of ``size``) that matter.

        Unsure ones (``sure`` holds a bool for each) matter in a smaller part.
        """
        if not self._lines or not len(points):
            return list(range(len(points)))
        away = np.full(len(points), np.inf)
        for line in self._lines:
            for a, b in pairwise(np.array(line) * size):
                along = np.clip(((points - a) @ (b - a)) / max(float((b - a) @ (b - a)), 1e-9), 0, 1)
                away = np.minimum(away, np.linalg.norm(points - (a + along[:, None] * (b - a)), axis=1))
        reach = np.where(sure, REACH, WEAK_REACH) * max(size)
        return [int(i) for i in np.flatnonzero(away < reach)]
