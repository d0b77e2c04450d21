"""The vehicles that want to drive through the simulated ramp: what they are, and when and how they come.

Lengths are frame widths, unless said otherwise.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from edge.records import Direction

LINE = 0.5  # where the gate's line is on either lane
METRE = 0.072  # a metre of the nearer lane
CAR_METRES = 4.6
NORMAL_GAP, TAILGATE_GAP = 1.2, 0.5  # least distance between bumpers, in car lengths
PLATOON = 4  # no more vehicles than this follow each other closely in a row


class Kind(NamedTuple):
    """A make of vehicle: size in metres, and its share of the traffic."""

    name: str
    length: float
    height: float
    share: float
    colours: tuple[str, ...]


class Lane(NamedTuple):
    """A lane: the way it leads, its size against the nearer lane, and where its wheels stand (0..360)."""

    direction: Direction
    scale: float
    floor: float


KINDS = (
    Kind("sedan", 4.60, 1.45, 0.40, ("white", "silver", "black", "red", "blue", "green")),
    Kind("hatchback", 4.00, 1.50, 0.30, ("white", "silver", "black", "red", "blue", "yellow")),
    Kind("van", 4.90, 1.90, 0.17, ("white", "silver", "black", "blue")),
    Kind("motorbike", 2.40, 1.70, 0.13, ("black", "red", "blue", "green")),
)
NEAR, FAR = Lane(Direction.ENTRY, 1.0, 331.0), Lane(Direction.EXIT, 0.78, 257.0)


@dataclass(frozen=True, slots=True)
class Habits:
    """What the traffic is like; the fields mean what those of ``SceneParameters`` mean."""

    seed: int
    vehicles_per_minute: float
    entry_share: float
    min_speed: float
    max_speed: float
    stop_on_line: float
    tailgating: float
    u_turns: float
    seconds: float


@dataclass(slots=True)
class Vehicle:
    """A vehicle and its way so far. ``place`` is how far its middle has come along its lane: 0 at the picture's
    edge, ``LINE`` on the line. ``place``, ``speed`` and ``push`` (acceleration) hold at the current step.
    """

    number: int
    kind: Kind
    colour: str
    lane: Lane
    length: float  # bumper to bumper
    arrival: float  # the second from which it wants to come in
    wish: float  # the speed that it drives on a free lane
    gap: float
    target: float | None  # the place where it means to stop
    pause: float  # seconds that it stands there
    turns: bool  # goes back from there
    follows: bool  # comes in closely behind the one before it
    place: float = 0.0
    speed: float = 0.0
    push: float = 0.0
    waited: float = 0.0
    backing: bool = False

    def place_after(self, seconds: float) -> float:
        """The middle's place so many seconds after the current step (less than a step)."""
        return self.place + (self.speed + 0.5 * self.push * seconds) * seconds


class Arrivals:
    """The endless list of vehicles that want to come in, drawn one after the other from the seed.

    Each vehicle takes the same number of draws, so that changing one habit leaves the rest of the list as it was.
    """

    def __init__(self, habits: Habits) -> None:
        self._habits = habits
        self._rng = np.random.default_rng(habits.seed)
        self._number = 0
        self._clock = 0.0
        self._ahead: Vehicle | None = None
        self._row = 0

    def next(self) -> Vehicle | None:
        """The next vehicle, not yet placed; None when there is no traffic at all."""
        habits = self._habits
        if habits.vehicles_per_minute <= 0:
            return None
        draw = [float(value) for value in self._rng.random(11)]
        mean = 60.0 / habits.vehicles_per_minute
        self._clock += mean * (0.25 - 0.75 * math.log1p(-draw[0])) * (0.4 if self._number == 0 else 1.0)
        self._number += 1
        follows = self._ahead is not None
        lane = NEAR if draw[2] < habits.entry_share else FAR
        arrival = self._clock
        if self._ahead is not None:
            lane, arrival = self._ahead.lane, self._ahead.arrival
        kind = _kind(draw[3])
        wish = habits.min_speed + (habits.max_speed - habits.min_speed) * draw[5]
        if self._ahead is not None:
            wish = max(wish, min(self._ahead.wish * 1.1, habits.max_speed))
        vehicle = Vehicle(
            number=self._number,
            kind=kind,
            colour=kind.colours[int(draw[4] * len(kind.colours))],
            lane=lane,
            length=kind.length * METRE * lane.scale,
            arrival=arrival,
            wish=wish,
            gap=(TAILGATE_GAP if follows else NORMAL_GAP) * CAR_METRES * METRE * lane.scale,
            target=None,
            pause=0.0,
            turns=draw[6] < habits.u_turns,
            follows=follows,
        )
        if vehicle.turns:
            vehicle.target = LINE - (0.28 + 0.25 * draw[8]) * vehicle.length
            vehicle.pause = 0.5 + draw[9]
        elif draw[7] < habits.stop_on_line:
            vehicle.target = LINE + 0.16 * (draw[8] - 0.5) * vehicle.length
            vehicle.pause = 1.0 + 3.0 * draw[9]
        # One that backs out cannot have another at its bumper.
        close = draw[1] < habits.tailgating and not vehicle.turns and self._row < PLATOON - 1
        self._ahead, self._row = (vehicle, self._row + 1) if close else (None, 0)
        return vehicle


def _kind(draw: float) -> Kind:
    for kind in KINDS:
        if draw < kind.share:
            return kind
        draw -= kind.share
    return KINDS[0]
