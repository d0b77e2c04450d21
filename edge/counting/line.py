"""Places a gate's line in a frame's pixels: distances, sides, and the axes of driving."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from edge.core.line_geometry import meets_line, signed_distance
from edge.core.shapes import Point

if TYPE_CHECKING:
    from edge.config.schema import GateConfig
    from edge.core.shapes import Box


class Line:
    """The line of a gate in a frame of ``size`` (width, height) pixels; distances are positive on the inside."""

    def __init__(self, config: GateConfig, size: tuple[int, int]) -> None:
        width, height = size
        self._points = [Point(x * width, y * height) for x, y in config.line]
        inside = Point(config.inside[0] * width, config.inside[1] * height)
        self._sign = math.copysign(1, signed_distance(self._points, inside))

    def distance(self, point: Point) -> float:
        """Pixels from the line or its extension, positive on the inside."""
        return signed_distance(self._points, point) * self._sign

    def is_crossed(self, start: Point, end: Point) -> bool:
        """Whether the straight way from ``start`` to ``end`` leads between the line's ends."""
        return meets_line(self._points, start, end)

    def direction_inside(self, point: Point) -> Point:
        """The direction (length 1) in which the distance at ``point`` grows fastest; (0, 0) where there is none."""
        right = self.distance(Point(point.x + 1, point.y)) - self.distance(Point(point.x - 1, point.y))
        down = self.distance(Point(point.x, point.y + 1)) - self.distance(Point(point.x, point.y - 1))
        length = math.hypot(right, down)
        return Point(right / length, down / length) if length else Point(0, 0)


class DrivingAxes(NamedTuple):
    """The directions (length 1) along and across the direction in which vehicles drive."""

    along: Point
    across: Point

    @classmethod
    def of(cls, velocity: Point, otherwise: Point, least_speed: float) -> DrivingAxes:
        """The axes of a velocity (pixels a second); below ``least_speed`` those of the direction ``otherwise``."""
        speed = math.hypot(velocity.x, velocity.y)
        along = Point(velocity.x / speed, velocity.y / speed) if speed > least_speed else otherwise
        return cls(along, Point(-along.y, along.x))

    def length(self, box: Box) -> float:
        """Pixels that an upright box covers along the driving direction."""
        return _extent(box, self.along)

    def width(self, box: Box) -> float:
        """Pixels that an upright box covers across the driving direction."""
        return _extent(box, self.across)


def dot(a: Point, b: Point) -> float:
    """The scalar product: how far ``a`` reaches in the direction ``b``."""
    return a.x * b.x + a.y * b.y


def _extent(box: Box, direction: Point) -> float:
    return box.width * abs(direction.x) + box.height * abs(direction.y)
