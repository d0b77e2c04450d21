"""What drives on the simulated ramp, and where: kinds of vehicles, lanes, and how large a metre is at what depth.

Lengths are frame widths, unless said otherwise.
"""

from __future__ import annotations

from typing import NamedTuple

from edge.core.events import Direction

LINE = 0.5  # where the gate's line is on every lane
METRE = 0.072  # a metre of the nearer lane
CAR_METRES = 4.6
HORIZON = -5.36  # where the floor would vanish, in the drawing's rows
NEAR_FLOOR = 331.0
DEPTH = 20.0  # metres from the camera to the nearer lane


class Kind(NamedTuple):
    """A make of vehicle: size in metres, and its share of the traffic.

    ``takes_slot`` is False for what parks for nothing: it is driven and drawn like any other, and never counts.
    """

    name: str
    length: float
    height: float
    share: float
    colours: tuple[str, ...]
    takes_slot: bool = True


class Lane(NamedTuple):
    """A lane: the way it leads, its size against the nearer lane, and where its wheels stand (0..360)."""

    direction: Direction
    scale: float
    floor: float


def scale_at(floor: float) -> float:
    """How large things are that stand on that row of the drawing (0..360), against the nearer lane."""
    return (floor - HORIZON) / (NEAR_FLOOR - HORIZON)


KINDS = (
    Kind("sedan", 4.60, 1.45, 0.40, ("white", "silver", "black", "red", "blue", "green")),
    Kind("hatchback", 4.00, 1.50, 0.30, ("white", "silver", "black", "red", "blue", "yellow")),
    Kind("van", 4.90, 1.90, 0.17, ("white", "silver", "black", "blue")),
    Kind("motorbike", 2.40, 1.70, 0.13, ("black", "red", "blue", "green")),
)
MOTORBIKE = KINDS[-1]
# Not in the garage unless asked for; their shares are the scene's.
LONG = (
    Kind("minibus", 6.50, 2.60, 0.0, ("white", "silver", "blue")),
    Kind("trailer", 8.00, 1.45, 0.0, ("silver", "black", "red", "blue")),
)
BICYCLE = Kind("bicycle", 1.75, 1.75, 0.0, ("red", "blue", "green", "black"), takes_slot=False)
ALL_KINDS = (*KINDS, *LONG, BICYCLE)

NEAR, FAR = Lane(Direction.ENTRY, 1.0, NEAR_FLOOR), Lane(Direction.EXIT, 0.78, 257.0)
# A second lane to enter by, behind the nearer one: there only when vehicles drive side by side.
MIDDLE = Lane(Direction.ENTRY, 0.875, 289.0)
LANES = (FAR, MIDDLE, NEAR)  # the farthest first
