"""Computes on which side of a gate's line a point is, and whether a way crosses the line.

The configuration (which refuses a gate without an inside) and the counting (which decides sides) share these functions,
so that both mean the same.

            inside (+)
    A ------------------ B         the line, two or more points
            outside (-)

A line of more than two points bends. Its first and last segments are extended without end, so that every point of the
frame has a side; ``meets_line`` tells whether a way leads between the line's ends. The method for bends is ours, the
segment test is the usual one with cross products.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.core.shapes import Point

_SAMPLES = 51  # places along each segment of a line from which the space beside it is measured
_SAME_DISTANCE = 1e-12  # distances that differ by less are equal but for rounding
_NO_LINE = "a line needs two or more points"


def signed_distance(line: Sequence[Point], p: Point) -> float:
    """Distance of ``p`` from the line, in the points' unit; the sign tells the side (0 on it).

    Right of the way from the first point to the last is positive, as seen on a screen (y grows downwards).
    ``line`` needs two or more points, no two neighbours alike; ValueError for fewer.
    """
    segments = list(pairwise(line))
    best: tuple[float, float] | None = None
    for index, (a, b) in enumerate(segments):
        length = math.hypot(b.x - a.x, b.y - a.y)
        perpendicular = _cross_product(a, b, p) / length
        along = ((p.x - a.x) * (b.x - a.x) + (p.y - a.y) * (b.y - a.y)) / length
        beyond = 0.0
        if along < 0 and index > 0:
            beyond = -along
        elif along > length and index < len(segments) - 1:
            beyond = along - length
        distance = math.hypot(perpendicular, beyond)
        # In the wedge at a bend two segments are equally near; the one to which the point is more perpendicular has
        # the right sign.
        if (
            best is None
            or distance < best[0] - _SAME_DISTANCE
            or (distance <= best[0] + _SAME_DISTANCE and abs(perpendicular) > abs(best[1]))
        ):
            best = (distance, perpendicular)
    if best is None:
        raise ValueError(_NO_LINE)
    return math.copysign(best[0], best[1]) if best[1] else 0.0


def meets_line(line: Sequence[Point], start: Point, end: Point) -> bool:
    """Whether the straight way from ``start`` to ``end`` meets the line between its ends (touching counts)."""
    return any(_segments_meet(a, b, start, end) for a, b in pairwise(line))


def space_beside(line: Sequence[Point]) -> list[tuple[str, float]]:
    """How much of the frame is free on either side of a line, perpendicular to it: the side's name, and the space.

    ``line`` is in fractions of the frame, and so is the space. It is the median over the line's length, so that an end
    that meets the frame's edge does not decide. ValueError for a line of fewer than two points.
    """
    spaces: tuple[list[tuple[float, float]], ...] = ([], [])
    for a, b in pairwise(line):
        length = math.hypot(b.x - a.x, b.y - a.y)
        normal = -(b.y - a.y) / length, (b.x - a.x) / length
        for step in range(_SAMPLES):
            share = (step + 0.5) / _SAMPLES
            place = a.x + share * (b.x - a.x), a.y + share * (b.y - a.y)
            for space, sign in zip(spaces, (1, -1), strict=True):
                to_edge = min(_distance_to_edge(p, sign * n) for p, n in zip(place, normal, strict=True))
                space.append((to_edge, length))
    across, down = -(line[-1].y - line[0].y), line[-1].x - line[0].x
    names = ("right", "left") if abs(across) > abs(down) else ("lower", "upper")
    if (across if abs(across) > abs(down) else down) < 0:
        names = names[1], names[0]
    return [(name, _weighted_median(space)) for name, space in zip(names, spaces, strict=True)]


def _cross_product(a: Point, b: Point, p: Point) -> float:
    """Cross product of AB and AP: twice the triangle's area; its sign is the side of AB on which P lies."""
    return (b.x - a.x) * (p.y - a.y) - (b.y - a.y) * (p.x - a.x)


def _weighted_median(weighted: list[tuple[float, float]]) -> float:
    """The median of (value, weight) pairs."""
    half, below = sum(weight for _, weight in weighted) / 2, 0.0
    for value, weight in sorted(weighted):
        below += weight
        if below >= half:
            return value
    raise ValueError(_NO_LINE)


def _distance_to_edge(place: float, change: float) -> float:
    """Steps until a coordinate that starts at ``place`` (0..1) and changes by ``change`` a step leaves 0..1."""
    return math.inf if change == 0 else ((1 - place) if change > 0 else place) / abs(change)


def _segments_meet(a: Point, b: Point, c: Point, d: Point) -> bool:
    across_ab = (_cross_product(a, b, c), _cross_product(a, b, d))
    across_cd = (_cross_product(c, d, a), _cross_product(c, d, b))
    if across_ab == (0.0, 0.0):  # all four on one straight line: they meet when their extents overlap
        return (
            min(a.x, b.x) <= max(c.x, d.x)
            and min(c.x, d.x) <= max(a.x, b.x)
            and min(a.y, b.y) <= max(c.y, d.y)
            and min(c.y, d.y) <= max(a.y, b.y)
        )
    return across_ab[0] * across_ab[1] <= 0 and across_cd[0] * across_cd[1] <= 0
