"""Where a point lies about a gate's line: shared by the configuration (which refuses a gate that has no inside)
and the counting (which decides sides), so that both mean the same.

            inside (+)
    A ------------------ B         the line, two or more points
            outside (-)

A line of more than two points bends; its first and last pieces are taken as going on for ever, so that every
point of the frame has a side. Whether a vehicle passed between the ends is a question of its own: ``crosses``.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.core.shapes import Point


SAMPLES = 51  # places along each piece of a line that are looked at


def cross(a: Point, b: Point, p: Point) -> float:
    """Cross product of AB and AP: twice the triangle's area; its sign is the side of AB on which P lies."""
    return (b.x - a.x) * (p.y - a.y) - (b.y - a.y) * (p.x - a.x)


def signed_distance(line: Sequence[Point], p: Point) -> float:
    """Distance of ``p`` from the line, in the points' unit; the sign tells the side (0 on it).

    Right of the way from the first point to the last is positive, as seen on a screen (y grows downwards).
    ``line`` needs two or more points, no two neighbours alike.
    """
    pieces = list(pairwise(line))
    best: tuple[float, float] | None = None
    for index, (a, b) in enumerate(pieces):
        length = math.hypot(b.x - a.x, b.y - a.y)
        perpendicular = cross(a, b, p) / length
        along = ((p.x - a.x) * (b.x - a.x) + (p.y - a.y) * (b.y - a.y)) / length
        beyond = 0.0
        if along < 0 and index > 0:
            beyond = -along
        elif along > length and index < len(pieces) - 1:
            beyond = along - length
        distance = math.hypot(perpendicular, beyond)
        # In the wedge at a bend two pieces are equally near; the one that the point stands off more squarely
        # has the right sign.
        if (
            best is None
            or distance < best[0] - 1e-12
            or (distance <= best[0] + 1e-12 and abs(perpendicular) > abs(best[1]))
        ):
            best = (distance, perpendicular)
    if best is None:
        raise ValueError("a line needs two or more points")
    return math.copysign(best[0], best[1]) if best[1] else 0.0


def crosses(line: Sequence[Point], start: Point, end: Point) -> bool:
    """Whether the way from ``start`` to ``end`` meets the line between its ends (touching counts)."""
    return any(_segments_meet(a, b, start, end) for a, b in pairwise(line))


def room_beside(line: Sequence[Point]) -> list[tuple[str, float]]:
    """How much of the frame is left on either side of a line, straight off it: the side's name, and the room.

    ``line`` is in fractions of the frame, and so is the room. It is the median over the line's length: an end that
    meets the frame's edge takes no room from the rest.
    """
    rooms: tuple[list[tuple[float, float]], ...] = ([], [])
    for a, b in pairwise(line):
        length = math.hypot(b.x - a.x, b.y - a.y)
        normal = -(b.y - a.y) / length, (b.x - a.x) / length
        for step in range(SAMPLES):
            share = (step + 0.5) / SAMPLES
            place = a.x + share * (b.x - a.x), a.y + share * (b.y - a.y)
            for room, sign in zip(rooms, (1, -1), strict=True):
                room.append((min(_way_to_edge(p, sign * n) for p, n in zip(place, normal, strict=True)), length))
    across, down = -(line[-1].y - line[0].y), line[-1].x - line[0].x
    names = ("right", "left") if abs(across) > abs(down) else ("lower", "upper")
    if (across if abs(across) > abs(down) else down) < 0:
        names = names[1], names[0]
    return [(name, _median(room)) for name, room in zip(names, rooms, strict=True)]


def _median(weighted: list[tuple[float, float]]) -> float:
    half, below = sum(weight for _, weight in weighted) / 2, 0.0
    for value, weight in sorted(weighted):
        below += weight
        if below >= half:
            return value
    raise ValueError("a line needs two or more points")


def _way_to_edge(place: float, pace: float) -> float:
    """How far one can go from ``place`` (0..1) before it leaves that range, when it changes by ``pace`` a step."""
    return math.inf if pace == 0 else ((1 - place) if pace > 0 else place) / abs(pace)


def _segments_meet(a: Point, b: Point, c: Point, d: Point) -> bool:
    across_ab = (cross(a, b, c), cross(a, b, d))
    across_cd = (cross(c, d, a), cross(c, d, b))
    if across_ab == (0.0, 0.0):  # all on one straight line: they meet when their extents overlap
        return (
            min(a.x, b.x) <= max(c.x, d.x)
            and min(c.x, d.x) <= max(a.x, b.x)
            and min(a.y, b.y) <= max(c.y, d.y)
            and min(c.y, d.y) <= max(a.y, b.y)
        )
    return across_ab[0] * across_ab[1] <= 0 and across_cd[0] * across_cd[1] <= 0
