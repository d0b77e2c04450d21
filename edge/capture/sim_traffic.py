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
from bisect import bisect_left, bisect_right
from collections import deque
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from edge.capture.sim_arrivals import FAR, KINDS, LINE, NEAR, Arrivals, Habits, Kind, Vehicle
from edge.records import Direction

STEP = 1 / 32  # a power of two: the step's number and its second convert without rounding
LEAD = 0.09  # vehicles begin and end this far outside the picture, so that shadows and light come in smoothly
ACCELERATION = 0.12
BRAKING = 0.26  # the hardest
GENTLE = 0.15  # braking towards a place where the driver means to stop
QUEUE = 6  # vehicles that wait outside for a lane; one more that comes goes elsewhere


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
        for index in range(bisect_left(self._at, first), bisect_right(self._at, last)):
            kind, away = divmod(self._what[index], 2)
            direction = Direction.EXIT if away else Direction.ENTRY
            found.append(Pass(self._at[index], self._number[index], KINDS[kind], direction))
        return found


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
        while self._pending is not None and self._pending.arrival <= now:
            state = self._lanes[self._pending.lane]
            if len(state.queue) < QUEUE:
                state.queue.append(self._pending)
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
