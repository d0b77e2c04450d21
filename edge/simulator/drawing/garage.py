"""Draws the empty garage behind the simulator's traffic: ceiling, wall, ramp, columns, signs and painted floor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from edge.simulator.drawing.canvas import SUBPIXEL_BITS, Coordinates

if TYPE_CHECKING:
    from edge.core.frames import Image
    from edge.simulator.traffic.appearance import Colour

DRAWING_WIDTH, DRAWING_HEIGHT = 640.0, 360.0  # the drawing's own units, for any size of the frame
_CEILING, _WALL_FOOT = 64.0, 222.0
_YELLOW: Colour = (40, 178, 214)
_INK: Colour = (44, 44, 46)


class View:
    """Converts the drawing's units to the pixels of a frame of ``width`` x ``height``; the scales are pixels a unit.

    The drawing always fills the width. A frame that is taller than 16:9 shows more ceiling and floor; a flatter
    frame shows the drawing compressed in height.
    """

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.x_scale = width / DRAWING_WIDTH
        self.y_scale = min(self.x_scale, height / DRAWING_HEIGHT)
        self._top = (height - DRAWING_HEIGHT * self.y_scale) / 2

    def pixel_row(self, y: float) -> float:
        """The drawing's row ``y`` (0 the top, 360 the bottom) in pixels of the frame."""
        return self._top + y * self.y_scale


def draw_garage(view: View, light: tuple[float, float, float], *, three_lanes: bool = False) -> Image:
    """The garage without traffic; ``light`` is the share of blue, green and red light (1 by day)."""
    times = 2 if view.width <= 1280 else 1
    brush = _Brush(View(view.width * times, view.height * times))
    _walls(brush)
    _ramp(brush)
    _columns(brush)
    _floor(brush, three_lanes)
    _signs(brush)
    _ceiling(brush)
    image = brush.image
    if times > 1:
        image = np.asarray(cv2.resize(image, (view.width, view.height), interpolation=cv2.INTER_AREA), np.uint8)
    grain = _grain(view.width, view.height)
    lit: Image = np.clip((image + grain[..., None]) * np.array(light, np.float32), 0, 255).astype(np.uint8)
    return lit


class _Brush:
    """Draws in the drawing's units."""

    def __init__(self, view: View) -> None:
        self._view = view
        self.image: Image = np.zeros((view.height, view.width, 3), np.uint8)
        self.top = -view.pixel_row(0) / view.y_scale
        self.bottom = DRAWING_HEIGHT - self.top

    def _fixed(self, points: list[Coordinates]) -> np.ndarray[tuple[int, int], np.dtype[np.int32]]:
        array = [(x * self._view.x_scale, self._view.pixel_row(y)) for x, y in points]
        return np.round(np.asarray(array) * (1 << SUBPIXEL_BITS)).astype(np.int32)

    def area(self, points: list[Coordinates], colour: Colour) -> None:
        """A filled polygon."""
        cv2.fillPoly(self.image, [self._fixed(points)], colour, cv2.LINE_AA, SUBPIXEL_BITS)

    def box(self, left: float, top: float, right: float, bottom: float, colour: Colour) -> None:
        """A filled upright rectangle."""
        self.area([(left, top), (right, top), (right, bottom), (left, bottom)], colour)

    def fade(self, top: float, bottom: float, upper: Colour, lower: Colour) -> None:
        """A band over the whole width that fades from the upper colour to the lower."""
        first, last = (max(round(self._view.pixel_row(y)), 0) for y in (top, bottom))
        rows = self.image[first:last]
        share = np.linspace(0, 1, max(len(rows), 1))[: len(rows), None]
        rows[:] = (np.array(upper) * (1 - share) + np.array(lower) * share)[:, None, :]

    def line(self, points: list[Coordinates], colour: Colour, thickness: float) -> None:
        """An open line."""
        width = max(round(thickness * self._view.y_scale), 1)
        cv2.polylines(self.image, [self._fixed(points)], False, colour, width, cv2.LINE_AA, SUBPIXEL_BITS)

    def text(self, words: str, left: float, foot: float, size: float, colour: Colour, weight: float) -> None:
        """A line of letters, ``size`` high."""
        scale = size * self._view.y_scale / 22
        place = round(left * self._view.x_scale), round(self._view.pixel_row(foot))
        thickness = max(round(weight * self._view.y_scale), 1)
        cv2.putText(self.image, words, place, cv2.FONT_HERSHEY_SIMPLEX, scale, colour, thickness, cv2.LINE_AA)


def _walls(brush: _Brush) -> None:
    brush.fade(brush.top, _WALL_FOOT, (150, 154, 155), (122, 126, 128))
    for x in range(-20, 660, 85):
        brush.line([(x, _CEILING), (x, _WALL_FOOT)], (120, 124, 126), 1)
        for y in (92, 132):
            for side in (14, 71):
                brush.box(x + side, y, x + side + 2, y + 2, (108, 112, 114))
    brush.line([(0, 112), (DRAWING_WIDTH, 112)], (124, 128, 130), 1)
    brush.box(0, 172, DRAWING_WIDTH, _WALL_FOOT, (126, 116, 102))
    brush.box(0, 166, DRAWING_WIDTH, 172, (60, 150, 178))


