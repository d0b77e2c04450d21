"""What a damaged database still tells: the events since the backup, and the floors' counts."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from peewee import DatabaseError

from edge.core.errors import SmartParkError, StoreError
from edge.store.counts.audit import Audit
from edge.store.counts.events import Events
from edge.store.counts.floors import Floors
from edge.store.counts.stored_event import EVENT_COLUMNS, stored_event
from edge.store.counts.validation import checked_event
from edge.store.schema.connect import open_copy
from edge.store.schema.models import AdjustmentReason, Event, Floor
from edge.store.sql.query import execute_sql, rows, write_transaction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from peewee import Database, Expression, Ordering, SqliteDatabase

    from edge.store.counts.audit import Act, AuditRecord
    from edge.store.sql.query import Row
    from edge.store.upkeep.replace_file import Replacement

log = logging.getLogger(__name__)

# Who restores a damaged database, in the audit log.
RECOVERY = "recovery"
_CHUNK = 200
# After every event.
_END = 2**62


@dataclass(frozen=True, slots=True)
class Salvaged:
    """What was carried over: events, and floors whose count was set to the one that the damaged file tells."""

    events: int
    floors: list[str]


def take_over(db: Database, replacement: Replacement, act: Act) -> Salvaged:
    """Carry over what can be read of the file that was set aside, and write the replacement into the audit log.

    Of a database that a person replaced nothing is carried over: the person wanted the other one. Of a damaged one,
    events that are newer than the backup are recorded, and the floors' counts become the last that it knew, by rows of
    the ledger with the reason ``repair``. Without a backup only the counts: its old events would all be published
    anew. All in one transaction; safe to repeat.
    """
    with write_transaction(db):
        done = _salvage(db, replacement, act) if replacement.damage else Salvaged(0, [])
        told: dict[str, object] = {"from": str(replacement.source) if replacement.source else "nothing"}
        if replacement.damage:
            told |= {"damage": replacement.damage, "events_saved": done.events, "counts_saved": done.floors}
        Audit(db).write(act, "restore", "database", {"kept_as": str(replacement.set_aside)}, told)
    return done


def uncounted_recovery(db: Database) -> AuditRecord | None:
    """The audit line of the last recovery, if no person has set a floor's count since; else None."""
    loss = Audit(db).newest(1, actor=RECOVERY)
    if not loss:
        return None
    counted = Audit(db).newest(1, action=AdjustmentReason.CORRECTION.value)
    return None if counted and counted[0].id > loss[0].id else loss[0]


def _salvage(db: Database, replacement: Replacement, act: Act) -> Salvaged:
    try:
        with open_copy(replacement.set_aside) as damaged:
            events = 0
            if replacement.source is not None:
                for row in _newer(damaged, _last_event(db)):
                    events += _record(db, row, act)
            return Salvaged(events, _counts(db, damaged, act))
    except StoreError as error:
        log.warning("nothing more could be read of the damaged database: %s", error)
        return Salvaged(0, [])


def _last_event(db: Database) -> int:
    # The number that was given last, also if that event was cleaned up since.
    found = execute_sql(db, "SELECT seq FROM sqlite_sequence WHERE name = 'events'")
    return int(found[0][0]) if found else 0


def _newer(damaged: SqliteDatabase, after: int) -> Iterator[Row]:
    """The events after that row, from both ends towards the place where the file cannot be read."""
    reached = after
    for row in _readable(damaged, lambda place: Event.id > place, Event.id.asc(), after):
        reached = int(row[0])
        yield row
    for row in _readable(damaged, lambda place: (Event.id > reached) & (Event.id < place), Event.id.desc(), _END):
        yield row


def _readable(
    damaged: SqliteDatabase, beyond: Callable[[int], Expression], order: Ordering, place: int
) -> Iterator[Row]:
    """Rows ``beyond`` the place, then beyond the last one, until they end or one cannot be read."""
    # Of a piece that cannot be read whole, the rows before the fault can.
    for size in (_CHUNK, 1):
        query = Event.select(*EVENT_COLUMNS).join(Floor).order_by(order).limit(size)
        try:
            while found := rows(damaged, query.where(beyond(place))):
                for row in found:
                    place = int(row[0])
                    yield row
        except (DatabaseError, ValueError, TypeError) as error:
            log.debug("the damaged database cannot be read beyond event %d: %s", place, error)
        else:
            return
    log.warning("the damaged database cannot be read beyond event %d", place)


def _record(db: Database, row: Row, act: Act) -> int:
    try:
        return int(Events(db).record(checked_event(stored_event(row).event), act.at).inserted)
    except (SmartParkError, ValueError, TypeError) as error:
        log.warning("event %s of the damaged database is left out: %s", row[0], error)
        return 0


def _counts(db: Database, damaged: SqliteDatabase, act: Act) -> list[str]:
    """Set each floor's count to the last that the damaged file knew, if the row makes sense."""
    room, saved = Floors(db), []
    try:
        known = {floor.name: floor for floor in Floors(damaged).stored()}
    except (DatabaseError, ValueError, TypeError) as error:
        log.warning("the floors of the damaged database cannot be read: %s", error)
        return []
    for floor in room.stored():
        other = known.get(floor.name)
        if other is None or not 0 <= other.occupancy.current_vehicles <= floor.occupancy.total_slots:
            continue
        if other.occupancy.current_vehicles != floor.occupancy.current_vehicles:
            room.correct(floor.name, other.occupancy.current_vehicles, act, AdjustmentReason.REPAIR)
            saved.append(floor.name)
    return saved
