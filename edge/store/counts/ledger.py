"""Reads and extends the ledger: a floor's count is always opening + entries - exits + adjustments.

Entries and exits are summed up from the hourly totals, which stay when old events are removed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from peewee import fn

from edge.store.schema.models import AdjustmentReason, AdjustmentRow, FloorRow, HourRow
from edge.store.sql.query import execute, fetch_rows

if TYPE_CHECKING:
    import uuid
    from datetime import datetime

    from peewee import Database


@dataclass(frozen=True, slots=True)
class Balance:
    """A floor's count, and the parts of the count that its ledger gives."""

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
        """The balance of every floor, also of deleted ones, in the order in which the floors were created."""
        by_hour = HourRow.select(HourRow.floor, fn.SUM(HourRow.entries), fn.SUM(HourRow.exits)).group_by(HourRow.floor)
        crossings = {floor: (int(entries), int(exits)) for floor, entries, exits in fetch_rows(self._db, by_hour)}
        by_floor = AdjustmentRow.select(AdjustmentRow.floor, fn.SUM(AdjustmentRow.delta)).group_by(AdjustmentRow.floor)
        adjusted = {floor: int(total) for floor, total in fetch_rows(self._db, by_floor)}
        floors = FloorRow.select(
            FloorRow.id, FloorRow.name, FloorRow.current_vehicles, FloorRow.opening_vehicles
        ).order_by(FloorRow.id)
        return [
            Balance(floor, name, current, opening, *crossings.get(floor, (0, 0)), adjusted.get(floor, 0))
            for floor, name, current, opening in fetch_rows(self._db, floors)
        ]

    def adjustments(self, floor_id: int | None = None, limit: int = 50) -> list[LedgerEntry]:
        """The ``limit`` entries that were written last, the newest first; of one floor if named."""
        query = AdjustmentRow.select(
            AdjustmentRow.id,
            FloorRow.name,
            AdjustmentRow.delta,
            AdjustmentRow.reason,
            AdjustmentRow.actor,
            AdjustmentRow.note,
            AdjustmentRow.before,
            AdjustmentRow.after,
            AdjustmentRow.at,
            AdjustmentRow.event_id,
        ).join(FloorRow)
        if floor_id is not None:
            query = query.where(AdjustmentRow.floor == floor_id)
        return [LedgerEntry(*row) for row in fetch_rows(self._db, query.order_by(AdjustmentRow.id.desc()).limit(limit))]


def write_adjustment(
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
    """Write an entry of the ledger. Inside the transaction that changes the floor's count."""
    values = {
        AdjustmentRow.floor: floor_id,
        AdjustmentRow.delta: after - before,
        AdjustmentRow.reason: reason.value,
        AdjustmentRow.event_id: event_id,
        AdjustmentRow.note: note,
        AdjustmentRow.before: before,
        AdjustmentRow.after: after,
        AdjustmentRow.at: at,
        AdjustmentRow.actor: actor,
    }
    execute(db, AdjustmentRow.insert(values))
