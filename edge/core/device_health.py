"""What is wrong with this device."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong with this device: a stable ``code``, a sentence without secrets, and since when (UTC)."""

    code: str
    text: str
    since: datetime


@dataclass(frozen=True, slots=True)
class DeviceHealth:
    """What is wrong with this device at ``as_of`` (aware UTC), the oldest problem first, and how its events fare.

    ``events_waiting`` are in memory until the database takes them; ``events_dropped`` and ``events_refused`` are lost
    to the counts, since the start of the program.
    """

    problems: tuple[Problem, ...]
    events_waiting: int
    events_dropped: int
    events_refused: int
    as_of: datetime
