"""This module connects the publisher with the database: it publishes what was committed, here or by another process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.core.device_health import BrokerHealth
from edge.core.occupancy import FloorQuality, Quality
from edge.daemon.health.clock_watch import utc_of
from edge.mqtt.topics import Topics
from edge.publish.publisher import Publisher
from edge.store import utc_now

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edge.config.schema import Config
    from edge.core.device_health import DeviceHealth
    from edge.core.events import StoredEvent
    from edge.core.occupancy import Occupancy
    from edge.daemon.database_access import DatabaseAccess
    from edge.daemon.health.blindness import Blindness
    from edge.host.clock import WallClock
    from edge.store import Recorded, Writer

_BLIND_READ_SECONDS = 60.0


class Publishing:
    """The publisher of this device, with the outbox and the floors of its database."""

    def __init__(
        self, config: Config, database: DatabaseAccess, writer: Writer, blindness: Blindness, clock: WallClock
    ) -> None:
        self._clock = clock
        self._address = f"{config.mqtt.host}:{config.mqtt.port}"
        self._database = database
        self._blindness = blindness
        self._cameras_by_floor = config.cameras_by_floor
        self._blind: tuple[str, ...] = ()
        self._read_at = 0.0
        self._drain_seconds = config.mqtt.drain_seconds
        self._publisher = Publisher(
            config.mqtt,
            client_id=config.client_id,
            topics=Topics(config.mqtt.topic_prefix, config.site.id, config.device.id),
            read_outbox=self._read_outbox,
            acknowledge=writer.acknowledge,
            read_floors=self._read_floors,
            read_qualities=self._read_qualities,
        )

    def start(self, health: DeviceHealth) -> None:
        """Begin to connect to the broker; it returns at once."""
        self._publisher.health_changed(health)
        self._publish_unknown_floors()
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

    def broker(self) -> BrokerHealth:
        """The state of the connection to the broker."""
        link = self._publisher.link
        since = utc_of(self._clock.check().at(link.since))
        return BrokerHealth(self._address, link.connected, since, link.reason, link.connections)

    def publish_blindness(self, now: float) -> bool:
        """Publish the floors that a blind camera makes unknown, without the database; ``now`` is monotonic.

        The database is read for the rest when the blind cameras, or why they are blind, have changed since the last
        call, which is returned; and each minute while there are any.
        """
        changed = self._publish_unknown_floors()
        if changed or (self._blind and now - self._read_at >= _BLIND_READ_SECONDS):
            self._read_at = now
            self._publisher.read_floors_again()
        return changed

    def publish_health(self, health: DeviceHealth) -> None:
        """Publish the health of the device if a state of it has changed, and each minute."""
        self._publisher.health_changed(health)

    def close(self) -> None:
        """Publish what waits in the outbox, for as long as the configuration allows, and disconnect."""
        self._publisher.close(self._drain_seconds)

    def _read_outbox(self, limit: int) -> list[StoredEvent]:
        """Called in the publisher's thread, which has no connection of its own in between."""
        with self._database.open_to_read() as store:
            return store.outbox.pending(limit)

    def _publish_unknown_floors(self) -> bool:
        """Publish which floors are unknown now; whether the blind cameras have changed since the last call."""
        blind = self._blindness.current()
        unknown: dict[str, FloorQuality] = {}
        for floor, cameras in self._cameras_by_floor.items():
            lasting = [interval for interval in blind if interval.camera_id in cameras]
            if lasting:
                since = min(interval.began_at for interval in lasting)
                reason = "; ".join(f"camera {interval.camera_id}: {interval.reason}" for interval in lasting)
                unknown[floor] = FloorQuality(Quality.UNKNOWN, since, reason=reason)
        self._publisher.floors_unknown(unknown)
        names = tuple(f"{interval.camera_id} {interval.reason}" for interval in blind)
        changed, self._blind = names != self._blind, names
        return changed

    def _read_qualities(self) -> Mapping[str, FloorQuality]:
        # Of a minute, so that the time that a camera is blind does not change the payload with every look.
        now = utc_now().replace(second=0, microsecond=0)
        with self._database.open_to_read() as store:
            return store.floor_qualities(self._cameras_by_floor, now, self._blindness.current())

    def _read_floors(self) -> Sequence[Occupancy]:
        with self._database.open_to_read() as store:
            return store.floors.all()
