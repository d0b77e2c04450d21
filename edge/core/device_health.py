"""Holds the state of this device as the daemon reports it: its problems, and events that wait or were lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem of this device.

    ``code`` is stable, for programs; ``text`` is a sentence without secrets, for people; ``since`` is aware UTC.
    """

    code: str
    text: str
    since: datetime


@dataclass(frozen=True, slots=True)
class DeviceHealth:
    """This device's problems at ``as_of`` (aware UTC), the oldest first, and its numbers of events.

    ``events_waiting`` are in memory until the database takes them. ``events_dropped`` and ``events_refused`` are not in
    the counts; both are since the start of the program.
    """

    problems: tuple[Problem, ...]
    events_waiting: int
    events_dropped: int
    events_refused: int
    as_of: datetime
