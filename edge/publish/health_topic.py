"""Keeps the retained topic ``device/<device>/health`` in step with the device's health."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from edge.publish.payloads import device_health

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.core.device_health import DeviceHealth
    from edge.mqtt.topics import Topics
    from edge.publish.retained_topics import RetainedTopics

# While many events wait their number changes all the time; it is published no more often than this.
LEAST_SECONDS = 3.0


class HealthTopic:
    """The device's health as a retained topic: published when it changes, at most every few seconds. Thread-safe."""

    def __init__(
        self, retained: RetainedTopics, topics: Topics, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._retained = retained
        self._topics = topics
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._latest: DeviceHealth | None = None
        self._published: DeviceHealth | None = None
        self._published_at = 0.0

    def report(self, health: DeviceHealth) -> None:
        """Note how the device is now, and publish it if it is due."""
        with self._lock:
            self._latest = health
        self.publish_if_due()

    def publish_if_due(self) -> None:
        """Publish what changed, if the last time is long enough ago. To be called about once a second."""
        with self._lock:
            if self._latest is None:
                return
            if self._published is not None:
                same = replace(self._latest, as_of=self._published.as_of) == self._published
                if same or self._monotonic() - self._published_at < LEAST_SECONDS:
                    return
            self._publish(self._latest)

    def connection_opened(self) -> None:
        """Publish the latest health, with its own time, on a new connection."""
        with self._lock:
            if self._latest is not None:
                self._publish(self._latest)

    def _publish(self, health: DeviceHealth) -> None:
        self._published, self._published_at = health, self._monotonic()
        self._retained.set(self._topics.health, device_health(health, device=self._topics.device))
