"""Light that does not keep still: clouds that pass before the daylight, and a lamp that fails now and then."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from edge.core.frames import Image

    Floats = np.ndarray[tuple[int, ...], np.dtype[np.float32]]

LAMPS = (0.206, 0.456, 0.706, 0.956)  # fractions of the width
CLOUDS = ((7.0, 0.7), (2.5, 0.3))  # seconds between two chance values, and their share
SLOT = 6.0  # seconds in which at most one lamp fails
FAILS = 0.5  # chance that one does
BESIDE = 0.13  # how far a lamp's light reaches, frame widths


def flickered(frame: Image, strength: float, seed: int, at: float) -> Image:
    """The frame in the light of second ``at``; ``strength`` is the share of light that is lost at most."""
    gains = light(strength, seed, at, frame.shape[1])
    dimmed: Image = (frame * gains[None, :, None] + np.float32(0.5)).astype(np.uint8)
    return dimmed


def light(strength: float, seed: int, at: float, width: int) -> Floats:
    """The share of light that is left at second ``at`` in each of ``width`` columns: from 1 - ``strength`` to 1."""
    clouds = sum(share * _smooth(seed, number, at / period) for number, (period, share) in enumerate(CLOUDS))
    gains = np.full(width, 1 - 0.6 * strength * clouds, np.float32)
    slot = math.floor(at / SLOT)
    fails, lamp, begin, lasts = _chance(seed, len(CLOUDS), slot, 4)
    if fails < FAILS and 0 <= at - slot * SLOT - begin * (SLOT - 3.0) < 0.2 + 2.8 * lasts:
        x = (np.arange(width, dtype=np.float32) + 0.5) / np.float32(width)
        away = (x - LAMPS[int(lamp * len(LAMPS))]) / BESIDE
        gains -= np.float32(0.4 * strength) * np.exp(-(away**2))
    return gains


def _smooth(seed: int, number: int, place: float) -> float:
    """Chance values from 0 to 1 at whole places, and a smooth way from one to the next."""
    whole = math.floor(place)
    (a,), (b,) = (_chance(seed, number, knot, 1) for knot in (whole, whole + 1))
    share = place - whole
    return a + (b - a) * share * share * (3 - 2 * share)


def _chance(seed: int, number: int, index: int, count: int) -> list[float]:
    rng = np.random.default_rng([seed, 5, number, index])
    return [float(value) for value in rng.random(count)]
