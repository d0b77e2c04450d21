"""Draws the simulator's frames: the garage, over it a sprite for each vehicle, and a sensor's noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from edge.capture.scene_garage import WIDTH, View, draw_garage
from edge.capture.sim_arrivals import METRE, Kind, Lane
from edge.capture.sim_canvas import Canvas, Colour, Place
from edge.capture.sim_cars import draw_hatchback, draw_sedan, draw_van
from edge.capture.sim_motorbike import draw_motorbike
from edge.records import Box, Direction

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.records import Image

    Floats = np.ndarray[tuple[int, ...], np.dtype[np.float32]]

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
BELOW, ABOVE = 0.30, 0.15


class Look(NamedTuple):
    """How a kind of vehicle is drawn, and where its lamps are (metres from the rear bumper on the ground)."""

    draw: Callable[[Canvas, Colour], None]
    front: Place
    rear: Place
    shadow: float  # how dark


LOOKS = {
    "sedan": Look(draw_sedan, (4.40, 0.70), (0.12, 0.82), 0.62),
    "hatchback": Look(draw_hatchback, (3.80, 0.72), (0.16, 0.88), 0.62),
    "van": Look(draw_van, (4.70, 0.84), (0.12, 1.02), 0.62),
    "motorbike": Look(draw_motorbike, (1.80, 1.04), (0.17, 1.03), 0.40),
}


class Drawn(NamedTuple):
    """A vehicle to draw: ``x`` is its middle as a fraction of the frame's width."""

    kind: Kind
    colour: str
    lane: Lane
    x: float


@dataclass(frozen=True, slots=True)
class _Sprite:
    # Premultiplied: a frame under it becomes ink + frame * clear / 255. Light is ink that hides nothing.
    ink: Image
    clear: Image
    middle: float  # pixels from the left edge to the vehicle's middle
    foot: int  # rows from the top to the ground


def outline(view: View, vehicle: Drawn) -> Box:
    """The vehicle's box in pixels of the frame, shadow and glow not counted; may reach over the edges."""
    metre = METRE * WIDTH * vehicle.lane.scale
    half = vehicle.kind.length * metre * view.across / 2
    ground = round(view.row(vehicle.lane.floor))
    x = vehicle.x * view.width
    return Box(x - half, ground - vehicle.kind.height * metre * view.up, x + half, float(ground))


class Painter:
    """Frames of ``view``'s size in one light (``day``, ``dusk``), with noise of ``noise`` grey levels."""

    def __init__(self, view: View, light: str, noise: float, seed: int) -> None:
        self._view = view
        self._light = light
        self._noise = noise
        self._seed = seed
        self._garage: Image | None = None
        self._specks: tuple[Image, Image] | None = None
        # At most one for each of 20 kinds and colours in two lanes; drawing one takes some hundredths of a second.
        self._sprites: dict[tuple[str, str, Lane], _Sprite] = {}

    def paint(self, vehicles: list[Drawn], number: int) -> Image:
        """A new frame with ``vehicles``, the farthest first; ``number`` chooses its noise."""
        if self._garage is None:
            self._garage = draw_garage(self._view, DIM[self._light])
        frame = self._garage.copy()
        for vehicle in vehicles:
            self._lay(frame, self._sprite(vehicle), vehicle)
        if self._noise > 0:
            self._speckle(frame, number)
        return frame

    def _lay(self, frame: Image, sprite: _Sprite, vehicle: Drawn) -> None:
        left = vehicle.x * self._view.width - sprite.middle
        column = int(np.floor(left))
        shift = np.array([[1, 0, left - column], [0, 1, 0]], np.float32)
        rows, columns = sprite.ink.shape[:2]
        top = round(self._view.row(vehicle.lane.floor)) - sprite.foot
        size = (columns + 1, rows)
        ink = cv2.warpAffine(sprite.ink, shift, size, flags=cv2.INTER_LINEAR)
        clear = cv2.warpAffine(sprite.clear, shift, size, flags=cv2.INTER_LINEAR, borderValue=(255, 255, 255))
        x1, x2 = max(column, 0), min(column + columns + 1, self._view.width)
        y1, y2 = max(top, 0), min(top + rows, self._view.height)
        if x1 >= x2 or y1 >= y2:
            return
        part = slice(y1 - top, y2 - top), slice(x1 - column, x2 - column)
        under = frame[y1:y2, x1:x2]
        under[:] = cv2.add(cv2.multiply(under, clear[part], scale=1 / 255), ink[part])

    def _sprite(self, vehicle: Drawn) -> _Sprite:
        key = vehicle.kind.name, vehicle.colour, vehicle.lane
        sprite = self._sprites.get(key)
        if sprite is None:
            sprite = self._sprites[key] = _draw_sprite(self._view, self._light, vehicle)
        return sprite

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


