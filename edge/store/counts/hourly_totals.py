"""The hourly totals: which hour a moment belongs to, and counting an event into it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from peewee import EXCLUDED

from edge.core.events import Direction, VehicleType
from edge.store.schema.columns import MICROSECOND, from_micros, to_micros
from edge.store.schema.models import EventHourly
from edge.store.sql.prepared import Prepared, slot

if TYPE_CHECKING:
    from peewee import Database

    from edge.core.events import Event

HOUR = timedelta(hours=1)
HOUR_MICROS = HOUR // MICROSECOND
# SQL: the hour of an event's timestamp. SQLite's % keeps the sign of what is divided, and there is time before 1970.
HOUR_OF_TIMESTAMP = f"(timestamp - ((timestamp % {HOUR_MICROS}) + {HOUR_MICROS}) % {HOUR_MICROS})"

_COUNTED = (
    EventHourly.entries,
    EventHourly.exits,
    *(getattr(EventHourly, kind.value) for kind in VehicleType),
    EventHourly.confidence_sum,
)
_ADD = Prepared(
    EventHourly.insert(
        {
            EventHourly.hour: slot("hour"),
            EventHourly.floor: slot("floor_id"),
            **{column: slot(column.name) for column in _COUNTED},
            EventHourly.removed_entries: 0,
            EventHourly.removed_exits: 0,
        }
    ).on_conflict(
        conflict_target=[EventHourly.hour, EventHourly.floor],
        update={column: column + getattr(EXCLUDED, column.column_name) for column in _COUNTED},
    )
)


def hour_of(moment: datetime) -> datetime:
    """The beginning of the hour of UTC in which a moment lies."""
    micros = to_micros(moment)
    return from_micros(micros - micros % HOUR_MICROS)


def count_event(db: Database, event: Event, floor_id: int) -> None:
    """Add a newly recorded event to its hour. In the transaction that records it."""
    micros = to_micros(event.timestamp)
    values: dict[str, float] = {column.name: 0 for column in _COUNTED}
    values["entries" if event.direction is Direction.ENTRY else "exits"] = 1
    values[event.vehicle_type.value] = 1
    values["confidence_sum"] = event.confidence
    _ADD.run(db, hour=micros - micros % HOUR_MICROS, floor_id=floor_id, **values)
