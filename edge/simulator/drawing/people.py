"""Draws the simulator's people from the side, walking to the right, some behind a trolley or a pram.

Lengths are metres. The origin is the ground under the hips; x grows in the direction of walking, y upwards.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from edge.simulator.drawing.canvas import Canvas, Coordinates, curve
from edge.simulator.drawing.colours import WHITE, mix

if TYPE_CHECKING:
    from edge.simulator.traffic.appearance import Colour, PersonLook

_DARK: Colour = (20, 20, 22)
_SHOE: Colour = (34, 34, 38)

# In heights of the body; a stride is two steps.
STRIDE_HEIGHTS = 0.83
_ARM_HEIGHTS, _FOREARM_HEIGHTS = 0.170, 0.150
_THIGH_HEIGHTS, _SHIN_HEIGHTS, _ANKLE_HEIGHTS = 0.250, 0.232, 0.045
_HIP_TO_NECK_HEIGHTS = 0.305
_HANDLE: Coordinates = (0.48, 1.02)  # of trolley and pram


class _Leg(NamedTuple):
    knee: Coordinates
    ankle: Coordinates
    toe: Coordinates
    heel: Coordinates


def person_extent(person: PersonLook) -> tuple[float, float]:
    """Metres that the drawing reaches behind and before the hips, at any step."""
    ahead = {"": 0.35 * person.height, "trolley": 1.52, "pram": 1.50}
    return 0.32 * person.height, ahead[person.pushes]


def draw_person(canvas: Canvas, person: PersonLook, walked: float) -> None:
    """Draw a person who has walked ``walked`` metres: legs and arms swing with the distance."""
    tall = person.height
    turn = 2 * math.pi * walked / (STRIDE_HEIGHTS * tall)
    near, far = _leg(turn, tall), _leg(turn + math.pi, tall)
    # The lower foot stands on the ground, so the body rises and falls with the step.
    hips = -min(*(end[1] for leg in (near, far) for end in (leg.toe, leg.heel)))
    lean = 0.05 if not person.pushes else 0.11
    neck = (math.sin(lean) * _HIP_TO_NECK_HEIGHTS * tall, hips + math.cos(lean) * _HIP_TO_NECK_HEIGHTS * tall)
    shoulder = (neck[0] - 0.005 * tall, neck[1] - 0.025 * tall)
    swing = -0.42 * math.sin(turn)  # against the leg of the same side
    _arm(canvas, person, shoulder, -swing if not person.pushes else None, 0.35)
    _draw_leg(canvas, person, far, hips, 0.30)
    _draw_leg(canvas, person, near, hips, 0.0)
    _torso(canvas, person, hips, neck)
    _head(canvas, person, neck)
    if person.pushes == "trolley":
        _trolley(canvas)
    elif person.pushes == "pram":
        _pram(canvas, person)
    _arm(canvas, person, shoulder, swing if not person.pushes else None, 0.0)


def _turned(start: Coordinates, angle: float, length: float) -> Coordinates:
    """The end of a limb that hangs from ``start``, swung forwards by ``angle`` (radians)."""
    return start[0] + math.sin(angle) * length, start[1] - math.cos(angle) * length


def _leg(turn: float, tall: float) -> _Leg:
    """A leg that hangs from hips at (0, 0), at angle ``turn`` (radians) of the stride."""
    thigh = 0.06 + 0.44 * math.sin(turn)
    # The knee bends while the leg swings forwards, and gives a little under the weight.
    bend = 0.10 + 0.90 * max(math.cos(turn + 0.25), 0.0) ** 2
    knee = _turned((0.0, 0.0), thigh, _THIGH_HEIGHTS * tall)
    ankle = _turned(knee, thigh - bend, _SHIN_HEIGHTS * tall)
    tilt = 0.75 * (thigh - bend) + 0.10
    toe = _turned(ankle, tilt + 1.15, 0.115 * tall)
    heel = _turned(ankle, tilt - 0.45, _ANKLE_HEIGHTS * tall)
    return _Leg(knee, ankle, toe, heel)


def _draw_leg(canvas: Canvas, person: PersonLook, leg: _Leg, hips: float, dark: float) -> None:
    tall = person.height
    cloth, edge = mix(person.trousers, _DARK, dark), mix(person.trousers, _DARK, 0.45)
    hip, knee, ankle, toe, heel = ((x, y + hips) for x, y in ((0.0, 0.0), *leg))
    canvas.fill(curve([heel, (ankle[0] + 0.02 * tall, ankle[1]), toe, (toe[0], toe[1] - 0.012 * tall)]), _SHOE)
    canvas.line([heel, toe], mix(_SHOE, _DARK, dark), 0.030 * tall)
    for colour, more in ((edge, 0.010), (cloth, 0.0)):
        canvas.line([hip, knee], colour, (0.096 + more) * tall)
        canvas.line([knee, ankle], colour, (0.072 + more) * tall)
    canvas.line(
        [(knee[0] + 0.012 * tall, knee[1]), (ankle[0] + 0.010 * tall, ankle[1])], mix(cloth, WHITE, 0.10), 0.02 * tall
    )


def _torso(canvas: Canvas, person: PersonLook, hips: float, neck: Coordinates) -> None:
    tall = person.height
    lean = neck[0] / (_HIP_TO_NECK_HEIGHTS * tall)

    def at(x: float, y: float) -> Coordinates:
        return (x + lean * y) * tall, hips + y * tall

    back = [at(-0.075, -0.045), at(-0.080, 0.04), at(-0.078, 0.14), at(-0.084, 0.22), at(-0.055, 0.285)]
    front = [at(0.025, 0.300), at(0.068, 0.25), at(0.080, 0.18), at(0.072, 0.08), at(0.076, -0.045)]
    shape = curve([back[0], *back, *front, front[-1]])
    low, high = hips - 0.045 * tall, hips + 0.30 * tall
    canvas.shade(
        shape,
        [
            (low, mix(person.top, _DARK, 0.35)), (low + 0.06 * tall, person.top),
            (high - 0.08 * tall, mix(person.top, WHITE, 0.10)), (high, mix(person.top, WHITE, 0.22)),
        ],
    )  # fmt: skip
    canvas.line([shape[0], *shape, shape[0]], mix(person.top, _DARK, 0.45), 0.008 * tall)
    if person.bag:
        bag = [at(-0.062, 0.06), at(-0.125, 0.07), at(-0.135, 0.16), at(-0.115, 0.25), at(-0.062, 0.262)]
        canvas.fill(curve([bag[0], *bag, bag[-1]]), (58, 52, 48))
        canvas.line([at(-0.075, 0.10), at(-0.125, 0.11)], (90, 84, 78), 0.01 * tall)


def _head(canvas: Canvas, person: PersonLook, neck: Coordinates) -> None:
    tall = person.height
    x, y = neck[0] + 0.022 * tall, neck[1] + 0.088 * tall
    canvas.line(
        [(neck[0] - 0.004 * tall, neck[1] - 0.01 * tall), (x - 0.008 * tall, y - 0.03 * tall)],
        mix(person.skin, _DARK, 0.2),
        0.052 * tall,
    )
    if person.long_hair:
        canvas.oval((x - 0.040 * tall, y - 0.045 * tall), (0.034 * tall, 0.075 * tall), person.hair, 6)
    canvas.oval((x, y), (0.057 * tall, 0.072 * tall), person.skin, 8)
    canvas.fill(
        [
            (x + 0.044 * tall, y + 0.012 * tall),
            (x + 0.060 * tall, y - 0.012 * tall),
            (x + 0.042 * tall, y - 0.016 * tall),
        ],
        person.skin,
    )
    hair = [
        (0.046, 0.034), (0.030, 0.066), (-0.010, 0.078), (-0.048, 0.058), (-0.060, 0.010), (-0.050, -0.036),
        (-0.030, -0.030), (-0.020, 0.005), (0.000, 0.030),
    ]  # fmt: skip
    canvas.fill(curve([(x + a * tall, y + b * tall) for a, b in hair]), person.hair)
    canvas.disc((x + 0.034 * tall, y + 0.008 * tall), 0.006 * tall, _DARK)
    canvas.oval((x - 0.010 * tall, y - 0.004 * tall), (0.009 * tall, 0.015 * tall), mix(person.skin, _DARK, 0.22))


def _arm(canvas: Canvas, person: PersonLook, shoulder: Coordinates, swing: float | None, dark: float) -> None:
    """Draw an arm that swings, or that holds a handle where ``swing`` is None."""
    tall = person.height
    if swing is None:
        hand = _HANDLE
        middle = ((shoulder[0] + hand[0]) / 2, (shoulder[1] + hand[1]) / 2)
        elbow = (middle[0] - 0.03 * tall, middle[1] - 0.07 * tall)
    else:
        elbow = _turned(shoulder, swing - 0.06, _ARM_HEIGHTS * tall)
        hand = _turned(elbow, swing + 0.28 + 0.25 * max(swing, 0.0), _FOREARM_HEIGHTS * tall)
    cloth, edge = mix(person.top, _DARK, dark), mix(person.top, _DARK, 0.5)
    for colour, more in ((edge, 0.010), (cloth, 0.0)):
        canvas.line([shoulder, elbow], colour, (0.060 + more) * tall)
        canvas.line([elbow, hand], colour, (0.048 + more) * tall)
    canvas.oval(hand, (0.022 * tall, 0.026 * tall), mix(person.skin, _DARK, dark))


def _trolley(canvas: Canvas) -> None:
    steel, dark = (176, 174, 170), (92, 90, 88)
    # The goods in it, behind the mesh.
    for left, right, top, colour in (
        (0.66, 0.84, 0.98, (60, 120, 200)), (0.82, 0.98, 0.88, (70, 150, 70)), (0.96, 1.16, 1.02, (190, 190, 196)),
        (1.14, 1.32, 0.90, (44, 52, 176)), (0.74, 0.92, 0.80, (150, 90, 50)), (1.04, 1.24, 0.78, (70, 170, 214)),
    ):  # fmt: skip
        canvas.fill([(left, 0.58), (left, top), (right, top), (right, 0.58)], colour)
        canvas.line([(left, 0.58), (left, top), (right, top), (right, 0.58)], mix(colour, _DARK, 0.4), 0.012)
    corners = [(0.56, 0.98), (0.70, 0.54), (1.34, 0.60), (1.44, 0.94)]
    for share in (0.15, 0.3, 0.45, 0.6, 0.75, 0.9):
        low = (corners[1][0] + (corners[2][0] - corners[1][0]) * share, 0.54 + 0.06 * share)
        high = (corners[0][0] + (corners[3][0] - corners[0][0]) * share, 0.98 - 0.04 * share)
        canvas.line([low, high], steel, 0.012)
    for up in (0.25, 0.5, 0.75):
        y = 0.54 + 0.44 * up
        canvas.line([(0.70 - 0.14 * up, y), (1.34 + 0.10 * up, y + 0.06 * (1 - up) - 0.04 * up)], steel, 0.012)
    canvas.line([*corners, corners[0]], steel, 0.028)
    canvas.line([_HANDLE, (0.62, 0.80), (0.70, 0.54)], steel, 0.03)
    canvas.line([(0.40, 1.03), (0.58, 1.00)], (40, 40, 190), 0.05)
    canvas.line([(0.70, 0.54), (0.64, 0.22), (1.30, 0.22), (1.40, 0.16)], dark, 0.035)
    canvas.line([(1.30, 0.22), (1.34, 0.60)], dark, 0.025)
    canvas.line([(0.66, 0.26), (1.30, 0.28)], steel, 0.02)
    for x in (0.68, 1.36):
        canvas.line([(x, 0.2), (x, 0.1)], dark, 0.03)
        canvas.disc((x, 0.07), 0.07, (36, 36, 38))
        canvas.disc((x, 0.07), 0.03, (120, 118, 116))


def _pram(canvas: Canvas, person: PersonLook) -> None:
    cloth = mix((120, 84, 60), person.trousers, 0.3)
    steel = (150, 148, 146)
    canvas.line([_HANDLE, (0.62, 0.86), (1.22, 0.20)], steel, 0.03)
    canvas.line([(0.72, 0.18), (1.12, 0.62)], steel, 0.03)
    body = [(0.66, 0.78), (0.70, 0.60), (0.86, 0.52), (1.20, 0.52), (1.40, 0.64), (1.42, 0.80)]
    canvas.shade(curve([body[0], *body, body[-1]]), [(0.5, mix(cloth, _DARK, 0.4)), (0.8, cloth)])
    hood = [(0.98, 0.80), (1.00, 1.02), (1.16, 1.14), (1.34, 1.06), (1.42, 0.80)]
    canvas.shade(curve([hood[0], *hood, hood[-1]]), [(0.8, cloth), (1.14, mix(cloth, WHITE, 0.25))])
    canvas.line([(1.20, 0.80), (1.18, 1.13)], mix(cloth, _DARK, 0.4), 0.015)
    canvas.oval((0.86, 0.80), (0.14, 0.05), (214, 216, 222))
    for x, radius in ((0.74, 0.13), (1.24, 0.13)):
        canvas.disc((x, radius), radius - 0.02, (36, 36, 38), 0.04)
        canvas.disc((x, radius), 0.05, steel)
