"""This module connects the publisher with the database: it publishes what was committed, here or by another process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.mqtt.topics import Topics
from edge.publish.publisher import Publisher

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.config.schema import Config
    from edge.core.device_health import DeviceHealth
    from edge.core.events import StoredEvent
    from edge.core.occupancy import Occupancy
    from edge.daemon.database_access import DatabaseAccess
    from edge.store import Recorded, Writer


class Publishing:
    """The publisher of this device, with the outbox and the floors of its database."""

    def __init__(self, config: Config, database: DatabaseAccess, writer: Writer) -> None:
        self._database = database
        self._drain_seconds = config.mqtt.drain_seconds
        self._publisher = Publisher(
            config.mqtt,
            client_id=config.client_id,
            topics=Topics(config.mqtt.topic_prefix, config.site.id, config.device.id),
            read_outbox=self._read_outbox,
            acknowledge=writer.acknowledge,
            read_floors=self._read_floors,
        )

    def start(self, health: DeviceHealth) -> None:
        """Begin to connect to the broker; it returns at once."""
        self._publisher.health_changed(health)
        self._publisher.start()

    def publish_recorded(self, recorded: Sequence[Recorded]) -> None:
        """Publish events and floors of a commit of this process. Called in the writer's thread."""
        if any(item.inserted for item in recorded):
            self._publisher.floors_changed([item.occupancy for item in recorded])
            self._publisher.events_added()

    def publish_external_changes(self) -> None:
        """Publish all floors and waiting events, after another process has written to the database."""
        self._publisher.read_floors_again()
        self._publisher.events_added()

    def publish_health(self, health: DeviceHealth) -> None:
        """Publish the health of the device if it has changed."""
        self._publisher.health_changed(health)

    def close(self) -> None:
        """Publish what waits in the outbox, for as long as the configuration allows, and disconnect."""
        self._publisher.close(self._drain_seconds)

    def _read_outbox(self, limit: int) -> list[StoredEvent]:
        """Called in the publisher's thread, which has no connection of its own in between."""
        with self._database.open_to_read() as store:
            return store.outbox.pending(limit)

    def _read_floors(self) -> Sequence[Occupancy]:
        with self._database.open_to_read() as store:
            return store.floors.all()
