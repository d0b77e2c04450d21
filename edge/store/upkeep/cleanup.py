"""Taking away old events, a few at a time, so that a writer beside it never waits for long.

The hourly totals count every event since it was recorded; an event that is taken away moves to their ``removed_...``
columns in the same transaction, and so statistics and ledger stay as they are.
"""

from __future__ import annotations

import logging
import math
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from peewee import PostgresqlDatabase, SqliteDatabase

from edge.store.counts.audit import Audit
from edge.store.counts.floors import Floors
from edge.store.counts.hourly_totals import HOUR_OF_TIMESTAMP, hour_of
from edge.store.counts.validation import checked_number
from edge.store.schema.columns import to_micros
from edge.store.schema.models import Floor
from edge.store.sql.query import execute, execute_sql, words, write_transaction
from edge.store.upkeep.wal import ShortLog

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from peewee import Database

    from edge.store.counts.audit import Act
    from edge.store.sql.query import Row

log = logging.getLogger(__name__)

LONGEST_DAYS = 36_500
# A batch shall hold the write lock for so long, and the next one begins after a pause in which others get it: SQLite
# lets whoever waits try again only every few hundredths of a second.
BATCH_SECONDS = 0.01
PAUSE_SECONDS = 0.03
LEAST_BATCH = 20
LARGEST_BATCH = 2000
# After so many the write-ahead log is copied back; each time waits for the disk.
BATCHES_A_COPY = 4

# The oldest first, from where the last batch ended. What the broker has not acknowledged is still needed.
_CHOOSE = """
    SELECT id, timestamp FROM events WHERE timestamp >= ? AND timestamp < ?
    AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.event_id = events.id)
    ORDER BY timestamp LIMIT ?"""
_CHOOSE_OF_FLOOR = """
    SELECT id, timestamp FROM events WHERE floor_id = ? AND timestamp >= ?
    ORDER BY timestamp LIMIT ?"""
# Before anything that can be stored.
_BEGINNING = -(2**62)
_COUNT = """
    SELECT {hour}, floor_id, sum(CASE direction WHEN 'entry' THEN 1 ELSE 0 END),
           sum(CASE direction WHEN 'exit' THEN 1 ELSE 0 END)
    FROM events WHERE id IN ({ids}) GROUP BY 1, 2"""
_MARK = """
    UPDATE event_hourly SET removed_entries = removed_entries + ?, removed_exits = removed_exits + ?
    WHERE hour = ? AND floor_id = ?"""
_DELETE = "DELETE FROM events WHERE id IN ({ids})"


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What a clean-up did: events taken away, all of them older than ``before``, and the longest hold of the lock."""

    removed: int
    before: datetime
    batches: int
    longest_seconds: float


class Cleanup:
    """Removes events of one database, in short transactions of its own. Used in the thread that opened the handle."""

    def __init__(self, db: Database, pause: Callable[[float], None] = time.sleep) -> None:
        """``pause`` waits so many seconds; it may raise to end the clean-up between two batches."""
        self._db = db
        self._pause = pause

    def older_than(self, days: int, act: Act) -> Cleaned:
        """Remove the events of whole hours that are older than so many days, 1 or more, by their own time.

        Events in the outbox stay. What is gone can be recorded anew, and then counts again: do not replay clips that
        are older. Safe to break off and to repeat. RefusedError for a number of days that is none.
        """
        checked_number("days", days, least=1, most=LONGEST_DAYS)
        before = hour_of(act.at - timedelta(days=days))
        limit = to_micros(before)
        audit, subject = Audit(self._db), f"events older than {days} days"

        def begin() -> None:
            audit.write(act, "cleanup begins", subject, None, {"before": before.isoformat()})

        cleaned = self._batches(
            before, lambda after, size: execute_sql(self._db, words(self._db, _CHOOSE), (after, limit, size)), begin
        )
        if cleaned.removed:
            with write_transaction(self._db):
                audit.write(act, "cleanup", subject, None, {"before": before.isoformat(), "removed": cleaned.removed})
        return cleaned

    def floor(self, name: str, act: Act) -> Cleaned:
        """Delete a floor for good, with all of its events, adjustments and totals, and what the broker has not got.

        The floor is hidden first, then its events go in batches, then the rest.
        """
        floors = Floors(self._db)
        found = floors.delete(name, act)
        cleaned = self._batches(
            act.at,
            lambda after, size: execute_sql(self._db, words(self._db, _CHOOSE_OF_FLOOR), (found.id, after, size)),
        )
        with write_transaction(self._db):
            last = floors.find(name)
            execute(self._db, Floor.delete().where(Floor.id == last.id))
            Audit(self._db).write(
                act, "delete for good", f"floor {name}", {**last.values(), "events": cleaned.removed}, None
            )
        return cleaned

    def _batches(
        self, before: datetime, choose: Callable[[int, int], list[Row]], begin: Callable[[], None] | None = None
    ) -> Cleaned:
        if not isinstance(self._db, SqliteDatabase):
            return self._all_batches(before, choose, begin, lambda: None)
        log = ShortLog(self._db, self._pause)
        with log.kept():
            try:
                return self._all_batches(before, choose, begin, log.shorten_or_wait)
            finally:
                log.shorten()

    def _all_batches(
        self,
        before: datetime,
        choose: Callable[[int, int], list[Row]],
        begin: Callable[[], None] | None,
        between: Callable[[], None],
    ) -> Cleaned:
        size, removed, batches, longest = LEAST_BATCH, 0, 0, 0.0
        after, quickest_commit = _BEGINNING, math.inf
        while True:
            with write_transaction(self._db):
                began = time.monotonic()
                if isinstance(self._db, PostgresqlDatabase):
                    # Where it has no statistics yet it would sort all old events for each batch.
                    execute_sql(self._db, "SET LOCAL enable_sort = off")
                chosen = choose(after, size)
                if chosen and not batches and begin is not None:
                    begin()  # with the first batch: a clean-up that is broken off has its line in the audit log
                self._remove([row_id for row_id, _ in chosen])
                worked = time.monotonic()
            ended = time.monotonic()
            held, quickest_commit = ended - began, min(quickest_commit, ended - worked)
            if not chosen:
                return Cleaned(removed, before, batches, longest)
            after = chosen[-1][1]
            removed, batches, longest = removed + len(chosen), batches + 1, max(longest, held)
            # Towards the wanted time, quickly down and slowly up. What the disk takes for any commit is left out: it
            # comes once a batch, and on a slow card smaller and smaller batches would never come to an end.
            of_its_size = max(held - quickest_commit, 1e-6)
            size = max(LEAST_BATCH, min(int(size * min(BATCH_SECONDS / of_its_size, 1.5)), LARGEST_BATCH))
            if batches % BATCHES_A_COPY == 0:
                between()
            self._pause(PAUSE_SECONDS)

    def _remove(self, ids: list[int]) -> None:
        if not ids:
            return
        # Numbers that come from the database itself; a statement takes only so many parameters.
        listed = ", ".join(str(int(row_id)) for row_id in ids)
        counted = execute_sql(self._db, words(self._db, _COUNT.format(hour=HOUR_OF_TIMESTAMP, ids=listed)))
        for hour, floor_id, entries, exits in counted:
            execute_sql(self._db, words(self._db, _MARK), (entries, exits, hour, floor_id))
        execute_sql(self._db, _DELETE.format(ids=listed))
