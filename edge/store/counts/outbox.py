"""Reads and empties the outbox: the events that the broker has not acknowledged yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from peewee import fn

from edge.store.counts.stored_event import EVENT_COLUMNS, event_from_row
from edge.store.schema.models import EventRow, FloorRow, OutboxRow
from edge.store.sql.query import execute, fetch_rows, write_transaction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from peewee import Database

    from edge.core.events import StoredEvent

# Well below the number of variables that any SQLite takes in one statement.
_CHUNK = 500


class Outbox:
    """The outbox of one database. Used in the thread that opened the handle."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def pending(self, limit: int) -> list[StoredEvent]:
        """At most ``limit`` events that wait, the oldest first."""
        query = OutboxRow.select(*EVENT_COLUMNS).join(EventRow).join(FloorRow)
        query = query.order_by(OutboxRow.event).limit(max(limit, 0))
        return [event_from_row(row) for row in fetch_rows(self._db, query)]

    def acknowledge(self, ids: Sequence[int]) -> int:
        """Remove the events of these ids from the outbox, in one transaction; how many of them waited.

        The id of an event that does not wait is ignored.
        """
        removed = 0
        if ids:
            with write_transaction(self._db):
                for start in range(0, len(ids), _CHUNK):
                    chunk = list(ids[start : start + _CHUNK])
                    removed += execute(self._db, OutboxRow.delete().where(OutboxRow.event.in_(chunk)))
        return removed

    def count(self) -> int:
        """How many events wait."""
        [(number,)] = fetch_rows(self._db, OutboxRow.select(fn.COUNT(OutboxRow.id)))
        return int(number)
