"""The wall clock's state is the kernel's word, asked for rarely."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from edge.core.events import ClockState
from edge.host import clock
from edge.host.clock import ASK_SECONDS, Clock, kernel_state

if TYPE_CHECKING:
    from pathlib import Path


def test_this_machine_answers() -> None:
    """The kernel's real answer is one of the three, twice the same."""
    assert kernel_state() in list(ClockState)
    assert Clock().state() is kernel_state()


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
def test_the_kernel_is_believed_before_systemd(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: int, file: bool, state: ClockState
) -> None:
    """Only where the kernel may not be asked does the file of timesyncd decide."""
    if file:
        (tmp_path / "synchronized").touch()
    monkeypatch.setattr(clock, "_adjtimex", lambda: answer)
    assert kernel_state(tmp_path / "synchronized") is state


def test_the_kernel_is_asked_rarely_and_a_change_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Many events in a short time cost one question; what changed meanwhile is seen after ten seconds."""
    answers = iter([ClockState.UNSYNCHRONISED, ClockState.SYNCHRONISED])
    now = [100.0]
    with caplog.at_level(logging.INFO):
        ours = Clock(lambda: next(answers), lambda: now[0])
        assert [ours.state() for _ in range(5)] == [ClockState.UNSYNCHRONISED] * 5
        now[0] += ASK_SECONDS
        assert ours.state() is ClockState.SYNCHRONISED
    assert [record.getMessage() for record in caplog.records] == [
        "the wall clock is unsynchronised",
        "the wall clock is synchronised",
    ]
