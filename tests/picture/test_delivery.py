"""Tests of the rate of the frames and of their age."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.picture.delivery import RATE_SECONDS, Delivery


@given(st.floats(0.5, 60.0), st.floats(0.0, 1e6))
def test_the_rate_is_that_of_the_frames(rate: float, start: float) -> None:
    """It is right to within a frame a window, at any rate and time."""
    delivery = Delivery()
    for number in range(round(rate * 12) + 1):
        delivery.add(start + number / rate, None)
    measured = delivery.rate(start + 12)
    assert measured == pytest.approx(rate, abs=1.5 / RATE_SECONDS)


def test_before_a_whole_window_nothing_is_said() -> None:
    """The first frames after a start are few."""
    delivery = Delivery()
    assert delivery.rate(5.0) is None
    delivery.add(10.0, None)
    assert delivery.rate(13.9) is None
    assert delivery.rate(14.0) == pytest.approx(0.0)


def test_silence_lowers_the_rate_to_nothing() -> None:
    """A camera that sends no more is not judged by its last frames."""
    delivery = Delivery()
    for number in range(100):
        delivery.add(number / 10, None)
    assert delivery.rate(9.9) == pytest.approx(10.0, abs=0.3)
    assert delivery.rate(20.0) == 0.0


def test_after_an_outage_it_begins_again() -> None:
    """The outage is no low rate."""
    delivery = Delivery()
    for number in range(100):
        delivery.add(number / 10, 5.0 + number / 10)
    assert delivery.age == pytest.approx(5.0)
    delivery.restart()
    assert (delivery.age, delivery.rate(1000.0)) == (0.0, None)
