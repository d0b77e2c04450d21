"""An event as it stands in the database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from edge.core.events import ClockState, Direction, StoredEvent, VehicleType
from edge.store.schema.columns import from_micros
from edge.store.schema.models import Event, Floor

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from edge.core.occupancy import Occupancy
    from edge.store.schema.models import AdjustmentReason
    from edge.store.sql.query import Row


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
    Event.clock_state,
)


# Looking up is several times quicker than calling the enumeration.
_TYPES = {kind.value: kind for kind in VehicleType}
_WAYS = {way.value: way for way in Direction}
_CLOCKS = {state.value: state for state in ClockState}


# What ``stored_events`` makes records of, as the database has them: without the floor's name, so without a join.
PAGE_COLUMNS = tuple(column for column in EVENT_COLUMNS if column is not Floor.name)


def stored_events(rows: Iterable[Row], floors: Mapping[int, str]) -> list[StoredEvent]:
    """The records of raw rows of ``PAGE_COLUMNS``; ``floors`` has the names by their ids.

    A page is made of many and asked for often, so each value is turned on its own, without a step between.
    """
    types, ways, clocks = _TYPES, _WAYS, _CLOCKS
    return [
        StoredEvent(
            *(row_id, UUID(event_id), camera, gate, floor_id, floors[floor_id], track, types[vehicle], ways[way]),
            *(confidence, from_micros(timestamp), from_micros(created), clocks[clock]),
        )
        for row_id, event_id, camera, gate, floor_id, track, vehicle, way, confidence, timestamp, created, clock in rows
    ]


def stored_event(row: Row) -> StoredEvent:
    """The record of a row of ``EVENT_COLUMNS``."""
    row_id, event_id, camera, gate, floor_id, floor, track, vehicle, way, confidence, timestamp, created, clock = row
    # By place: a page of events is made of many, and names would take longer than the values.
    return StoredEvent(
        *(row_id, event_id, camera, gate, floor_id, floor, track, _TYPES[vehicle], _WAYS[way], confidence),
        *(timestamp, created, _CLOCKS[clock]),
    )
