"""A gate's line in pixels of a frame: distances, sides and directions."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from edge.core.line_geometry import crosses, signed_distance
from edge.core.shapes import Point

if TYPE_CHECKING:
    from edge.config.schema import GateConfig


class Line:
    """The line of a gate in a frame of ``size`` (width, height); distances are positive on the inside."""

    def __init__(self, config: GateConfig, size: tuple[int, int]) -> None:
        width, height = size
        self._points = [Point(x * width, y * height) for x, y in config.line]
        inside = Point(config.inside[0] * width, config.inside[1] * height)
        self._sign = math.copysign(1.0, signed_distance(self._points, inside))

    def distance(self, point: Point) -> float:
        """Pixels from the line or its extension, positive on the inside."""
        return signed_distance(self._points, point) * self._sign

    def passes(self, start: Point, end: Point) -> bool:
        """Whether the way from one point to the other leads between the line's ends."""
        return crosses(self._points, start, end)

    def inwards(self, point: Point) -> Point:
        """The direction (length 1) that leads straight to the inside at a point."""
        right = self.distance(Point(point.x + 1, point.y)) - self.distance(Point(point.x - 1, point.y))
        down = self.distance(Point(point.x, point.y + 1)) - self.distance(Point(point.x, point.y - 1))
        length = math.hypot(right, down)
        return Point(right / length, down / length) if length else Point(0.0, 0.0)
