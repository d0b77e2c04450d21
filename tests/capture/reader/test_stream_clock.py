"""When a picture was taken, by the time in its stream and the time of its arrival."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.capture.reader.stream_clock import StreamClock

RATE = 25
ARRIVED = 1000.0  # monotonic time of the first arrival


def taken(stamps, arrivals, **keys):
    """The times at which pictures were taken, each known when its packet has arrived."""
    clock = StreamClock(**keys)
    return [clock.taken(clock.position(stamp, at)) for stamp, at in zip(stamps, arrivals, strict=True)]


def test_delays_that_vary_do_not_show():
    """After a packet that came at once, pictures have even times, however much later their packets come."""
    stamps = [7.0 + number / RATE for number in range(200)]
    delays = [0.0 if number == 20 else random.Random(number).uniform(0.0, 0.3) for number in range(200)]
    times = taken(stamps, [ARRIVED + stamp + delay for stamp, delay in zip(stamps, delays, strict=True)])
    for number in range(21, 200):
        assert times[number] == pytest.approx(ARRIVED + stamps[number], abs=0.05)


def test_pictures_that_pile_up_lag():
    """Pictures that arrive 3 s late have the time at which they were taken, and the lag is known."""
    clock = StreamClock()
    for number in range(100):
        clock.position(number / RATE, ARRIVED + number / RATE)
    position = clock.position(4.0, ARRIVED + 7.0)
    assert clock.taken(position) == pytest.approx(ARRIVED + 4.0, abs=0.03)
    assert clock.lag(position, ARRIVED + 7.0) == pytest.approx(3.0, abs=0.03)


@pytest.mark.parametrize("jump", [3600.0, -3600.0, 5.0, -2.0])
def test_times_that_jump_begin_anew(jump):
    """From the jump on pictures have the times of their arrival again, also when a single time was wrong."""
    stamps = [number / RATE + (jump if number >= 50 else 0.0) for number in range(100)]
    arrivals = [ARRIVED + number / RATE for number in range(100)]
    assert taken(stamps, arrivals) == pytest.approx(arrivals, abs=1e-6)
    once = [number / RATE + (jump if number == 50 else 0.0) for number in range(100)]
    assert taken(once, arrivals) == pytest.approx(arrivals, abs=1e-6)


def test_missing_and_repeated_times_are_filled_in():
    """Pictures without a time, or with that of the picture before, have times between their neighbours'."""
    stamps = [number / RATE if number % 3 else None for number in range(1, 60)]
    arrivals = [ARRIVED + number / RATE for number in range(1, 60)]
    assert taken(stamps, arrivals) == pytest.approx(arrivals, abs=0.02)
    repeated = [number // 2 * 2 / RATE for number in range(60)]
    assert taken(repeated, [ARRIVED + number / RATE for number in range(60)]) == pytest.approx(
        [ARRIVED + number / RATE for number in range(60)], abs=0.05
    )
    assert taken([None] * 5, arrivals[:5]) == arrivals[:5]


def test_a_clock_that_runs_a_little_slow_is_no_lag():
    """A camera that counts 25 frames a second and sends 24.9 is followed for hours."""
    clock, position, at = StreamClock(), 0.0, ARRIVED
    for number in range(100_000):
        at = ARRIVED + number / 24.9
        position = clock.position(number / 25, at)
    assert clock.lag(position, at) < 0.1


def test_times_that_are_not_trusted_are_those_of_arrival():
    """Whatever the stream says."""
    arrivals = [ARRIVED + number / 10 for number in range(10)]
    assert taken([number / 25 for number in range(10)], arrivals, trusted=False) == arrivals


@given(
    st.lists(
        st.tuples(st.one_of(st.none(), st.floats(-1e7, 1e7, allow_nan=False)), st.floats(0.0, 100.0)),
        min_size=1,
        max_size=60,
    )
)
def test_no_picture_is_from_the_future(packets):
    """Whatever the times are, a picture was taken before its packet arrived, and the lag is never negative."""
    clock, at = StreamClock(), ARRIVED
    for stamp, pause in packets:
        at += pause
        position = clock.position(stamp, at)
        assert clock.taken(position) <= at + 1e-6
        assert clock.lag(position, at) >= 0.0


@given(st.lists(st.floats(0.001, 0.4), min_size=2, max_size=60), st.floats(-1e6, 1e6))
def test_good_times_keep_their_order(steps, begin):
    """Times of the stream that grow give positions that grow."""
    clock, stamp, at, positions = StreamClock(), begin, ARRIVED, []
    for step in steps:
        stamp, at = stamp + step, at + step
        positions.append(clock.position(stamp, at))
    assert all(earlier <= later for earlier, later in pairwise(positions))
