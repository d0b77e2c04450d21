"""Draws what belongs to the counting over a picture: gates, the region that is looked at, and boxes.

All are drawn in pixels of the picture that is drawn on; ``scale`` is how many of them a pixel of the frame is.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import cv2
import numpy as np

from edge.core.line_geometry import signed_distance
from edge.core.shapes import Point
from edge.core.tracks import TrackState
from edge.snapshot.labels import draw_text, text_size
from edge.snapshot.rulers import TEXT_HEIGHT
from edge.snapshot.snapshot import DETECTED

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edge.config.schema import GateConfig
    from edge.core.frames import Image
    from edge.snapshot.labels import Colour, LabelPlaces
    from edge.snapshot.snapshot import Region, SnapshotBox

# One for each gate, and again from the beginning.
_GATE_COLOURS: tuple[Colour, ...] = ((0, 225, 255), (255, 120, 255), (255, 240, 60), (60, 160, 255))
_BOX_COLOURS: dict[str, Colour] = {
    TrackState.CONFIRMED: (90, 255, 90),
    TrackState.TENTATIVE: (235, 235, 235),
    TrackState.LOST: (80, 120, 255),
    DETECTED: (255, 190, 90),
}
_REGION_COLOUR: Colour = (255, 255, 255)
_DARK: Colour = (0, 0, 0)
# Sizes are in units of the drawing, see ``drawing.py``.
_LINE, _THIN, _EDGE = 3.0, 2.0, 2.0  # of a gate's line, of a box; the dark edge that is added on each side
_POINT, _INSIDE = 5.0, 8.0  # radius
_ARROW, _SHORTEST_ARROW = 90.0, 30.0
_DASH = 10.0
_GAP = 6.0  # between a mark and its label
_MOST_LENGTH_SHARE = 0.4  # an arrow is at most so long, as a share of the picture's shorter side


class Marks:
    """Draws over one picture. Geometry is drawn at once, the labels by ``draw_labels``, so that nothing covers them."""

    def __init__(self, picture: Image, scale: float, unit: float, places: LabelPlaces) -> None:
        self._picture = picture
        self._scale = scale
        self._unit = unit
        self._places = places
        self._labels: list[tuple[Sequence[str], Callable[[int, int], list[tuple[int, int]]], Colour]] = []

    def draw_labels(self) -> None:
        """Write the labels, those of what was drawn first at the best places."""
        text_height = TEXT_HEIGHT * self._unit
        for rows, wanted, colour in self._labels:
            sizes = [text_size(row, text_height) for row in rows]
            width, height = max(size[0] for size in sizes), sum(size[1] for size in sizes)
            left, top = self._places.take((width, height), wanted(width, height))
            for row, (_, row_height) in zip(rows, sizes, strict=True):
                draw_text(self._picture, row, (left, top), text_height, colour)
                top += row_height

    def gate(self, gate: GateConfig, number: int) -> None:
        """Draw a gate: its line with the coordinates of its points, the arrow of an entry, and its inside."""
        colour = _GATE_COLOURS[number % len(_GATE_COLOURS)]
        points = [self._place(*point) for point in gate.line]
        inside = self._place(*gate.inside)
        foot, tip = self._arrow(points, inside)
        for thickness, paint in self._strokes(_LINE, colour):
            cv2.polylines(self._picture, [_pixels(points)], False, paint, thickness, cv2.LINE_AA)
            cv2.arrowedLine(self._picture, _pixel(foot), _pixel(tip), paint, thickness, cv2.LINE_AA, tipLength=0.25)
        for point in points:
            self._dot(point, _POINT, colour)
            self._reserve(point, point, _POINT)
        for start, end in pairwise(points):
            steps = max(1, round(math.hypot(end.x - start.x, end.y - start.y) / (2 * _DASH * self._unit)))
            for step in range(steps):
                place = _between(start, end, (step + 0.5) / steps)
                self._reserve(place, place, _DASH / 2)
        self._reserve(foot, tip, _POINT)
        self._reserve(inside, inside, _INSIDE)
        self._ring(inside, colour)
        rows = [f"gate {gate.id}: entry to {gate.floor}"]
        if gate.outside_floor is not None:
            rows.append(f"from {gate.outside_floor}")
        self._label_around(rows, tip, colour)
        for point, (x, y) in zip(points, gate.line, strict=True):
            self._label_around([f"[{x:g}, {y:g}]"], point, colour)
        self._label_around([f"inside [{gate.inside[0]:g}, {gate.inside[1]:g}]"], inside, colour)

    def region(self, region: Region) -> None:
        """Draw the part of the picture that the detector looks at."""
        left, top, right, bottom = region
        corners = [self._place(x, y) for x, y in ((left, top), (right, top), (right, bottom), (left, bottom))]
        for start, end in pairwise([*corners, corners[0]]):
            self._dashed(start, end, _REGION_COLOUR, _THIN)
        self._label_around(["region looked at"], corners[0], _REGION_COLOUR)

    def box(self, box: SnapshotBox) -> None:
        """Draw a track's or a detection's box; that of a lost track is dashed."""
        colour = _BOX_COLOURS.get(box.state, _BOX_COLOURS[DETECTED])
        left, top, right, bottom = (edge * self._scale for edge in box.box)
        corners = [Point(left, top), Point(right, top), Point(right, bottom), Point(left, bottom)]
        if box.state == TrackState.LOST:
            for start, end in pairwise([*corners, corners[0]]):
                self._dashed(start, end, colour, _THIN)
        else:
            for thickness, paint in self._strokes(_THIN, colour):
                cv2.polylines(self._picture, [_pixels(corners)], True, paint, thickness, cv2.LINE_AA)
        words = [f"#{box.track_id.rpartition('-')[2]}" if box.track_id else "", box.label, f"{box.confidence:.2f}"]
        if box.state not in (DETECTED, TrackState.CONFIRMED):
            words.append(box.state)
        gap, x, right_end = round(self._unit * _EDGE), round(left), round(right)

        def wanted(width: int, height: int) -> list[tuple[int, int]]:
            above, below = round(top) - height - gap, round(bottom) + gap
            return [(x, above), (x, below), (right_end - width, above), (right_end - width, below), (x, round(top))]

        self._labels.append(([" ".join(filter(None, words))], wanted, colour))

    def _place(self, x: float, y: float) -> Point:
        """The place of a point in fractions; the last pixel is at 1."""
        height, width = self._picture.shape[:2]
        return Point(min(x * width, width - 1), min(y * height, height - 1))

    def _strokes(self, thickness: float, colour: Colour) -> tuple[tuple[int, Colour], tuple[int, Colour]]:
        """Thickness and colour of the dark edge, and of what is drawn over it."""
        return (
            (round((thickness + _EDGE) * self._unit), _DARK),
            (max(1, round(thickness * self._unit)), colour),
        )

    def _arrow(self, points: Sequence[Point], inside: Point) -> tuple[Point, Point]:
        """From the middle of the line, perpendicular to it, to the side of ``inside``; it ends inside the picture."""
        middle, (a, b) = _middle(points)
        side = math.copysign(1.0, signed_distance(points, inside))
        length = math.hypot(b.x - a.x, b.y - a.y)
        # The right of the way from the first point to the last is the positive side.
        across = Point(-side * (b.y - a.y) / length, side * (b.x - a.x) / length)
        height, width = self._picture.shape[:2]
        reach = min(_ARROW * self._unit, _MOST_LENGTH_SHARE * min(width, height))
        while reach > _SHORTEST_ARROW * self._unit and not (
            0 <= middle.x + across.x * reach < width and 0 <= middle.y + across.y * reach < height
        ):
            reach -= self._unit
        return middle, Point(middle.x + across.x * reach, middle.y + across.y * reach)

    def _reserve(self, a: Point, b: Point, around: float) -> None:
        """Keep labels away from the rectangle between two points, and so many units around it."""
        border = round(around * self._unit)
        left, top = round(min(a.x, b.x)) - border, round(min(a.y, b.y)) - border
        size = round(abs(a.x - b.x)) + 2 * border, round(abs(a.y - b.y)) + 2 * border
        self._places.reserve(left, top, size)

    def _dot(self, at: Point, radius: float, colour: Colour) -> None:
        cv2.circle(self._picture, _pixel(at), round((radius + _EDGE / 2) * self._unit), _DARK, -1, cv2.LINE_AA)
        cv2.circle(self._picture, _pixel(at), round(radius * self._unit), colour, -1, cv2.LINE_AA)

    def _ring(self, at: Point, colour: Colour) -> None:
        for thickness, paint in self._strokes(_THIN, colour):
            cv2.circle(self._picture, _pixel(at), round(_INSIDE * self._unit), paint, thickness, cv2.LINE_AA)
        self._dot(at, _EDGE, colour)

    def _dashed(self, start: Point, end: Point, colour: Colour, line: float) -> None:
        length = math.hypot(end.x - start.x, end.y - start.y)
        dashes = max(1, round(length / (2 * _DASH * self._unit)))
        for thickness, paint in self._strokes(line, colour):
            for dash in range(dashes):
                begin, stop = (_between(start, end, (2 * dash + part) / (2 * dashes)) for part in (0, 1))
                cv2.line(self._picture, _pixel(begin), _pixel(stop), paint, thickness, cv2.LINE_AA)

    def _label_around(self, rows: Sequence[str], at: Point, colour: Colour) -> None:
        """Write rows of text beside a point."""
        gap = round((_GAP + _POINT) * self._unit)
        x, y = _pixel(at)

        def wanted(width: int, height: int) -> list[tuple[int, int]]:
            return [
                (x + gap, y - height // 2),
                (x - gap - width, y - height // 2),
                (x - width // 2, y + gap),
                (x - width // 2, y - gap - height),
                (x + gap, y + gap),
                (x + gap, y - gap - height),
                (x - gap - width, y + gap),
                (x - gap - width, y - gap - height),
            ]

        self._labels.append((rows, wanted, colour))


def _middle(points: Sequence[Point]) -> tuple[Point, tuple[Point, Point]]:
    """The middle of a line by its length, and the segment on which it is."""
    segments = list(pairwise(points))
    lengths = [math.hypot(b.x - a.x, b.y - a.y) for a, b in segments]
    left = sum(lengths) / 2
    for (a, b), length in zip(segments, lengths, strict=True):
        if length > 0 and left <= length:
            return _between(a, b, left / length), (a, b)
        left -= length
    return points[-1], segments[-1]


def _between(a: Point, b: Point, share: float) -> Point:
    return Point(a.x + (b.x - a.x) * share, a.y + (b.y - a.y) * share)


def _pixel(point: Point) -> tuple[int, int]:
    return round(point.x), round(point.y)


def _pixels(points: Sequence[Point]) -> np.ndarray:
    return np.array([_pixel(point) for point in points], dtype=np.int32)
