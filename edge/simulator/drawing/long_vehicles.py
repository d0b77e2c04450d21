"""Draws the simulator's long vehicles from the side, facing right: a minibus, and a car with a trailer.

Lengths are metres.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from edge.simulator.drawing.canvas import Canvas, Coordinates, curve
from edge.simulator.drawing.cars import draw_sedan
from edge.simulator.drawing.colours import BLACK, RUBBER, TAIL_LAMP, TRIM, WHITE, mix

if TYPE_CHECKING:
    from edge.simulator.traffic.appearance import Colour

_TRAILER_LENGTH = 3.40  # from the trailer's tail to the car's bumper, the drawbar included


def draw_minibus(canvas: Canvas, paint: Colour) -> None:
    """A small bus, 6.5 m long, and 2.6 m high with the air conditioning on its roof."""
    body = curve(
        [
            (0.04, 0.34), (0.04, 0.34), (0.02, 0.80), (0.03, 1.60), (0.08, 2.30), (0.26, 2.46), (1.00, 2.50),
            (5.20, 2.50), (5.80, 2.46), (6.06, 2.28), (6.24, 1.80), (6.38, 1.30), (6.46, 0.98), (6.48, 0.60),
            (6.46, 0.38), (6.40, 0.28), (6.40, 0.28),
        ]
    )  # fmt: skip
    dark, deep = mix(paint, BLACK, 0.35), mix(paint, BLACK, 0.60)
    light, shine = mix(paint, WHITE, 0.16), mix(paint, WHITE, 0.34)
    canvas.shade(
        body,
        [
            (0.28, deep), (0.42, dark), (0.64, mix(paint, BLACK, 0.14)), (1.00, paint), (1.12, light),
            (1.20, shine), (1.28, paint), (2.36, light), (2.50, shine),
        ],
    )  # fmt: skip
    _panes(canvas)
    line = mix(paint, BLACK, 0.55)
    canvas.fill([(0.03, 0.98), (6.44, 0.98), (6.46, 0.84), (0.03, 0.84)], (150, 84, 30))  # the operator's stripe
    canvas.line([(0.08, 1.22), (6.36, 1.22)], line, 0.02)
    for x in (0.95, 1.90, 2.85, 3.80, 5.36, 6.04):
        canvas.line([(x, 1.20), (x, 0.44)], line, 0.020)
    canvas.fill([(1.86, 0.24), (1.86, 0.38), (4.70, 0.38), (4.70, 0.24)], TRIM)
    canvas.fill(curve([(6.20, 1.42), (6.20, 1.86), (6.40, 1.90), (6.42, 1.46)]), BLACK)  # mirror
    canvas.fill(curve([(6.46, 0.62), (6.40, 0.82), (6.20, 0.82), (6.20, 0.66)]), (224, 218, 208))
    canvas.fill(curve([(0.03, 0.56), (0.04, 0.82), (0.16, 0.82), (0.16, 0.56)]), TAIL_LAMP)
    canvas.fill([(6.10, 0.30), (6.46, 0.34), (6.47, 0.52), (6.06, 0.50)], mix(TRIM, WHITE, 0.06))
    canvas.fill([(0.03, 0.34), (0.60, 0.34), (0.60, 0.50), (0.03, 0.52)], mix(TRIM, WHITE, 0.06))
    for x in (1.34, 4.92):
        _bus_wheel(canvas, (x, 0.40))
    canvas.fill(curve([(1.6, 2.48), (1.7, 2.60), (3.0, 2.60), (3.1, 2.48)]), mix(paint, BLACK, 0.2))  # air conditioning


def _bus_wheel(canvas: Canvas, centre: Coordinates) -> None:
    x, y = centre
    arch = [math.radians(step * 9) for step in range(-2, 23)]
    canvas.fill([(x + math.cos(a) * 0.47, y + 0.02 + math.sin(a) * 0.47) for a in arch], BLACK)
    canvas.disc(centre, 0.40, RUBBER)
    canvas.disc(centre, 0.24, (150, 148, 146))
    canvas.disc(centre, 0.17, (84, 82, 80))
    canvas.disc(centre, 0.08, (160, 158, 156))


def _panes(canvas: Canvas) -> None:
    band = [(0.14, 1.30), (0.18, 2.22), (5.86, 2.22), (6.04, 2.10), (6.20, 1.66), (6.30, 1.30)]
    canvas.fill(band, TRIM)
    for left, right in ((0.24, 0.92), (0.98, 1.87), (1.93, 2.82), (2.88, 3.77), (3.83, 4.62), (4.68, 5.32)):
        pane = [(left, 1.36), (left, 2.16), (right, 2.16), (right, 1.36)]
        canvas.shade(pane, [(1.36, (44, 40, 36)), (1.75, (78, 72, 66)), (2.16, (128, 122, 114))])
        canvas.line([(left, 1.98), (right, 1.98)], TRIM, 0.02)
        middle = (left + right) / 2
        canvas.fill(
            curve([(middle - 0.20, 1.36), (middle - 0.22, 1.66), (middle - 0.08, 1.70), (middle - 0.02, 1.36)]),
            (70, 60, 60),
        )
    canvas.shade(
        [(5.40, 0.52), (5.40, 2.14), (5.98, 2.14), (5.98, 0.52)], [(0.5, (44, 40, 36)), (2.1, (120, 114, 106))]
    )  # door
    canvas.line([(5.69, 0.50), (5.69, 2.16)], TRIM, 0.04)
    canvas.line([(5.40, 0.50), (5.40, 2.16), (6.00, 2.16), (6.00, 0.50)], TRIM, 0.04)
    canvas.fill([(6.06, 1.36), (6.04, 2.02), (6.16, 1.66), (6.22, 1.36)], (100, 94, 88))


def draw_trailer(canvas: Canvas, paint: Colour) -> None:
    """A sedan that pulls a small flat trailer with boards on it, 8.0 m long together.

    Were the trailer high, covered, or on a car's wheels, a detector would detect it as a vehicle of its own.
    """
    canvas.line([(2.50, 0.48), (3.30, 0.46)], (70, 68, 66), 0.07)  # drawbar
    canvas.line([(3.22, 0.46), (3.50, 0.44)], BLACK, 0.10)
    canvas.line([(2.98, 0.46), (2.98, 0.20)], (110, 108, 106), 0.05)  # jockey wheel
    canvas.disc((2.98, 0.14), 0.12, BLACK)
    canvas.fill([(0.10, 0.74), (0.10, 0.84), (2.50, 0.84), (2.50, 0.74)], (88, 122, 150))  # boards
    canvas.fill([(0.04, 0.50), (0.04, 0.74), (2.56, 0.74), (2.56, 0.50)], (150, 148, 144))
    canvas.line([(0.04, 0.62), (2.56, 0.62)], (112, 110, 108), 0.02)
    for x in (0.04, 0.90, 1.70, 2.56):
        canvas.line([(x, 0.50), (x, 0.76)], (96, 94, 92), 0.04)
    canvas.fill([(0.02, 0.54), (0.02, 0.64), (0.07, 0.64), (0.07, 0.54)], TAIL_LAMP)
    canvas.fill([(0.02, 0.42), (0.02, 0.50), (2.56, 0.50), (2.56, 0.42)], TRIM)
    for radius, colour in ((0.27, RUBBER), (0.15, (120, 118, 116)), (0.05, (70, 68, 66))):
        canvas.disc((1.26, 0.27), radius, colour)
    draw_sedan(canvas.moved(_TRAILER_LENGTH), paint)
