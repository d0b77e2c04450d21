"""Records one event: its row, the floor's count, the hourly total, the outbox row and, for a clamp, an adjustment.

The queries are prepared: the daemon runs them for every event, and a small machine would spend more time on building
the SQL than on running it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from edge.core.events import StoredEvent
from edge.store.counts.hourly_totals import add_to_hour
from edge.store.counts.ledger import write_adjustment
from edge.store.counts.stored_event import EVENT_COLUMNS, Recorded, event_from_row
from edge.store.counts.stored_floor import OCCUPANCY_COLUMNS, occupancy_from_row, unknown_floor
from edge.store.schema.models import AdjustmentReason, EventRow, FloorRow, OutboxRow
from edge.store.sql.prepared import Prepared, slot

if TYPE_CHECKING:
    from datetime import datetime

    from peewee import Database

    from edge.core.events import Event
    from edge.core.occupancy import Occupancy

_STORED_EVENT = Prepared(
    EventRow.select(*EVENT_COLUMNS)
    .join(FloorRow)
    .where(
        EventRow.camera_id == slot("camera_id"),
        EventRow.track_id == slot("track_id"),
        EventRow.direction == slot("direction"),
        EventRow.timestamp == slot("timestamp", EventRow.timestamp),
    ),
    EVENT_COLUMNS,
)
_FLOOR_BY_NAME = Prepared(
    FloorRow.select(*OCCUPANCY_COLUMNS).where(FloorRow.name == slot("name")), OCCUPANCY_COLUMNS, lock=True
)
_FLOOR_BY_ID = Prepared(FloorRow.select(*OCCUPANCY_COLUMNS).where(FloorRow.id == slot("id")), OCCUPANCY_COLUMNS)
_INSERT_EVENT = Prepared(
    EventRow.insert(
        {
            EventRow.event_id: slot("event_id", EventRow.event_id),
            EventRow.camera_id: slot("camera_id"),
            EventRow.gate_id: slot("gate_id"),
            EventRow.floor: slot("floor_id"),
            EventRow.track_id: slot("track_id"),
            EventRow.vehicle_type: slot("vehicle_type"),
            EventRow.direction: slot("direction"),
            EventRow.confidence: slot("confidence"),
            EventRow.timestamp: slot("timestamp", EventRow.timestamp),
            EventRow.created_at: slot("now", EventRow.created_at),
            EventRow.clock_state: slot("clock_state"),
            EventRow.order_at: slot("order_at", EventRow.order_at),
            EventRow.correction: 0,
        }
    ).returning(EventRow.id),
    (EventRow.id,),
)
_INSERT_OUTBOX = Prepared(
    OutboxRow.insert({OutboxRow.event: slot("event"), OutboxRow.created_at: slot("now", OutboxRow.created_at)})
)
_UPDATE_COUNT = Prepared(
    FloorRow.update(
        {
            FloorRow.current_vehicles: slot("current_vehicles"),
            FloorRow.seq: slot("seq"),
            FloorRow.updated_at: slot("now", FloorRow.updated_at),
        }
    ).where(FloorRow.id == slot("id"))
)


def record_event(db: Database, event: Event, now: datetime) -> Recorded:
    """Record a checked event, or find that it is stored already. Inside a write transaction.

    RefusedError for an unknown floor.
    """
    row = _STORED_EVENT.first(
        db,
        camera_id=event.camera_id,
        track_id=event.track_id,
        direction=event.direction.value,
        timestamp=event.timestamp,
    )
    if row is not None:
        stored = event_from_row(row)
        [row] = _FLOOR_BY_ID.rows(db, id=stored.floor_id)
        return Recorded(stored, inserted=False, occupancy=occupancy_from_row(row))
    # No other writer of this program is in a transaction, and the row is locked for other programs, so the count that
    # is read here is still the count when it is written below.
    row = _FLOOR_BY_NAME.first(db, name=event.floor)
    if row is None:
        raise unknown_floor(db, event.floor)
    before = occupancy_from_row(row)
    stored = _insert(db, event, before, now)
    add_to_hour(db, event, before.floor_id)
    counted = before.current_vehicles + event.direction.delta
    current = min(max(counted, 0), before.total_slots)
    clamp = None
    if current != counted:
        clamp = AdjustmentReason.UNDERFLOW if counted < 0 else AdjustmentReason.OVERFLOW
        write_adjustment(
            db, before.floor_id, clamp, before=counted, after=current, at=event.timestamp, event_id=event.event_id
        )
    after = replace(before, current_vehicles=current, seq=before.seq + 1, as_of=now)
    _UPDATE_COUNT.run(db, id=after.floor_id, current_vehicles=current, seq=after.seq, now=now)
    return Recorded(stored, inserted=True, occupancy=after, clamp=clamp)


def _insert(db: Database, event: Event, floor: Occupancy, now: datetime) -> StoredEvent:
    event_id = event.event_id
    [(row_id,)] = _INSERT_EVENT.rows(
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
        order_at=event.order_at,
    )
    _INSERT_OUTBOX.run(db, event=row_id, now=now)
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
        order_at=event.order_at,
    )
