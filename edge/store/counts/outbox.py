"""Reads and empties the outbox: the events that the broker has not acknowledged yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from peewee import fn

from edge.core.events import CORRECTED_KEY
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
        """Remove the events of these keys (``StoredEvent.outbox_key``) from the outbox, in one transaction; how many.

        An event that does not wait is ignored, and so is the key of an event from before the correction of its time: it
        waits again, with another key.
        """
        removed = 0
        if ids:
            with write_transaction(self._db):
                for start in range(0, len(ids), _CHUNK):
                    chunk = list(ids[start : start + _CHUNK])
                    removed += self._remove(chunk)
        return removed

    def _remove(self, keys: Sequence[int]) -> int:
        removed = 0
        for corrected in (False, True):
            ids = [key - CORRECTED_KEY * corrected for key in keys if (key >= CORRECTED_KEY) is corrected]
            if not ids:
                continue
            same_time = EventRow.correction != 0 if corrected else EventRow.correction == 0
            acknowledged = EventRow.select(EventRow.id).where(EventRow.id.in_(ids), same_time)
            removed += execute(self._db, OutboxRow.delete().where(OutboxRow.event.in_(acknowledged)))
        return removed

    def count(self) -> int:
        """How many events wait."""
        [(number,)] = fetch_rows(self._db, OutboxRow.select(fn.COUNT(OutboxRow.id)))
        return int(number)
