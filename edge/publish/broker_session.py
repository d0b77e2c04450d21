"""Publishes over the link whatever is due on a connection: retained topics first, then the outbox's events."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from edge.mqtt.connection import Connection, ConnectionEnded
from edge.publish import payloads

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.core.events import StoredEvent
    from edge.mqtt.topics import Topics
    from edge.publish.database_thread import DatabaseThread
    from edge.publish.health_topic import HealthTopic
    from edge.publish.outbox_relay import OutboxRelay
    from edge.publish.retained_topics import RetainedTopics

log = logging.getLogger(__name__)


class BrokerSession:
    """The publisher's :class:`~edge.mqtt.reconnecting_link.LinkUser`: called on the link's thread, never waits.

    ``on_progress()`` is called after every acknowledgement and at the end of a connection. A connection on which the
    broker acknowledges nothing for ``stall_seconds`` is ended.
    """

    def __init__(
        self,
        topics: Topics,
        retained: RetainedTopics,
        health: HealthTopic,
        relay: OutboxRelay,
        database: DatabaseThread,
        *,
        stall_seconds: float,
        on_progress: Callable[[], None],
    ) -> None:
        self._topics = topics
        self._retained = retained
        self._health = health
        self._relay = relay
        self._database = database
        self._stall_seconds = stall_seconds
        self._on_progress = on_progress
        self._sends_events = True
        self._answered_at = 0.0

    @property
    def all_acknowledged(self) -> bool:
        """Whether everything that was to be published on this connection is acknowledged."""
        return self._retained.all_acknowledged and not self._relay.in_flight

    def stop_events(self) -> None:
        """Send no more events; retained topics are still sent."""
        self._sends_events = False

    def link_opened(self, connection: Connection) -> None:
        """Make all retained topics due again, and start with the outbox from its beginning."""
        self._retained.connection_changed()
        self._health.connection_opened()
        self._relay.connection_changed(opened=True)
        self._answered_at = time.monotonic()
        self._database.read_floors_again(at_once=True)

    def link_tick(self, connection: Connection) -> None:
        """Publish what is due. Raises ConnectionEnded when the broker acknowledges nothing."""
        self._health.publish_if_due()
        self._retained.send(lambda topic, payload: connection.publish(topic, payload, retain=True))
        if self._sends_events:
            self._relay.send(lambda event: self._publish_event(connection, event))
        if not (self._retained.in_flight or self._relay.in_flight):
            self._answered_at = time.monotonic()
        elif time.monotonic() - self._answered_at > self._stall_seconds:
            raise ConnectionEnded(f"the broker acknowledged nothing for {self._stall_seconds:.0f} s")

    def link_acknowledged(self, mid: int) -> None:
        """Note the PUBACK of a retained topic, or of an event, which may then leave the outbox."""
        self._answered_at = time.monotonic()
        if not self._retained.acknowledge(mid) and self._relay.acknowledge(mid):
            self._database.wake()
        self._on_progress()

    def link_message(self, topic: str, payload: bytes) -> None:
        """Ignore a message: a publisher subscribes to nothing."""
        log.debug("a message was ignored that was not subscribed to topic=%s", topic)

    def link_closed(self) -> None:
        """Make everything due again that has no acknowledgement."""
        self._retained.connection_changed()
        self._relay.connection_changed(opened=False)
        self._database.wake()
        self._on_progress()

    def _publish_event(self, connection: Connection, event: StoredEvent) -> int:
        payload = payloads.event(event, site=self._topics.site, device=self._topics.device)
        return connection.publish(self._topics.event(event.camera_id), payload, retain=False)
