"""Tests of ``smartpark status``."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from edge.core.device_health import Problem
from edge.host.instance_lock import InstanceLock
from edge.host.problem_file import ProblemFile

if TYPE_CHECKING:
    from collections.abc import Callable

BEGAN = datetime(2026, 5, 4, 8, 0, tzinfo=UTC)


def test_status_shows_floors_events_and_what_waits(seeded: Any) -> None:
    """The numbers are those of the database."""
    status = seeded.json("status")
    assert (status["running"], status["events"], status["outbox"]) == (False, 15, 15)
    assert [floor["name"] for floor in status["floors"]] == list(seeded.floors())
    assert status["last_event"] == seeded.json("events", "--limit", "1")[0]
    text = seeded("status").stdout
    assert "not running" in text
    assert "15, 15 not yet acknowledged by the broker" in text


def test_status_shows_the_problems_of_a_running_daemon(seeded: Any, eventually: Callable[..., Any]) -> None:
    """A daemon that is too slow says so here; what a killed daemon left behind is not shown."""
    file = ProblemFile(seeded.path)
    file.start()
    file.update((Problem("camera.ramp", "1.8 frames a second are processed", BEGAN),), 0.0)
    eventually(file.read)
    assert seeded.json("status")["problems"] == []
    assert "problem  " not in seeded("status").stdout
    daemon = InstanceLock(seeded.path)
    assert daemon.acquire()
    try:
        (problem,) = seeded.json("status")["problems"]
        text = seeded("status").stdout
    finally:
        daemon.release()
        file.close()
    assert problem["code"] == "camera.ramp"
    assert "problem      camera.ramp: 1.8 frames a second are processed (since 2026-05-04T08:00:00" in text
