"""Finds the part of a frame that the detector looks at: the surroundings of the gates.

The network then sees less of the frame at the same scale, so that a frame costs less and every vehicle stays as large.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from edge.core.shapes import Box
from edge.scheduling.parameters import DEFAULT_SCHEDULING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.scheduling.parameters import RegionParameters


def region_of_interest(
    size: tuple[int, int],
    lines: Sequence[Sequence[tuple[float, float]]],
    step: float,
    parameters: RegionParameters = DEFAULT_SCHEDULING.region,
) -> Box:
    """Return the part of a frame of ``size`` (width, height) that is looked at, in whole pixels of the frame.

    ``lines`` are the gates' lines as fractions of the frame; without one it is the whole frame. Its longer side is a
    multiple of ``step``, a share of the frame's longer side: that of the network's stride, because the network's input
    is padded to a multiple of the stride.
    """
    whole = Box(0.0, 0.0, float(size[0]), float(size[1]))
    if not lines:
        return whole
    low, high = [math.inf, math.inf], [-math.inf, -math.inf]
    for line in lines:
        points = [(x * size[0], y * size[1]) for x, y in line]
        ends = [(min(values), max(values)) for values in zip(*points, strict=True)]
        length = max(last - first for first, last in ends)
        margin = _margin(length, max(size), parameters)
        for axis, (first, last) in enumerate(ends):
            low[axis], high[axis] = min(low[axis], first - margin), max(high[axis], last + margin)
    return fitted_region(size, (low[0], low[1], high[0], high[1]), step, parameters)


def fitted_region(
    size: tuple[int, int],
    wanted: tuple[float, float, float, float],
    step: float,
    parameters: RegionParameters = DEFAULT_SCHEDULING.region,
) -> Box:
    """Return ``wanted`` (left, top, right, bottom in pixels) inside the frame and extended to whole steps.

    It is the whole frame where that is hardly larger. ``step`` is as in ``region_of_interest``.
    """
    unit = max(1.0, step * max(size))
    edges = []
    for axis in (0, 1):
        first, last = max(0.0, wanted[axis]), min(float(size[axis]), wanted[axis + 2])
        length = min(size[axis], math.ceil(round(max(1.0, last - first) / unit, 6)) * unit)
        start = min(max(0.0, (first + last - length) / 2), size[axis] - length)
        edges.append((math.floor(start), min(size[axis], math.floor(start) + math.ceil(length))))
    (left, right), (top, bottom) = edges
    region = Box(float(left), float(top), float(right), float(bottom))
    if region.area >= parameters.most_area * size[0] * size[1]:
        return Box(0.0, 0.0, float(size[0]), float(size[1]))
    return region


def _margin(length: float, longer_side: int, parameters: RegionParameters) -> float:
    margin = max(parameters.least_margin * longer_side, parameters.line_margin * length)
    return min(parameters.most_margin * longer_side, margin)
