"""Defines the colours of the simulator's drawing and the light on them: day, dusk, clouds, and lamps that fail.

Colours are blue, green, red, 0 to 255.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from edge.core.frames import Image
    from edge.simulator.traffic.appearance import Colour

    Floats = np.ndarray[tuple[int, ...], np.dtype[np.float32]]

BLACK: Colour = (18, 18, 20)
WHITE: Colour = (250, 250, 250)
RUBBER: Colour = (30, 29, 28)
TRIM: Colour = (38, 37, 36)
TAIL_LAMP: Colour = (28, 22, 168)
PAINTS: dict[str, Colour] = {
    "white": (232, 234, 234),
    "silver": (176, 174, 170),
    "black": (40, 38, 36),
    "red": (40, 34, 178),
    "blue": (110, 62, 30),
    "green": (66, 106, 46),
    "yellow": (40, 176, 226),
}
# Share of blue, green and red light that there is.
LIGHT_SHARES = {"day": (1.0, 1.0, 1.0), "dusk": (0.50, 0.43, 0.40)}

_LAMP_PLACES = (0.206, 0.456, 0.706, 0.956)  # fractions of the width
_CLOUDS = ((7.0, 0.7), (2.5, 0.3))  # seconds between two random values, and their share
_FAILURE_SLOT_SECONDS = 6.0  # in which at most one lamp fails
_FAILURE_CHANCE = 0.5  # that a lamp does
_LAMP_REACH = 0.13  # how far a lamp's light reaches, frame widths


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """``first`` with ``share`` (0 to 1) of ``second`` in it."""
    return (
        round(first[0] + (second[0] - first[0]) * share),
        round(first[1] + (second[1] - first[1]) * share),
        round(first[2] + (second[2] - first[2]) * share),
    )


def dimmed(frame: Image, strength: float, seed: int, at: float) -> Image:
    """The frame in the light of second ``at``; ``strength`` is the share of light that is lost at most."""
    shares = light_shares(strength, seed, at, frame.shape[1])
    dark: Image = (frame * shares[None, :, None] + np.float32(0.5)).astype(np.uint8)
    return dark


def light_shares(strength: float, seed: int, at: float, width: int) -> Floats:
    """The share of light at second ``at`` in each of ``width`` columns, from 1 - ``strength`` to 1."""
    clouds = sum(share * _smooth(seed, number, at / period) for number, (period, share) in enumerate(_CLOUDS))
    shares = np.full(width, 1 - 0.6 * strength * clouds, np.float32)
    slot = math.floor(at / _FAILURE_SLOT_SECONDS)
    fails, lamp, begin, lasts = _random_values(seed, len(_CLOUDS), slot, 4)
    since = at - slot * _FAILURE_SLOT_SECONDS - begin * (_FAILURE_SLOT_SECONDS - 3.0)
    if fails < _FAILURE_CHANCE and 0 <= since < 0.2 + 2.8 * lasts:
        x = (np.arange(width, dtype=np.float32) + 0.5) / np.float32(width)
        away = (x - _LAMP_PLACES[int(lamp * len(_LAMP_PLACES))]) / _LAMP_REACH
        shares -= np.float32(0.4 * strength) * np.exp(-(away**2))
    return shares


def _smooth(seed: int, number: int, at: float) -> float:
    """Random values from 0 to 1 at whole numbers, and a smooth transition between them."""
    whole = math.floor(at)
    (before,), (after,) = (_random_values(seed, number, knot, 1) for knot in (whole, whole + 1))
    share = at - whole
    return before + (after - before) * share * share * (3 - 2 * share)


def _random_values(seed: int, number: int, index: int, count: int) -> list[float]:
    rng = np.random.default_rng([seed, 5, number, index])
    return [float(value) for value in rng.random(count)]
