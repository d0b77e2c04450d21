"""Reads events as they are stored from rows of the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from edge.core.events import ClockState, Direction, StoredEvent, VehicleType
from edge.store.schema.models import EventRow, FloorRow
from edge.store.sql.times import MICROSECOND, from_micros

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from edge.core.occupancy import Occupancy
    from edge.store.schema.models import AdjustmentReason
    from edge.store.sql.query import SqlRow


@dataclass(frozen=True, slots=True)
class Recorded:
    """The result of recording an event.

    ``inserted`` is False if the event was stored before; ``event`` is the stored one. ``occupancy`` is the floor's
    after it. ``clamp`` is the reason why the count did not move with the event, None if it did.
    """

    event: StoredEvent
    inserted: bool
    occupancy: Occupancy
    clamp: AdjustmentReason | None = None


# The columns of a ``StoredEvent``, in the order of its fields; the query joins FloorRow.
EVENT_COLUMNS = (
    EventRow.id,
    EventRow.event_id,
    EventRow.camera_id,
    EventRow.gate_id,
    EventRow.floor,
    FloorRow.name,
    EventRow.track_id,
    EventRow.vehicle_type,
    EventRow.direction,
    EventRow.confidence,
    EventRow.timestamp,
    EventRow.created_at,
    EventRow.clock_state,
    EventRow.order_at,
    EventRow.correction,
)
# The same without the floor's name, so that the query needs no join.
PAGE_COLUMNS = tuple(column for column in EVENT_COLUMNS if column is not FloorRow.name)

_NO_CORRECTION = timedelta(0)
# Looking a value up is several times quicker than calling the enumeration.
_TYPES = {vehicle_type.value: vehicle_type for vehicle_type in VehicleType}
_DIRECTIONS = {direction.value: direction for direction in Direction}
_CLOCK_STATES = {state.value: state for state in ClockState}


def event_from_row(row: SqlRow) -> StoredEvent:
    """The value of a row of ``EVENT_COLUMNS``."""
    row_id, event_id, camera, gate, floor_id, floor, track, vehicle, direction, confidence, at, created, *clock = row
    state, order_at, correction = clock
    # By position: a page has many events, and with names the call would take longer than the conversions.
    return StoredEvent(
        *(row_id, event_id, camera, gate, floor_id, floor, track, _TYPES[vehicle], _DIRECTIONS[direction]),
        *(confidence, at, created, _CLOCK_STATES[state], order_at, correction * MICROSECOND),
    )


def events_from_raw_rows(rows: Iterable[SqlRow], floor_names: Mapping[int, str]) -> list[StoredEvent]:
    """The values of raw rows of ``PAGE_COLUMNS``; ``floor_names`` has the names by their ids.

    Pages are read often, so each value is converted here directly, without an intermediate row.
    """
    types, directions, clock_states = _TYPES, _DIRECTIONS, _CLOCK_STATES
    return [
        StoredEvent(
            *(row_id, UUID(event_id), camera, gate, floor_id, floor_names[floor_id], track, types[vehicle]),
            *(directions[direction], confidence, from_micros(at), from_micros(created), clock_states[state]),
            *(order and from_micros(order), correction * MICROSECOND if correction else _NO_CORRECTION),
        )
        for row_id, event_id, camera, gate, floor_id, track, vehicle, direction, confidence, at, created, *clock in rows
        for state, order, correction in (clock,)
    ]
