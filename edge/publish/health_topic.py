"""Keeps the retained topic ``device/<device>/health`` in step with the device's health."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from edge.publish.payloads import device_health

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.core.device_health import DeviceHealth
    from edge.mqtt.topics import Topics
    from edge.publish.retained_topics import RetainedTopics

# A state that changes all the time is published no more often than this.
LEAST_SECONDS = 3.0
# The numbers are published so often when no state changes.
EVERY_SECONDS = 60.0


class HealthTopic:
    """The device's health as a retained topic: published when a state of it changes, and each minute. Thread-safe.

    A number that changes is no change of a state: see ``DeviceHealth.states``.
    """

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
        """Publish it if the last time is long enough ago. To be called about once a second."""
        with self._lock:
            if self._latest is None:
                return
            if self._published is not None:
                same = self._latest.states == self._published.states
                if self._monotonic() - self._published_at < (EVERY_SECONDS if same else LEAST_SECONDS):
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
