"""The simulated ramp's traffic: who drives where at which second. Knows nothing of pixels or frames.

Lengths are frame widths. A vehicle's ``place`` is the way that its middle has made along its lane: 0 at the
picture's edge where the lane begins, ``LINE`` on the gate's line, 1 at the far edge, for both directions.

Time runs in steps of ``STEP`` seconds, in each of which a vehicle's acceleration is constant; between two steps
its place is that parabola exactly, so nothing depends on when a caller looks. A follower never drives faster
than lets it stop behind the one ahead (the safe speed of Krauss' car-following model).
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_right
from collections import deque
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from edge.records import Direction

STEP = 1 / 32  # a power of two: the step's number and its second convert without rounding
LINE = 0.5
LEAD = 0.09  # vehicles begin and end this far outside the picture, so that shadows and light come in smoothly
METRE = 0.069  # a metre of the nearer lane
ACCELERATION = 0.12
BRAKING = 0.26  # the hardest
GENTLE = 0.15  # braking towards a place where the driver means to stop
NORMAL_GAP, TAILGATE_GAP = 1.2, 0.5  # least distance between bumpers, in car lengths
CAR_METRES = 4.6
QUEUE = 6  # vehicles that wait outside for a lane; when one lane is so full, arrivals wait
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
    Kind("van", 5.10, 2.05, 0.17, ("white", "silver", "black", "blue")),
    Kind("motorbike", 2.12, 1.68, 0.13, ("black", "red", "blue", "green")),
)
NEAR, FAR = Lane(Direction.ENTRY, 1.0, 318.0), Lane(Direction.EXIT, 0.87, 258.0)


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
    """A vehicle on its way. ``place``, ``speed`` and ``push`` hold at the current step."""

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
        """The middle's place so many seconds after the current step (less than ``STEP``)."""
        return self.place + (self.speed + 0.5 * self.push * seconds) * seconds


class Pass(NamedTuple):
    """A vehicle's middle passed the line at second ``at``."""

    at: float
    number: int
    kind: Kind
    direction: Direction


class Passes:
    """All passes so far, 17 bytes each: a day of dense traffic is a few hundred kilobytes."""

    def __init__(self) -> None:
        self._at, self._number = array("d"), array("L")
        self._what = array("B")

    def add(self, one: Pass) -> None:
        """Keep a pass; they come in order of time."""
        self._at.append(one.at)
        self._number.append(one.number)
        self._what.append(KINDS.index(one.kind) * 2 + (one.direction is Direction.EXIT))

    def between(self, first: float, last: float) -> list[Pass]:
        """Those with ``first <= at <= last``."""
        found = []
        for index in range(bisect_right(self._at, math.nextafter(first, -math.inf)), bisect_right(self._at, last)):
            kind, away = divmod(self._what[index], 2)
            direction = Direction.EXIT if away else Direction.ENTRY
            found.append(Pass(self._at[index], self._number[index], KINDS[kind], direction))
        return found


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


@dataclass(slots=True)
class LaneState:
    """What drives on a lane, the foremost first, and what waits to come in."""

    vehicles: list[Vehicle] = field(default_factory=list)
    queue: deque[Vehicle] = field(default_factory=deque)
    closed: bool = False

    def release(self, now: float) -> Vehicle | None:
        """Put the first of the queue on the lane if its time has come and there is room; returns it."""
        if not self.queue or self.closed or self.queue[0].arrival > now:
            return None
        new = self.queue[0]
        new.place = -LEAD - new.length / 2
        # Slow enough for a place where it means to stop, too.
        new.speed = new.wish
        if new.target is not None:
            new.speed = min(new.wish, _safe_speed(new.target - new.place, 0.0, GENTLE))
        if self.vehicles:
            last = self.vehicles[-1]
            room = last.place - last.length / 2 + LEAD - new.gap
            # Nobody may stand behind one that is going to back out.
            if room < 0 or last.turns:
                return None
            new.speed = min(new.speed, _safe_speed(room, last.speed, BRAKING))
        self.queue.popleft()
        self.vehicles.append(new)
        return new

    def steer(self) -> None:
        """Choose every vehicle's acceleration for the coming step."""
        ahead: Vehicle | None = None
        for vehicle in self.vehicles:
            speed = _back(vehicle) if vehicle.backing else _forth(vehicle, ahead)
            vehicle.push = (speed - vehicle.speed) / STEP
            ahead = vehicle

    def move(self, now: float) -> list[Pass]:
        """Drive for one step from second ``now``; returns who passed the line. Those that are gone are dropped."""
        passed = []
        for vehicle in self.vehicles:
            before = vehicle.place
            vehicle.place = vehicle.place_after(STEP)
            if before < LINE <= vehicle.place:
                at = now + _moment(vehicle.speed, vehicle.push, LINE - before)
                passed.append(Pass(at, vehicle.number, vehicle.kind, vehicle.lane.direction))
            vehicle.speed += vehicle.push * STEP
        self.vehicles = [vehicle for vehicle in self.vehicles if not _gone(vehicle)]
        return passed


