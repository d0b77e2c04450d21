"""Recording one event: event row, floor's count, hourly total, outbox row and, for a clamp, adjustment.

The queries are prepared: this is what the daemon does all day, and a small machine spends more time on building SQL
than on running it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from edge.core.errors import RefusedError
from edge.core.events import StoredEvent
from edge.store.counts.hourly_totals import count_event
from edge.store.counts.ledger import note_adjustment
from edge.store.counts.stored_event import EVENT_COLUMNS, Recorded, stored_event
from edge.store.counts.stored_floor import OCCUPANCY_COLUMNS, occupancy
from edge.store.schema.models import AdjustmentReason, Event, Floor, Outbox
from edge.store.sql.prepared import Prepared, slot
from edge.store.sql.query import rows

if TYPE_CHECKING:
    from datetime import datetime

    from peewee import Database

    from edge.core.events import Event as EventRecord
    from edge.core.occupancy import Occupancy

_FIND = Prepared(
    Event.select(*EVENT_COLUMNS)
    .join(Floor)
    .where(
        Event.camera_id == slot("camera_id"),
        Event.track_id == slot("track_id"),
        Event.direction == slot("direction"),
        Event.timestamp == slot("timestamp", Event.timestamp),
    ),
    EVENT_COLUMNS,
)
_FLOOR_BY_NAME = Prepared(
    Floor.select(*OCCUPANCY_COLUMNS).where(Floor.name == slot("name")), OCCUPANCY_COLUMNS, lock=True
)
_FLOOR_BY_ID = Prepared(Floor.select(*OCCUPANCY_COLUMNS).where(Floor.id == slot("id")), OCCUPANCY_COLUMNS)
_INSERT = Prepared(
    Event.insert(
        {
            Event.event_id: slot("event_id", Event.event_id),
            Event.camera_id: slot("camera_id"),
            Event.gate_id: slot("gate_id"),
            Event.floor: slot("floor_id"),
            Event.track_id: slot("track_id"),
            Event.vehicle_type: slot("vehicle_type"),
            Event.direction: slot("direction"),
            Event.confidence: slot("confidence"),
            Event.timestamp: slot("timestamp", Event.timestamp),
            Event.created_at: slot("now", Event.created_at),
            Event.clock_state: slot("clock_state"),
        }
    ).returning(Event.id),
    (Event.id,),
)
_WAIT = Prepared(Outbox.insert({Outbox.event: slot("event"), Outbox.created_at: slot("now", Outbox.created_at)}))
_MOVE = Prepared(
    Floor.update(
        {
            Floor.current_vehicles: slot("current_vehicles"),
            Floor.seq: slot("seq"),
            Floor.updated_at: slot("now", Floor.updated_at),
        }
    ).where(Floor.id == slot("id"))
)


def record_event(db: Database, event: EventRecord, now: datetime) -> Recorded:
    """Record a checked event, or find that it is there already. Inside a write transaction."""
    there = _FIND.first(
        db,
        camera_id=event.camera_id,
        track_id=event.track_id,
        direction=event.direction.value,
        timestamp=event.timestamp,
    )
    if there is not None:
        stored = stored_event(there)
        return Recorded(stored, inserted=False, occupancy=_occupancy(db, stored.floor_id))
    # Of this program's writers no other is in a transaction, and the row is locked for all others, so the count that is
    # read here is still the count when it is written below.
    found = _FLOOR_BY_NAME.first(db, name=event.floor)
    if found is None:
        known = ", ".join(repr(floor) for (floor,) in rows(db, Floor.select(Floor.name).order_by(Floor.id)))
        raise RefusedError(f"there is no floor {event.floor!r} in the database (it has {known or 'none'})")
    before = occupancy(found)
    stored = _insert(db, event, before, now)
    count_event(db, event, before.floor_id)
    counted = before.current_vehicles + event.direction.delta
    current = min(max(counted, 0), before.total_slots)
    clamp = None
    if current != counted:
        clamp = AdjustmentReason.UNDERFLOW if counted < 0 else AdjustmentReason.OVERFLOW
        note_adjustment(
            db, before.floor_id, clamp, before=counted, after=current, at=event.timestamp, event_id=event.event_id
        )
    after = replace(before, current_vehicles=current, seq=before.seq + 1, as_of=now)
    _MOVE.run(db, id=after.floor_id, current_vehicles=current, seq=after.seq, now=now)
    return Recorded(stored, inserted=True, occupancy=after, clamp=clamp)


def _insert(db: Database, event: EventRecord, floor: Occupancy, now: datetime) -> StoredEvent:
    event_id = event.event_id
    [(row_id,)] = _INSERT.rows(
        db,
        event_id=event_id,
        camera_id=event.camera_id,
        gate_id=event.gate_id,
        floor_id=floor.floor_id,
        track_id=event.track_id,
        vehicle_type=event.vehicle_type.value,
        direction=event.direction.value,
        confidence=event.confidence,
        timestamp=event.timestamp,
        now=now,
        clock_state=event.clock_state.value,
    )
    _WAIT.run(db, event=row_id, now=now)
    return StoredEvent(
        id=row_id,
        event_id=event_id,
        camera_id=event.camera_id,
        gate_id=event.gate_id,
        floor_id=floor.floor_id,
        floor=floor.name,
        track_id=event.track_id,
        vehicle_type=event.vehicle_type,
        direction=event.direction,
        confidence=event.confidence,
        timestamp=event.timestamp,
        created_at=now,
        clock_state=event.clock_state,
    )


def _occupancy(db: Database, floor_id: int) -> Occupancy:
    [row] = _FLOOR_BY_ID.rows(db, id=floor_id)
    return occupancy(row)
