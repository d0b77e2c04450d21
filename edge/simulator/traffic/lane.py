"""How vehicles drive on a lane of the simulated ramp: one behind the other, as one law of motion says.

Lengths are frame widths. A vehicle's ``place`` is the way that its middle has made along its lane: 0 at the
picture's edge where the lane begins, ``LINE`` on the gate's line, 1 at the far edge, for both directions.

Time runs in steps of ``STEP`` seconds, in each of which a vehicle's acceleration is constant; between two steps
its place is that parabola exactly, so nothing depends on when a caller looks. A follower never drives faster
than lets it stop behind the one ahead (the safe speed of Krauss' car-following model).
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from edge.simulator.traffic.barrier import STOP
from edge.simulator.traffic.kinds import LINE

if TYPE_CHECKING:
    from edge.core.events import Direction
    from edge.simulator.traffic.arrivals import Vehicle
    from edge.simulator.traffic.barrier import Barrier
    from edge.simulator.traffic.kinds import Kind

STEP = 1 / 32  # a power of two: the step's number and its second convert without rounding
LEAD = 0.09  # vehicles begin and end this far outside the picture, so that shadows and light come in smoothly
ACCELERATION = 0.12
BRAKING = 0.26  # the hardest
GENTLE = 0.15  # braking towards a place where the driver means to stop
CATCH_UP = 1.5  # how quickly one that drives abreast makes good its stagger, a second


class Pass(NamedTuple):
    """A vehicle's middle passed the line at second ``at``, in that direction."""

    at: float
    number: int
    kind: Kind
    direction: Direction


@dataclass(slots=True)
class LaneState:
    """What drives on a lane, the foremost first, and what waits to come in."""

    vehicles: list[Vehicle] = field(default_factory=list)
    queue: deque[Vehicle] = field(default_factory=deque)
    closed: bool = False
    barrier: Barrier | None = None

    @property
    def idle(self) -> bool:
        """Whether nothing moves or waits on this lane."""
        return not self.vehicles and not self.queue and (self.barrier is None or self.barrier.at_rest)

    def expected(self, now: float) -> Vehicle | None:
        """The first of the queue, if its time has come."""
        return self.queue[0] if self.queue and not self.closed and self.queue[0].arrival <= now else None

    def fit(self, new: Vehicle, lead: float = 0.0) -> bool:
        """Place ``new`` at the lane's beginning, ``lead`` farther back; False when there is no room for it."""
        new.place = -LEAD - new.length / 2 - lead
        # Slow enough for a place where it means to stop, too.
        new.speed = new.wish
        if new.target is not None:
            new.speed = min(new.wish, _safe_speed(new.target - new.place, 0.0, GENTLE))
        if self.barrier is not None:
            new.speed = min(new.speed, _safe_speed(STOP - new.place - new.length / 2, 0.0, GENTLE))
        if self.vehicles:
            last = self.vehicles[-1]
            room = last.place - last.length / 2 + LEAD - new.gap
            # Nobody may stand behind one that is going to back out.
            if room < 0 or last.turns:
                return False
            new.speed = min(new.speed, _safe_speed(room, last.speed, BRAKING))
        return True

    def steer(self, now: float) -> None:
        """Choose the acceleration of every vehicle, and of the barrier's arm, for the step from second ``now``."""
        if self.barrier is not None:
            self.barrier.steer(self.vehicles, now, STEP)
        ahead: Vehicle | None = None
        for vehicle in self.vehicles:
            if vehicle.backing:
                speed = _back(vehicle)
            else:
                waits = self.barrier is not None and not vehicle.cleared
                speed = _forth(vehicle, ahead, waits)
            vehicle.push = (speed - vehicle.speed) / STEP
            ahead = vehicle

    def move(self, now: float) -> list[Pass]:
        """Drive for one step from second ``now``; returns who passed the line. Those that are gone are dropped."""
        passed = []
        for vehicle in self.vehicles:
            before = vehicle.place
            vehicle.place = vehicle.place_after(STEP)
            way = vehicle.lane.direction
            if before < LINE <= vehicle.place:
                at = now + _moment(vehicle.speed, vehicle.push, LINE - before)
                passed.append(Pass(at, vehicle.number, vehicle.kind, way))
            elif vehicle.place < LINE <= before:
                at = now + _moment(-vehicle.speed, -vehicle.push, before - LINE)
                passed.append(Pass(at, vehicle.number, vehicle.kind, way.opposite))
            vehicle.speed += vehicle.push * STEP
        self.vehicles = [vehicle for vehicle in self.vehicles if not _gone(vehicle)]
        if self.barrier is not None:
            self.barrier.move(STEP)
        return passed


def _gone(vehicle: Vehicle) -> bool:
    half = vehicle.length / 2
    return vehicle.place - half > 1 + LEAD or (vehicle.backing and vehicle.place + half < -LEAD)


def _safe_speed(room: float, ahead: float, braking: float) -> float:
    drop = braking * STEP
    return max(math.sqrt(max(drop * drop + ahead * ahead + 2 * braking * room, 0.0)) - drop, 0.0)


def _forth(vehicle: Vehicle, ahead: Vehicle | None, waits: bool) -> float:
    limit = min(vehicle.wish, vehicle.speed + ACCELERATION * STEP)
    if ahead is not None:
        room = ahead.place - vehicle.place - (ahead.length + vehicle.length) / 2 - vehicle.gap
        limit = min(limit, _safe_speed(room, max(ahead.speed, 0.0), BRAKING))
    if vehicle.beside is not None:
        short = vehicle.beside.place + vehicle.stagger - vehicle.place
        limit = min(limit, max(vehicle.beside.speed + CATCH_UP * short, 0.0))
    if waits:
        limit = min(limit, _safe_speed(STOP - vehicle.place - vehicle.length / 2, 0.0, GENTLE))
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
    return max(-vehicle.reverse, vehicle.speed - ACCELERATION * STEP)


def _moment(speed: float, push: float, way: float) -> float:
    # The first root of speed * t + push * t^2 / 2 = way, in the form that keeps its digits when push is small.
    root = math.sqrt(max(speed * speed + 2 * push * way, 0.0))
    return min(max(2 * way / (speed + root), 0.0), STEP) if speed + root > 0 else STEP
