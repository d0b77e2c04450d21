"""Draws the simulator's boom barriers: a post beside the lane, and a striped arm that swings up.

The arm lies across the lane, so in this side view it leads into the depth: its farther end is drawn smaller and
higher, as on the floor.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from edge.core.events import Direction
from edge.simulator.drawing.colours import mix
from edge.simulator.drawing.garage import DRAWING_WIDTH
from edge.simulator.drawing.sprites import (
    METRES_ABOVE,
    METRES_BELOW,
    Shadow,
    Sprite,
    SpriteArea,
    make_sprite,
    mirrored,
    placed_by_origin,
)
from edge.simulator.traffic.barrier import ARM_PLACE
from edge.simulator.traffic.kinds import (
    FAR_LANE,
    HORIZON_ROW,
    MIDDLE_LANE,
    NEAR_LANE,
    NEAR_LANE_METRES,
    NEAR_LANE_ROW,
    WIDTHS_PER_METRE,
    Lane,
    scale_at,
)

if TYPE_CHECKING:
    from edge.simulator.drawing.canvas import Canvas, Coordinates
    from edge.simulator.drawing.garage import View
    from edge.simulator.traffic.appearance import Colour

_RED: Colour = (36, 32, 190)
_WHITE: Colour = (236, 236, 236)
_DARK: Colour = (44, 42, 42)
_POST: Colour = (40, 150, 220)
_PIVOT_METRES = 1.0  # over the ground
_STRIPE_METRES = 0.30
_LEAN = 0.20  # radians by which the arm points ahead, away from the vehicle that waits


class Arm(NamedTuple):
    """A lane's barrier: ``x`` is a fraction of the width, ``row`` is of the drawing, ``length`` the arm's metres.

    ``length`` is negative for an arm that leads away from the camera.
    """

    x: float
    row: float
    length: float


# The post of the nearest lane stands before it, those of the other lanes behind them.
ARMS = {
    NEAR_LANE: Arm(ARM_PLACE, 338.0, -3.0),
    MIDDLE_LANE: Arm(ARM_PLACE, 262.0, 2.4),
    FAR_LANE: Arm(1 - ARM_PLACE, 239.0, 2.2),
}


def barrier_sprite(view: View, light: tuple[float, float, float], lane: Lane, lift: float) -> Sprite:
    """A lane's barrier with its arm ``lift`` (0 to 1) of its swing, placed by the foot of its post."""
    arm = ARMS[lane]
    area = SpriteArea(2.4, _PIVOT_METRES + abs(arm.length) + METRES_BELOW + METRES_ABOVE, 1.2)
    draw = partial(_draw, arm=arm, lift=lift)
    sprite = placed_by_origin(make_sprite(view, scale_at(arm.row), area, light, draw, Shadow(-0.2, 0.2, 0.4)), area)
    return mirrored(sprite) if lane.direction is Direction.EXIT else sprite


def _draw(canvas: Canvas, arm: Arm, lift: float) -> None:
    if arm.length > 0:
        _post(canvas)
    _boom(canvas, arm, lift)
    if arm.length < 0:
        _post(canvas)


def _post(canvas: Canvas) -> None:
    canvas.fill([(-0.17, 0.0), (-0.17, 1.06), (0.17, 1.06), (0.17, 0.0)], mix(_POST, _DARK, 0.35))
    canvas.fill([(-0.14, 0.03), (-0.14, 1.02), (0.08, 1.02), (0.08, 0.03)], _POST)
    canvas.fill([(-0.11, 0.60), (-0.11, 0.92), (0.05, 0.92), (0.05, 0.60)], mix(_POST, _DARK, 0.75))
    canvas.fill([(-0.19, 1.04), (-0.19, 1.10), (0.19, 1.10), (0.19, 1.04)], _DARK)
    canvas.fill([(-0.20, 0.0), (-0.20, 0.05), (0.20, 0.05), (0.20, 0.0)], _DARK)


def _boom(canvas: Canvas, arm: Arm, lift: float) -> None:
    length = abs(arm.length)
    _bar(canvas, arm, lift, -0.45, 0.0, _DARK, 0.20)  # counterweight
    _bar(canvas, arm, lift, 0.0, length, _DARK, 0.15)
    for number in range(math.ceil(length / _STRIPE_METRES)):
        colour = _WHITE if number % 2 else _RED
        _bar(canvas, arm, lift, number * _STRIPE_METRES, min((number + 1) * _STRIPE_METRES, length), colour, 0.11)


def _bar(canvas: Canvas, arm: Arm, lift: float, first: float, last: float, colour: Colour, wide: float) -> None:
    (x1, y1), (x2, y2) = (_projected(arm, lift, along) for along in (first, last))
    length = math.hypot(x2 - x1, y2 - y1) or 1.0
    # A polygon with square ends: a thick line's round ends would make the stripes longer.
    a, b = -(y2 - y1) / length * wide / 2, (x2 - x1) / length * wide / 2
    canvas.fill([(x1 + a, y1 + b), (x2 + a, y2 + b), (x2 - a, y2 - b), (x1 - a, y1 - b)], colour)


def _projected(arm: Arm, lift: float, along: float) -> Coordinates:
    """Where the point ``along`` metres from the pivot appears, in metres of the post's own scale."""
    angle = lift * math.pi / 2
    run = along * math.cos(angle)
    toward = math.copysign(run, arm.length) if along >= 0 else -math.copysign(run, arm.length)
    own = scale_at(arm.row)
    scale = NEAR_LANE_METRES / (NEAR_LANE_METRES / own - toward * math.cos(_LEAN))
    ground = HORIZON_ROW + scale * (NEAR_LANE_ROW - HORIZON_ROW)
    row = ground - (_PIVOT_METRES + along * math.sin(angle)) * WIDTHS_PER_METRE * DRAWING_WIDTH * scale
    return run * math.sin(_LEAN) * scale / own, (arm.row - row) / (WIDTHS_PER_METRE * DRAWING_WIDTH * own)
