"""A point and a box in an image."""

from __future__ import annotations

import math
from typing import NamedTuple


class Point(NamedTuple):
    """A place in an image: pixels from the top left corner, or fractions of the frame where said so."""

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
        """Square pixels; 0 for a box that is turned inside out."""
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
        """The side of a square as large: a size that means the same for long and for high boxes."""
        return math.sqrt(max(self.area, 1.0))

    @property
    def bottom_center(self) -> Point:
        """The middle of the lower edge: where a vehicle stands on the floor."""
        return Point((self.x1 + self.x2) / 2, self.y2)
