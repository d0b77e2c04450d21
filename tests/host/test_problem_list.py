"""Tests of the list of problems of the device."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import pytest

from edge.core.device_health import Problem
from edge.host.problem_list import LONGEST_PROBLEM_TEXT, ProblemList

BEGINNING = datetime(2026, 5, 4, 8, 0, tzinfo=UTC)


class MinuteClock:
    """A wall clock that advances by a minute with each call."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> datetime:
        self.calls += 1
        return BEGINNING + timedelta(minutes=self.calls - 1)


@pytest.fixture
def problems(caplog: pytest.LogCaptureFixture) -> ProblemList:
    """An empty list, whose log lines are caught."""
    caplog.set_level(logging.INFO)
    return ProblemList(MinuteClock())


def logged(caplog: pytest.LogCaptureFixture) -> list[tuple[int, str]]:
    """Level and text of each log line so far."""
    return [(record.levelno, record.getMessage()) for record in caplog.records]


def test_problems_are_listed_in_the_order_in_which_they_began(problems: ProblemList) -> None:
    """A new text of a problem changes neither its place nor its beginning; a problem that is cleared is removed."""
    assert problems.current() == ()
    problems.report("database", "is full")
    problems.report("camera.ramp", "gives no frames")
    problems.report("database", "is locked")
    first, second = problems.current()
    assert first == Problem("database", "is locked", BEGINNING)
    assert second == Problem("camera.ramp", "gives no frames", BEGINNING + timedelta(minutes=1))
    problems.clear("database")
    problems.clear("never there")
    assert problems.current() == (second,)
    problems.report("database", "is full")
    assert [problem.code for problem in problems.current()] == ["camera.ramp", "database"]


def test_a_problem_is_logged_when_it_begins_changes_and_ends(
    problems: ProblemList, caplog: pytest.LogCaptureFixture
) -> None:
    """Texts that differ only in numbers are logged once, another text is logged again, and so is the end."""
    for waiting in range(5):
        problems.report("events_waiting", f"events that wait: {waiting}, for {waiting}.5 s")
    problems.report("events_waiting", "it is not known how many wait")
    problems.report("events_waiting", "it is not known how many wait")
    problems.clear("events_waiting")
    problems.clear("events_waiting")
    assert logged(caplog) == [
        (logging.WARNING, "problem=events_waiting events that wait: 0, for 0.5 s"),
        (logging.WARNING, "problem=events_waiting it is not known how many wait"),
        (logging.INFO, "problem=events_waiting is over"),
    ]


def test_a_text_becomes_one_short_line_of_utf_8(problems: ProblemList) -> None:
    """Line breaks, bytes that are no UTF-8, and a text without end do not reach systemd or a board."""
    problems.report("database", "a\n\tb \udcff " + "x" * 10_000)
    (problem,) = problems.current()
    assert problem.text.startswith("a b ? xxx")
    assert len(problem.text) == LONGEST_PROBLEM_TEXT
    assert problem.text.encode()
