"""Draws the simulator's cars and van from the side, facing right. Lengths are metres."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from edge.simulator.drawing.canvas import Canvas, Coordinates, curve
from edge.simulator.drawing.colours import BLACK, RUBBER, TAIL_LAMP, TRIM, WHITE, mix

if TYPE_CHECKING:
    from edge.simulator.traffic.appearance import Colour


def draw_sedan(canvas: Canvas, paint: Colour) -> None:
    """A four-door car, 4.6 m long and 1.45 m high."""
    body = curve(
        [
            (0.14, 0.26), (0.14, 0.26), (0.03, 0.42), (0.01, 0.62), (0.06, 0.86), (0.12, 0.97), (0.35, 1.015),
            (0.78, 1.05), (1.12, 1.24), (1.45, 1.38), (1.85, 1.44), (2.25, 1.445), (2.62, 1.39), (2.95, 1.22),
            (3.30, 1.01), (3.75, 0.93), (4.20, 0.82), (4.47, 0.68), (4.58, 0.50), (4.58, 0.34), (4.50, 0.22),
            (4.50, 0.22),
        ]
    )  # fmt: skip
    glass = curve(
        [
            (0.98, 1.05), (0.98, 1.05), (1.24, 1.235), (1.52, 1.335), (1.88, 1.375), (2.24, 1.375),
            (2.56, 1.315), (2.83, 1.17), (3.06, 1.02), (3.06, 1.02),
        ]
    )  # fmt: skip
    _shell(canvas, body, paint, top=1.44, belt=1.0)
    _windows(canvas, glass, bottom=1.0, top=1.38, pillars=((2.02, 0.07, 1.38), (1.33, 0.05, 1.26)))
    _doors(canvas, paint, belt=0.99, sill=0.30, cuts=((3.02, 0.0), (2.03, 0.0), (1.20, 0.12)), handles=(2.20, 1.36))
    _mirror(canvas, (2.93, 1.03), paint)
    _sill(canvas, 1.20, 3.36)
    _lights(canvas, front=(4.50, 0.66), rear=(0.06, 0.80))
    _bumpers(canvas, 4.6, paint)
    for x in (0.88, 3.68):
        _wheel(canvas, (x, 0.325), 0.325)


def draw_hatchback(canvas: Canvas, paint: Colour) -> None:
    """A small car with a steep tail, 4.0 m long and 1.5 m high."""
    body = curve(
        [
            (0.14, 0.26), (0.14, 0.26), (0.03, 0.42), (0.02, 0.66), (0.10, 0.95), (0.24, 1.20), (0.42, 1.40),
            (0.80, 1.475), (1.30, 1.50), (1.72, 1.485), (2.08, 1.40), (2.42, 1.20), (2.72, 1.03), (3.15, 0.95),
            (3.60, 0.84), (3.88, 0.68), (3.98, 0.50), (3.98, 0.34), (3.90, 0.22), (3.90, 0.22),
        ]
    )  # fmt: skip
    glass = curve(
        [
            (0.42, 1.05), (0.42, 1.05), (0.55, 1.30), (0.84, 1.405), (1.30, 1.43), (1.68, 1.415), (2.00, 1.33),
            (2.28, 1.16), (2.50, 1.03), (2.50, 1.03),
        ]
    )  # fmt: skip
    _shell(canvas, body, paint, top=1.50, belt=1.0)
    _windows(canvas, glass, bottom=1.0, top=1.43, pillars=((1.52, 0.07, 1.43), (0.82, 0.06, 1.39)))
    _doors(canvas, paint, belt=1.0, sill=0.30, cuts=((2.46, 0.0), (1.53, 0.0), (0.92, 0.10)), handles=(1.70, 1.02))
    _mirror(canvas, (2.38, 1.05), paint)
    _sill(canvas, 1.04, 2.86)
    _lights(canvas, front=(3.90, 0.68), rear=(0.10, 0.86))
    _bumpers(canvas, 4.0, paint)
    for x in (0.74, 3.16):
        _wheel(canvas, (x, 0.315), 0.315)


def draw_van(canvas: Canvas, paint: Colour) -> None:
    """A van with windows all round, 4.9 m long and 1.9 m high."""
    body = curve(
        [
            (0.10, 0.28), (0.10, 0.28), (0.02, 0.50), (0.03, 0.92), (0.16, 1.34), (0.36, 1.70), (0.62, 1.84),
            (1.40, 1.90), (2.40, 1.90), (2.90, 1.86), (3.20, 1.74), (3.62, 1.44), (4.00, 1.16), (4.40, 1.03),
            (4.70, 0.88), (4.84, 0.70), (4.88, 0.50), (4.87, 0.34), (4.80, 0.24), (4.80, 0.24),
        ]
    )  # fmt: skip
    glass = curve(
        [
            (0.34, 1.16), (0.34, 1.16), (0.56, 1.58), (0.74, 1.74), (1.40, 1.78), (2.40, 1.78), (2.84, 1.74),
            (3.12, 1.63), (3.50, 1.36), (3.72, 1.16), (3.72, 1.16),
        ]
    )  # fmt: skip
    _shell(canvas, body, paint, top=1.90, belt=1.14)
    _windows(canvas, glass, bottom=1.14, top=1.78, pillars=((2.62, 0.07, 1.77), (1.52, 0.06, 1.78), (3.36, 0.03, 1.46)))
    _doors(canvas, paint, belt=1.12, sill=0.32, cuts=((3.64, 0.06), (2.62, 0.0), (1.50, 0.0)), handles=(2.72, 2.36))
    _mirror(canvas, (3.62, 1.18), paint)
    _sill(canvas, 1.26, 3.66)
    _lights(canvas, front=(4.80, 0.80), rear=(0.07, 1.00))
    _bumpers(canvas, 4.9, paint)
    for x in (0.92, 4.00):
        _wheel(canvas, (x, 0.34), 0.34)


def _shell(canvas: Canvas, body: list[Coordinates], paint: Colour, top: float, belt: float) -> None:
    dark, deep = mix(paint, BLACK, 0.35), mix(paint, BLACK, 0.62)
    light, shine = mix(paint, WHITE, 0.16), mix(paint, WHITE, 0.34)
    canvas.shade(
        body,
        [
            (0.2, deep), (0.34, dark), (0.52, mix(paint, BLACK, 0.16)), (belt - 0.24, paint),
            (belt - 0.16, light), (belt - 0.10, shine), (belt - 0.05, light), (belt, paint),
            (top - 0.10, light), (top, shine),
        ],
    )  # fmt: skip


def _windows(
    canvas: Canvas,
    glass: list[Coordinates],
    bottom: float,
    top: float,
    pillars: tuple[tuple[float, float, float], ...] = (),
) -> None:
    canvas.line([*glass, glass[0]], TRIM, 0.05)
    canvas.shade(glass, [(bottom, (38, 34, 30)), ((bottom + top) / 2, (66, 60, 54)), (top, (104, 98, 92))])
    for x, width, end in pillars:
        canvas.fill([(x - width, bottom), (x - width * 0.2, end), (x + width * 0.8, end), (x + width, bottom)], TRIM)


def _doors(
    canvas: Canvas,
    paint: Colour,
    belt: float,
    sill: float,
    cuts: tuple[tuple[float, float], ...],
    handles: tuple[float, ...],
) -> None:
    line = mix(paint, BLACK, 0.6)
    for x, lean in cuts:
        canvas.line([(x, belt), (x - lean * 0.2, (belt + sill) / 2 + 0.1), (x + lean, sill)], line, 0.022)
    canvas.line([(cuts[-1][0], 0.62), (cuts[0][0] + 0.1, 0.60)], mix(paint, BLACK, 0.3), 0.03)
    for x in handles:
        canvas.line([(x, belt - 0.13), (x + 0.17, belt - 0.13)], mix(paint, BLACK, 0.5), 0.045)


def _mirror(canvas: Canvas, at: Coordinates, paint: Colour) -> None:
    x, y = at
    canvas.fill(curve([(x - 0.10, y), (x - 0.06, y + 0.12), (x + 0.08, y + 0.13), (x + 0.13, y + 0.02)]), BLACK)
    canvas.fill(curve([(x - 0.07, y), (x - 0.04, y + 0.10), (x + 0.06, y + 0.11), (x + 0.10, y + 0.02)]), paint)


def _sill(canvas: Canvas, rear: float, front: float) -> None:
    canvas.fill([(rear, 0.18), (rear - 0.02, 0.30), (front + 0.02, 0.30), (front, 0.18)], TRIM)


def _lights(canvas: Canvas, front: Coordinates, rear: Coordinates) -> None:
    x, y = front
    lamp = (222, 216, 205)
    canvas.fill(curve([(x + 0.04, y - 0.07), (x - 0.06, y + 0.05), (x - 0.40, y + 0.12), (x - 0.30, y)]), BLACK)
    canvas.fill(curve([(x + 0.02, y - 0.05), (x - 0.07, y + 0.03), (x - 0.36, y + 0.09), (x - 0.28, y + 0.01)]), lamp)
    x, y = rear
    canvas.fill(curve([(x - 0.02, y - 0.12), (x, y + 0.10), (x + 0.30, y + 0.09), (x + 0.22, y - 0.06)]), TAIL_LAMP)


def _bumpers(canvas: Canvas, length: float, paint: Colour) -> None:
    dark = mix(paint, BLACK, 0.7)
    canvas.line([(0.06, 0.44), (0.40, 0.42)], dark, 0.03)
    canvas.line([(length - 0.42, 0.40), (length - 0.06, 0.42)], dark, 0.03)
    canvas.fill([(length - 0.30, 0.24), (length - 0.10, 0.24), (length - 0.06, 0.33), (length - 0.28, 0.33)], BLACK)


def _wheel(canvas: Canvas, centre: Coordinates, radius: float) -> None:
    """A tyre with a five-spoke rim in a dark arch."""
    x, y = centre
    arch = [math.radians(step * 9) for step in range(-2, 23)]
    canvas.fill([(x + math.cos(a) * radius * 1.2, y + 0.02 + math.sin(a) * radius * 1.2) for a in arch], BLACK)
    canvas.disc(centre, radius, RUBBER)
    canvas.disc(centre, radius * 0.86, (52, 50, 48), 0.02)
    canvas.disc(centre, radius * 0.70, (58, 56, 54))
    for spoke in range(5):
        angle = math.radians(90 + 72 * spoke)
        tip = (x + math.cos(angle) * radius * 0.62, y + math.sin(angle) * radius * 0.62)
        canvas.line([centre, tip], (200, 198, 194), radius * 0.22)
    canvas.disc(centre, radius * 0.66, (206, 204, 200), radius * 0.10)
    canvas.disc(centre, radius * 0.17, (150, 148, 146))
