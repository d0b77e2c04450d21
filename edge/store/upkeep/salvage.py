"""Carries over what a damaged database can still tell: the events since the backup, and the floors' counts."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from peewee import fn

from edge.core.errors import RefusedError, SmartParkError, StoreError
from edge.store.counts.audit import Audit
from edge.store.counts.events import Events
from edge.store.counts.floors import Floors
from edge.store.counts.stored_event import EVENT_COLUMNS, event_from_row
from edge.store.counts.validation import checked_event
from edge.store.schema.connect import open_copy
from edge.store.schema.models import AdjustmentReason, EventRow, FloorRow
from edge.store.schema.quality_models import BlindRow
from edge.store.sql.query import execute, execute_sql, fetch_rows, write_transaction
from edge.store.sql.times import MICROSECOND

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from peewee import Database, Expression, Ordering, SqliteDatabase

    from edge.store.counts.audit import Attribution, AuditRecord
    from edge.store.sql.query import SqlRow
    from edge.store.upkeep.replace_file import Replacement

log = logging.getLogger(__name__)

# The actor of a recovery in the audit log.
RECOVERY = "recovery"
_CHUNK = 200
# Higher than the id of any event.
_LAST = 2**62
# What reading a damaged row may raise: the database's errors, and those of converting its values.
_READ_ERRORS = (SmartParkError, ValueError, TypeError, KeyError)


@dataclass(frozen=True, slots=True)
class Salvaged:
    """How many events were carried over, and the floors whose count was set to that of the damaged file."""

    events: int
    floors: list[str]


def salvage(db: Database, replacement: Replacement, by: Attribution) -> Salvaged:
    """Carry over what can be read of the file that was set aside, and write the replacement into the audit log.

    Of a database that a person replaced nothing is carried over. Of a damaged one, events that are newer than the
    backup are recorded, and each floor's count is set to the last one in the damaged file, by entries of the ledger
    with the reason ``repair``. Without a backup only the counts: its old events would all be published again. All in
    one transaction; safe to repeat.
    """
    with write_transaction(db):
        salvaged = _salvage(db, replacement, by) if replacement.damage else Salvaged(0, [])
        after: dict[str, object] = {"from": str(replacement.source) if replacement.source else "nothing"}
        if replacement.damage:
            after |= {
                "damage": replacement.damage,
                "events_saved": salvaged.events,
                "counts_saved": salvaged.floors,
            }
        Audit(db).write(by, "restore", "database", {"kept_as": str(replacement.set_aside)}, after)
    return salvaged


def uncorrected_recovery(db: Database) -> AuditRecord | None:
    """The audit entry of the last recovery, if no person has corrected a floor's count since; else None."""
    recovery = Audit(db).newest(1, actor=RECOVERY)
    if not recovery:
        return None
    correction = Audit(db).newest(1, action=AdjustmentReason.CORRECTION.value)
    return None if correction and correction[0].id > recovery[0].id else recovery[0]


def _salvage(db: Database, replacement: Replacement, by: Attribution) -> Salvaged:
    with ExitStack() as stack:
        try:
            damaged = stack.enter_context(open_copy(replacement.set_aside))
        except StoreError as error:
            log.warning("nothing can be read of the damaged database: %s", error)
            return Salvaged(0, [])
        events = 0
        if replacement.source is not None:
            for row in _newer_rows(damaged, _last_event_id(db)):
                events += _record(db, row, by)
            _salvage_intervals(db, damaged)
        return Salvaged(events, _salvage_counts(db, damaged, by))


def _last_event_id(db: Database) -> int:
    # The id that was given last, also if that event was removed since.
    rows = execute_sql(db, "SELECT seq FROM sqlite_sequence WHERE name = 'events'")
    return int(rows[0][0]) if rows else 0


