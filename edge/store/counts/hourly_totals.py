"""Counts each event into the total of its hour and floor."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from peewee import EXCLUDED

from edge.core.events import Direction, VehicleType
from edge.store.schema.models import HourRow
from edge.store.sql.prepared import Prepared, slot
from edge.store.sql.times import MICROSECOND, from_micros, to_micros

if TYPE_CHECKING:
    from peewee import Database

    from edge.core.events import Event

HOUR = timedelta(hours=1)
HOUR_MICROS = HOUR // MICROSECOND
# SQL: the hour of an event's timestamp. SQLite's % keeps the sign of the dividend, which is negative before 1970.
HOUR_OF_TIMESTAMP = f"(timestamp - ((timestamp % {HOUR_MICROS}) + {HOUR_MICROS}) % {HOUR_MICROS})"

_COUNTED = (
    HourRow.entries,
    HourRow.exits,
    *(getattr(HourRow, vehicle_type.value) for vehicle_type in VehicleType),
    HourRow.confidence_sum,
)
_ADD = Prepared(
    HourRow.insert(
        {
            HourRow.hour: slot("hour"),
            HourRow.floor: slot("floor_id"),
            **{column: slot(column.name) for column in _COUNTED},
            HourRow.removed_entries: 0,
            HourRow.removed_exits: 0,
        }
    ).on_conflict(
        conflict_target=[HourRow.hour, HourRow.floor],
        update={column: column + getattr(EXCLUDED, column.column_name) for column in _COUNTED},
    )
)


def hour_of(moment: datetime) -> datetime:
    """The start of the hour of UTC that contains the moment."""
    micros = to_micros(moment)
    return from_micros(micros - micros % HOUR_MICROS)


def add_to_hour(db: Database, event: Event, floor_id: int) -> None:
    """Add a new event to the total of its hour. Inside the transaction that records it."""
    micros = to_micros(event.timestamp)
    values: dict[str, float] = {column.name: 0 for column in _COUNTED}
    values["entries" if event.direction is Direction.ENTRY else "exits"] = 1
    values[event.vehicle_type.value] = 1
    values["confidence_sum"] = event.confidence
    _ADD.run(db, hour=micros - micros % HOUR_MICROS, floor_id=floor_id, **values)
