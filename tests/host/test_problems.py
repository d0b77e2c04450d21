"""The list of what is wrong with the device."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import pytest

from edge.host.problems import LONGEST_TEXT, Health, Problem

BEGINNING = datetime(2026, 5, 4, 8, 0, tzinfo=UTC)


class Clock:
    """A wall clock that goes on by a minute with each look."""

    def __init__(self) -> None:
        self.looks = 0

    def __call__(self) -> datetime:
        self.looks += 1
        return BEGINNING + timedelta(minutes=self.looks - 1)


@pytest.fixture
def health(caplog: pytest.LogCaptureFixture) -> Health:
    """One without problems; its log lines are caught."""
    caplog.set_level(logging.INFO)
    return Health(Clock())


def told(caplog: pytest.LogCaptureFixture) -> list[tuple[int, str]]:
    """Level and text of each log line so far."""
    return [(record.levelno, record.getMessage()) for record in caplog.records]


def test_problems_are_listed_in_the_order_in_which_they_began(health: Health) -> None:
    """News of a problem changes its text, neither its place nor since when it is; what is over is gone."""
    assert health.problems() == ()
    health.set("database", "is full")
    health.set("camera.ramp", "gives no frames")
    health.set("database", "is locked")
    first, second = health.problems()
    assert first == Problem("database", "is locked", BEGINNING)
    assert second == Problem("camera.ramp", "gives no frames", BEGINNING + timedelta(minutes=1))
    health.clear("database")
    health.clear("never there")
    assert health.problems() == (second,)
    health.set("database", "is full")
    assert [problem.code for problem in health.problems()] == ["camera.ramp", "database"]


def test_a_problem_is_logged_when_it_begins_changes_and_ends(health: Health, caplog: pytest.LogCaptureFixture) -> None:
    """One line for each kind of text, however often it is set and whatever its numbers; one when it is over."""
    for waiting in range(5):
        health.set("events_waiting", f"events that wait: {waiting}, for {waiting}.5 s")
    health.set("events_waiting", "nobody knows how many wait")
    health.set("events_waiting", "nobody knows how many wait")
    health.clear("events_waiting")
    health.clear("events_waiting")
    assert told(caplog) == [
        (logging.WARNING, "problem=events_waiting events that wait: 0, for 0.5 s"),
        (logging.WARNING, "problem=events_waiting nobody knows how many wait"),
        (logging.INFO, "problem=events_waiting is over"),
    ]


def test_a_text_is_one_line_of_sendable_text(health: Health) -> None:
    """Line breaks, bytes of a path that are no text, and endless sentences do not reach systemd or a board."""
    health.set("database", "a\n\tb \udcff " + "x" * 10_000)
    (problem,) = health.problems()
    assert problem.text.startswith("a b ? xxx")
    assert len(problem.text) == LONGEST_TEXT
    assert problem.text.encode()
