"""What a device says of itself on ``device/<device>/health``, beside the bare "online" of its status."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from edge.mqtt.topics import DEGRADED, OK
from edge.publish.json_text import dump, timestamp

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.core.device_health import DeviceHealth
    from edge.mqtt.topics import Topics
    from edge.publish.retained_topics import RetainedStates

# While many events wait their number changes all the time; nobody needs it more often.
LEAST_SECONDS = 3.0


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
