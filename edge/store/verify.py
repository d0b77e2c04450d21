"""Does the database agree with itself?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from peewee import JOIN, SQL, DatabaseError, OperationalError, SqliteDatabase, fn

from edge.records import Direction
from edge.store.schema import CHECKS, Adjustment, Event, Floor, Outbox, table_name
from edge.store.transaction import execute_sql, read_transaction, rows
from edge.store.trouble import is_passing, sentence

if TYPE_CHECKING:
    from peewee import Database


def verify(db: Database) -> list[str]:
    """One sentence for every disagreement; empty when all is well.

    Recomputes each floor's count from the ledger, has SQLite examine the file and the foreign keys, and looks for
    rows that break a rule of their table and rows of the outbox without an event. All of it sees the same moment,
    also beside a writer. Reads every event.
    A database that cannot be read just now (locked, failing disk) raises peewee.OperationalError.
    """
    found: list[str] = []
    try:
        with read_transaction(db):
            if isinstance(db, SqliteDatabase):
                found += _file(db)
            found += _checks(db)
            found += _ledger(db)
            found += _outbox(db)
            if isinstance(db, SqliteDatabase):
                found += _foreign_keys(db)
    except DatabaseError as error:
        if isinstance(error, OperationalError) and is_passing(error):
            raise
        found.append(f"The database cannot be read to the end: {sentence(error)}.")
    return found


def _file(db: Database) -> list[str]:
    return [
        f"The file is damaged: {text}."
        for (text,) in execute_sql(db, "PRAGMA integrity_check")
        if text != "ok" and not text.startswith("CHECK constraint")  # those are said with the row and the rule
    ]


def _checks(db: Database) -> list[str]:
    return [
        f"Row {row} of {table_name(model)} breaks the rule {check}."
        for model, checks in CHECKS.items()
        for check in checks
        for (row,) in rows(db, model.select(SQL("id")).where(SQL(f"NOT ({check})")))
    ]


def _ledger(db: Database) -> list[str]:
    by_way = Event.select(Event.floor, Event.direction, fn.COUNT(Event.id)).group_by(Event.floor, Event.direction)
    crossings = {(floor, way): int(number) for floor, way, number in rows(db, by_way)}
    by_floor = Adjustment.select(Adjustment.floor, fn.SUM(Adjustment.delta)).group_by(Adjustment.floor)
    adjusted = {floor: int(total) for floor, total in rows(db, by_floor)}
    found = []
    floors = Floor.select(Floor.id, Floor.name, Floor.opening_vehicles, Floor.current_vehicles).order_by(Floor.id)
    for floor_id, name, opening, current in rows(db, floors):
        entries = crossings.get((floor_id, Direction.ENTRY.value), 0)
        exits = crossings.get((floor_id, Direction.EXIT.value), 0)
        delta = adjusted.get(floor_id, 0)
        ledger = opening + entries - exits + delta
        if ledger != current:
            found.append(
                f"Floor {name!r} (id {floor_id}) has {current} vehicles, its ledger says {ledger}:"
                f" {opening} at the opening + {entries} entries - {exits} exits {delta:+d} adjusted."
            )
    return found


def _outbox(db: Database) -> list[str]:
    query = (
        Outbox.select(Outbox.id, Outbox.event)
        .join(Event, JOIN.LEFT_OUTER, on=(Outbox.event == Event.id))
        .where(Event.id.is_null())
        .order_by(Outbox.id)
    )
    return [f"Row {row} of the outbox speaks of event {event}, which is not there." for row, event in rows(db, query)]


def _foreign_keys(db: Database) -> list[str]:
    return [
        f"Row {row} of {table} refers to a row of {parent} that is not there."
        for table, row, parent, _ in execute_sql(db, "PRAGMA foreign_key_check")
        if table != table_name(Outbox)  # said above, with the event's id
    ]
