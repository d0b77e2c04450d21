"""Recording events: event row, floor's count, outbox row and, where the count is clamped, adjustment; all or none."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import peewee

from edge.errors import RefusedError
from edge.records import Direction, VehicleType
from edge.records import Event as EventRecord
from edge.store.checks import checked_event, event_key, is_text
from edge.store.fields import to_utc
from edge.store.floors import OCCUPANCY_COLUMNS, occupancy
from edge.store.schema import Adjustment, AdjustmentReason, Event, Floor, Outbox
from edge.store.transaction import Row, execute, first, rows, write_transaction

if TYPE_CHECKING:
    import uuid
    from collections.abc import Sequence
    from datetime import datetime

    from edge.records import Occupancy


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event as it stands in the database. Both times are aware UTC."""

    id: int
    event_id: uuid.UUID
    camera_id: str
    gate_id: str
    floor_id: int
    floor: str
    track_id: str
    vehicle_type: VehicleType
    direction: Direction
    confidence: float
    timestamp: datetime
    created_at: datetime

    @property
    def event(self) -> EventRecord:
        """The event alone, as it was recorded."""
        return EventRecord(
            camera_id=self.camera_id,
            gate_id=self.gate_id,
            floor=self.floor,
            track_id=self.track_id,
            vehicle_type=self.vehicle_type,
            direction=self.direction,
            confidence=self.confidence,
            timestamp=self.timestamp,
        )


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of an event that was to be recorded.

    ``inserted`` is False when it was there before; ``event`` is the row that is there. ``occupancy`` is the floor
    after it. ``clamp`` says why the count did not move with the event, None if it did.
    """

    event: StoredEvent
    inserted: bool
    occupancy: Occupancy
    clamp: AdjustmentReason | None = None


# What ``stored_event`` makes a record of; the query joins Floor.
EVENT_COLUMNS = (
    Event.id,
    Event.event_id,
    Event.camera_id,
    Event.gate_id,
    Event.floor,
    Floor.name,
    Event.track_id,
    Event.vehicle_type,
    Event.direction,
    Event.confidence,
    Event.timestamp,
    Event.created_at,
)


class Events:
    """The events of one database. Used in the thread that opened the handle."""

    def __init__(self, db: peewee.Database) -> None:
        self._db = db

    def record(self, event: EventRecord, now: datetime) -> Recorded:
        """``record_all`` of one event."""
        return self.record_all([event], now)[0]

    def record_all(self, events: Sequence[EventRecord], now: datetime) -> list[Recorded]:
        """Record all of them in one transaction, or none; ``now`` (aware) becomes their ``created_at``.

        An event that is there already (same camera, track, direction and timestamp) changes nothing. RefusedError
        for one that cannot be recorded: an unknown floor, a value out of its bounds, a naive timestamp.
        """
        checked = [checked_event(event) for event in events]
        now = to_utc(now)
        if not checked:
            return []
        try:
            with write_transaction(self._db):
                return [self._record(event, now) for event in checked]
        except peewee.IntegrityError as error:
            raise RefusedError(
                f"the database refuses {'; '.join(event_key(event) for event in checked)}: {error}"
            ) from error

    def newest(self, limit: int, floor: str | None = None, camera: str | None = None) -> list[StoredEvent]:
        """The newest ``limit`` events by their timestamp, newest first; of one floor or camera if named.

        Empty for a floor or camera that is unknown. RefusedError for a limit below 1.
        """
        if limit < 1:
            raise RefusedError(f"the limit is {limit}; it must be 1 or more")
        if not is_text((floor or "") + (camera or "")):
            return []
        query = Event.select(*EVENT_COLUMNS).join(Floor)
        if floor is not None:
            query = query.where(Event.floor == self._floor_id(floor))
        if camera is not None:
            query = query.where(Event.camera_id == camera)
        ordered = query.order_by(Event.timestamp.desc(), Event.id.desc()).limit(limit)
        return [stored_event(row) for row in rows(self._db, ordered)]

    def count(self) -> int:
        """How many events there are."""
        [(number,)] = rows(self._db, Event.select(peewee.fn.COUNT(Event.id)))
        return int(number)

    def _floor_id(self, name: str) -> int:
        row = first(self._db, Floor.select(Floor.id).where(Floor.name == name))
        return int(row[0]) if row else 0

    def _record(self, event: EventRecord, now: datetime) -> Recorded:
        there = self._find(event)
        if there is not None:
            return Recorded(there, inserted=False, occupancy=self._floor(Floor.id == there.floor_id, there.floor))
        # The transaction holds SQLite's only write lock, so the count that is read here is still the count when it
        # is written below. A database with row locks has to lock the floor's row in this query.
        before = self._floor(Floor.name == event.floor, event.floor)
        row_id = execute(
            self._db,
            Event.insert(
                {
                    Event.event_id: event.event_id,
                    Event.camera_id: event.camera_id,
                    Event.gate_id: event.gate_id,
                    Event.floor: before.floor_id,
                    Event.track_id: event.track_id,
                    Event.vehicle_type: event.vehicle_type.value,
                    Event.direction: event.direction.value,
                    Event.confidence: event.confidence,
                    Event.timestamp: event.timestamp,
                    Event.created_at: now,
                }
            ),
        )
        execute(self._db, Outbox.insert({Outbox.event: row_id, Outbox.created_at: now}))
        counted = before.current_vehicles + event.direction.delta
        current = min(max(counted, 0), before.total_slots)
        clamp = None
        if current != counted:
            clamp = AdjustmentReason.UNDERFLOW if counted < 0 else AdjustmentReason.OVERFLOW
            self._adjust(before.floor_id, clamp, event.event_id, counted, current, now)
        after = replace(before, current_vehicles=current, seq=before.seq + 1, as_of=now)
        changes = {Floor.current_vehicles: current, Floor.seq: after.seq, Floor.updated_at: now}
        execute(self._db, Floor.update(changes).where(Floor.id == after.floor_id))
        stored = StoredEvent(
            id=row_id,
            event_id=event.event_id,
            camera_id=event.camera_id,
            gate_id=event.gate_id,
            floor_id=after.floor_id,
            floor=after.name,
            track_id=event.track_id,
            vehicle_type=event.vehicle_type,
            direction=event.direction,
            confidence=event.confidence,
            timestamp=event.timestamp,
            created_at=now,
        )
        return Recorded(stored, inserted=True, occupancy=after, clamp=clamp)

    def _find(self, event: EventRecord) -> StoredEvent | None:
        query = (
            Event.select(*EVENT_COLUMNS)
            .join(Floor)
            .where(
                Event.camera_id == event.camera_id,
                Event.track_id == event.track_id,
                Event.direction == event.direction.value,
                Event.timestamp == event.timestamp,
            )
        )
        row = first(self._db, query)
        return stored_event(row) if row else None

    def _floor(self, condition: object, name: str) -> Occupancy:
        row = first(self._db, Floor.select(*OCCUPANCY_COLUMNS).where(condition))
        if row is None:
            known = ", ".join(repr(floor) for (floor,) in rows(self._db, Floor.select(Floor.name).order_by(Floor.id)))
            raise RefusedError(f"there is no floor {name!r} in the database (it has {known or 'none'})")
        return occupancy(row)

    def _adjust(
        self, floor_id: int, reason: AdjustmentReason, event_id: uuid.UUID, before: int, after: int, now: datetime
    ) -> None:
        values = {
            Adjustment.floor: floor_id,
            Adjustment.delta: after - before,
            Adjustment.reason: reason.value,
            Adjustment.event_id: event_id,
            Adjustment.note: "",
            Adjustment.before: before,
            Adjustment.after: after,
            Adjustment.at: now,
        }
        execute(self._db, Adjustment.insert(values))


def stored_event(row: Row) -> StoredEvent:
    """The record of a row of ``EVENT_COLUMNS``."""
    row_id, event_id, camera, gate, floor_id, floor, track, vehicle, direction, confidence, timestamp, created = row
    return StoredEvent(
        id=row_id,
        event_id=event_id,
        camera_id=camera,
        gate_id=gate,
        floor_id=floor_id,
        floor=floor,
        track_id=track,
        vehicle_type=VehicleType(vehicle),
        direction=Direction(direction),
        confidence=confidence,
        timestamp=timestamp,
        created_at=created,
    )
