"""A floor as it stands in the database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.core.occupancy import Occupancy
from edge.store.schema.models import Floor

if TYPE_CHECKING:
    from datetime import datetime

    from edge.store.sql.query import Row

# What ``occupancy`` makes a record of.
OCCUPANCY_COLUMNS = (
    Floor.id,
    Floor.name,
    Floor.description,
    Floor.total_slots,
    Floor.current_vehicles,
    Floor.is_active,
    Floor.updated_at,
    Floor.seq,
)
# What ``stored_floor`` makes a record of.
FLOOR_COLUMNS = (*OCCUPANCY_COLUMNS, Floor.opening_vehicles, Floor.is_configured, Floor.created_at, Floor.deleted_at)


@dataclass(frozen=True, slots=True)
class StoredFloor:
    """A floor with what only the database knows of it. All times are aware UTC.

    ``is_configured``: it stood in the configuration when that was last applied. ``deleted_at`` is None unless the
    floor is deleted and can be restored.
    """

    occupancy: Occupancy
    opening_vehicles: int
    is_configured: bool
    created_at: datetime
    deleted_at: datetime | None

    @property
    def id(self) -> int:
        """The row's id."""
        return self.occupancy.floor_id

    @property
    def name(self) -> str:
        """Unique, also among the deleted."""
        return self.occupancy.name

    def values(self) -> dict[str, object]:
        """What a change of the floor may change, for the audit log."""
        return {
            "name": self.occupancy.name,
            "description": self.occupancy.description,
            "total_slots": self.occupancy.total_slots,
            "current_vehicles": self.occupancy.current_vehicles,
            "is_active": self.occupancy.is_active,
            "is_deleted": self.deleted_at is not None,
            "is_configured": self.is_configured,
        }


def occupancy(row: Row) -> Occupancy:
    """The record of a row of ``OCCUPANCY_COLUMNS``."""
    floor_id, name, description, total_slots, current_vehicles, is_active, updated_at, seq = row
    return Occupancy(floor_id, name, description, total_slots, current_vehicles, is_active, updated_at, seq)


def stored_floor(row: Row) -> StoredFloor:
    """The record of a row of ``FLOOR_COLUMNS``."""
    return StoredFloor(occupancy(row[: len(OCCUPANCY_COLUMNS)]), *row[len(OCCUPANCY_COLUMNS) :])
