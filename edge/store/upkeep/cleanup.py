"""Removes old events, a few at a time, so that a writer beside it never waits for long.

The hourly totals count every event since it was recorded. In the transaction that removes an event they count it in
their ``removed_...`` columns too, so that statistics and ledger do not change.
"""

from __future__ import annotations

import logging
import math
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from peewee import PostgresqlDatabase, SqliteDatabase

from edge.store.counts.audit import Attribution, Audit
from edge.store.counts.floors import Floors
from edge.store.counts.hourly_totals import HOUR_OF_TIMESTAMP, hour_of
from edge.store.counts.validation import checked_number
from edge.store.quality.blind_intervals import BlindIntervals
from edge.store.quality.clock_changes import ClockChanges
from edge.store.schema.models import FloorRow
from edge.store.sql.query import execute, execute_sql, with_placeholders, write_transaction
from edge.store.sql.times import to_micros
from edge.store.upkeep.wal import WalLimiter

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from peewee import Database

    from edge.store.sql.query import SqlRow

log = logging.getLogger(__name__)

MOST_DAYS = 36_500
# A batch should have the write lock for this long, and the next batch begins after a pause in which others get it:
# SQLite lets a waiting program try again only every few hundredths of a second.
BATCH_SECONDS = 0.01
PAUSE_SECONDS = 0.03
SMALLEST_BATCH = 20
LARGEST_BATCH = 2000
# After this many batches the write-ahead log is copied into the database, which waits for the disk each time.
BATCHES_PER_CHECKPOINT = 4

# The oldest first, from where the last batch ended. Events that the broker has not acknowledged are still needed.
_CHOOSE = """
    SELECT id, timestamp FROM events WHERE timestamp >= ? AND timestamp < ?
    AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.event_id = events.id)
    ORDER BY timestamp LIMIT ?"""
_CHOOSE_OF_FLOOR = """
    SELECT id, timestamp FROM events WHERE floor_id = ? AND timestamp >= ?
    ORDER BY timestamp LIMIT ?"""
# Earlier than any time that can be stored, in microseconds.
_EARLIEST = -(2**62)
_COUNT = """
    SELECT {hour}, floor_id, sum(CASE direction WHEN 'entry' THEN 1 ELSE 0 END),
           sum(CASE direction WHEN 'exit' THEN 1 ELSE 0 END)
    FROM events WHERE id IN ({ids}) GROUP BY 1, 2"""
_COUNT_AS_REMOVED = """
    UPDATE event_hourly SET removed_entries = removed_entries + ?, removed_exits = removed_exits + ?
    WHERE hour = ? AND floor_id = ?"""
_DELETE = "DELETE FROM events WHERE id IN ({ids})"


@dataclass(frozen=True, slots=True)
class Cleaned:
    """How many events were removed, all of them older than ``before``, and the longest time that the lock was held."""

    removed: int
    before: datetime
    batches: int
    longest_seconds: float


def remove_old_events(
    db: Database, days: int, by: Attribution | None = None, pause: Callable[[float], None] = time.sleep
) -> Cleaned:
    """Remove the events of whole hours that are more than ``days`` (1 or more) days old, by their timestamps.

    Blind intervals and clock changes go with them. Events in the outbox stay. An event that was removed can be recorded
    again, and is then counted again: do not replay clips that are older. Each batch is a transaction, so it is safe to
    interrupt and to repeat. ``pause`` waits between batches; it may raise to interrupt. RefusedError for an impossible
    number of days.
    """
    checked_number("days", days, least=1, most=MOST_DAYS)
    by = by or Attribution()
    before = hour_of(by.at - timedelta(days=days))
    limit = to_micros(before)
    audit, subject = Audit(db), f"events older than {days} days"

    def choose(after: int, size: int) -> list[SqlRow]:
        return execute_sql(db, with_placeholders(db, _CHOOSE), (after, limit, size))

    def write_beginning() -> None:
        audit.write(by, "cleanup begins", subject, None, {"before": before.isoformat()})

    cleaned = _Remover(db, pause).remove(before, choose, write_beginning)
    with write_transaction(db):
        # Few rows, so one transaction takes all of them.
        intervals, clock = BlindIntervals(db).remove_before(before), ClockChanges(db).remove_before(before)
        numbers = {"removed": cleaned.removed, "blind_intervals": intervals, "clock_changes": clock}
        removed = {name: number for name, number in numbers.items() if number}
        if removed:
            audit.write(by, "cleanup", subject, None, {"before": before.isoformat(), **removed})
    return cleaned


