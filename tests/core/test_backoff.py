"""The waits between two attempts: they grow, are capped, are spread, and begin again after a success."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.backoff import Backoff, OutageBackoff

FIRST = st.floats(0.01, 10)
TIMES_LONGER = st.floats(1, 1000)


def waits_of(backoff: Backoff, count: int) -> list[float]:
    """The next ``count`` waits."""
    return [backoff.next_wait() for _ in range(count)]


@given(FIRST, TIMES_LONGER, st.integers(1, 40))
def test_each_wait_is_at_most_double_the_one_before_and_at_least_half_of_its_limit(first, times_longer, count):
    """The n-th wait lies between half of first * 2^n and all of it, and never exceeds the longest."""
    longest = first * times_longer
    for number, wait in enumerate(waits_of(Backoff(first, longest), count)):
        limit = min(first * 2**number, longest)
        assert limit / 2 <= wait <= limit


@given(FIRST, TIMES_LONGER, st.integers(0, 40))
def test_a_reset_begins_again_with_the_first_wait(first, times_longer, count):
    """However long the waits have become, after a reset they are those of a new back-off."""
    backoff = Backoff(first, first * times_longer)
    waits_of(backoff, count)
    backoff.reset()
    assert first / 2 <= backoff.next_wait() <= first


def test_two_devices_do_not_wait_equally_long():
    """Two back-offs that begin together soon differ, so that devices do not try again in step."""
    first, second = (waits_of(Backoff(0.5, 30.0), 10) for _ in range(2))
    assert first != second


def test_the_longest_wait_is_reached_and_kept():
    """With half a second doubling, thirty seconds are reached at the seventh wait; all later waits have that limit."""
    later = waits_of(Backoff(0.5, 30.0), 60)[6:]
    assert all(15.0 <= wait <= 30.0 for wait in later)
    assert max(later) == pytest.approx(30.0, rel=0.15)


def test_a_camera_is_tried_often_for_ten_minutes_and_then_rarely():
    """The waits are half a second, one, two and at most five; after ten minutes thirty; a reset begins anew."""
    backoff, now, waits = OutageBackoff(), 1000.0, []
    while now < 1000.0 + 2000.0:
        waits.append((now, backoff.next_wait(now)))
        now += waits[-1][1]
    for limit, (_, wait) in zip((0.5, 1.0, 2.0, 4.0, 5.0), waits, strict=False):
        assert limit / 2 <= wait <= limit
    for at, wait in waits[4:]:
        limit = 5.0 if at < 1600.0 else 30.0
        assert limit / 2 <= wait <= limit
    backoff.reset()
    assert backoff.next_wait(now) <= 0.5
    assert backoff.next_wait(now) <= 1.0
