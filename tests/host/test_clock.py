"""Tests of the state of the wall clock, for which the kernel is asked."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from edge.core.events import ClockState
from edge.host import clock
from edge.host.clock import CLOCK_CHECK_SECONDS, WallClock, kernel_clock_state

if TYPE_CHECKING:
    from pathlib import Path


def test_this_machine_answers() -> None:
    """The kernel of this machine gives one of the three states, the same to both functions."""
    assert kernel_clock_state() in list(ClockState)
    assert WallClock().state() is kernel_clock_state()


@pytest.mark.parametrize(
    ("answer", "file", "state"),
    [
        (0, False, ClockState.SYNCHRONISED),
        (3, False, ClockState.SYNCHRONISED),  # a leap second is in progress
        (5, True, ClockState.UNSYNCHRONISED),
        (-1, True, ClockState.SYNCHRONISED),
        (-1, False, ClockState.UNKNOWN),
    ],
)
def test_the_kernel_is_asked_before_systemd(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: int, file: bool, state: ClockState
) -> None:
    """The file of systemd-timesyncd decides only where the kernel refuses to answer."""
    if file:
        (tmp_path / "synchronized").touch()
    monkeypatch.setattr(clock, "_adjtimex", lambda: answer)
    assert kernel_clock_state(tmp_path / "synchronized") is state


def test_the_kernel_is_asked_rarely_and_a_change_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """The kernel is asked once in ten seconds, and a change that it reports is logged."""
    answers = iter([ClockState.UNSYNCHRONISED, ClockState.SYNCHRONISED])
    now = [100.0]
    with caplog.at_level(logging.INFO):
        wall_clock = WallClock(lambda: next(answers), lambda: now[0])
        assert [wall_clock.state() for _ in range(5)] == [ClockState.UNSYNCHRONISED] * 5
        now[0] += CLOCK_CHECK_SECONDS
        assert wall_clock.state() is ClockState.SYNCHRONISED
    assert [record.getMessage() for record in caplog.records] == [
        "the wall clock is unsynchronised",
        "the wall clock is synchronised",
    ]
