"""A point that moves at almost constant velocity: what is predicted, and how sure."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.shapes import Point
from edge.tracking.motion import ConstantVelocity
from edge.tracking.parameters import DEFAULT_TRACKING

SIZE = 100.0


def moving(speed: float, *, rate: float = 10.0, seconds: float = 2.0) -> ConstantVelocity:
    """A point that was seen going right for a while, at its last place."""
    found = ConstantVelocity.begin(Point(0, 0), SIZE, None, 1 / rate, sure=True, parameters=DEFAULT_TRACKING.motion)
    for number in range(1, round(seconds * rate) + 1):
        found.predict(1 / rate, SIZE)
        found.see(speed * number / rate, 0.0, 0.05 * SIZE)
    return found


def sound(one: ConstantVelocity) -> bool:
    """Whether its covariance is one: no negative variance, no correlation over 1."""
    return one.place > 0 and one.pace > 0 and one.mixed**2 <= one.place * one.pace * (1 + 1e-9)


def test_a_new_point_stands_where_it_was_seen() -> None:
    """Without a word about its velocity it is taken to stand, but not for sure."""
    one = ConstantVelocity.begin(Point(30, 40), SIZE, None, 0.1, sure=True, parameters=DEFAULT_TRACKING.motion)
    assert (one.position, one.velocity) == (Point(30, 40), Point(0, 0))
    told = ConstantVelocity.begin(
        Point(30, 40), SIZE, Point(200, 0), 0.1, sure=True, parameters=DEFAULT_TRACKING.motion
    )
    assert told.speed == 200
    assert told.pace < one.pace


def test_a_weak_box_is_expected_to_move_less_than_a_sure_one() -> None:
    """A flicker far away seldom is a fast vehicle."""
    sure = ConstantVelocity.begin(Point(0, 0), SIZE, None, 0.1, sure=True, parameters=DEFAULT_TRACKING.motion)
    assert (
        ConstantVelocity.begin(Point(0, 0), SIZE, None, 0.1, sure=False, parameters=DEFAULT_TRACKING.motion).pace
        < sure.pace
    )


@pytest.mark.parametrize("rate", [3.0, 10.0, 30.0])
def test_a_steady_velocity_is_learned(rate: float) -> None:
    """At any frame rate; and then the next place is foreseen."""
    one = moving(150.0, rate=rate)
    assert one.vx == pytest.approx(150.0, rel=0.1)
    assert one.vy == pytest.approx(0.0, abs=1.0)
    x = one.x
    one.predict(0.5, SIZE)
    assert one.x == pytest.approx(x + 75, abs=8)


def test_the_longer_nothing_is_seen_the_less_is_known() -> None:
    """Uncertainty grows with time, and a look takes it away."""
    one = moving(100.0)
    known = [one.place, one.pace]
    for _ in range(5):
        one.predict(0.2, SIZE)
        assert one.place > known[0]
        assert one.pace > known[1]
        known = [one.place, one.pace]
    one.see(one.x, one.y, 1.0)
    assert one.place < known[0]
    assert one.place < 1.1


def test_a_measured_velocity_counts_by_its_error() -> None:
    """An exact one is taken, a rough one hardly."""
    exact, rough = moving(100.0), moving(100.0)
    exact.clock(200.0, 20.0, 0.01)
    rough.clock(200.0, 20.0, 1e6)
    assert (exact.vx, exact.vy) == pytest.approx((200.0, 20.0), abs=0.1)
    assert rough.vx == pytest.approx(100.0, rel=0.1)


def test_what_did_not_move_after_all_is_put_back() -> None:
    """At its place, and slower."""
    one = moving(100.0)
    before = one.position
    one.predict(0.2, SIZE)
    one.stand(before)
    assert one.position == before
    assert one.speed < 60.0


@given(st.lists(st.tuples(st.floats(0.01, 2.0), st.floats(-500, 500), st.floats(0.1, 300.0)), max_size=30))
def test_it_stays_sound_whatever_is_seen(steps: list[tuple[float, float, float]]) -> None:
    """Uneven frames, wild places, places and velocities by turns: never a negative variance, never NaN."""
    one = ConstantVelocity.begin(Point(0, 0), SIZE, None, 0.1, sure=True, parameters=DEFAULT_TRACKING.motion)
    for number, (seconds, x, error) in enumerate(steps):
        one.predict(seconds, SIZE)
        if number % 3:
            one.see(x, -x, error)
        else:
            one.clock(x, -x, error)
        assert sound(one)
        assert math.isfinite(one.speed)


@given(st.floats(0.1, 10), st.floats(-300, 300))
def test_all_is_in_the_vehicles_own_size(scale: float, speed: float) -> None:
    """The same vehicle in more pixels moves the same, in more pixels."""
    found = []
    for times in (1.0, scale):
        one = ConstantVelocity.begin(
            Point(0, 0), SIZE * times, None, 0.1, sure=True, parameters=DEFAULT_TRACKING.motion
        )
        for number in range(1, 6):
            one.predict(0.1, SIZE * times)
            one.see(speed * number * 0.1 * times, 0.0, 0.05 * SIZE * times)
        found.append((one.x / times, one.vx / times))
    assert found[0] == pytest.approx(found[1], abs=1e-6)


def test_a_way_that_was_followed_tells_nothing_of_where_it_began() -> None:
    """After many steps the place is as uncertain as all of them together, and a look corrects what they carried on."""
    motion = ConstantVelocity.begin(
        Point(0.0, 0.0), 100.0, Point(100.0, 0.0), 0.1, sure=True, parameters=DEFAULT_TRACKING.motion
    )
    places = [motion.place]
    for step in range(1, 11):
        known = motion.place
        motion.predict(0.1, 100.0)
        motion.follow(10.0 * step, 0.0, 4.0, known, 50.0)
        places.append(motion.place)
    assert places == sorted(places)
    assert motion.place >= places[0] + 10 * 4.0**2 - 1e-6
    motion.see(motion.x, 40.0, 7.0)
    assert motion.y > 25.0


def test_what_is_followed_for_ever_is_not_lost() -> None:
    """However long nothing but the picture tells of it, the place is known give or take a limit."""
    motion = ConstantVelocity.begin(
        Point(0.0, 0.0), 100.0, Point(0.0, 0.0), 0.1, sure=True, parameters=DEFAULT_TRACKING.motion
    )
    for _ in range(500):
        known = motion.place
        motion.predict(0.1, 100.0)
        motion.follow(0.0, 0.0, 4.0, known, 50.0)
    assert motion.place <= 50.0**2 + 1e-6
