"""A filter for a point that moves at almost constant velocity, for frames that come at any times.

State and noise are the same across and down, so one 2 x 2 covariance serves both axes. All noise is in units of the
vehicle's own size: a lorry near the camera and a car far off are followed alike.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.core.shapes import Point

if TYPE_CHECKING:
    from edge.tracking.parameters import MotionParameters


@dataclass(slots=True)
class ConstantVelocity:
    """Position and velocity in pixels and seconds, with their covariance (the same for x and y)."""

    x: float
    y: float
    vx: float
    vy: float
    place: float  # variance of the position
    mixed: float  # covariance of position and velocity
    pace: float  # variance of the velocity
    parameters: MotionParameters

    @classmethod
    def begin(
        cls, at: Point, size: float, velocity: Point | None, seconds: float, sure: bool, parameters: MotionParameters
    ) -> ConstantVelocity:
        """A new point. ``velocity`` is what the picture says, measured over ``seconds``; None: nothing is known."""
        if velocity is None:
            pace = (parameters.unknown_speed_sure if sure else parameters.unknown_speed_weak) * size
            velocity = Point(0.0, 0.0)
        else:
            pace = parameters.first_speed * size + parameters.first_speed_pixels / seconds
        return cls(at.x, at.y, velocity.x, velocity.y, (parameters.first_place * size) ** 2, 0.0, pace**2, parameters)

    @property
    def position(self) -> Point:
        """Where it is."""
        return Point(self.x, self.y)

    @property
    def velocity(self) -> Point:
        """Pixels a second."""
        return Point(self.vx, self.vy)

    @property
    def speed(self) -> float:
        """Pixels a second, whichever way."""
        return math.hypot(self.vx, self.vy)

    def predict(self, seconds: float, size: float) -> None:
        """Go on by so many seconds."""
        noise = (self.parameters.acceleration * size) ** 2
        self.x += self.vx * seconds
        self.y += self.vy * seconds
        self.place += 2 * self.mixed * seconds + self.pace * seconds**2 + noise * seconds**4 / 4
        self.mixed += self.pace * seconds + noise * seconds**3 / 2
        self.pace += noise * seconds**2

    def see(self, x: float, y: float, error: float) -> None:
        """It was seen there, give or take ``error`` pixels."""
        total = self.place + error**2
        along, carried = self.place / total, self.mixed / total
        dx, dy = x - self.x, y - self.y
        self.x, self.y = self.x + along * dx, self.y + along * dy
        self.vx, self.vy = self.vx + carried * dx, self.vy + carried * dy
        self.place, self.mixed, self.pace = (
            *(self.place * (1 - along), self.mixed * (1 - along)),
            self.pace - carried * self.mixed,
        )

    def follow(self, x: float, y: float, error: float, known: float, most: float) -> None:
        """It went on to there from where it was believed to be, give or take ``error`` pixels of the way.

        That tells how far it went and not where it is: the place is then known no better than it was before the way,
        with the variance ``known``, but never worse than give or take ``most`` pixels.
        """
        self.see(x, y, error)
        self.place = max(self.place, min(known + error**2, most**2))

    def clock(self, vx: float, vy: float, error: float) -> None:
        """Its velocity was measured, give or take ``error`` pixels a second."""
        total = self.pace + error**2
        along, carried = self.pace / total, self.mixed / total
        self.vx, self.vy = self.vx + along * (vx - self.vx), self.vy + along * (vy - self.vy)
        self.place, self.mixed, self.pace = (
            *(self.place - carried * self.mixed, self.mixed * (1 - along)),
            self.pace * (1 - along),
        )

    def stand(self, at: Point) -> None:
        """It did not move after all."""
        self.x, self.y = at
        self.vx, self.vy = self.vx / 2, self.vy / 2
