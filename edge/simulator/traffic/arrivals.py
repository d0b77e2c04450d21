"""The vehicles that want to drive through the simulated ramp: what they are, and when and how they come.

Lengths are frame widths, unless said otherwise.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from edge.simulator.traffic.kinds import (
    BICYCLE,
    CAR_METRES,
    FAR,
    KINDS,
    LINE,
    LONG,
    METRE,
    MIDDLE,
    MOTORBIKE,
    NEAR,
    Kind,
    Lane,
)

NORMAL_GAP, TAILGATE_GAP = 1.2, 0.5  # least distance between bumpers, in car lengths
SLOW = 0.22  # backing a long way, nobody is quicker than that
PLATOON = 4  # no more vehicles than this follow each other closely in a row


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
    side_by_side: float
    u_turns: float
    returns: float
    motorbike_share: float
    bicycle_share: float
    long_share: float
    barrier: int
    idle_swings: float
    seconds: float


@dataclass(slots=True, eq=False)
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
    ticket: float  # seconds from its coming near a closed barrier until that opens
    beside: Vehicle | None = None  # the one that it drives abreast of, ``stagger`` ahead
    stagger: float = 0.0
    partner: Vehicle | None = None  # the one that comes in beside it; None again once both are in
    place: float = 0.0
    speed: float = 0.0
    push: float = 0.0
    waited: float = 0.0
    backing: bool = False
    reverse: float = 0.0  # the speed at which it backs out
    asked: float = 0.0  # seconds since it came near the barrier
    cleared: bool = False  # the barrier was open for it

    def place_after(self, seconds: float) -> float:
        """The middle's place so many seconds after the current step (less than a step)."""
        return self.place + (self.speed + 0.5 * self.push * seconds) * seconds


class Arrivals:
    """The endless list of vehicles that want to come in, drawn one after the other from the seed.

    Each vehicle takes the same number of draws, so that changing one habit leaves the rest of the list as it was.
    One that comes beside another follows it in the list, with ``beside`` set.
    """

    def __init__(self, habits: Habits) -> None:
        self._habits = habits
        self._rng = np.random.default_rng(habits.seed)
        self._more = np.random.default_rng([habits.seed, 2])  # for habits that were not there from the beginning
        self._number = 0
        self._clock = 0.0
        self._ahead: Vehicle | None = None
        self._row = 0
        self._beside: Vehicle | None = None

    def next(self) -> Vehicle | None:
        """The next vehicle, not yet placed; None when there is no traffic at all."""
        habits = self._habits
        if habits.vehicles_per_minute <= 0:
            return None
        draw = [float(value) for value in self._rng.random(11)]
        more = [float(value) for value in self._more.random(6)]
        mean = 60.0 / habits.vehicles_per_minute
        self._clock += mean * (0.25 - 0.75 * math.log1p(-draw[0])) * (0.4 if self._number == 0 else 1.0)
        self._number += 1
        ahead, beside = self._ahead, self._beside
        lane = NEAR if draw[2] < habits.entry_share else FAR
        arrival = self._clock
        wish = habits.min_speed + (habits.max_speed - habits.min_speed) * draw[5]
        if ahead is not None:
            lane, arrival = ahead.lane, ahead.arrival
            wish = max(wish, min(ahead.wish * 1.1, habits.max_speed))
        elif beside is not None:
            lane, arrival = MIDDLE, beside.arrival
            wish = min(beside.wish * 1.15, habits.max_speed)  # so that it can keep abreast
        kind = self._kind(draw[3], more)
        vehicle = Vehicle(
            number=self._number,
            kind=kind,
            colour=kind.colours[int(draw[4] * len(kind.colours))],
            lane=lane,
            length=kind.length * METRE * lane.scale,
            arrival=arrival,
            wish=wish,
            gap=(NORMAL_GAP if ahead is None else TAILGATE_GAP) * CAR_METRES * METRE * lane.scale,
            target=None,
            pause=0.0,
            turns=False,
            follows=ahead is not None,
            ticket=0.2 + more[4],
        )
        if beside is None:
            self._plan(vehicle, draw)
        else:
            # Far enough ahead or behind that the nearer one never hides nearly all of it.
            vehicle.beside = beside
            vehicle.stagger = beside.length * (0.25 + 0.25 * (2 * more[3] % 1)) * (1 if more[3] < 0.5 else -1)
        self._expect(vehicle, draw, more)
        return vehicle

    def _kind(self, draw: float, more: list[float]) -> Kind:
        habits = self._habits
        if more[0] < habits.bicycle_share:
            return BICYCLE
        # A long one beside another would hide it, or be hidden.
        if more[0] < habits.bicycle_share + habits.long_share and self._beside is None:
            return LONG[int(more[1] * len(LONG))]
        cars = (1 - habits.motorbike_share) / (1 - MOTORBIKE.share)
        for kind in KINDS:
            share = habits.motorbike_share if kind is MOTORBIKE else kind.share * cars
            if draw < share:
                return kind
            draw -= share
        return KINDS[0]

    def _plan(self, vehicle: Vehicle, draw: list[float]) -> None:
        """What it does on its way: turns short of the line, turns beyond it, or stops on it."""
        habits = self._habits
        vehicle.reverse = vehicle.wish
        whole = vehicle.kind not in LONG  # a long one would stand half out of the picture
        drives_back = whole and vehicle.kind not in (MOTORBIKE, BICYCLE)
        if whole and draw[6] < habits.u_turns:
            vehicle.turns = True
            vehicle.target = LINE - (0.28 + 0.25 * draw[8]) * vehicle.length
            vehicle.pause = 0.5 + draw[9]
        elif drives_back and draw[6] < habits.u_turns + habits.returns:
            vehicle.turns = True
            vehicle.reverse = min(vehicle.wish, SLOW)
            vehicle.target = LINE + (0.84 + 0.08 * draw[8]) * vehicle.length
            vehicle.pause = 1.0 + 2.0 * draw[9]
        elif draw[7] < habits.stop_on_line:
            vehicle.target = LINE + 0.16 * (draw[8] - 0.5) * vehicle.length
            vehicle.pause = 1.0 + 3.0 * draw[9]

    def _expect(self, vehicle: Vehicle, draw: list[float], more: list[float]) -> None:
        """Whether the next vehicle comes beside this one, or closely behind it."""
        habits = self._habits
        # One that backs out cannot have another at its bumper, nor beside it.
        free = not vehicle.turns and vehicle.beside is None
        pair = free and vehicle.lane == NEAR and vehicle.kind not in LONG and more[2] < habits.side_by_side
        self._beside = vehicle if pair else None
        close = free and not pair and draw[1] < habits.tailgating and self._row < PLATOON - 1
        self._ahead, self._row = (vehicle, self._row + 1) if close else (None, 0)