def remove_floor(
    db: Database, name: str, by: Attribution | None = None, pause: Callable[[float], None] = time.sleep
) -> Cleaned:
    """Delete a floor for good, with all of its events, adjustments and totals, and its events in the outbox.

    The floor is hidden first, then its events are removed in batches, then all the rest.
    """
    by = by or Attribution()
    floors = Floors(db)
    floor_id = floors.delete(name, by).floor_id

    def choose(after: int, size: int) -> list[SqlRow]:
        return execute_sql(db, with_placeholders(db, _CHOOSE_OF_FLOOR), (floor_id, after, size))

    cleaned = _Remover(db, pause).remove(by.at, choose)
    with write_transaction(db):
        floor = floors.by_name(name)
        execute(db, FloorRow.delete().where(FloorRow.id == floor.floor_id))
        before = {**floor.audited_values(), "events": cleaned.removed}
        Audit(db).write(by, "delete for good", f"floor {name}", before, None)
    return cleaned


class _Remover:
    """Removes events in short transactions. Used in the thread that opened the handle."""

    def __init__(self, db: Database, pause: Callable[[float], None]) -> None:
        self._db = db
        self._pause = pause

    def remove(
        self,
        before: datetime,
        choose: Callable[[int, int], list[SqlRow]],
        write_beginning: Callable[[], None] = lambda: None,
    ) -> Cleaned:
        """Remove the events that ``choose(after, limit)`` returns, as (id, timestamp), until it returns none.

        ``write_beginning`` is called in the transaction of the first batch, so that a clean-up that is interrupted is
        in the audit log too.
        """
        if not isinstance(self._db, SqliteDatabase):
            return self._remove(before, choose, write_beginning, lambda: None)
        limiter = WalLimiter(self._db, self._pause)
        with limiter.no_automatic_checkpoints():
            try:
                return self._remove(before, choose, write_beginning, limiter.shorten_or_wait)
            finally:
                limiter.shorten()

    def _remove(
        self,
        before: datetime,
        choose: Callable[[int, int], list[SqlRow]],
        write_beginning: Callable[[], None],
        limit_wal: Callable[[], None],
    ) -> Cleaned:
        size, removed, batches, longest = SMALLEST_BATCH, 0, 0, 0.0
        after, quickest_commit = _EARLIEST, math.inf
        while True:
            with write_transaction(self._db):
                began = time.monotonic()
                if isinstance(self._db, PostgresqlDatabase):
                    # Without statistics of the table the planner would sort all old events for each batch.
                    execute_sql(self._db, "SET LOCAL enable_sort = off")
                chosen = choose(after, size)
                if chosen and not batches:
                    write_beginning()
                self._remove_batch([row_id for row_id, _ in chosen])
                worked = time.monotonic()
            ended = time.monotonic()
            held, quickest_commit = ended - began, min(quickest_commit, ended - worked)
            if not chosen:
                return Cleaned(removed, before, batches, longest)
            after = chosen[-1][1]
            removed, batches, longest = removed + len(chosen), batches + 1, max(longest, held)
            # The size approaches the wanted time, quickly downwards and slowly upwards. The time that the disk takes
            # for any commit is left out: it does not depend on the size, and on a slow card batches would become
            # smaller and smaller without end.
            depends_on_size = max(held - quickest_commit, 1e-6)
            size = max(SMALLEST_BATCH, min(int(size * min(BATCH_SECONDS / depends_on_size, 1.5)), LARGEST_BATCH))
            if batches % BATCHES_PER_CHECKPOINT == 0:
                limit_wal()
            self._pause(PAUSE_SECONDS)

    def _remove_batch(self, ids: list[int]) -> None:
        if not ids:
            return
        # Written into the statement, which takes only so many parameters: they are numbers of the database itself.
        listed = ", ".join(str(int(row_id)) for row_id in ids)
        count = with_placeholders(self._db, _COUNT.format(hour=HOUR_OF_TIMESTAMP, ids=listed))
        for hour, floor_id, entries, exits in execute_sql(self._db, count):
            execute_sql(self._db, with_placeholders(self._db, _COUNT_AS_REMOVED), (entries, exits, hour, floor_id))
        execute_sql(self._db, _DELETE.format(ids=listed))
