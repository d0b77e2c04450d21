"""When the simulated boom barriers open and close. Knows nothing of pixels.

A barrier opens for a vehicle that has come near and has waited for its ticket, lets it pass, and closes behind it. It
never moves down over a vehicle. Lengths are frame widths, as in ``sim_lane.py``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.simulator.traffic.arrivals import Vehicle

ARM = 0.505  # where the arm is on its lane
STAND = 0.03  # a vehicle that waits leaves so much between its bumper and the arm
SENSOR = 0.17  # nearer than this it is seen
MARGIN = 0.05  # its tail must be so far beyond before the arm comes down
SWING = 1.0  # seconds from closed to open
STOP = ARM - STAND


class Presses:
    """When somebody presses the button although no vehicle is there: ``per_minute`` times, by chance."""

    def __init__(self, seed: int, number: int, per_minute: float) -> None:
        self._rng = np.random.default_rng([seed, 3, number])
        self._per_minute = per_minute
        self.at, self.hold = 0.0, 0.0
        self.draw()

    def draw(self) -> None:
        """Choose the next press after the current one: its second, and for how many the arm stays up."""
        if self._per_minute <= 0:
            self.at = math.inf
            return
        wait, hold = (float(value) for value in self._rng.random(2))
        self.at += -math.log1p(-wait) * 60.0 / self._per_minute
        self.hold = 1.0 + 3.0 * hold


@dataclass(slots=True)
class Barrier:
    """One lane's arm. ``lift`` is 0 across the lane and 1 upright; with ``swing`` a second it holds at this step."""

    presses: Presses
    lift: float = 0.0
    swing: float = 0.0
    held_until: float = 0.0

    @property
    def at_rest(self) -> bool:
        """Whether nothing happens until a vehicle comes near or the button is pressed."""
        return self.lift == 0.0 and self.swing == 0.0

    def lift_after(self, seconds: float) -> float:
        """The arm so many seconds after the current step (less than a step)."""
        return min(max(self.lift + self.swing * seconds, 0.0), 1.0)

    def steer(self, vehicles: Sequence[Vehicle], now: float, step: float) -> None:
        """Choose how the arm moves in the coming ``step`` seconds, and who may drive on. Foremost vehicle first."""
        while self.presses.at <= now:
            self.held_until = self.presses.at + SWING + self.presses.hold
            self.presses.draw()
        wanted = self.held_until > now
        for vehicle in vehicles:
            if vehicle.cleared:
                wanted = wanted or not _through(vehicle)
            elif ARM - (vehicle.place + vehicle.length / 2) < SENSOR and not vehicle.backing:
                vehicle.asked += step
                if vehicle.asked >= vehicle.ticket:
                    wanted = True
                    vehicle.cleared = self.lift == 1.0
        rest = (1.0 if wanted else 0.0) - self.lift
        self.swing = min(max(rest, -step / SWING), step / SWING) / step

    def move(self, step: float) -> None:
        """Swing for one step."""
        self.lift = self.lift_after(step)


def _through(vehicle: Vehicle) -> bool:
    half = vehicle.length / 2
    if vehicle.turns:
        return vehicle.backing and vehicle.place + half < ARM - MARGIN
    return vehicle.place - half > ARM + MARGIN
