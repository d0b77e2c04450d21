"""Events that the broker has not acknowledged yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from peewee import fn

from edge.store.counts.stored_event import EVENT_COLUMNS, StoredEvent, stored_event
from edge.store.schema.models import Event, Floor
from edge.store.schema.models import Outbox as OutboxRow
from edge.store.sql.query import execute, rows, write_transaction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from peewee import Database

# Well below the number of variables that any SQLite takes in one statement.
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class OutboxItem:
    """A row of the outbox and its event. ``id`` grows with every row and is never given twice."""

    id: int
    event: StoredEvent


class Outbox:
    """The outbox of one database. Used in the thread that opened the handle."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def pending(self, after: int, limit: int) -> list[OutboxItem]:
        """At most ``limit`` items whose id is above ``after``, the oldest first."""
        query = (
            OutboxRow.select(OutboxRow.id, *EVENT_COLUMNS)
            .join(Event)
            .join(Floor)
            .where(OutboxRow.id > after)
            .order_by(OutboxRow.id)
            .limit(max(limit, 0))
        )
        return [OutboxItem(row[0], stored_event(row[1:])) for row in rows(self._db, query)]

    def acknowledge(self, ids: Sequence[int]) -> int:
        """Remove these items, in one transaction; how many were there. An id that is not is no error."""
        removed = 0
        if ids:
            with write_transaction(self._db):
                for start in range(0, len(ids), _CHUNK):
                    chunk = list(ids[start : start + _CHUNK])
                    removed += execute(self._db, OutboxRow.delete().where(OutboxRow.id.in_(chunk)))
        return removed

    def count(self) -> int:
        """How many items wait."""
        [(number,)] = rows(self._db, OutboxRow.select(fn.COUNT(OutboxRow.id)))
        return int(number)
