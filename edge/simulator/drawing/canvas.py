"""Draws shapes in metres, for the simulator's vehicles and people: they are drawn large, then averaged down.

The origin is the rear bumper on the ground; x grows towards the front, y upwards. The shape drawn last lies on top.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.core.frames import Image
    from edge.simulator.traffic.appearance import Colour

Coordinates = tuple[float, float]  # x and y, metres

SUBPIXEL_BITS = 4  # OpenCV takes coordinates as fixed-point numbers: four bits behind the point


def curve(points: Sequence[Coordinates], steps: int = 10) -> list[Coordinates]:
    """A smooth closed outline through ``points`` (Catmull-Rom spline); a point given twice in a row is a corner."""
    result: list[Coordinates] = []
    count = len(points)
    for i in range(count):
        a, b, c, d = (points[(i + k) % count] for k in (-1, 0, 1, 2))
        if b == c:
            continue
        if a == b:
            a = (2 * b[0] - c[0], 2 * b[1] - c[1])
        if c == d:
            d = (2 * c[0] - b[0], 2 * c[1] - b[1])
        for step in range(steps):
            t = step / steps
            result.append(
                (
                    _catmull_rom(a[0], b[0], c[0], d[0], t),
                    _catmull_rom(a[1], b[1], c[1], d[1], t),
                )
            )
    return result


def _catmull_rom(a: float, b: float, c: float, d: float, t: float) -> float:
    return 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t * t + (3 * b - a - 3 * c + d) * t**3)


class Canvas:
    """Colour and coverage of one drawing, ``width`` x ``height`` metres at ``scale`` pixels a metre.

    ``left`` and ``below`` are the metres of the surface left of the origin and below the ground.
    """

    def __init__(self, width: float, height: float, left: float, below: float, scale: float) -> None:
        columns, rows = max(round(width * scale), 1), max(round(height * scale), 1)
        self.bgr: Image = np.zeros((rows, columns, 3), np.uint8)
        self.alpha: Image = np.zeros((rows, columns), np.uint8)
        self.scale = scale
        self._left, self._top = left, height - below

    def magnified(self, times: float) -> Canvas:
        """The same surface for a drawing that is to come out so many times as large."""
        other = copy.copy(self)
        other.scale = self.scale * times
        other._left, other._top = self._left / times, self._top / times
        return other

    def moved(self, ahead: float) -> Canvas:
        """The same surface for a drawing whose origin lies so many metres ahead."""
        other = copy.copy(self)
        other._left = self._left + ahead
        return other

    def _fixed(self, points: Sequence[Coordinates]) -> np.ndarray[tuple[int, int], np.dtype[np.int32]]:
        array = np.asarray(points, np.float64)
        x = (array[:, 0] + self._left) * self.scale
        y = (self._top - array[:, 1]) * self.scale
        return np.round(np.stack((x, y), axis=1) * (1 << SUBPIXEL_BITS)).astype(np.int32)

    def _fixed_length(self, metres: float) -> int:
        return max(round(metres * self.scale * (1 << SUBPIXEL_BITS)), 1)

    def _thickness(self, metres: float) -> int:
        return max(round(metres * self.scale), 1)

    def fill(self, points: Sequence[Coordinates], colour: Colour) -> None:
        """A closed shape of one colour."""
        fixed = self._fixed(points)
        cv2.fillPoly(self.bgr, [fixed], colour, cv2.LINE_8, SUBPIXEL_BITS)
        cv2.fillPoly(self.alpha, [fixed], (255,), cv2.LINE_8, SUBPIXEL_BITS)

    def shade(self, points: Sequence[Coordinates], stops: Sequence[tuple[float, Colour]], opacity: float = 1.0) -> None:
        """A closed shape whose colour follows the height: ``stops`` are (y, colour) from the bottom up."""
        mask = np.zeros_like(self.alpha)
        cv2.fillPoly(mask, [self._fixed(points)], (255,), cv2.LINE_8, SUBPIXEL_BITS)
        x, y, width, height = cv2.boundingRect(mask)
        if not width or not height:
            return
        area = slice(y, y + height), slice(x, x + width)
        heights = self._top - (np.arange(y, y + height) + 0.5) / self.scale
        at = [stop[0] for stop in stops]
        rows = np.stack([np.interp(heights, at, [stop[1][c] for stop in stops]) for c in range(3)], axis=1)
        inside = mask[area] > 0
        below = self.bgr[area]
        ink = np.broadcast_to(rows[:, None, :], below.shape)
        below[inside] = (ink[inside] * opacity + below[inside] * (1 - opacity)).astype(np.uint8)
        np.maximum(self.alpha[area], mask[area], out=self.alpha[area])

    def line(self, points: Sequence[Coordinates], colour: Colour, thickness: float) -> None:
        """An open line, ``thickness`` in metres, with round ends."""
        fixed, width = self._fixed(points), self._thickness(thickness)
        cv2.polylines(self.bgr, [fixed], False, colour, width, cv2.LINE_8, SUBPIXEL_BITS)
        cv2.polylines(self.alpha, [fixed], False, (255,), width, cv2.LINE_8, SUBPIXEL_BITS)

    def disc(self, centre: Coordinates, radius: float, colour: Colour, thickness: float = 0.0) -> None:
        """A filled circle, or a ring of ``thickness`` metres."""
        fixed = self._fixed([centre])[0]
        middle = (int(fixed[0]), int(fixed[1]))
        width = self._thickness(thickness) if thickness else -1
        cv2.circle(self.bgr, middle, self._fixed_length(radius), colour, width, cv2.LINE_8, SUBPIXEL_BITS)
        cv2.circle(self.alpha, middle, self._fixed_length(radius), (255,), width, cv2.LINE_8, SUBPIXEL_BITS)

    def oval(self, centre: Coordinates, radii: Coordinates, colour: Colour, angle: float = 0.0) -> None:
        """A filled ellipse; ``angle`` in degrees, counter-clockwise."""
        turn = np.deg2rad(angle)
        steps = np.linspace(0, 2 * np.pi, 40, endpoint=False)
        x, y = radii[0] * np.cos(steps), radii[1] * np.sin(steps)
        points = [
            (
                centre[0] + float(a * np.cos(turn) - b * np.sin(turn)),
                centre[1] + float(a * np.sin(turn) + b * np.cos(turn)),
            )
            for a, b in zip(x, y, strict=True)
        ]
        self.fill(points, colour)
