"""Estimates the position and velocity of a track's centre with a Kalman filter, for frames at any times.

The model is a point of nearly constant velocity whose acceleration is white noise, held over each frame (Bar-Shalom, Li
and Kirubarajan: Estimation with Applications to Tracking and Navigation, 2001, section 6.3). The noise is the same
horizontally and vertically, so one 2 x 2 covariance serves both axes. It is in units of the vehicle's own size: a lorry
near the camera and a car far away are tracked alike.
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
    """Position and velocity in pixels and seconds, with their covariance on either axis."""

    x: float
    y: float
    vx: float
    vy: float
    position_variance: float
    covariance: float  # of position and velocity
    velocity_variance: float
    parameters: MotionParameters

    @classmethod
    def start(
        cls, at: Point, size: float, velocity: Point | None, seconds: float, sure: bool, parameters: MotionParameters
    ) -> ConstantVelocity:
        """Return the filter of a vehicle of ``size`` pixels that was first detected at ``at``.

        ``velocity`` is what optical flow measured over ``seconds``; where that is None, 0 is assumed, with an error
        that depends on whether the detection is ``sure``.
        """
        if velocity is None:
            error = (parameters.unknown_speed_sure if sure else parameters.unknown_speed_weak) * size
            velocity = Point(0.0, 0.0)
        else:
            error = parameters.first_speed * size + parameters.first_speed_pixels / seconds
        position_variance = (parameters.first_place * size) ** 2
        return cls(at.x, at.y, velocity.x, velocity.y, position_variance, 0.0, error**2, parameters)

    @property
    def position(self) -> Point:
        """The estimated position."""
        return Point(self.x, self.y)

    @property
    def velocity(self) -> Point:
        """The estimated velocity in pixels a second."""
        return Point(self.vx, self.vy)

    @property
    def speed(self) -> float:
        """The length of the velocity."""
        return math.hypot(self.vx, self.vy)

    def predict(self, seconds: float, size: float) -> None:
        """Move on by ``seconds``; ``size`` is the vehicle's, which scales the noise."""
        noise = (self.parameters.acceleration * size) ** 2
        self.x += self.vx * seconds
        self.y += self.vy * seconds
        # F P F' + Q, with F = [[1, t], [0, 1]] and Q = noise * [[t^4 / 4, t^3 / 2], [t^3 / 2, t^2]].
        self.position_variance += (
            2 * self.covariance * seconds + self.velocity_variance * seconds**2 + noise * seconds**4 / 4
        )
        self.covariance += self.velocity_variance * seconds + noise * seconds**3 / 2
        self.velocity_variance += noise * seconds**2

    def correct_position(self, x: float, y: float, error: float) -> None:
        """Take in a measured position whose standard deviation is ``error`` pixels."""
        total = self.position_variance + error**2
        position_gain, velocity_gain = self.position_variance / total, self.covariance / total
        dx, dy = x - self.x, y - self.y
        self.x, self.y = self.x + position_gain * dx, self.y + position_gain * dy
        self.vx, self.vy = self.vx + velocity_gain * dx, self.vy + velocity_gain * dy
        self.velocity_variance -= velocity_gain * self.covariance
        self.position_variance *= 1 - position_gain
        self.covariance *= 1 - position_gain

    def correct_by_shift(self, x: float, y: float, error: float, variance: float, most_error: float) -> None:
        """Take in the position to which the last one was shifted; the shift has a deviation of ``error`` pixels.

        A shift says how far the vehicle moved and not where it is. So the position does not become more certain than it
        was before the shift, when its variance was ``variance``; nor does its deviation exceed ``most_error`` pixels.
        """
        self.correct_position(x, y, error)
        self.position_variance = max(self.position_variance, min(variance + error**2, most_error**2))

    def correct_velocity(self, vx: float, vy: float, error: float) -> None:
        """Take in a measured velocity whose standard deviation is ``error`` pixels a second.

        Unlike a full Kalman update it leaves the position, which the shift that the velocity comes from has corrected.
        """
        total = self.velocity_variance + error**2
        velocity_gain, position_gain = self.velocity_variance / total, self.covariance / total
        self.vx, self.vy = self.vx + velocity_gain * (vx - self.vx), self.vy + velocity_gain * (vy - self.vy)
        self.position_variance -= position_gain * self.covariance
        self.covariance *= 1 - velocity_gain
        self.velocity_variance *= 1 - velocity_gain

    def stop_at(self, position: Point) -> None:
        """Put the vehicle back to ``position`` and halve its velocity: it did not move after all."""
        self.x, self.y = position
        self.vx, self.vy = self.vx / 2, self.vy / 2
