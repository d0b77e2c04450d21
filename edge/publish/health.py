"""What a device says of itself on ``device/<device>/health``, beside the bare "online" of its status."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from edge.publish.fields import Fields, PayloadError, dump, timestamp
from edge.records import Problem

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from edge.publish.retained import RetainedStates
    from edge.publish.topics import Topics
    from edge.records import DeviceHealth

OK = "ok"
DEGRADED = "degraded"

# While many events wait their number changes all the time; nobody needs it more often.
LEAST_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class HealthMessage:
    """``device/<device>/health`` as it was read. ``degraded`` says that there are problems, the oldest first."""

    degraded: bool
    problems: tuple[Problem, ...]
    events_waiting: int
    events_dropped: int
    events_refused: int
    as_of: datetime
    device: str


def device_health(health: DeviceHealth, *, device: str) -> bytes:
    """The payload of ``device/<device>/health``."""
    problems = [{"code": item.code, "text": item.text, "since": timestamp(item.since)} for item in health.problems]
    return dump(
        {
            "status": DEGRADED if problems else OK,
            "problems": problems,
            "events_waiting": health.events_waiting,
            "events_dropped": health.events_dropped,
            "events_refused": health.events_refused,
            "as_of": timestamp(health.as_of),
            "device": device,
        }
    )


def parse_health(payload: bytes) -> HealthMessage:
    """A device's health; PayloadError for what is none."""
    fields = Fields(payload)
    status = fields.text("status")
    if status not in (OK, DEGRADED):
        raise PayloadError(f"status is neither 'ok' nor 'degraded' but {status[:40]!r}")
    return HealthMessage(
        degraded=status == DEGRADED,
        problems=tuple(
            Problem(item.text("code"), item.text("text"), item.time("since")) for item in fields.tables("problems")
        ),
        events_waiting=fields.count("events_waiting"),
        events_dropped=fields.count("events_dropped"),
        events_refused=fields.count("events_refused"),
        as_of=fields.time("as_of"),
        device=fields.text("device"),
    )


class HealthState:
    """The device's health as a retained state: told when it changes, at most every few seconds. Thread-safe."""

    def __init__(self, states: RetainedStates, topics: Topics, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._states = states
        self._topics = topics
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._latest: DeviceHealth | None = None
        self._told: DeviceHealth | None = None
        self._told_at = 0.0

    def report(self, health: DeviceHealth) -> None:
        """Take in how the device is now."""
        with self._lock:
            self._latest = health
        self.pump()

    def pump(self) -> None:
        """Have what changed told, if the last time is long enough ago. To be called now and then."""
        with self._lock:
            if self._latest is None:
                return
            if self._told is not None:
                same = replace(self._latest, as_of=self._told.as_of) == self._told
                if same or self._monotonic() - self._told_at < LEAST_SECONDS:
                    return
            self._tell(self._latest)

    def restart(self) -> None:
        """A connection began: it is told the latest, with the time of the latest."""
        with self._lock:
            if self._latest is not None:
                self._tell(self._latest)

    def _tell(self, health: DeviceHealth) -> None:
        self._told, self._told_at = health, self._monotonic()
        self._states.want(self._topics.health, device_health(health, device=self._topics.device))
