"""Draws a grid over a picture, and rulers around it from which coordinates are read in fractions of the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from edge.snapshot.labels import draw_text, text_size

if TYPE_CHECKING:
    from edge.core.frames import Image

# Sizes are in units of the drawing, see ``drawing.py``.
TEXT_HEIGHT = 11.0
_BESIDE, _ABOVE = 40, 26  # the rulers left and right, and those above and below
_LONG_TICK, _MIDDLE_TICK, _SHORT_TICK = 8, 6, 3
_GRID_STRENGTH = 0.42
_RULER_COLOUR, _NUMBER_COLOUR = (40, 40, 40), (245, 245, 245)
_DARK, _LIGHT = (0, 0, 0), (255, 255, 255)
_TENTHS = 10
_TICKS = 100
_LEAST_TICK_PIXELS = 4  # between two ticks, or only each fifth is drawn


def draw_grid(picture: Image, unit: float) -> None:
    """Draw lines at each tenth, light on dark so that they are seen on any picture, and small crosses between them."""
    height, width = picture.shape[:2]
    over = picture.copy()
    for colour, extra in ((_DARK, 2), (_LIGHT, 0)):
        for step in range(1, 2 * _TENTHS):
            x, y = width * step // (2 * _TENTHS), height * step // (2 * _TENTHS)
            if step % 2:
                _draw_crosses(over, step, colour, extra, unit)
                continue
            thickness = round((2 if step == _TENTHS else 1) * unit + extra * unit) or 1
            cv2.line(over, (x, 0), (x, height), colour, thickness)
            cv2.line(over, (0, y), (width, y), colour, thickness)
    cv2.addWeighted(over, _GRID_STRENGTH, picture, 1 - _GRID_STRENGTH, 0, dst=picture)


def with_rulers(picture: Image, unit: float) -> tuple[Image, tuple[int, int]]:
    """The picture with a ruler at each side, and the place of its top left corner in it."""
    height, width = picture.shape[:2]
    beside, above = ruler_widths(unit)
    framed = np.full((height + 2 * above, width + 2 * beside, 3), _RULER_COLOUR, dtype=np.uint8)
    framed[above : above + height, beside : beside + width] = picture
    for tick in range(_TICKS + 1):
        # The last pixel of the picture is at fraction 1.
        x, y = beside + min(width * tick // _TICKS, width - 1), above + min(height * tick // _TICKS, height - 1)
        long = _LONG_TICK if tick % 10 == 0 else _MIDDLE_TICK if tick % 5 == 0 else _SHORT_TICK
        thickness = max(1, round(unit if tick % 10 == 0 else unit / 2))
        length = round(long * unit)
        if tick % 5 == 0 or width >= _TICKS * _LEAST_TICK_PIXELS:
            cv2.line(framed, (x, above - length), (x, above - 1), _NUMBER_COLOUR, thickness)
            cv2.line(framed, (x, above + height), (x, above + height + length), _NUMBER_COLOUR, thickness)
        if tick % 5 == 0 or height >= _TICKS * _LEAST_TICK_PIXELS:
            cv2.line(framed, (beside - length, y), (beside - 1, y), _NUMBER_COLOUR, thickness)
            cv2.line(framed, (beside + width, y), (beside + width + length, y), _NUMBER_COLOUR, thickness)
        if tick % 10 == 0:
            _draw_numbers(framed, f"{tick / _TICKS:g}", (x, y), unit)
    return framed, (beside, above)


def ruler_widths(unit: float) -> tuple[int, int]:
    """The widths in pixels of the rulers left and right, and of those above and below."""
    return round(_BESIDE * unit), round(_ABOVE * unit)


def _draw_crosses(over: Image, column: int, colour: tuple[int, int, int], extra: int, unit: float) -> None:
    """Draw the crosses of one column of points halfway between the lines."""
    height, width = over.shape[:2]
    x, arm, thickness = width * column // (2 * _TENTHS), round((3 + extra / 2) * unit), round((1 + extra) * unit) or 1
    for row in range(1, 2 * _TENTHS, 2):
        y = height * row // (2 * _TENTHS)
        cv2.line(over, (x - arm, y), (x + arm, y), colour, thickness)
        cv2.line(over, (x, y - arm), (x, y + arm), colour, thickness)


def _draw_numbers(framed: Image, number: str, at: tuple[int, int], unit: float) -> None:
    """Write a number at its place on all four rulers."""
    rows, columns = framed.shape[:2]
    beside, above = ruler_widths(unit)
    width, height = text_size(number, TEXT_HEIGHT * unit)
    gap = round(_LONG_TICK * unit)
    x, y = at[0] - width // 2, at[1] - height // 2
    for place in (
        (x, (above - gap - height) // 2),
        (x, rows - above + gap + (above - gap - height) // 2),
        (beside - gap - width - round(unit), y),
        (columns - beside + gap + round(2 * unit), y),
    ):
        draw_text(framed, number, place, TEXT_HEIGHT * unit, _NUMBER_COLOUR)