class Traffic:
    """The ramp from second 0 on; only goes forward. ``stopped_at``: nobody comes into the picture from then on."""

    def __init__(self, habits: Habits, stopped_at: float | None = None) -> None:
        self.step = 0
        self.passes = Passes()
        self.stopped_at = stopped_at
        self._stopped = False
        self._habits = habits
        self._lanes = {NEAR: LaneState(), FAR: LaneState()}
        self._arrivals = Arrivals(habits)
        self._pending = self._arrivals.next()

    @property
    def empty(self) -> bool:
        """Whether nothing is on the lanes."""
        return not any(state.vehicles for state in self._lanes.values())

    def vehicles(self) -> list[Vehicle]:
        """Everything on the lanes, the farther lane first. Not to be changed."""
        return [vehicle for lane in (FAR, NEAR) for vehicle in self._lanes[lane].vehicles]

    def advance(self, step: int) -> None:
        """Go on to that step, if it is not past."""
        while self.step < step:
            self._skip_idle(step)
            now = self.step * STEP
            passed = [one for state in self._lanes.values() for one in state.move(now)]
            for one in sorted(passed):
                self.passes.add(one)
            self.step += 1
            self._prepare()

    def stop(self, at: float) -> None:
        """Nobody who is not in the picture at second ``at`` (in the current step) comes any more."""
        self.stopped_at = at
        if self._stopped:
            return
        self._stopped = True
        since = at - self.step * STEP
        for state in self._lanes.values():
            state.vehicles = [one for one in state.vehicles if one.place_after(since) + one.length / 2 > 0]
            state.queue.clear()
            state.closed = True
        self._pending = None

    def _skip_idle(self, step: int) -> None:
        if self.empty and not any(state.queue for state in self._lanes.values()):
            arrival = math.inf if self._pending is None else self._pending.arrival / STEP
            # One step early: the arrival must be seen by a whole step.
            self.step = max(self.step, int(min(step, arrival)) - 1)

    def _prepare(self) -> None:
        now = self.step * STEP
        while (
            self._pending is not None
            and self._pending.arrival <= now
            and all(len(state.queue) < QUEUE for state in self._lanes.values())
        ):
            self._lanes[self._pending.lane].queue.append(self._pending)
            self._pending = self._arrivals.next()
        for state in self._lanes.values():
            new = state.release(now)
            if new is not None and self._too_late(state, now):
                state.vehicles.remove(new)
                state.closed = True
            if state.closed:
                state.queue.clear()
            state.steer()
        if self.stopped_at is not None and now + STEP > self.stopped_at:
            self.stop(self.stopped_at)

    def _too_late(self, state: LaneState, now: float) -> bool:
        # Those ahead never look behind, so the lane's own future up to the last one's leaving is exact.
        habits = self._habits
        if not habits.seconds or now + 2 * (1 + 3 * LEAD) / habits.min_speed + 30 < habits.seconds:
            return False
        trial = LaneState([replace(vehicle) for vehicle in state.vehicles])
        while trial.vehicles and now + STEP <= habits.seconds:
            trial.steer()
            trial.move(now)
            now += STEP
        return bool(trial.vehicles)


def _kind(draw: float) -> Kind:
    for kind in KINDS:
        if draw < kind.share:
            return kind
        draw -= kind.share
    return KINDS[0]


def _gone(vehicle: Vehicle) -> bool:
    half = vehicle.length / 2
    return vehicle.place - half > 1 + LEAD or (vehicle.backing and vehicle.place + half < -LEAD)


def _safe_speed(room: float, ahead: float, braking: float) -> float:
    drop = braking * STEP
    return max(math.sqrt(max(drop * drop + ahead * ahead + 2 * braking * room, 0.0)) - drop, 0.0)


def _forth(vehicle: Vehicle, ahead: Vehicle | None) -> float:
    limit = min(vehicle.wish, vehicle.speed + ACCELERATION * STEP)
    if ahead is not None:
        room = ahead.place - vehicle.place - (ahead.length + vehicle.length) / 2 - vehicle.gap
        limit = min(limit, _safe_speed(room, max(ahead.speed, 0.0), BRAKING))
    if vehicle.target is not None:
        room = vehicle.target - vehicle.place
        limit = min(limit, _safe_speed(room, 0.0, GENTLE))
        if room < 0.002 and vehicle.speed < 0.004:
            vehicle.waited += STEP
            limit = 0.0
            if vehicle.waited >= vehicle.pause:
                vehicle.target = None
                vehicle.backing = vehicle.turns
    return max(limit, vehicle.speed - BRAKING * STEP, 0.0)


def _back(vehicle: Vehicle) -> float:
    return max(-vehicle.wish, vehicle.speed - ACCELERATION * STEP)


def _moment(speed: float, push: float, way: float) -> float:
    # The first root of speed * t + push * t^2 / 2 = way, in the form that keeps its digits when push is small.
    root = math.sqrt(max(speed * speed + 2 * push * way, 0.0))
    return min(max(2 * way / (speed + root), 0.0), STEP) if speed + root > 0 else STEP
