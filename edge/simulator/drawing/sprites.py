"""Makes sprites of what moves in the simulator's frames: drawn once in metres, then pasted where they are."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from edge.simulator.drawing.canvas import Canvas
from edge.simulator.drawing.garage import DRAWING_WIDTH
from edge.simulator.traffic.kinds import WIDTHS_PER_METRE

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from edge.core.frames import Image
    from edge.simulator.drawing.colours import Floats
    from edge.simulator.drawing.garage import View

METRES_BELOW, METRES_ABOVE = 0.30, 0.15  # of a sprite, under the ground's row and over the drawing


class SpriteArea(NamedTuple):
    """The area of a sprite in metres: ``left`` is left of the drawing's origin, ``METRES_BELOW`` under the ground."""

    width: float
    height: float
    left: float


class Shadow(NamedTuple):
    """The shadow on the floor, from ``start`` to ``end`` (metres); ``dark`` is 0 to 1."""

    start: float
    end: float
    dark: float


@dataclass(frozen=True, slots=True)
class Sprite:
    """A picture to paste, premultiplied: a frame becomes ink + frame * clear / 255. Light is ink with clear 255."""

    ink: Image
    clear: Image
    middle: float  # pixels from the left edge to the column that is placed at x
    foot: int  # rows from the top to the ground

    @property
    def size(self) -> int:
        """Bytes of its pixels."""
        return self.ink.nbytes + self.clear.nbytes


class SpriteCache:
    """Keeps the sprites used last, at most ``limit`` bytes of them: the least recently used is dropped first."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._sprites: OrderedDict[Hashable, Sprite] = OrderedDict()
        self.size = 0  # bytes

    def get(self, key: Hashable, make: Callable[[], Sprite]) -> Sprite:
        """The sprite of ``key``, made if it is not there."""
        sprite = self._sprites.get(key)
        if sprite is not None:
            self._sprites.move_to_end(key)
            return sprite
        sprite = self._sprites[key] = make()
        self.size += sprite.size
        while self.size > self._limit and len(self._sprites) > 1:
            self.size -= self._sprites.popitem(last=False)[1].size
        return sprite


def make_sprite(
    view: View,
    scale: float,
    area: SpriteArea,
    light: tuple[float, float, float],
    draw: Callable[[Canvas], None],
    shadow: Shadow | None = None,
    glow: Callable[[Floats, Floats], Floats] | None = None,
) -> Sprite:
    """A sprite of what ``draw`` draws, at a lane's ``scale``, with these shares of blue, green and red ``light``.

    ``glow`` gives light to add, from the metres of columns and rows. The sprite is placed by the area's middle.
    """
    metre = WIDTHS_PER_METRE * DRAWING_WIDTH * scale
    size = area.width, area.height
    columns, rows = (
        max(round(length * metre * share), 1) for length, share in zip(size, (view.x_scale, view.y_scale), strict=True)
    )
    times = 4 if columns < 400 else 2
    canvas = Canvas(area.width, area.height, area.left, METRES_BELOW, metre * view.x_scale * times)
    draw(canvas)
    body = cv2.resize(canvas.bgr, (columns, rows), interpolation=cv2.INTER_AREA).astype(np.float32)
    cover = cv2.resize(canvas.alpha, (columns, rows), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    body *= np.array(light, np.float32)
    x, y = _metres(area, columns, rows)
    clear = 1 - cover
    if shadow is not None:
        clear = clear * (1 - _shade(x, y, shadow) * np.float32(shadow.dark))
    if glow is not None:
        body += glow(x, y)
    ink = np.clip(body, 0, 255).astype(np.uint8)
    clear_bytes = np.repeat(np.rint(clear * 255).astype(np.uint8)[..., None], 3, axis=2)
    return Sprite(ink, clear_bytes, columns / 2, rows - round(METRES_BELOW * metre * view.y_scale))


def placed_by_origin(sprite: Sprite, area: SpriteArea) -> Sprite:
    """The same sprite, placed by its drawing's origin instead of its area's middle."""
    return replace(sprite, middle=sprite.ink.shape[1] * area.left / area.width)


def mirrored(sprite: Sprite) -> Sprite:
    """The sprite of the same drawing facing left."""
    ink, clear = np.ascontiguousarray(sprite.ink[:, ::-1]), np.ascontiguousarray(sprite.clear[:, ::-1])
    return Sprite(ink, clear, sprite.ink.shape[1] - sprite.middle, sprite.foot)


def paste(frame: Image, sprite: Sprite, x: float, ground: int) -> None:
    """Paste a sprite with its middle on column ``x`` (pixels, with fractions) and its ground on row ``ground``."""
    left = x - sprite.middle
    column = int(np.floor(left))
    shift = np.array([[1, 0, left - column], [0, 1, 0]], np.float32)
    rows, columns = sprite.ink.shape[:2]
    top = ground - sprite.foot
    size = (columns + 1, rows)
    x1, x2 = max(column, 0), min(column + columns + 1, frame.shape[1])
    y1, y2 = max(top, 0), min(top + rows, frame.shape[0])
    if x1 >= x2 or y1 >= y2:
        return
    ink = cv2.warpAffine(sprite.ink, shift, size, flags=cv2.INTER_LINEAR)
    clear = cv2.warpAffine(sprite.clear, shift, size, flags=cv2.INTER_LINEAR, borderValue=(255, 255, 255))
    part = slice(y1 - top, y2 - top), slice(x1 - column, x2 - column)
    under = frame[y1:y2, x1:x2]
    under[:] = cv2.add(cv2.multiply(under, clear[part], scale=1 / 255), ink[part])


def _metres(area: SpriteArea, columns: int, rows: int) -> tuple[Floats, Floats]:
    x = (np.arange(columns, dtype=np.float32) + 0.5) * np.float32(area.width / columns) - np.float32(area.left)
    y = np.float32(area.height - METRES_BELOW) - (np.arange(rows, dtype=np.float32) + 0.5) * np.float32(
        area.height / rows
    )
    return x[None, :], y[:, None]


def _shade(x: Floats, y: Floats, shadow: Shadow) -> Floats:
    # Dark under the whole length, fading out within 0.3 metres beside it.
    half = (shadow.end - shadow.start) / 2
    beside = np.maximum(np.abs(x - shadow.start - half) - (half - 0.25), 0) / 0.30
    away = np.maximum(np.abs(y - 0.03) - 0.06, 0) / 0.12
    shade: Floats = np.exp(-(beside**2) - away**2)
    return shade
