"""Tests of rates that are made from counters."""

from __future__ import annotations

import pytest

from edge.daemon.health.rates import RecentRates


def test_rates_are_means_over_the_last_readings() -> None:
    """Nothing is known before the second reading; what was long ago does not count."""
    rates = RecentRates()
    assert (rates.rates(), rates.growth()) == ((), (0.0, ()))
    rates.add(100.0, 7, 0.5)
    assert rates.rates() == ()
    rates.add(102.0, 27, 1.5)
    assert rates.rates() == (10.0, 0.5)
    for number in range(10):
        rates.add(104.0 + 2 * number, 27, 1.5 + 2 * number)
    assert rates.rates() == pytest.approx((0.0, 1.0))
    assert rates.growth() == (10.0, (0, 10.0))


def test_readings_at_the_same_time_have_no_rate() -> None:
    """They are no reason to divide by 0."""
    rates = RecentRates()
    rates.add(100.0, 1)
    rates.add(100.0, 5)
    assert rates.rates() == ()
