"""Draws the simulator's vehicles as sprites: body, shadow, lamps, and the beam of light on the floor ahead."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edge.core.events import Direction
from edge.simulator.drawing.bicycle import draw_bicycle
from edge.simulator.drawing.cars import draw_hatchback, draw_sedan, draw_van
from edge.simulator.drawing.colours import LIGHT_SHARES, PAINTS
from edge.simulator.drawing.long_vehicles import draw_minibus, draw_trailer
from edge.simulator.drawing.motorbike import draw_motorbike
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
from edge.simulator.traffic.kinds import WIDTHS_PER_METRE

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.simulator.drawing.canvas import Canvas, Coordinates
    from edge.simulator.drawing.colours import Floats
    from edge.simulator.drawing.garage import View
    from edge.simulator.traffic.kinds import Lane, VehicleKind

_MARGIN_BY_DAY, _MARGIN_AT_DUSK = 0.45, 1.10  # metres around a vehicle for its shadow and its light
_CRANK_PICTURES = 8  # pictures of a turn of a bicycle's cranks
_BEAM_METRES = 7.0  # metres of floor that headlights reach


class VehicleLook(NamedTuple):
    """How a kind of vehicle is drawn, and where its lamps are (metres from the rear bumper on the ground)."""

    draw: Callable[..., None]  # on a canvas, in a colour, at an angle of the cranks if it has any
    front: Coordinates
    rear: Coordinates
    shadow: float  # how dark, 0 to 1
    lamps: tuple[float, float] = (1.0, 1.0)  # how bright the front's and the rear's are, against a car's
    turn: float = 0.0  # metres that it moves in a turn of its cranks; 0: it has no cranks


VEHICLE_LOOKS = {
    "sedan": VehicleLook(draw_sedan, (4.40, 0.70), (0.12, 0.82), 0.62),
    "hatchback": VehicleLook(draw_hatchback, (3.80, 0.72), (0.16, 0.88), 0.62),
    "van": VehicleLook(draw_van, (4.70, 0.84), (0.12, 1.02), 0.62),
    "motorbike": VehicleLook(draw_motorbike, (1.80, 1.04), (0.17, 1.03), 0.40),
    "minibus": VehicleLook(draw_minibus, (6.34, 0.74), (0.10, 0.70), 0.62),
    "trailer": VehicleLook(draw_trailer, (7.80, 0.70), (0.08, 0.59), 0.62, (1.0, 0.5)),
    "bicycle": VehicleLook(draw_bicycle, (1.22, 0.84), (0.16, 0.68), 0.30, (0.3, 0.3), 4.0),
}


class DrawnVehicle(NamedTuple):
    """A vehicle to draw: ``x`` is its middle as a fraction of the frame's width."""

    kind: VehicleKind
    colour: str
    lane: Lane
    x: float

    @property
    def phase(self) -> int:
        """The number of its picture: the angle of its cranks, in parts of a turn; 0 without cranks."""
        turn = VEHICLE_LOOKS[self.kind.name].turn
        if not turn:
            return 0
        place = self.x if self.lane.direction is Direction.ENTRY else 1 - self.x
        return math.floor(place / (WIDTHS_PER_METRE * self.lane.scale) / turn * _CRANK_PICTURES) % _CRANK_PICTURES


def vehicle_sprite(view: View, light: str, vehicle: DrawnVehicle) -> Sprite:
    """A vehicle with its shadow and, at dusk, its lamps, placed by its middle."""
    kind, look = vehicle.kind, VEHICLE_LOOKS[vehicle.kind.name]
    margin = _MARGIN_BY_DAY if light == "day" else _MARGIN_AT_DUSK
    cranks = (2 * math.pi * vehicle.phase / _CRANK_PICTURES,) if look.turn else ()

    def draw(canvas: Canvas) -> None:
        look.draw(canvas, PAINTS[vehicle.colour], *cranks)

    sprite = make_sprite(
        view,
        vehicle.lane.scale,
        SpriteArea(kind.length + 2 * margin, kind.height + METRES_BELOW + METRES_ABOVE, margin),
        LIGHT_SHARES[light],
        draw,
        Shadow(0.0, kind.length, look.shadow),
        partial(_glow, look=look) if light == "dusk" else None,
    )
    return mirrored(sprite) if vehicle.lane.direction is Direction.EXIT else sprite


def beam_sprite(view: View, lane: Lane, strength: float) -> Sprite:
    """The light of headlights on the floor of a lane, placed by the lamps. ``strength`` is 0 to 1."""
    area = SpriteArea(_BEAM_METRES, 1.6, 0.0)
    sprite = make_sprite(
        view, lane.scale, area, LIGHT_SHARES["dusk"], lambda _: None, None, partial(_beam, strength=strength)
    )
    sprite = placed_by_origin(sprite, area)
    return mirrored(sprite) if lane.direction is Direction.EXIT else sprite


def _glow(x: Floats, y: Floats, look: VehicleLook) -> Floats:
    light = np.zeros((y.shape[0], x.shape[1], 3), np.float32)
    for (at, up), colour, size, bright in (
        (look.front, (190, 235, 255), 0.16, look.lamps[0]),
        (look.rear, (50, 40, 255), 0.14, look.lamps[1]),
    ):
        distance = ((x - at) ** 2 + (y - up) ** 2) / size**2
        halo = (np.exp(-distance) + 0.28 * np.exp(-distance / 9)) * np.float32(bright)
        light += halo[..., None] * np.array(colour, np.float32)
    # The beam falls off ahead of the lamp and spreads downwards.
    at, up = look.front
    ahead = np.maximum(x - at, 0)
    spread = 0.10 + 0.35 * ahead
    beam = np.exp(-(((y - up + 0.25 * ahead) / spread) ** 2)) * np.exp(-ahead / 0.45) * (x > at)
    fade = np.clip((x[0, -1] - x) / 0.3, 0, 1)
    light += (beam * fade * np.float32(look.lamps[0]))[..., None] * np.array((70, 95, 105), np.float32)
    return light


def _beam(x: Floats, y: Floats, strength: float) -> Floats:
    # The middle of the lane lies a little above its wheels' row. The beam widens, and ends softly.
    ahead = np.clip(x / _BEAM_METRES, 0, 1)
    spread = 0.16 + 0.34 * ahead
    along = np.clip(ahead / 0.12, 0, 1) * (1 - ahead) ** 1.3
    across = np.exp(-(((y - 0.22) / spread) ** 2))
    light: Floats = (along * across)[..., None] * np.array((105, 135, 150), np.float32) * np.float32(strength)
    return light
