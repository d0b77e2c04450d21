"""Publishes this device's status and health, its floors and its events for as long as the daemon runs.

Two threads. *mqtt-link* (:mod:`edge.mqtt.reconnecting_link`, with :mod:`edge.publish.broker_session`) owns the
connection and never waits for the database; *mqtt-store* (:mod:`edge.publish.database_thread`) reads and writes the
outbox and never uses the connection. They meet in :class:`~edge.publish.outbox_relay.OutboxRelay` and
:class:`~edge.publish.retained_topics.RetainedTopics`.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.mqtt.connection import Timing, Will
from edge.mqtt.reconnecting_link import Link
from edge.mqtt.topics import OFFLINE, ONLINE
from edge.publish.broker_session import BrokerSession
from edge.publish.database_thread import DatabaseThread
from edge.publish.floor_topics import FloorTopics
from edge.publish.health_topic import HealthTopic
from edge.publish.outbox_relay import AcknowledgeEvents, OutboxRelay, ReadOutbox
from edge.publish.retained_topics import RetainedTopics

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from edge.config.schema import MqttConfig
    from edge.core.device_health import DeviceHealth
    from edge.core.occupancy import FloorQuality, Occupancy
    from edge.mqtt.reconnecting_link import LinkState
    from edge.mqtt.topics import Topics

log = logging.getLogger(__name__)

# What a stop may take after the drain, for the last status to be acknowledged.
_LAST_STATUS_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class PublisherStatistics:
    """Counts since the start: events sent (repetitions included), events that the broker has acknowledged,
    connections after the first, and events in flight at this moment."""

    published: int
    acknowledged: int
    reconnects: int
    in_flight: int


class Publisher:
    """Publishes to the broker of ``config``. Its methods may be called from any thread.

    ``read_outbox(limit)`` returns at most ``limit`` events that wait in the outbox, by rising id; ``acknowledge(ids)``
    removes them from it; ``read_floors()`` returns all floors, ``read_qualities()`` how far their counts can be
    trusted, by name (a floor that it does not name is live). All are called on one thread of the publisher's own, may
    take their time, and may raise: they are then called again later. Ids must grow for ever and never be used twice
    (AUTOINCREMENT). At most ``window`` events are in flight.
    """

    def __init__(
        self,
        config: MqttConfig,
        client_id: str,
        topics: Topics,
        read_outbox: ReadOutbox,
        acknowledge: AcknowledgeEvents,
        read_floors: Callable[[], Sequence[Occupancy]],
        read_qualities: Callable[[], Mapping[str, FloorQuality]] = dict,
        *,
        window: int = 50,
        timing: Timing | None = None,
    ) -> None:
        timing = timing or Timing()
        self._topics = topics
        self._progress = threading.Condition()
        self._retained = RetainedTopics()
        self._floors = FloorTopics(self._retained, topics, config.unknown_available)
        self._health = HealthTopic(self._retained, topics)
        self._relay = OutboxRelay(read_outbox, acknowledge, window=window)
        self._database = DatabaseThread(self._relay, self._floors, read_floors, read_qualities, self._after_database)
        self._session = BrokerSession(
            topics,
            self._retained,
            self._health,
            self._relay,
            self._database,
            stall_seconds=timing.stall,
            on_progress=self._notify_progress,
        )
        self._link = Link(config, client_id, self._session, will=Will(topics.status, OFFLINE), timing=timing)
        self._running = False

    @property
    def connected(self) -> bool:
        """Whether the broker has accepted the connection."""
        return self._link.connected

    @property
    def link(self) -> LinkState:
        """The state of the connection to the broker."""
        return self._link.state

    @property
    def statistics(self) -> PublisherStatistics:
        """What was done so far."""
        published, acknowledged, in_flight = self._relay.counts
        return PublisherStatistics(published, acknowledged, max(self._link.connections - 1, 0), in_flight)

    def start(self) -> None:
        """Begin to connect, and go on trying for ever; returns at once."""
        self._running = True
        self._retained.set(self._topics.status, ONLINE)
        self._database.start()
        self._link.start()

    def floors_changed(self, floors: Sequence[Occupancy]) -> None:
        """Publish floors that changed; of each floor the highest ``seq`` wins."""
        if self._floors.report(floors):
            self._link.wake()
        else:
            self._database.read_floors_again()

    def floors_unknown(self, unknown: Mapping[str, FloorQuality]) -> None:
        """Publish at once that the counts of these floors, by name, are not known, and those of all others are."""
        self._floors.report_unknown(unknown)
        self._link.wake()

    def read_floors_again(self) -> None:
        """Read and publish all floors: another program has changed, made or deleted some."""
        self._database.read_floors_again()

    def health_changed(self, health: DeviceHealth) -> None:
        """Publish the device's health if a state of it has changed, and each minute. May be called before the start."""
        self._health.report(health)
        self._link.wake()

    def events_added(self) -> None:
        """Publish new events of the outbox."""
        self._relay.events_added()
        self._database.wake()

    def close(self, drain_seconds: float) -> bool:
        """Stop in order; True when the outbox was empty at the end. A second call does nothing.

        Waits up to ``drain_seconds`` for the outbox to empty and for all acknowledgements, then publishes ``offline``,
        waits for its acknowledgement, and leaves the broker. Takes about two seconds longer at the most, unless
        a call into the database or the look-up of a name hangs.
        """
        if not self._running:
            return self._relay.drained
        self._running = False
        self._database.drain()
        self._link.retry_now()
        if not self._wait(lambda: self._relay.drained and self._nothing_expected, drain_seconds):
            log.warning("the stop does not wait longer for the broker; what is left stays in the outbox")
        self._session.stop_events()
        self._retained.set(self._topics.status, OFFLINE)
        self._link.wake()
        self._wait(lambda: self._nothing_expected, _LAST_STATUS_SECONDS)
        self._link.close(_LAST_STATUS_SECONDS + 1.0)
        self._database.close(_LAST_STATUS_SECONDS)
        return self._relay.drained

    @property
    def _nothing_expected(self) -> bool:
        """Whether no acknowledgement is to come: all have come, or there is no connection."""
        return not self._link.connected or self._session.all_acknowledged

    def _wait(self, condition: Callable[[], bool], seconds: float) -> bool:
        with self._progress:
            return self._progress.wait_for(condition, seconds)

    def _after_database(self) -> None:
        self._link.wake()
        self._notify_progress()

    def _notify_progress(self) -> None:
        with self._progress:
            self._progress.notify_all()
