"""Draws the simulator's frames: the garage, over it everything that moves, the farthest first, and a sensor's noise."""

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
from edge.simulator.drawing.garage import WIDTH, View, draw_garage
from edge.simulator.drawing.light import flickered
from edge.simulator.drawing.people import STRIDE, draw_person, reach
from edge.simulator.drawing.sprites import (
    ABOVE,
    BELOW,
    Recent,
    Shadow,
    Sprite,
    Stage,
    by_origin,
    cut_sprite,
    lay,
    mirrored,
)
from edge.simulator.drawing.vehicles import DIM, LOOKS, Drawn, beam_sprite, vehicle_sprite
from edge.simulator.traffic.kinds import METRE, Lane, scale_at

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.core.frames import Image
    from edge.simulator.traffic.appearance import Person

# A vehicle's beam grows to its full strength while the vehicle comes this far into the picture (frame widths).
DAWN = 0.15
PHASES = 24  # pictures of one stride
PEOPLE_BYTES = 32_000_000  # of pictures of people that are kept: a crowd's strides at 640 x 360


class DrawnPerson(NamedTuple):
    """Somebody to draw: ``x`` is where the hips are (fraction of the width), ``floor`` where the feet are (0..360)."""

    look: Person
    floor: float
    rightwards: bool
    x: float
    way: float  # metres walked so far

    @property
    def phase(self) -> int:
        """Which picture of the stride shows it, of ``PHASES``."""
        return math.floor(self.way / (STRIDE * self.look.height) * PHASES) % PHASES


class DrawnArm(NamedTuple):
    """A barrier to draw, its arm ``lift`` (0..1) of the way up."""

    lane: Lane
    lift: float


def outline(view: View, vehicle: Drawn) -> Box:
    """The vehicle's box in pixels of the frame, shadow and glow not counted; may reach over the edges."""
    metre = METRE * WIDTH * vehicle.lane.scale
    half = vehicle.kind.length * metre * view.across / 2
    ground = round(view.row(vehicle.lane.floor))
    x = vehicle.x * view.width
    return Box(x - half, ground - vehicle.kind.height * metre * view.up, x + half, float(ground))


def person_outline(view: View, person: DrawnPerson) -> Box:
    """The box of a person, and of what is pushed, in pixels of the frame; may reach over the edges."""
    metre = METRE * WIDTH * scale_at(person.floor)
    back, ahead = (length * metre * view.across for length in reach(person.look))
    left, right = (back, ahead) if person.rightwards else (ahead, back)
    ground, x = round(view.row(person.floor)), person.x * view.width
    return Box(x - left, ground - person.look.height * metre * view.up, x + right, float(ground))


