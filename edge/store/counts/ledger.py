"""The ledger: ``current_vehicles`` is always opening + entries - exits + adjustments.

Entries and exits stand in the hourly totals, which outlive the events.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from peewee import fn

from edge.store.schema.models import Adjustment, AdjustmentReason, EventHourly, Floor
from edge.store.sql.query import execute, rows

if TYPE_CHECKING:
    import uuid
    from datetime import datetime

    from peewee import Database


@dataclass(frozen=True, slots=True)
class Balance:
    """A floor's count beside what its ledger makes of it."""

    floor_id: int
    name: str
    current: int
    opening: int
    entries: int
    exits: int
    adjusted: int

    @property
    def ledger(self) -> int:
        """The count that the ledger gives."""
        return self.opening + self.entries - self.exits + self.adjusted


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """A change of a floor's count that no vehicle caused; ``event_id`` is the event that a clamp belongs to."""

    id: int
    floor: str
    delta: int
    reason: str
    actor: str
    note: str
    before: int
    after: int
    at: datetime
    event_id: uuid.UUID | None


class Ledger:
    """Reads the ledger of one database. Used in the thread that opened the handle."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def balances(self) -> list[Balance]:
        """Every floor's, deleted ones included, in the order in which they were created."""
        by_hour = EventHourly.select(
            EventHourly.floor, fn.SUM(EventHourly.entries), fn.SUM(EventHourly.exits)
        ).group_by(EventHourly.floor)
        crossings = {floor: (int(entries), int(exits)) for floor, entries, exits in rows(self._db, by_hour)}
        by_floor = Adjustment.select(Adjustment.floor, fn.SUM(Adjustment.delta)).group_by(Adjustment.floor)
        adjusted = {floor: int(total) for floor, total in rows(self._db, by_floor)}
        floors = Floor.select(Floor.id, Floor.name, Floor.current_vehicles, Floor.opening_vehicles).order_by(Floor.id)
        return [
            Balance(floor, name, current, opening, *crossings.get(floor, (0, 0)), adjusted.get(floor, 0))
            for floor, name, current, opening in rows(self._db, floors)
        ]

    def adjustments(self, floor_id: int | None = None, limit: int = 50) -> list[LedgerEntry]:
        """The newest ``limit`` by when they were written, newest first; of one floor if named."""
        query = Adjustment.select(
            Adjustment.id,
            Floor.name,
            Adjustment.delta,
            Adjustment.reason,
            Adjustment.actor,
            Adjustment.note,
            Adjustment.before,
            Adjustment.after,
            Adjustment.at,
            Adjustment.event_id,
        ).join(Floor)
        if floor_id is not None:
            query = query.where(Adjustment.floor == floor_id)
        return [LedgerEntry(*row) for row in rows(self._db, query.order_by(Adjustment.id.desc()).limit(limit))]


def note_adjustment(
    db: Database,
    floor_id: int,
    reason: AdjustmentReason,
    *,
    before: int,
    after: int,
    at: datetime,
    event_id: uuid.UUID | None = None,
    actor: str = "",
    note: str = "",
) -> None:
    """Write a row of the ledger. In the transaction that changes the floor's count."""
    values = {
        Adjustment.floor: floor_id,
        Adjustment.delta: after - before,
        Adjustment.reason: reason.value,
        Adjustment.event_id: event_id,
        Adjustment.note: note,
        Adjustment.before: before,
        Adjustment.after: after,
        Adjustment.at: at,
        Adjustment.actor: actor,
    }
    execute(db, Adjustment.insert(values))
