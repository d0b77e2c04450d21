"""How the simulator's vehicles look in its pictures: body, shadow, lamps, and the beam on the floor ahead."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edge.core.events import Direction
from edge.simulator.drawing.bicycle import draw_bicycle
from edge.simulator.drawing.cars import draw_hatchback, draw_sedan, draw_van
from edge.simulator.drawing.long import draw_minibus, draw_trailer
from edge.simulator.drawing.motorbike import draw_motorbike
from edge.simulator.drawing.sprites import ABOVE, BELOW, Shadow, Sprite, Stage, by_origin, cut_sprite, mirrored
from edge.simulator.traffic.kinds import METRE

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.simulator.drawing.canvas import Canvas, Place
    from edge.simulator.drawing.garage import View
    from edge.simulator.drawing.sprites import Floats
    from edge.simulator.traffic.appearance import Colour
    from edge.simulator.traffic.kinds import Kind, Lane

COLOURS: dict[str, Colour] = {
    "white": (232, 234, 234),
    "silver": (176, 174, 170),
    "black": (40, 38, 36),
    "red": (40, 34, 178),
    "blue": (110, 62, 30),
    "green": (66, 106, 46),
    "yellow": (40, 176, 226),
}
DIM = {"day": (1.0, 1.0, 1.0), "dusk": (0.50, 0.43, 0.40)}  # blue, green, red
PAD_AT_DAY, PAD_AT_DUSK = 0.45, 1.10  # metres about a vehicle for its shadow and its light
PHASES = 8  # pictures of one turn of a bicycle's cranks
BEAM = 7.0  # metres of floor that headlights reach


class Look(NamedTuple):
    """How a kind of vehicle is drawn, and where its lamps are (metres from the rear bumper on the ground)."""

    draw: Callable[..., None]  # of a canvas and a colour, and of the cranks' turn where there are any
    front: Place
    rear: Place
    shadow: float  # how dark
    lamps: tuple[float, float] = (1.0, 1.0)  # how bright the front's and the rear's are, against a car's
    turn: float = 0.0  # metres that one turn of the cranks drives it; 0: it has none


LOOKS = {
    "sedan": Look(draw_sedan, (4.40, 0.70), (0.12, 0.82), 0.62),
    "hatchback": Look(draw_hatchback, (3.80, 0.72), (0.16, 0.88), 0.62),
    "van": Look(draw_van, (4.70, 0.84), (0.12, 1.02), 0.62),
    "motorbike": Look(draw_motorbike, (1.80, 1.04), (0.17, 1.03), 0.40),
    "minibus": Look(draw_minibus, (6.34, 0.74), (0.10, 0.70), 0.62),
    "trailer": Look(draw_trailer, (7.80, 0.70), (0.08, 0.59), 0.62, (1.0, 0.5)),
    "bicycle": Look(draw_bicycle, (1.22, 0.84), (0.16, 0.68), 0.30, (0.3, 0.3), 4.0),
}


class Drawn(NamedTuple):
    """A vehicle to draw: ``x`` is its middle as a fraction of the frame's width."""

    kind: Kind
    colour: str
    lane: Lane
    x: float

    @property
    def phase(self) -> int:
        """Which of its pictures shows it: how far its cranks are round, in parts of ``PHASES``."""
        turn = LOOKS[self.kind.name].turn
        if not turn:
            return 0
        way = self.x if self.lane.direction is Direction.ENTRY else 1 - self.x
        return math.floor(way / (METRE * self.lane.scale) / turn * PHASES) % PHASES


def vehicle_sprite(view: View, light: str, vehicle: Drawn) -> Sprite:
    """A vehicle with its shadow and, at dusk, its lamps; its middle is the sprite's."""
    kind, look = vehicle.kind, LOOKS[vehicle.kind.name]
    pad = PAD_AT_DAY if light == "day" else PAD_AT_DUSK
    cranks = (2 * math.pi * vehicle.phase / PHASES,) if look.turn else ()

    def draw(canvas: Canvas) -> None:
        look.draw(canvas, COLOURS[vehicle.colour], *cranks)

    sprite = cut_sprite(
        view,
        vehicle.lane.scale,
        Stage(kind.length + 2 * pad, kind.height + BELOW + ABOVE, pad),
        DIM[light],
        draw,
        Shadow(0.0, kind.length, look.shadow),
        partial(_glow, look=look) if light == "dusk" else None,
    )
    return mirrored(sprite) if vehicle.lane.direction is Direction.EXIT else sprite


def beam_sprite(view: View, lane: Lane, strength: float) -> Sprite:
    """The light of headlights on the floor of a lane, placed by the lamps. ``strength`` is 1 at its brightest."""
    stage = Stage(BEAM, 1.6, 0.0)
    sprite = cut_sprite(view, lane.scale, stage, DIM["dusk"], lambda _: None, None, partial(_beam, strength=strength))
    sprite = by_origin(sprite, stage)
    return mirrored(sprite) if lane.direction is Direction.EXIT else sprite


def _glow(x: Floats, y: Floats, look: Look) -> Floats:
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
    ahead = np.clip(x / BEAM, 0, 1)
    spread = 0.16 + 0.34 * ahead
    along = np.clip(ahead / 0.12, 0, 1) * (1 - ahead) ** 1.3
    across = np.exp(-(((y - 0.22) / spread) ** 2))
    light: Floats = (along * across)[..., None] * np.array((105, 135, 150), np.float32) * np.float32(strength)
    return light
