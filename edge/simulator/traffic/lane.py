"""Drives the vehicles of one lane of the simulated ramp, one behind the other.

Lengths are frame widths. A vehicle's ``place`` is how far its middle has come along its lane: 0 at the picture's edge
where the lane begins, ``LINE_PLACE`` on the gate's line, 1 at the far edge, for both directions.

Time runs in steps of ``STEP_SECONDS``, in each of which a vehicle's acceleration is constant; between two steps its
place is that parabola exactly, so nothing depends on when a caller asks. A follower never drives faster than lets it
stop behind the vehicle ahead (the safe speed of the car-following model of Krauss, 1998).
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edge.simulator.traffic.barrier import STOP_PLACE
from edge.simulator.traffic.crossings import TrueCrossing
from edge.simulator.traffic.kinds import LINE_PLACE

if TYPE_CHECKING:
    from edge.simulator.traffic.arrivals import Vehicle
    from edge.simulator.traffic.barrier import Barrier

STEP_SECONDS = 1 / 32  # a power of two: the step's number and its second convert without rounding
DRIVE_MARGIN = 0.09  # vehicles begin and end this far outside the picture, so that shadows and light come in smoothly
_ACCELERATION = 0.12
_HARDEST_BRAKING = 0.26
_GENTLE_BRAKING = 0.15  # towards a place where the driver means to stop
_CATCH_UP_RATE = 1.5  # share of its missing stagger that a vehicle which drives abreast makes good a second


@dataclass(slots=True)
class LaneState:
    """The vehicles on a lane, the foremost first, and those that wait to come in."""

    vehicles: list[Vehicle] = field(default_factory=list)
    queue: deque[Vehicle] = field(default_factory=deque)
    closed: bool = False
    barrier: Barrier | None = None

    @property
    def idle(self) -> bool:
        """Whether nothing moves or waits on this lane."""
        return not self.vehicles and not self.queue and (self.barrier is None or self.barrier.at_rest)

    def first_due(self, now: float) -> Vehicle | None:
        """The first vehicle of the queue, if its time has come."""
        return self.queue[0] if self.queue and not self.closed and self.queue[0].arrival <= now else None

    def place_at_entrance(self, new: Vehicle, lead: float = 0.0) -> bool:
        """Place ``new`` at the lane's beginning, ``lead`` farther back; False when there is no room for it."""
        new.place = -DRIVE_MARGIN - new.length / 2 - lead
        # Slow enough for a place where it means to stop, too.
        new.speed = new.desired_speed
        if new.stop_place is not None:
            new.speed = min(new.desired_speed, _safe_speed(new.stop_place - new.place, 0.0, _GENTLE_BRAKING))
        if self.barrier is not None:
            new.speed = min(new.speed, _safe_speed(STOP_PLACE - new.place - new.length / 2, 0.0, _GENTLE_BRAKING))
        if self.vehicles:
            last = self.vehicles[-1]
            room = last.place - last.length / 2 + DRIVE_MARGIN - new.gap
            # No vehicle may stand behind a vehicle that is going to back out.
            if room < 0 or last.turns_back:
                return False
            new.speed = min(new.speed, _safe_speed(room, last.speed, _HARDEST_BRAKING))
        return True

    def steer(self, now: float) -> None:
        """Choose the acceleration of every vehicle, and of the barrier's arm, for the step from second ``now``."""
        if self.barrier is not None:
            self.barrier.steer(self.vehicles, now, STEP_SECONDS)
        ahead: Vehicle | None = None
        for vehicle in self.vehicles:
            if vehicle.backing:
                speed = _backward_speed(vehicle)
            else:
                waits = self.barrier is not None and not vehicle.cleared
                speed = _forward_speed(vehicle, ahead, waits)
            vehicle.acceleration = (speed - vehicle.speed) / STEP_SECONDS
            ahead = vehicle

    def move(self, now: float) -> list[TrueCrossing]:
        """Drive for one step from second ``now``; returns the crossings of the line. Vehicles that left are dropped."""
        crossings = []
        for vehicle in self.vehicles:
            before = vehicle.place
            vehicle.place = vehicle.place_after(STEP_SECONDS)
            direction = vehicle.lane.direction
            if before < LINE_PLACE <= vehicle.place:
                at = now + _seconds_to_drive(LINE_PLACE - before, vehicle.speed, vehicle.acceleration)
                crossings.append(TrueCrossing(vehicle.number, vehicle.kind.name, direction, at))
            elif vehicle.place < LINE_PLACE <= before:
                at = now + _seconds_to_drive(before - LINE_PLACE, -vehicle.speed, -vehicle.acceleration)
                crossings.append(TrueCrossing(vehicle.number, vehicle.kind.name, direction.opposite, at))
            vehicle.speed += vehicle.acceleration * STEP_SECONDS
        self.vehicles = [vehicle for vehicle in self.vehicles if not _has_left(vehicle)]
        if self.barrier is not None:
            self.barrier.move(STEP_SECONDS)
        return crossings


def _has_left(vehicle: Vehicle) -> bool:
    half = vehicle.length / 2
    return vehicle.place - half > 1 + DRIVE_MARGIN or (vehicle.backing and vehicle.place + half < -DRIVE_MARGIN)


def _safe_speed(room: float, speed_ahead: float, braking: float) -> float:
    drop = braking * STEP_SECONDS
    return max(math.sqrt(max(drop * drop + speed_ahead * speed_ahead + 2 * braking * room, 0.0)) - drop, 0.0)


def _forward_speed(vehicle: Vehicle, ahead: Vehicle | None, waits: bool) -> float:
    limit = min(vehicle.desired_speed, vehicle.speed + _ACCELERATION * STEP_SECONDS)
    if ahead is not None:
        room = ahead.place - vehicle.place - (ahead.length + vehicle.length) / 2 - vehicle.gap
        limit = min(limit, _safe_speed(room, max(ahead.speed, 0.0), _HARDEST_BRAKING))
    if vehicle.beside is not None:
        short = vehicle.beside.place + vehicle.stagger - vehicle.place
        limit = min(limit, max(vehicle.beside.speed + _CATCH_UP_RATE * short, 0.0))
    if waits:
        limit = min(limit, _safe_speed(STOP_PLACE - vehicle.place - vehicle.length / 2, 0.0, _GENTLE_BRAKING))
    if vehicle.stop_place is not None:
        room = vehicle.stop_place - vehicle.place
        limit = min(limit, _safe_speed(room, 0.0, _GENTLE_BRAKING))
        if room < 0.002 and vehicle.speed < 0.004:
            vehicle.stood_seconds += STEP_SECONDS
            limit = 0.0
            if vehicle.stood_seconds >= vehicle.stop_seconds:
                vehicle.stop_place = None
                vehicle.backing = vehicle.turns_back
    return max(limit, vehicle.speed - _HARDEST_BRAKING * STEP_SECONDS, 0.0)


def _backward_speed(vehicle: Vehicle) -> float:
    return max(-vehicle.backing_speed, vehicle.speed - _ACCELERATION * STEP_SECONDS)


def _seconds_to_drive(distance: float, speed: float, acceleration: float) -> float:
    # The first root of speed * t + acceleration * t^2 / 2 = distance, in the form that keeps its digits when the
    # acceleration is small.
    root = math.sqrt(max(speed * speed + 2 * acceleration * distance, 0.0))
    if speed + root <= 0:
        return STEP_SECONDS
    return min(max(2 * distance / (speed + root), 0.0), STEP_SECONDS)
