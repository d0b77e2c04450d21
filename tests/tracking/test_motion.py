"""Tests of the Kalman filter: what it predicts, and how sure it is."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.shapes import Point
from edge.tracking.motion import ConstantVelocity
from edge.tracking.parameters import DEFAULT_TRACKING

SIZE = 100.0


def started(
    x: float = 0.0, y: float = 0.0, velocity: Point | None = None, *, size: float = SIZE, gap: float = 0.1,
    sure: bool = True,
) -> ConstantVelocity:  # fmt: skip
    """The filter of a vehicle after its first detection."""
    return ConstantVelocity.start(Point(x, y), size, velocity, gap, sure, DEFAULT_TRACKING.motion)


def moving(speed: float, *, rate: float = 10.0, seconds: float = 2.0) -> ConstantVelocity:
    """The filter of a vehicle that was detected going to the right, at its last place."""
    motion = started(gap=1 / rate)
    for number in range(1, round(seconds * rate) + 1):
        motion.predict(1 / rate, SIZE)
        motion.correct_position(speed * number / rate, 0.0, 0.05 * SIZE)
    return motion


def is_covariance(motion: ConstantVelocity) -> bool:
    """Whether the variances are positive and the correlation is 1 at most."""
    variances = motion.position_variance, motion.velocity_variance
    return min(variances) > 0 and motion.covariance**2 <= math.prod(variances) * (1 + 1e-9)


def test_a_new_vehicle_is_where_it_was_detected() -> None:
    """Without a measured velocity it is assumed to stand, with a larger error than a measured velocity has."""
    motion = started(30, 40)
    assert (motion.position, motion.velocity) == (Point(30, 40), Point(0, 0))
    measured = started(30, 40, Point(200, 0))
    assert measured.speed == 200
    assert measured.velocity_variance < motion.velocity_variance


def test_a_weak_detection_is_expected_to_be_slower_than_a_sure_one() -> None:
    """A flicker far away seldom is a fast vehicle."""
    assert started(sure=False).velocity_variance < started(sure=True).velocity_variance


@pytest.mark.parametrize("rate", [3.0, 10.0, 30.0])
def test_a_constant_velocity_is_learned_at_any_frame_rate(rate: float) -> None:
    """The next place is then predicted."""
    motion = moving(150.0, rate=rate)
    assert motion.vx == pytest.approx(150.0, rel=0.1)
    assert motion.vy == pytest.approx(0.0, abs=1.0)
    x = motion.x
    motion.predict(0.5, SIZE)
    assert motion.x == pytest.approx(x + 75, abs=8)


def test_uncertainty_grows_with_time_until_the_next_measurement() -> None:
    """Both variances grow with each prediction; a precise position makes the first small again."""
    motion = moving(100.0)
    before = motion.position_variance, motion.velocity_variance
    for _ in range(5):
        motion.predict(0.2, SIZE)
        assert motion.position_variance > before[0]
        assert motion.velocity_variance > before[1]
        before = motion.position_variance, motion.velocity_variance
    motion.correct_position(motion.x, motion.y, 1.0)
    assert motion.position_variance < 1.1 < before[0]


def test_a_measured_velocity_is_weighted_by_its_error() -> None:
    """A precise velocity replaces the estimate, a rough one hardly changes it."""
    precise, rough = moving(100.0), moving(100.0)
    precise.correct_velocity(200.0, 20.0, 0.01)
    rough.correct_velocity(200.0, 20.0, 1e6)
    assert (precise.vx, precise.vy) == pytest.approx((200.0, 20.0), abs=0.1)
    assert rough.vx == pytest.approx(100.0, rel=0.1)


def test_a_stopped_vehicle_is_put_back_and_slowed_down() -> None:
    """It is where it was before the prediction, at half the velocity."""
    motion = moving(100.0)
    before = motion.position
    motion.predict(0.2, SIZE)
    motion.stop_at(before)
    assert motion.position == before
    assert motion.speed < 60.0


@given(st.lists(st.tuples(st.floats(0.01, 2.0), st.floats(-500, 500), st.floats(0.1, 300.0)), max_size=30))
def test_the_covariance_stays_valid_whatever_is_measured(steps: list[tuple[float, float, float]]) -> None:
    """Uneven frames, jumping places, places and velocities in turn: never a negative variance, never NaN."""
    motion = started()
    for number, (seconds, x, error) in enumerate(steps):
        motion.predict(seconds, SIZE)
        if number % 3:
            motion.correct_position(x, -x, error)
        else:
            motion.correct_velocity(x, -x, error)
        assert is_covariance(motion)
        assert math.isfinite(motion.speed)


@given(st.floats(0.1, 10), st.floats(-300, 300))
def test_the_same_vehicle_in_more_pixels_moves_the_same(scale: float, speed: float) -> None:
    """All noise is in units of the vehicle's size."""
    found = []
    for times in (1.0, scale):
        motion = started(size=SIZE * times)
        for number in range(1, 6):
            motion.predict(0.1, SIZE * times)
            motion.correct_position(speed * number * 0.1 * times, 0.0, 0.05 * SIZE * times)
        found.append((motion.x / times, motion.vx / times))
    assert found[0] == pytest.approx(found[1], abs=1e-6)


def test_shifts_do_not_make_the_position_more_certain() -> None:
    """After many shifts it is as uncertain as all of them together, and a detection corrects their sum."""
    motion = started(velocity=Point(100.0, 0.0))
    variances = [motion.position_variance]
    for step in range(1, 11):
        variance = motion.position_variance
        motion.predict(0.1, SIZE)
        motion.correct_by_shift(10.0 * step, 0.0, 4.0, variance, 50.0)
        variances.append(motion.position_variance)
    assert variances == sorted(variances)
    assert motion.position_variance >= variances[0] + 10 * 4.0**2 - 1e-6
    motion.correct_position(motion.x, 40.0, 7.0)
    assert motion.y > 25.0


def test_the_error_of_a_position_that_only_shifts_correct_is_bounded() -> None:
    """However long no detection comes."""
    motion = started(velocity=Point(0.0, 0.0))
    for _ in range(500):
        variance = motion.position_variance
        motion.predict(0.1, SIZE)
        motion.correct_by_shift(0.0, 0.0, 4.0, variance, 50.0)
    assert motion.position_variance <= 50.0**2 + 1e-6