def _newer_rows(damaged: SqliteDatabase, after: int) -> Iterator[SqlRow]:
    """The events after that id, from both ends towards the place where the file cannot be read."""
    reached = after
    for row in _readable_rows(damaged, lambda last: EventRow.id > last, EventRow.id.asc(), after):
        reached = int(row[0])
        yield row
    yield from _readable_rows(
        damaged, lambda last: (EventRow.id > reached) & (EventRow.id < last), EventRow.id.desc(), _LAST
    )


def _readable_rows(
    damaged: SqliteDatabase, beyond: Callable[[int], Expression], order: Ordering, last: int
) -> Iterator[SqlRow]:
    """The rows ``beyond`` the id, then beyond the last one that was read, until they end or one cannot be read."""
    # Where a chunk cannot be read, the rows before the damage can be read one at a time.
    for size in (_CHUNK, 1):
        query = EventRow.select(*EVENT_COLUMNS).join(FloorRow).order_by(order).limit(size)
        try:
            while rows := fetch_rows(damaged, query.where(beyond(last))):
                for row in rows:
                    last = int(row[0])
                    yield row
        except _READ_ERRORS as error:
            log.debug("the damaged database cannot be read beyond event %d: %s", last, error)
        else:
            return
    log.warning("the damaged database cannot be read beyond event %d", last)


def _record(db: Database, row: SqlRow, by: Attribution) -> int:
    try:
        stored = event_from_row(row)
        recorded = Events(db).record(checked_event(stored.event), by.at)
        if recorded.inserted and stored.correction:
            # Its id is that of the time before the correction, under which the broker may know it already.
            values = {EventRow.event_id: stored.event_id, EventRow.correction: stored.correction // MICROSECOND}
            execute(db, EventRow.update(values).where(EventRow.id == recorded.event.id))
        return int(recorded.inserted)
    except (RefusedError, ValueError, TypeError, KeyError) as error:
        log.warning("event %s of the damaged database is left out: %s", row[0], error)
        return 0


def _salvage_intervals(db: Database, damaged: SqliteDatabase) -> None:
    """Carry over the blind intervals since the backup, and the ends of those that lasted then, as far as readable."""
    fields = (BlindRow.id, BlindRow.camera_id, BlindRow.began_at, BlindRow.ended_at, BlindRow.reason)
    [(last,)] = fetch_rows(db, BlindRow.select(fn.MAX(BlindRow.id)))
    try:
        rows = fetch_rows(damaged, BlindRow.select(*fields).order_by(BlindRow.id))
    except _READ_ERRORS as error:
        log.warning("the blind intervals of the damaged database cannot be read: %s", error)
        return
    # An interval that lasted at the backup and has another number since was counted in meanwhile (``Floors.correct``).
    missing = (BlindRow.id <= (last or 0)) & BlindRow.ended_at.is_null() & BlindRow.id.not_in([row[0] for row in rows])
    execute(db, BlindRow.delete().where(missing))
    for row in rows:
        if row[0] > (last or 0):
            execute(db, BlindRow.insert(dict(zip(fields, row, strict=True))))
        elif row[3] is not None:
            lasting = (BlindRow.id == row[0]) & BlindRow.ended_at.is_null()
            execute(db, BlindRow.update({BlindRow.ended_at: row[3]}).where(lasting))


def _salvage_counts(db: Database, damaged: SqliteDatabase, by: Attribution) -> list[str]:
    """Set each floor's count to that of the damaged file, if it is a possible count."""
    floors, corrected = Floors(db), []
    try:
        last_known = {floor.name: floor for floor in Floors(damaged).all(deleted=True)}
    except _READ_ERRORS as error:
        log.warning("the floors of the damaged database cannot be read: %s", error)
        return []
    for floor in floors.all(deleted=True):
        last = last_known.get(floor.name)
        if last is None or not 0 <= last.current_vehicles <= floor.total_slots:
            continue
        if last.current_vehicles != floor.current_vehicles:
            floors.correct(floor.name, last.current_vehicles, by, AdjustmentReason.REPAIR)
            corrected.append(floor.name)
    return corrected
