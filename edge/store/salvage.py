"""What a damaged database still tells: the events since the backup, and the floors' counts."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from peewee import DatabaseError

from edge.errors import SmartParkError, StoreError
from edge.store.audit import Audit
from edge.store.checks import checked_event
from edge.store.database import open_copy
from edge.store.events import Events
from edge.store.floors import Floors
from edge.store.models import AdjustmentReason, Event, Floor
from edge.store.stored import EVENT_COLUMNS, stored_event
from edge.store.transaction import execute_sql, rows, write_transaction

if TYPE_CHECKING:
    from collections.abc import Iterator

    from peewee import Database, SqliteDatabase

    from edge.records import Event as EventRecord
    from edge.store.audit import Act
    from edge.store.replacement import Replacement

log = logging.getLogger(__name__)

_CHUNK = 200


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


def _salvage(db: Database, replacement: Replacement, act: Act) -> Salvaged:
    try:
        with open_copy(replacement.set_aside) as damaged:
            events = 0
            if replacement.source is not None:
                for event in _newer(damaged, _last_event(db)):
                    events += _record(db, event, act)
            return Salvaged(events, _counts(db, damaged, act))
    except StoreError as error:
        log.warning("nothing more could be read of the damaged database: %s", error)
        return Salvaged(0, [])


def _last_event(db: Database) -> int:
    # The number that was given last, also if that event was cleaned up since.
    found = execute_sql(db, "SELECT seq FROM sqlite_sequence WHERE name = 'events'")
    return int(found[0][0]) if found else 0


def _newer(damaged: SqliteDatabase, after: int) -> Iterator[EventRecord]:
    """The events after that row, from both ends towards the place where the file cannot be read."""
    query = Event.select(*EVENT_COLUMNS).join(Floor).limit(_CHUNK)
    reached, seen_end = after, False
    try:
        while found := rows(damaged, query.where(Event.id > reached).order_by(Event.id)):
            for row in found:
                reached = int(row[0])
                yield stored_event(row).event
        seen_end = True
    except (DatabaseError, ValueError, TypeError) as error:
        log.warning("the damaged database cannot be read beyond event %d: %s", reached, error)
    if seen_end:
        return
    end = 2**62
    try:
        while found := rows(damaged, query.where(Event.id > reached, Event.id < end).order_by(Event.id.desc())):
            for row in found:
                end = int(row[0])
                yield stored_event(row).event
    except (DatabaseError, ValueError, TypeError) as error:
        log.warning("the damaged database cannot be read before event %d: %s", end, error)


def _record(db: Database, event: EventRecord, act: Act) -> int:
    try:
        return int(Events(db).record(checked_event(event), act.at).inserted)
    except SmartParkError as error:
        log.warning("an event of the damaged database is left out: %s", error)
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
