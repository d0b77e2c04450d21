"""Defines a point and a box in an image."""

from __future__ import annotations

import math
from typing import NamedTuple


class Point(NamedTuple):
    """A place in an image: pixels from the top left corner, or fractions of the frame where the user says so.

    Also a direction or a velocity: x grows to the right, y downwards.
    """

    x: float
    y: float


class Box(NamedTuple):
    """An upright rectangle in pixels of its frame: left, top, right, bottom."""

    x1: float
    y1: float
    x2: float
    y2: float

    @property
    def area(self) -> float:
        """Square pixels; 0 where right is left of left, or bottom above top."""
        return max(self.x2 - self.x1, 0.0) * max(self.y2 - self.y1, 0.0)

    @property
    def center(self) -> Point:
        """The middle of the box."""
        return Point((self.x1 + self.x2) / 2, (self.y1 + self.y2) / 2)

    @property
    def width(self) -> float:
        """Pixels across."""
        return self.x2 - self.x1

    @property
    def height(self) -> float:
        """Pixels down."""
        return self.y2 - self.y1

    @property
    def side(self) -> float:
        """Pixels of the side of a square with the same area, 1 at least: a size for long and for high boxes alike."""
        return math.sqrt(max(self.area, 1.0))

    @property
    def bottom_center(self) -> Point:
        """The middle of the lower edge: where a vehicle stands on the floor."""
        return Point((self.x1 + self.x2) / 2, self.y2)

    def overlap_area(self, other: Box) -> float:
        """Square pixels that both boxes cover; 0 where they do not meet."""
        across = min(self.x2, other.x2) - max(self.x1, other.x1)
        down = min(self.y2, other.y2) - max(self.y1, other.y1)
        return across * down if across > 0 and down > 0 else 0.0
