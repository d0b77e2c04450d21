"""How the simulator's boom barriers look: a post beside the lane, and a striped arm that swings up out of the way.

The arm lies across the lane, so in this side view it leads into the depth: what is farther away is drawn smaller and
higher, as on the floor.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from edge.core.events import Direction
from edge.simulator.drawing.canvas import Canvas, Place, mix
from edge.simulator.drawing.sprites import ABOVE, BELOW, Shadow, Sprite, Stage, by_origin, cut_sprite, mirrored
from edge.simulator.traffic.barrier import ARM
from edge.simulator.traffic.kinds import DEPTH, FAR, HORIZON, METRE, MIDDLE, NEAR, NEAR_FLOOR, Lane, scale_at

if TYPE_CHECKING:
    from edge.simulator.drawing.garage import View
    from edge.simulator.traffic.appearance import Colour

RED: Colour = (36, 32, 190)
WHITE: Colour = (236, 236, 236)
DARK: Colour = (44, 42, 42)
BOX: Colour = (40, 150, 220)
PIVOT = 1.0  # metres over the ground
STRIPE = 0.30
LEAN = 0.20  # radians by which the arm points ahead, away from who waits
ACROSS = 640.0  # the drawing's width


class Arm(NamedTuple):
    """Where a lane's barrier stands, in fractions of the width and rows of the drawing, and its arm's way in metres.

    ``length`` is negative for an arm that leads away from the camera.
    """

    x: float
    floor: float
    length: float


# The nearer lane's post is before it, the others' behind them.
ARMS = {NEAR: Arm(ARM, 338.0, -3.0), MIDDLE: Arm(ARM, 262.0, 2.4), FAR: Arm(1 - ARM, 239.0, 2.2)}


def barrier_sprite(view: View, dim: tuple[float, float, float], lane: Lane, lift: float) -> Sprite:
    """A lane's barrier with its arm ``lift`` (0..1) of the way up, placed by the foot of its post."""
    arm = ARMS[lane]
    stage = Stage(2.4, PIVOT + abs(arm.length) + BELOW + ABOVE, 1.2)
    draw = partial(_draw, arm=arm, lift=lift)
    sprite = by_origin(cut_sprite(view, scale_at(arm.floor), stage, dim, draw, Shadow(-0.2, 0.2, 0.4)), stage)
    return mirrored(sprite) if lane.direction is Direction.EXIT else sprite


def _draw(canvas: Canvas, arm: Arm, lift: float) -> None:
    if arm.length > 0:
        _post(canvas)
    _boom(canvas, arm, lift)
    if arm.length < 0:
        _post(canvas)


def _post(canvas: Canvas) -> None:
    canvas.fill([(-0.17, 0.0), (-0.17, 1.06), (0.17, 1.06), (0.17, 0.0)], mix(BOX, DARK, 0.35))
    canvas.fill([(-0.14, 0.03), (-0.14, 1.02), (0.08, 1.02), (0.08, 0.03)], BOX)
    canvas.fill([(-0.11, 0.60), (-0.11, 0.92), (0.05, 0.92), (0.05, 0.60)], mix(BOX, DARK, 0.75))
    canvas.fill([(-0.19, 1.04), (-0.19, 1.10), (0.19, 1.10), (0.19, 1.04)], DARK)
    canvas.fill([(-0.20, 0.0), (-0.20, 0.05), (0.20, 0.05), (0.20, 0.0)], DARK)


def _boom(canvas: Canvas, arm: Arm, lift: float) -> None:
    length = abs(arm.length)
    _bar(canvas, arm, lift, -0.45, 0.0, DARK, 0.20)  # what balances it
    _bar(canvas, arm, lift, 0.0, length, DARK, 0.15)
    for number in range(math.ceil(length / STRIPE)):
        colour = WHITE if number % 2 else RED
        _bar(canvas, arm, lift, number * STRIPE, min((number + 1) * STRIPE, length), colour, 0.11)


def _bar(canvas: Canvas, arm: Arm, lift: float, first: float, last: float, colour: Colour, wide: float) -> None:
    ends = [_seen(arm, lift, along) for along in (first, last)]
    (x1, y1), (x2, y2) = ends
    way = math.hypot(x2 - x1, y2 - y1) or 1.0
    # Square ends, so that the stripes are as long as they are.
    a, b = -(y2 - y1) / way * wide / 2, (x2 - x1) / way * wide / 2
    canvas.fill([(x1 + a, y1 + b), (x2 + a, y2 + b), (x2 - a, y2 - b), (x1 - a, y1 - b)], colour)


def _seen(arm: Arm, lift: float, along: float) -> Place:
    """Where a point of the arm is seen, in metres of the post's own scale."""
    angle = lift * math.pi / 2
    run = along * math.cos(angle)
    toward = math.copysign(run, arm.length) if along >= 0 else -math.copysign(run, arm.length)
    own = scale_at(arm.floor)
    scale = DEPTH / (DEPTH / own - toward * math.cos(LEAN))
    floor = HORIZON + scale * (NEAR_FLOOR - HORIZON)
    row = floor - (PIVOT + along * math.sin(angle)) * METRE * ACROSS * scale
    return run * math.sin(LEAN) * scale / own, (arm.floor - row) / (METRE * ACROSS * own)