def _ramp(brush: _Brush) -> None:
    # An opening in the wall, behind it a ramp that climbs to the next level.
    brush.box(376, 78, 556, _WALL_FOOT, (72, 74, 76))
    brush.area([(376, _WALL_FOOT), (376, 214), (556, 116), (556, _WALL_FOOT)], (112, 115, 117))
    brush.area([(376, 214), (556, 116), (556, 108), (376, 206)], (136, 140, 142))
    for x in range(382, 556, 24):
        y = 214 - (x - 376) * 98 / 180
        brush.line([(x, y - 8), (x, y - 36)], (58, 60, 62), 2)
    for rise in (36, 24):
        brush.line([(376, 214 - rise), (556, 116 - rise)], (58, 60, 62), 2.5)
    brush.line([(376, _WALL_FOOT), (376, 78), (556, 78), (556, _WALL_FOOT)], (104, 107, 109), 3)


def _columns(brush: _Brush) -> None:
    foot = _WALL_FOOT + 8
    for x in (84.0, 346.0, 586.0):
        brush.box(x - 13, _CEILING - 6, x + 13, foot, (158, 162, 163))
        brush.box(x - 13, _CEILING - 6, x - 7, foot, (176, 180, 181))
        brush.box(x + 8, _CEILING - 6, x + 13, foot, (128, 132, 134))
        brush.box(x - 13, 176, x + 13, foot, _YELLOW)
        for y in range(180, int(foot), 16):
            low = min(y + 8.0, foot)
            brush.area([(x - 13, y + 8 - 6), (x + 13, y - 6), (x + 13, y), (x - 13, low)], _INK)


def _floor(brush: _Brush, three_lanes: bool) -> None:
    brush.fade(_WALL_FOOT, brush.bottom, (92, 94, 96), (112, 114, 116))
    brush.box(0, _WALL_FOOT, DRAWING_WIDTH, _WALL_FOOT + 4, (74, 76, 78))
    for x in (84.0, 346.0, 586.0):
        brush.box(x - 13, _WALL_FOOT - 4, x + 13, _WALL_FOOT + 8, _INK)
    brush.box(0, 230, DRAWING_WIDTH, 232, (112, 115, 116))
    for y in (261.0, 297.0) if three_lanes else (274.5,):
        for x in range(-20, 660, 64):
            brush.area([(x, y), (x + 30, y), (x + 29, y + 2.5), (x - 1, y + 2.5)], (140, 143, 144))
    brush.box(0, 350, DRAWING_WIDTH, 353.5, _YELLOW)
    # The gate's line, and an arrow for each lane.
    brush.area([(317, 236), (321, 236), (322, 348), (316, 348)], (190, 194, 194))
    _arrow(brush, 120, 314, 1)
    _arrow(brush, 520, 314, 1)
    # The farthest lane's arrows stand nearer to the wall where a third lane needs the room.
    farther = 246 if three_lanes else 252
    _arrow(brush, 210, farther, -1)
    _arrow(brush, 470, farther, -1)
    if three_lanes:
        _arrow(brush, 120, 280, 1)
        _arrow(brush, 520, 280, 1)


def _arrow(brush: _Brush, x: float, y: float, direction: int) -> None:
    shape = [(-26, -2.5), (6, -2.5), (6, -6.5), (26, 0), (6, 6.5), (6, 2.5), (-26, 2.5)]
    brush.area([(x + direction * a, y + b) for a, b in shape], (164, 168, 168))


def _signs(brush: _Brush) -> None:
    brush.line([(178, 40), (178, 84)], _INK, 2)
    brush.line([(258, 40), (258, 84)], _INK, 2)
    brush.box(166, 78, 270, 108, (230, 230, 230))
    brush.box(168, 80, 268, 106, (140, 84, 24))
    brush.text("LEVEL 1", 177, 100, 15, (245, 245, 245), 2)
    brush.box(28, 112, 60, 144, (230, 230, 230))
    brush.box(30, 114, 58, 142, (140, 84, 24))
    brush.text("P", 36, 138, 22, (245, 245, 245), 3)
    brush.box(606, 112, 634, 124, (84, 132, 44))
    brush.text("EXIT", 609, 121.5, 7, (245, 245, 245), 1)


def _ceiling(brush: _Brush) -> None:
    brush.fade(brush.top, _CEILING, (84, 86, 88), (108, 111, 113))
    brush.box(0, _CEILING - 6, DRAWING_WIDTH, _CEILING, (92, 95, 97))
    for x in (40, 200, 360, 520):
        brush.area(
            [(x, brush.top), (x + 46, brush.top), (x + 34, _CEILING - 6), (x + 12, _CEILING - 6)], (98, 101, 103)
        )
        brush.area(
            [(x + 46, brush.top), (x + 52, brush.top), (x + 37, _CEILING - 6), (x + 34, _CEILING - 6)], (76, 78, 80)
        )
    for x in (104, 264, 424, 584):
        brush.box(x - 2, 33, x + 58, 41, (88, 90, 92))
        brush.box(x, 36, x + 56, 41, (240, 250, 252))
    brush.line([(0, 52), (DRAWING_WIDTH, 52)], (70, 72, 140), 3)


def _grain(width: int, height: int) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    # Cloudy stains, the same for every seed: only the traffic changes with the seed.
    rng = np.random.default_rng(20)
    clouds = np.zeros((height, width), np.float32)
    for cells, strength in ((12, 3.5), (40, 2.5)):
        small = rng.normal(0, strength, (max(cells * 9 // 16, 2), cells)).astype(np.float32)
        clouds += cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    return clouds
