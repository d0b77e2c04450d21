"""Paints the simulator's frames: the garage, then what moves, the farthest first, then flicker and sensor noise."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from edge.core.events import Direction
from edge.core.shapes import Box
from edge.simulator.drawing.barrier_arm import ARMS, barrier_sprite
from edge.simulator.drawing.colours import LIGHT_SHARES, dimmed
from edge.simulator.drawing.garage import DRAWING_WIDTH, View, draw_garage
from edge.simulator.drawing.people import STRIDE_HEIGHTS, draw_person, person_extent
from edge.simulator.drawing.sprites import (
    METRES_ABOVE,
    METRES_BELOW,
    Shadow,
    Sprite,
    SpriteArea,
    SpriteCache,
    make_sprite,
    mirrored,
    paste,
    placed_by_origin,
)
from edge.simulator.drawing.vehicles import VEHICLE_LOOKS, DrawnVehicle, beam_sprite, vehicle_sprite
from edge.simulator.traffic.kinds import WIDTHS_PER_METRE, Lane, scale_at

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.core.frames import Image
    from edge.simulator.traffic.appearance import PersonLook


# A vehicle's beam grows to its full strength while the vehicle comes this far into the picture (frame widths).
_BEAM_RAMP = 0.15
_STRIDE_PICTURES = 24  # pictures of a stride
_PEOPLE_BYTES = 32_000_000  # of people's sprites that are kept: a crowd's strides at 640 x 360


class DrawnPerson(NamedTuple):
    """A person to draw: ``x`` is where the hips are (fraction of the width), ``row`` where the feet are (0 to 360)."""

    look: PersonLook
    row: float
    rightwards: bool
    x: float
    walked: float  # metres so far

    @property
    def phase(self) -> int:
        """The number of the stride's picture that shows the person."""
        return math.floor(self.walked / (STRIDE_HEIGHTS * self.look.height) * _STRIDE_PICTURES) % _STRIDE_PICTURES


class DrawnArm(NamedTuple):
    """A barrier to draw, its arm ``lift`` (0 to 1) of its swing."""

    lane: Lane
    lift: float


def outline(view: View, vehicle: DrawnVehicle) -> Box:
    """The vehicle's box in pixels of the frame, shadow and glow not counted; may reach beyond the edges."""
    metre = WIDTHS_PER_METRE * DRAWING_WIDTH * vehicle.lane.scale
    half = vehicle.kind.length * metre * view.x_scale / 2
    ground = round(view.pixel_row(vehicle.lane.row))
    x = vehicle.x * view.width
    return Box(x - half, ground - vehicle.kind.height * metre * view.y_scale, x + half, float(ground))


def person_outline(view: View, person: DrawnPerson) -> Box:
    """The box of a person, and of what the person pushes, in pixels of the frame; may reach beyond the edges."""
    metre = WIDTHS_PER_METRE * DRAWING_WIDTH * scale_at(person.row)
    back, ahead = (length * metre * view.x_scale for length in person_extent(person.look))
    left, right = (back, ahead) if person.rightwards else (ahead, back)
    ground, x = round(view.pixel_row(person.row)), person.x * view.width
    return Box(x - left, ground - person.look.height * metre * view.y_scale, x + right, float(ground))


