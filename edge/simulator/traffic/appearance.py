"""What a simulated person looks like: chosen by the traffic, drawn by ``drawing/people.py``."""

from __future__ import annotations

from typing import NamedTuple

Colour = tuple[int, int, int]  # blue, green, red

SKINS: tuple[Colour, ...] = ((172, 198, 232), (140, 172, 216), (96, 132, 182), (60, 88, 132), (44, 62, 92))
HAIRS: tuple[Colour, ...] = ((24, 26, 30), (38, 54, 82), (70, 116, 164), (120, 122, 124), (30, 40, 60))
TOPS: tuple[Colour, ...] = (
    (40, 44, 168), (150, 92, 40), (84, 132, 62), (60, 160, 214), (196, 198, 200), (44, 42, 40), (124, 70, 118),
)  # fmt: skip
TROUSERS: tuple[Colour, ...] = ((104, 72, 44), (46, 44, 44), (92, 116, 136), (74, 78, 80), (60, 42, 32))


class Person(NamedTuple):
    """How somebody looks: ``height`` in metres, colours, a bag on the back, and what is pushed.

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