def _draw_sprite(view: View, light: str, vehicle: Drawn) -> _Sprite:
    kind, look = vehicle.kind, LOOKS[vehicle.kind.name]
    pad = PAD_AT_DAY if light == "day" else PAD_AT_DUSK
    metre = METRE * WIDTH * vehicle.lane.scale
    size = kind.length + 2 * pad, kind.height + BELOW + ABOVE
    columns, rows = (
        max(round(length * metre * scale), 1) for length, scale in zip(size, (view.across, view.up), strict=True)
    )
    times = 4 if columns < 400 else 2
    canvas = Canvas(size[0], size[1], pad, BELOW, metre * view.across * times)
    look.draw(canvas, COLOURS[vehicle.colour])
    body = cv2.resize(canvas.bgr, (columns, rows), interpolation=cv2.INTER_AREA).astype(np.float32)
    cover = cv2.resize(canvas.alpha, (columns, rows), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    body *= np.array(DIM[light], np.float32)
    x, y = _metres(size, pad, columns, rows)
    shadow = _shadow(x, y, kind.length) * np.float32(look.shadow)
    clear = (1 - cover) * (1 - shadow)
    if light == "dusk":
        body += _glow(x, y, look)
    ink = np.clip(body, 0, 255).astype(np.uint8)
    see = np.repeat(np.rint(clear * 255).astype(np.uint8)[..., None], 3, axis=2)
    if vehicle.lane.direction is Direction.EXIT:
        ink, see = np.ascontiguousarray(ink[:, ::-1]), np.ascontiguousarray(see[:, ::-1])
    return _Sprite(ink, see, columns / 2, rows - round(BELOW * metre * view.up))


def _metres(size: Place, pad: float, columns: int, rows: int) -> tuple[Floats, Floats]:
    x = (np.arange(columns, dtype=np.float32) + 0.5) * np.float32(size[0] / columns) - np.float32(pad)
    y = np.float32(size[1] - BELOW) - (np.arange(rows, dtype=np.float32) + 0.5) * np.float32(size[1] / rows)
    return x[None, :], y[:, None]


def _shadow(x: Floats, y: Floats, length: float) -> Floats:
    # Dark under the whole vehicle, gone within a hand's breadth of its outline.
    beside = np.maximum(np.abs(x - length / 2) - (length / 2 - 0.25), 0) / 0.30
    away = np.maximum(np.abs(y - 0.03) - 0.06, 0) / 0.12
    shade: Floats = np.exp(-(beside**2) - away**2)
    return shade


def _glow(x: Floats, y: Floats, look: Look) -> Floats:
    light = np.zeros((y.shape[0], x.shape[1], 3), np.float32)
    for (at, up), colour, size in (
        (look.front, (190, 235, 255), 0.16),
        (look.rear, (50, 40, 255), 0.14),
    ):
        distance = ((x - at) ** 2 + (y - up) ** 2) / size**2
        halo = np.exp(-distance) + 0.28 * np.exp(-distance / 9)
        light += halo[..., None] * np.array(colour, np.float32)
    # The beam falls off ahead of the lamp and spreads downwards.
    at, up = look.front
    ahead = np.maximum(x - at, 0)
    spread = 0.10 + 0.35 * ahead
    beam = np.exp(-(((y - up + 0.25 * ahead) / spread) ** 2)) * np.exp(-ahead / 0.45) * (x > at)
    fade = np.clip((x[0, -1] - x) / 0.3, 0, 1)
    light += (beam * fade)[..., None] * np.array((70, 95, 105), np.float32)
    return light