class Painter:
    """Paints frames of ``view``'s size in one light (``day``, ``dusk``), with noise of ``noise`` grey levels."""

    def __init__(
        self,
        view: View,
        light: str,
        noise: float,
        seed: int,
        *,
        flicker: float = 0.0,
        beams: float = 0.0,
        three_lanes: bool = False,
    ) -> None:
        self._view = view
        self._light = light
        self._noise = noise
        self._seed = seed
        self._flicker = flicker
        self._beams = beams if light == "dusk" else 0.0
        self._three_lanes = three_lanes
        self._garage: Image | None = None
        self._noise_field: tuple[Image, Image] | None = None
        # At most three lanes x (some 25 kinds and colours, and 8 pictures of a bicycle in 4 colours); drawing a sprite
        # takes some hundredths of a second.
        self._sprites: dict[tuple[str, str, Lane, int], Sprite] = {}
        self._people = SpriteCache(_PEOPLE_BYTES)
        self._arms: dict[DrawnArm, Sprite] = {}  # at rest only: two for a lane
        self._beam_sprites: dict[Lane, Sprite] = {}

    def paint(self, items: Sequence[DrawnVehicle | DrawnPerson | DrawnArm], millisecond: int) -> Image:
        """A new frame with ``items``, the farthest first; noise and flicker depend on the ``millisecond``."""
        if self._garage is None:
            self._garage = draw_garage(self._view, LIGHT_SHARES[self._light], three_lanes=self._three_lanes)
        frame = self._garage.copy()
        for item in items:
            if isinstance(item, DrawnPerson):
                paste(frame, self._person(item), item.x * self._view.width, round(self._view.pixel_row(item.row)))
            elif isinstance(item, DrawnArm):
                arm = ARMS[item.lane]
                paste(frame, self._arm(item), arm.x * self._view.width, round(self._view.pixel_row(arm.row)))
            else:
                ground = round(self._view.pixel_row(item.lane.row))
                if self._beams > 0:
                    self._paste_beam(frame, item, ground)
                paste(frame, self._vehicle(item), item.x * self._view.width, ground)
        if self._flicker > 0:
            frame = dimmed(frame, self._flicker, self._seed, millisecond / 1000)
        if self._noise > 0:
            self._add_noise(frame, millisecond)
        return frame

    def _vehicle(self, vehicle: DrawnVehicle) -> Sprite:
        key = vehicle.kind.name, vehicle.colour, vehicle.lane, vehicle.phase
        sprite = self._sprites.get(key)
        if sprite is None:
            sprite = self._sprites[key] = vehicle_sprite(self._view, self._light, vehicle)
        return sprite

    def _person(self, person: DrawnPerson) -> Sprite:
        key = person.look, person.row, person.rightwards, person.phase
        return self._people.get(key, lambda: self._stride_sprite(person))

    def _stride_sprite(self, person: DrawnPerson) -> Sprite:
        back, ahead = person_extent(person.look)
        area = SpriteArea(back + ahead + 0.6, person.look.height + METRES_BELOW + METRES_ABOVE, back + 0.3)
        walked = person.phase / _STRIDE_PICTURES * STRIDE_HEIGHTS * person.look.height
        sprite = make_sprite(
            self._view,
            scale_at(person.row),
            area,
            LIGHT_SHARES[self._light],
            partial(draw_person, person=person.look, walked=walked),
            Shadow(-0.25, max(0.25, ahead if person.look.pushes else 0.0), 0.35),
        )
        sprite = placed_by_origin(sprite, area)
        return sprite if person.rightwards else mirrored(sprite)

    def _arm(self, arm: DrawnArm) -> Sprite:
        sprite = self._arms.get(arm)
        if sprite is None:
            sprite = barrier_sprite(self._view, LIGHT_SHARES[self._light], arm.lane, arm.lift)
            if arm.lift in (0.0, 1.0):
                self._arms[arm] = sprite
        return sprite

    def _paste_beam(self, frame: Image, vehicle: DrawnVehicle, ground: int) -> None:
        sign = 1 if vehicle.lane.direction is Direction.ENTRY else -1
        lamp = vehicle.x + sign * WIDTHS_PER_METRE * vehicle.lane.scale * (
            VEHICLE_LOOKS[vehicle.kind.name].front[0] - vehicle.kind.length / 2
        )
        inside = min(max((lamp if sign == 1 else 1 - lamp) / _BEAM_RAMP, 0.0), 1.0)
        if inside == 0 or not vehicle.kind.takes_slot:
            return
        sprite = self._beam_sprites.get(vehicle.lane)
        if sprite is None:
            sprite = self._beam_sprites[vehicle.lane] = beam_sprite(self._view, vehicle.lane, self._beams)
        if inside < 1:
            sprite = replace(sprite, ink=(sprite.ink * np.float32(inside**2)).astype(np.uint8))
        paste(frame, sprite, lamp * self._view.width, ground)

    def _add_noise(self, frame: Image, millisecond: int) -> None:
        # One large field of noise, cut out at another corner for every frame: millions of new random numbers a second
        # would cost more than everything else.
        height, width = frame.shape[:2]
        if self._noise_field is None:
            rng = np.random.default_rng([self._seed, 1])
            field = rng.standard_normal((height + 61, width + 67, 3), np.float32) * np.float32(self._noise)
            rounded = np.clip(np.rint(field), -255, 255)
            self._noise_field = np.maximum(rounded, 0).astype(np.uint8), np.maximum(-rounded, 0).astype(np.uint8)
        mixed = (millisecond * 2654435761) & 0xFFFFFFFF
        y, x = (mixed >> 8) % 61, (mixed >> 16) % 67
        brighter, darker = (part[y : y + height, x : x + width] for part in self._noise_field)
        cv2.add(frame, brighter, dst=frame)
        cv2.subtract(frame, darker, dst=frame)