class Painter:
    """Frames of ``view``'s size in one light (``day``, ``dusk``), with noise of ``noise`` grey levels."""

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
        self._specks: tuple[Image, Image] | None = None
        # At most one for each of some 25 kinds and colours, and each of 8 pictures of a bicycle's 4 colours, in three
        # lanes; drawing one takes some hundredths of a second.
        self._sprites: dict[tuple[str, str, Lane, int], Sprite] = {}
        self._people = Recent(PEOPLE_BYTES)
        self._arms: dict[DrawnArm, Sprite] = {}  # at rest only: two for a lane
        self._beam_sprites: dict[Lane, Sprite] = {}

    def paint(self, things: Sequence[Drawn | DrawnPerson | DrawnArm], number: int) -> Image:
        """A new frame with ``things``, the farthest first; ``number``, a millisecond, chooses noise and flicker."""
        if self._garage is None:
            self._garage = draw_garage(self._view, DIM[self._light], three_lanes=self._three_lanes)
        frame = self._garage.copy()
        for thing in things:
            if isinstance(thing, DrawnPerson):
                lay(frame, self._person(thing), thing.x * self._view.width, round(self._view.row(thing.floor)))
            elif isinstance(thing, DrawnArm):
                arm = ARMS[thing.lane]
                lay(frame, self._arm(thing), arm.x * self._view.width, round(self._view.row(arm.floor)))
            else:
                ground = round(self._view.row(thing.lane.floor))
                if self._beams > 0:
                    self._shine(frame, thing, ground)
                lay(frame, self._vehicle(thing), thing.x * self._view.width, ground)
        if self._flicker > 0:
            frame = flickered(frame, self._flicker, self._seed, number / 1000)
        if self._noise > 0:
            self._speckle(frame, number)
        return frame

    def _vehicle(self, vehicle: Drawn) -> Sprite:
        key = vehicle.kind.name, vehicle.colour, vehicle.lane, vehicle.phase
        sprite = self._sprites.get(key)
        if sprite is None:
            sprite = self._sprites[key] = vehicle_sprite(self._view, self._light, vehicle)
        return sprite

    def _person(self, person: DrawnPerson) -> Sprite:
        key = person.look, person.floor, person.rightwards, person.phase
        return self._people.get(key, lambda: self._step(person))

    def _step(self, person: DrawnPerson) -> Sprite:
        back, ahead = reach(person.look)
        stage = Stage(back + ahead + 0.6, person.look.height + BELOW + ABOVE, back + 0.3)
        sprite = cut_sprite(
            self._view,
            scale_at(person.floor),
            stage,
            DIM[self._light],
            partial(draw_person, person=person.look, way=person.phase / PHASES * STRIDE * person.look.height),
            Shadow(-0.25, max(0.25, ahead if person.look.pushes else 0.0), 0.35),
        )
        sprite = by_origin(sprite, stage)
        return sprite if person.rightwards else mirrored(sprite)

    def _arm(self, arm: DrawnArm) -> Sprite:
        sprite = self._arms.get(arm)
        if sprite is None:
            sprite = barrier_sprite(self._view, DIM[self._light], arm.lane, arm.lift)
            if arm.lift in (0.0, 1.0):
                self._arms[arm] = sprite
        return sprite

    def _shine(self, frame: Image, vehicle: Drawn, ground: int) -> None:
        way = 1 if vehicle.lane.direction is Direction.ENTRY else -1
        lamp = vehicle.x + way * METRE * vehicle.lane.scale * (
            LOOKS[vehicle.kind.name].front[0] - vehicle.kind.length / 2
        )
        inside = min(max((lamp if way == 1 else 1 - lamp) / DAWN, 0.0), 1.0)
        if inside == 0 or not vehicle.kind.takes_slot:
            return
        sprite = self._beam_sprites.get(vehicle.lane)
        if sprite is None:
            sprite = self._beam_sprites[vehicle.lane] = beam_sprite(self._view, vehicle.lane, self._beams)
        if inside < 1:
            sprite = replace(sprite, ink=(sprite.ink * np.float32(inside**2)).astype(np.uint8))
        lay(frame, sprite, lamp * self._view.width, ground)

    def _speckle(self, frame: Image, number: int) -> None:
        # One large field of noise, looked at from another corner for every frame: drawing millions of random
        # numbers a second would cost more than all the rest.
        height, width = frame.shape[:2]
        if self._specks is None:
            rng = np.random.default_rng([self._seed, 1])
            field = rng.standard_normal((height + 61, width + 67, 3), np.float32) * np.float32(self._noise)
            rounded = np.clip(np.rint(field), -255, 255)
            self._specks = np.maximum(rounded, 0).astype(np.uint8), np.maximum(-rounded, 0).astype(np.uint8)
        mixed = (number * 2654435761) & 0xFFFFFFFF
        y, x = (mixed >> 8) % 61, (mixed >> 16) % 67
        brighter, darker = (specks[y : y + height, x : x + width] for specks in self._specks)
        cv2.add(frame, brighter, dst=frame)
        cv2.subtract(frame, darker, dst=frame)
