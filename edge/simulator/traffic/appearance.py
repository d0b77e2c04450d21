"""Chooses what a simulated person looks like; ``drawing/people.py`` draws it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

Colour = tuple[int, int, int]  # blue, green, red: 0 to 255

SKINS: tuple[Colour, ...] = ((172, 198, 232), (140, 172, 216), (96, 132, 182), (60, 88, 132), (44, 62, 92))
HAIRS: tuple[Colour, ...] = ((24, 26, 30), (38, 54, 82), (70, 116, 164), (120, 122, 124), (30, 40, 60))
TOPS: tuple[Colour, ...] = (
    (40, 44, 168), (150, 92, 40), (84, 132, 62), (60, 160, 214), (196, 198, 200), (44, 42, 40), (124, 70, 118),
)  # fmt: skip
TROUSERS: tuple[Colour, ...] = ((104, 72, 44), (46, 44, 44), (92, 116, 136), (74, 78, 80), (60, 42, 32))
LOOK_DRAWS = 7  # random numbers that ``choose_look`` takes


class PersonLook(NamedTuple):
    """How a person looks: ``height`` in metres, colours, a bag on the back, and what the person pushes.

    ``pushes`` is ``trolley``, ``pram`` or nothing (``""``).
    """

    height: float
    skin: Colour
    hair: Colour
    top: Colour
    trousers: Colour
    long_hair: bool
    bag: bool
    pushes: str


def choose_look(draws: Sequence[float], pushes: str) -> PersonLook:
    """A look from ``LOOK_DRAWS`` random numbers from 0 to 1; a person who pushes something carries no bag."""
    return PersonLook(
        height=1.6 + 0.3 * draws[1],
        skin=SKINS[int(draws[2] * len(SKINS))],
        hair=HAIRS[int(draws[3] * len(HAIRS))],
        top=TOPS[int(draws[4] * len(TOPS))],
        trousers=TROUSERS[int(draws[5] * len(TROUSERS))],
        long_hair=draws[6] < 0.45,
        bag=draws[0] < 0.3 and not pushes,
        pushes=pushes,
    )
