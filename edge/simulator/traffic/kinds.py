"""Defines the simulated ramp: its lanes, the kinds of vehicles on them, and how large a metre is at what depth.

Lengths are frame widths, unless a name or a comment says otherwise. A row is a height in the drawing, from 0 at the top
to 360 at the bottom.
"""

from __future__ import annotations

from typing import NamedTuple

from edge.core.events import Direction

LINE_PLACE = 0.5  # where the gate's line is on every lane
WIDTHS_PER_METRE = 0.072  # on the nearest lane
CAR_METRES = 4.6
HORIZON_ROW = -5.36  # where the floor would vanish
NEAR_LANE_ROW = 331.0
NEAR_LANE_METRES = 20.0  # from the camera to the nearest lane


class VehicleKind(NamedTuple):
    """A kind of vehicle: length and height in metres, its share of the traffic, and the colours that there are.

    ``takes_slot`` is False for a kind that takes no parking slot: it drives like the others and is never counted.
    """

    name: str
    length: float
    height: float
    share: float
    colours: tuple[str, ...]
    takes_slot: bool = True


class Lane(NamedTuple):
    """A lane: where it leads, its size against the nearest lane, and the row on which its vehicles' wheels stand."""

    direction: Direction
    scale: float
    row: float


def scale_at(row: float) -> float:
    """How large something is that stands on that row, against the nearest lane."""
    return (row - HORIZON_ROW) / (NEAR_LANE_ROW - HORIZON_ROW)


USUAL_KINDS = (
    VehicleKind("sedan", 4.60, 1.45, 0.40, ("white", "silver", "black", "red", "blue", "green")),
    VehicleKind("hatchback", 4.00, 1.50, 0.30, ("white", "silver", "black", "red", "blue", "yellow")),
    VehicleKind("van", 4.90, 1.90, 0.17, ("white", "silver", "black", "blue")),
    VehicleKind("motorbike", 2.40, 1.70, 0.13, ("black", "red", "blue", "green")),
)
MOTORBIKE_KIND = USUAL_KINDS[-1]
# Only in scenes whose parameters ask for them; their shares are the scene's.
LONG_KINDS = (
    VehicleKind("minibus", 6.50, 2.60, 0.0, ("white", "silver", "blue")),
    VehicleKind("trailer", 8.00, 1.45, 0.0, ("silver", "black", "red", "blue")),
)
BICYCLE_KIND = VehicleKind("bicycle", 1.75, 1.75, 0.0, ("red", "blue", "green", "black"), takes_slot=False)
ALL_KINDS = (*USUAL_KINDS, *LONG_KINDS, BICYCLE_KIND)

NEAR_LANE, FAR_LANE = Lane(Direction.ENTRY, 1.0, NEAR_LANE_ROW), Lane(Direction.EXIT, 0.78, 257.0)
# A second lane to enter by, behind the nearest lane: there only when vehicles drive side by side.
MIDDLE_LANE = Lane(Direction.ENTRY, 0.875, 289.0)
LANES = (FAR_LANE, MIDDLE_LANE, NEAR_LANE)  # the farthest first
