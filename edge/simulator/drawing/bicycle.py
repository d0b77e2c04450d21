"""Draws the simulator's bicycle and its rider from the side, facing right. Lengths are metres."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from edge.simulator.drawing.canvas import Canvas, Coordinates, curve
from edge.simulator.drawing.colours import BLACK, RUBBER, TAIL_LAMP, WHITE, mix

if TYPE_CHECKING:
    from edge.simulator.traffic.appearance import Colour

_STEEL: Colour = (168, 166, 162)
_SKIN: Colour = (150, 180, 220)
_JEANS: Colour = (98, 70, 46)

_REAR_AXLE, _FRONT_AXLE, _WHEEL_RADIUS = (0.34, 0.34), (1.41, 0.34), 0.33
_CRANK_AXLE, _CRANK_LENGTH = (0.80, 0.30), 0.16
_SADDLE, _HANDLEBAR, _HIP = (0.62, 0.94), (1.20, 1.02), (0.64, 0.99)
_THIGH_LENGTH, _SHIN_LENGTH = 0.43, 0.42


def draw_bicycle(canvas: Canvas, paint: Colour, turn: float = 0.0) -> None:
    """A city bicycle, 1.75 m long, with a rider who sits upright: 1.75 m high together.

    ``turn`` is the angle of the cranks (radians).
    """
    _leg(canvas, turn + math.pi, 0.35)
    for centre in (_REAR_AXLE, _FRONT_AXLE):
        _wheel(canvas, centre)
    _frame(canvas, paint)
    _pedals(canvas, turn)
    _body(canvas, paint)
    _leg(canvas, turn, 0.0)
    _arm(canvas, paint)


def _wheel(canvas: Canvas, centre: Coordinates) -> None:
    x, y = centre
    canvas.disc(centre, _WHEEL_RADIUS - 0.02, RUBBER, 0.04)
    canvas.disc(centre, _WHEEL_RADIUS - 0.045, _STEEL, 0.018)
    for spoke in range(14):
        angle = 2 * math.pi * spoke / 14
        canvas.line([centre, (x + math.cos(angle) * 0.28, y + math.sin(angle) * 0.28)], (132, 130, 128), 0.008)
    canvas.disc(centre, 0.035, (80, 78, 76))


def _frame(canvas: Canvas, paint: Colour) -> None:
    head, seat = (1.14, 0.86), (0.66, 0.80)
    for a, b in ((_CRANK_AXLE, head), (_CRANK_AXLE, seat), (seat, head), (_REAR_AXLE, _CRANK_AXLE), (_REAR_AXLE, seat)):
        canvas.line([a, b], mix(paint, BLACK, 0.4), 0.042)
        canvas.line([a, b], paint, 0.030)
    canvas.line([_FRONT_AXLE, head, (1.12, 0.98)], mix(paint, BLACK, 0.2), 0.034)
    canvas.line([(1.12, 0.98), _HANDLEBAR, (1.10, 1.03)], BLACK, 0.03)
    canvas.line([seat, _SADDLE], _STEEL, 0.03)
    canvas.fill(curve([(0.46, 0.97), (0.50, 0.92), (0.76, 0.93), (0.78, 0.96), (0.60, 0.97)]), BLACK)
    arc = [math.radians(step) for step in range(40, 181, 10)]
    canvas.line([(_REAR_AXLE[0] + math.cos(a) * 0.36, _REAR_AXLE[1] + math.sin(a) * 0.36) for a in arc], BLACK, 0.022)
    arc = [math.radians(step) for step in range(20, 131, 10)]
    canvas.line([(_FRONT_AXLE[0] + math.cos(a) * 0.36, _FRONT_AXLE[1] + math.sin(a) * 0.36) for a in arc], BLACK, 0.022)
    canvas.line([(0.26, 0.74), (0.62, 0.74)], _STEEL, 0.02)
    canvas.line([(0.30, 0.74), (0.34, 0.36)], _STEEL, 0.015)
    canvas.line([(_REAR_AXLE[0], _REAR_AXLE[1] - 0.04), (_CRANK_AXLE[0], _CRANK_AXLE[1] - 0.09)], (70, 68, 66), 0.012)
    canvas.disc((1.22, 0.84), 0.035, (210, 208, 204))
    canvas.disc((0.16, 0.68), 0.022, TAIL_LAMP)


def _pedals(canvas: Canvas, turn: float) -> None:
    canvas.disc(_CRANK_AXLE, 0.09, (70, 68, 66))
    canvas.disc(_CRANK_AXLE, 0.05, _STEEL)
    for angle in (turn, turn + math.pi):
        pedal = _pedal(angle)
        canvas.line([_CRANK_AXLE, pedal], _STEEL, 0.028)
        canvas.line([(pedal[0] - 0.05, pedal[1]), (pedal[0] + 0.05, pedal[1])], BLACK, 0.03)


def _pedal(angle: float) -> Coordinates:
    # Forwards is clockwise when the bicycle faces right.
    return _CRANK_AXLE[0] + math.cos(angle) * _CRANK_LENGTH, _CRANK_AXLE[1] - math.sin(angle) * _CRANK_LENGTH


def _leg(canvas: Canvas, turn: float, dark: float) -> None:
    pedal = _pedal(turn)
    ankle = (pedal[0] - 0.05, pedal[1] + 0.10)
    wide, high = ankle[0] - _HIP[0], ankle[1] - _HIP[1]
    reach = min(math.hypot(wide, high), _THIGH_LENGTH + _SHIN_LENGTH - 0.001)
    # The knee by the law of cosines, in front of the line from hip to ankle.
    share = math.acos((_THIGH_LENGTH**2 + reach**2 - _SHIN_LENGTH**2) / (2 * _THIGH_LENGTH * reach))
    angle = math.atan2(high, wide) + share
    knee = (_HIP[0] + math.cos(angle) * _THIGH_LENGTH, _HIP[1] + math.sin(angle) * _THIGH_LENGTH)
    cloth, edge = mix(_JEANS, BLACK, dark), mix(_JEANS, BLACK, 0.5)
    for colour, more in ((edge, 0.016), (cloth, 0.0)):
        canvas.line([_HIP, knee], colour, 0.150 + more)
        canvas.line([knee, ankle], colour, 0.105 + more)
    canvas.line([(pedal[0] - 0.08, pedal[1] + 0.045), (pedal[0] + 0.12, pedal[1] + 0.03)], (40, 40, 44), 0.06)


def _body(canvas: Canvas, paint: Colour) -> None:
    coat = mix(paint, WHITE, 0.12)
    shape = curve(
        [
            (0.52, 0.93), (0.52, 0.93), (0.50, 1.08), (0.58, 1.28), (0.70, 1.43), (0.80, 1.46), (0.88, 1.40),
            (0.86, 1.24), (0.78, 1.06), (0.76, 0.93), (0.76, 0.93),
        ]
    )  # fmt: skip
    canvas.shade(shape, [(0.92, mix(coat, BLACK, 0.4)), (1.10, coat), (1.46, mix(coat, WHITE, 0.18))])
    canvas.line([*shape, shape[0]], mix(coat, BLACK, 0.5), 0.012)
    canvas.line([(0.80, 1.42), (0.85, 1.52)], mix(_SKIN, BLACK, 0.2), 0.09)
    canvas.oval((0.87, 1.60), (0.085, 0.115), _SKIN, -4)
    canvas.fill([(0.945, 1.62), (0.975, 1.58), (0.94, 1.57)], _SKIN)
    canvas.disc((0.93, 1.615), 0.010, BLACK)
    helmet = curve([(0.96, 1.65), (0.92, 1.72), (0.84, 1.75), (0.75, 1.71), (0.72, 1.62), (0.80, 1.64)])
    canvas.shade(helmet, [(1.62, mix(paint, BLACK, 0.5)), (1.75, mix(paint, WHITE, 0.4))])
    canvas.line([(0.86, 1.63), (0.88, 1.50)], BLACK, 0.012)


def _arm(canvas: Canvas, paint: Colour) -> None:
    coat = mix(paint, WHITE, 0.12)
    shoulder, elbow, hand = (0.79, 1.36), (0.93, 1.12), (1.15, 1.05)
    for colour, more in ((mix(coat, BLACK, 0.55), 0.016), (coat, 0.0)):
        canvas.line([shoulder, elbow], colour, 0.085 + more)
        canvas.line([elbow, hand], colour, 0.065 + more)
    canvas.disc(hand, 0.042, _SKIN)
