"""Decides when the simulated boom barriers open and close.

A barrier opens for a vehicle that has come near and has waited for its ticket, lets it pass, and closes behind it. It
never moves down over a vehicle. Places are frame widths along a lane, as in ``lane.py``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.simulator.traffic.arrivals import Vehicle

ARM_PLACE = 0.505  # where the arm is on its lane
_DISTANCE_KEPT = 0.03  # between the arm and the bumper of a vehicle that waits
STOP_PLACE = ARM_PLACE - _DISTANCE_KEPT
_SENSOR_RANGE = 0.17  # before the arm; a vehicle that is nearer is sensed
_TAIL_DISTANCE = 0.05  # its tail must be so far beyond before the arm comes down
_SWING_SECONDS = 1.0  # from closed to open


class IdleOpenings:
    """When a barrier opens although no vehicle is there: ``per_minute`` times, at random."""

    def __init__(self, seed: int, lane_number: int, per_minute: float) -> None:
        self._rng = np.random.default_rng([seed, 3, lane_number])
        self._per_minute = per_minute
        self.next_at, self.hold_seconds = 0.0, 0.0
        self.choose_next()

    def choose_next(self) -> None:
        """Choose the opening after the current one: its second, and for how many seconds the arm stays up."""
        if self._per_minute <= 0:
            self.next_at = math.inf
            return
        wait, hold = (float(value) for value in self._rng.random(2))
        self.next_at += -math.log1p(-wait) * 60.0 / self._per_minute
        self.hold_seconds = 1.0 + 3.0 * hold


@dataclass(slots=True)
class Barrier:
    """One lane's arm. ``lift`` is 0 across the lane, 1 upright; ``lift_rate`` is its change a second in this step."""

    idle_openings: IdleOpenings
    lift: float = 0.0
    lift_rate: float = 0.0
    held_until: float = 0.0

    @property
    def at_rest(self) -> bool:
        """Whether nothing happens until a vehicle comes near or an idle opening is due."""
        return self.lift == 0.0 and self.lift_rate == 0.0

    def lift_after(self, seconds: float) -> float:
        """The arm's lift so many seconds after the current step (less than a step)."""
        return min(max(self.lift + self.lift_rate * seconds, 0.0), 1.0)

    def steer(self, vehicles: Sequence[Vehicle], now: float, step: float) -> None:
        """Choose how the arm moves in the coming ``step`` seconds, and which vehicles may drive on.

        ``vehicles`` are the lane's, the foremost first.
        """
        while self.idle_openings.next_at <= now:
            self.held_until = self.idle_openings.next_at + _SWING_SECONDS + self.idle_openings.hold_seconds
            self.idle_openings.choose_next()
        wanted = self.held_until > now
        for vehicle in vehicles:
            if vehicle.cleared:
                wanted = wanted or not _has_passed(vehicle)
            elif ARM_PLACE - (vehicle.place + vehicle.length / 2) < _SENSOR_RANGE and not vehicle.backing:
                vehicle.seconds_at_barrier += step
                if vehicle.seconds_at_barrier >= vehicle.ticket_seconds:
                    wanted = True
                    vehicle.cleared = self.lift == 1.0
        rest = (1.0 if wanted else 0.0) - self.lift
        self.lift_rate = min(max(rest, -step / _SWING_SECONDS), step / _SWING_SECONDS) / step

    def move(self, step: float) -> None:
        """Swing for one step."""
        self.lift = self.lift_after(step)


def _has_passed(vehicle: Vehicle) -> bool:
    half = vehicle.length / 2
    if vehicle.turns_back:
        return vehicle.backing and vehicle.place + half < ARM_PLACE - _TAIL_DISTANCE
    return vehicle.place - half > ARM_PLACE + _TAIL_DISTANCE
