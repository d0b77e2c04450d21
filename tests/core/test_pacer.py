"""Choosing frames by their time, so that no more remain than a rate allows."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.pacer import EARLY_SHARE, Pacer


def test_a_pacer_without_a_rate_takes_all():
    """No rate: every frame is taken."""
    pacer = Pacer(None)
    assert all(pacer.takes(at) for at in (0.0, 0.0, 0.001, 5.0))


@pytest.mark.parametrize(("source_rate", "rate"), [(25, 10), (30, 7), (25, 25), (12.5, 12.5), (30, 4)])
def test_a_pacer_does_not_drift(source_rate, rate):
    """Ten minutes of frames with times in whole milliseconds give the rate asked for, within two frames."""
    pacer = Pacer(rate)
    taken = sum(pacer.takes(round(index / source_rate, 3)) for index in range(round(source_rate * 600)))
    assert abs(taken - rate * 600) <= 2


def test_a_pacer_close_to_the_rate_of_the_source_loses_little():
    """24 of 24.0129 frames a second, with rounded times: under one in a hundred is lost where the two cross."""
    pacer = Pacer(24)
    taken = sum(pacer.takes(round(index / 24.0129, 3)) for index in range(14_408))
    assert 14_256 <= taken <= 14_401


def test_a_pacer_with_more_than_there_is_takes_all():
    """A rate above the source's own leaves no frame out."""
    pacer = Pacer(30)
    assert all(pacer.takes(index / 25) for index in range(1000))


def test_a_pacer_does_not_catch_up_after_a_gap():
    """After ten silent seconds a single frame is taken, not a burst."""
    pacer = Pacer(10)
    times = [0.0, *(10 + index / 100 for index in range(21))]
    assert [at for at in times if pacer.takes(at)] == [0.0, 10.0, 10.1, 10.2]


@given(
    st.lists(st.floats(0, 3, allow_nan=False), min_size=1, max_size=200),
    st.floats(0.2, 60, allow_nan=False),
)
def test_a_pacer_never_takes_more_than_its_rate(gaps, rate):
    """Between any two frames that are taken there are at most ``rate`` a second, whatever their times."""
    pacer, at, taken = Pacer(rate), 0.0, []
    for gap in gaps:
        at += gap
        if pacer.takes(at):
            taken.append(at)
    for first in range(len(taken)):
        for last in range(first, len(taken)):
            places = (taken[last] - taken[first]) * rate
            assert last - first <= math.floor(places + 1 + EARLY_SHARE + 1e-6)
