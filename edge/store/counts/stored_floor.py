"""Reads floors as they are stored from rows of the database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.core.errors import RefusedError
from edge.core.occupancy import Occupancy
from edge.store.counts.validation import shortened
from edge.store.schema.models import FloorRow
from edge.store.sql.query import fetch_rows

if TYPE_CHECKING:
    from datetime import datetime

    from peewee import Database

    from edge.store.sql.query import SqlRow

# The columns of an ``Occupancy``, in the order of its fields.
OCCUPANCY_COLUMNS = (
    FloorRow.id,
    FloorRow.name,
    FloorRow.description,
    FloorRow.total_slots,
    FloorRow.current_vehicles,
    FloorRow.is_active,
    FloorRow.updated_at,
    FloorRow.seq,
)
# The columns of a ``StoredFloor``, in the order of its fields.
FLOOR_COLUMNS = (
    *OCCUPANCY_COLUMNS,
    FloorRow.opening_vehicles,
    FloorRow.is_configured,
    FloorRow.created_at,
    FloorRow.deleted_at,
)


@dataclass(frozen=True, slots=True)
class StoredFloor(Occupancy):
    """A floor with what the database stores beside its occupancy. All times are aware UTC.

    ``is_configured``: the floor was in the configuration when that was last applied. ``deleted_at`` is None unless the
    floor is deleted, and can be restored. The name is unique, also among deleted floors.
    """

    opening_vehicles: int
    is_configured: bool
    created_at: datetime
    deleted_at: datetime | None

    def audited_values(self) -> dict[str, object]:
        """The values that a change of the floor may change, for the audit log."""
        return {
            "name": self.name,
            "description": self.description,
            "total_slots": self.total_slots,
            "current_vehicles": self.current_vehicles,
            "is_active": self.is_active,
            "is_deleted": self.deleted_at is not None,
            "is_configured": self.is_configured,
        }


def occupancy_from_row(row: SqlRow) -> Occupancy:
    """The value of a row of ``OCCUPANCY_COLUMNS``."""
    return Occupancy(*row)


def floor_from_row(row: SqlRow) -> StoredFloor:
    """The value of a row of ``FLOOR_COLUMNS``."""
    return StoredFloor(*row)


def unknown_floor(db: Database, name: object) -> RefusedError:
    """The error for a floor that is not in the database; it lists those that are."""
    known = ", ".join(repr(floor) for (floor,) in fetch_rows(db, FloorRow.select(FloorRow.name).order_by(FloorRow.id)))
    return RefusedError(f"there is no floor {shortened(repr(name))} in the database (it has {known or 'none'})")
