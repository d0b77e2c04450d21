"""Draws the simulator's motorbike and its rider from the side, facing right. Lengths are metres."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from edge.simulator.drawing.canvas import Canvas, Coordinates, curve
from edge.simulator.drawing.colours import BLACK, TAIL_LAMP, mix

if TYPE_CHECKING:
    from edge.simulator.traffic.appearance import Colour

_RUBBER: Colour = (28, 27, 26)
_STEEL: Colour = (150, 148, 146)
_CHROME: Colour = (205, 203, 200)
_LEATHER: Colour = (44, 40, 38)
_DENIM: Colour = (92, 66, 48)

_REAR_AXLE, _FRONT_AXLE, _WHEEL_RADIUS = 0.36, 1.76, 0.33


def draw_motorbike(canvas: Canvas, paint: Colour) -> None:
    """A touring motorbike, 2.4 m long, with a rider who leans over the tank: 1.7 m high together.

    Were the rider upright, it would be detected as two motorbikes, with and without the rider.
    """
    canvas = canvas.magnified(2.40 / 2.12)  # the numbers below are those of a smaller motorbike
    for x in (_REAR_AXLE, _FRONT_AXLE):
        _wheel(canvas, (x, _WHEEL_RADIUS))
    _frame(canvas)
    _bodywork(canvas, paint)
    _rider(canvas, paint)


def _wheel(canvas: Canvas, centre: Coordinates) -> None:
    x, y = centre
    canvas.disc(centre, _WHEEL_RADIUS - 0.05, _RUBBER, 0.10)
    canvas.disc(centre, _WHEEL_RADIUS - 0.115, (190, 188, 186), 0.035)
    for spoke in range(12):
        angle = math.radians(15 + 30 * spoke)
        canvas.line([centre, (x + math.cos(angle) * 0.21, y + math.sin(angle) * 0.21)], _STEEL, 0.015)
    canvas.disc(centre, 0.10, (170, 168, 166), 0.03)
    canvas.disc(centre, 0.05, (70, 68, 66))


def _frame(canvas: Canvas) -> None:
    canvas.line([(_REAR_AXLE, _WHEEL_RADIUS), (0.86, 0.42)], (60, 58, 56), 0.07)  # swing arm
    canvas.line([(_REAR_AXLE + 0.10, 0.42), (0.66, 0.74)], (40, 40, 180), 0.05)  # spring
    canvas.line([(_FRONT_AXLE, _WHEEL_RADIUS), (1.44, 0.98)], _CHROME, 0.06)  # fork
    canvas.line([(1.44, 0.98), (1.36, 1.06), (1.24, 1.07)], BLACK, 0.04)  # handlebar
    canvas.fill(curve([(0.80, 0.26), (0.74, 0.52), (0.90, 0.66), (1.24, 0.66), (1.36, 0.48), (1.24, 0.24)]), BLACK)
    canvas.fill(curve([(0.98, 0.50), (0.94, 0.66), (1.24, 0.70), (1.26, 0.52)]), _STEEL)
    for y in (0.54, 0.59, 0.64):
        canvas.line([(0.97, y), (1.25, y + 0.02)], (66, 64, 62), 0.018)
    canvas.disc((0.98, 0.36), 0.10, (110, 108, 106))
    canvas.disc((0.98, 0.36), 0.06, (70, 68, 66))
    canvas.line([(1.32, 0.52), (1.26, 0.26), (0.96, 0.22)], _CHROME, 0.05)  # exhaust
    canvas.line([(0.70, 0.26), (0.26, 0.36)], _CHROME, 0.10)
    canvas.line([(0.96, 0.22), (0.68, 0.26)], _CHROME, 0.05)


def _bodywork(canvas: Canvas, paint: Colour) -> None:
    shine = mix(paint, (255, 255, 255), 0.35)
    dark = mix(paint, BLACK, 0.45)
    canvas.shade(
        curve([(0.90, 0.72), (0.92, 0.86), (1.06, 0.99), (1.28, 0.99), (1.42, 0.86), (1.34, 0.70), (1.10, 0.66)]),
        [(0.66, dark), (0.80, paint), (0.92, shine), (0.99, paint)],
    )  # tank
    canvas.fill(curve([(0.26, 0.88), (0.34, 0.94), (0.62, 0.86), (0.94, 0.84), (0.92, 0.74), (0.60, 0.76)]), _LEATHER)
    canvas.shade(
        curve([(0.14, 0.92), (0.20, 0.96), (0.66, 0.78), (0.84, 0.70), (0.80, 0.62), (0.50, 0.72)]),
        [(0.62, dark), (0.80, paint), (0.95, shine)],
    )  # tail
    canvas.line([(0.20, 0.86), (0.04, 0.62)], BLACK, 0.03)
    arc = [math.radians(step) for step in range(35, 151, 10)]
    mudguard = [(_FRONT_AXLE + math.cos(a) * 0.37, _WHEEL_RADIUS + math.sin(a) * 0.37) for a in arc]
    canvas.line(mudguard, paint, 0.05)
    lamp = (226, 222, 214)
    canvas.disc((1.54, 0.92), 0.10, BLACK)
    canvas.disc((1.58, 0.92), 0.075, lamp)
    canvas.oval((0.15, 0.91), (0.05, 0.04), TAIL_LAMP)
    canvas.line([(1.34, 1.06), (1.36, 1.22)], BLACK, 0.02)
    canvas.oval((1.37, 1.24), (0.05, 0.04), BLACK)


def _rider(canvas: Canvas, paint: Colour) -> None:
    jacket, edge = _LEATHER, (26, 24, 22)
    canvas.line([(0.66, 0.92), (1.08, 0.82)], edge, 0.20)  # thigh
    canvas.line([(0.66, 0.93), (1.07, 0.83)], _DENIM, 0.17)
    canvas.line([(1.08, 0.82), (0.90, 0.46)], edge, 0.16)  # shin
    canvas.line([(1.07, 0.82), (0.90, 0.46)], _DENIM, 0.13)
    canvas.fill(curve([(0.82, 0.30), (0.80, 0.44), (0.96, 0.44), (1.10, 0.34), (1.08, 0.29)]), BLACK)  # boot
    canvas.fill(
        curve([(0.48, 0.88), (0.52, 1.08), (0.74, 1.26), (0.98, 1.31), (1.10, 1.20), (1.00, 1.04), (0.84, 0.90)]),
        jacket,
    )
    canvas.line([(0.60, 1.06), (0.86, 1.00)], mix(jacket, paint, 0.7), 0.05)
    canvas.line([(1.00, 1.20), (1.14, 1.02)], edge, 0.14)  # arm
    canvas.line([(1.14, 1.02), (1.34, 1.08)], edge, 0.11)
    canvas.line([(1.00, 1.20), (1.14, 1.02)], mix(jacket, (255, 255, 255), 0.10), 0.11)
    canvas.line([(1.14, 1.02), (1.32, 1.07)], mix(jacket, (255, 255, 255), 0.10), 0.08)
    canvas.disc((1.34, 1.08), 0.05, BLACK)
    canvas.oval((1.12, 1.36), (0.155, 0.14), mix(paint, BLACK, 0.15), 8)
    canvas.fill(curve([(1.15, 1.28), (1.15, 1.41), (1.26, 1.42), (1.29, 1.33), (1.24, 1.27)]), (36, 32, 30))
    canvas.oval((1.07, 1.43), (0.06, 0.025), mix(paint, (255, 255, 255), 0.5), 25)
