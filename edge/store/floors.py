"""The floors of the car park and how full they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.records import Occupancy
from edge.store.checks import checked_text, is_text
from edge.store.models import Floor
from edge.store.transaction import Row, execute, first, rows, write_transaction

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from peewee import Database

    from edge.config import FloorConfig

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


class Floors:
    """The floors of one database. Used in the thread that opened the handle."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def ensure(self, floors: Sequence[FloorConfig], now: datetime) -> list[str]:
        """Create those that are missing, with their opening count; the names created.

        A floor that is there stays as it is, whatever the configuration says now. RefusedError for a name that
        cannot be stored; nothing is created then.
        """
        for floor in floors:
            checked_text("the floor's name", floor.name)
        created: list[str] = []
        with write_transaction(self._db):
            known = {name for (name,) in rows(self._db, Floor.select(Floor.name))}
            for floor in floors:
                if floor.name in known:
                    continue
                values = {
                    Floor.name: floor.name,
                    Floor.description: floor.description,
                    Floor.total_slots: floor.total_slots,
                    Floor.current_vehicles: floor.opening_vehicles,
                    Floor.opening_vehicles: floor.opening_vehicles,
                    Floor.is_active: floor.is_active,
                    Floor.seq: 1,
                    Floor.created_at: now,
                    Floor.updated_at: now,
                }
                execute(self._db, Floor.insert(values))
                known.add(floor.name)
                created.append(floor.name)
        return created

    def all(self) -> list[Occupancy]:
        """Every floor, in the order in which they were created."""
        return [occupancy(row) for row in rows(self._db, Floor.select(*OCCUPANCY_COLUMNS).order_by(Floor.id))]

    def get(self, name: str) -> Occupancy | None:
        """The floor of that name, or None."""
        if not is_text(name):
            return None
        row = first(self._db, Floor.select(*OCCUPANCY_COLUMNS).where(Floor.name == name))
        return occupancy(row) if row else None


def occupancy(row: Row) -> Occupancy:
    """The record of a row of ``OCCUPANCY_COLUMNS``."""
    floor_id, name, description, total_slots, current_vehicles, is_active, updated_at, seq = row
    return Occupancy(floor_id, name, description, total_slots, current_vehicles, is_active, updated_at, seq)
