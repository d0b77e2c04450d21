"""Does the database agree with itself?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from peewee import JOIN, DatabaseError, OperationalError, SqliteDatabase

from edge.core.events import VehicleType
from edge.store.counts.hourly_totals import HOUR_OF_TIMESTAMP
from edge.store.counts.ledger import Ledger
from edge.store.schema.columns import Rule, from_micros
from edge.store.schema.models import CHECKS, Event, EventHourly, Outbox, table_name
from edge.store.sql.errors import is_passing, sentence
from edge.store.sql.query import execute_sql, read_transaction, rows, words

if TYPE_CHECKING:
    from collections.abc import Callable

    from peewee import Database

# More of a kind would only hide the others.
MOST_OF_A_KIND = 100

_BY_TYPE = ", ".join(f"sum(CASE WHEN vehicle_type = '{kind}' THEN 1 ELSE 0 END) AS {kind}" for kind in VehicleType)
_TYPES_DIFFER = " OR ".join(f"h.{kind} <> coalesce(e.{kind}, 0)" for kind in VehicleType)
# Hours whose events are not those that the hourly totals say, in both directions. What was cleaned up has no type
# any more, so types are compared only where nothing was. Without the CAST the computed hour has no column's type, and
# SQLite would look up each hour among all of its floor's.
_HOURS = f"""
    WITH e AS (
        SELECT CAST({HOUR_OF_TIMESTAMP} AS BIGINT) AS hour, floor_id,
               sum(CASE WHEN direction = 'entry' THEN 1 ELSE 0 END) AS entries,
               sum(CASE WHEN direction = 'exit' THEN 1 ELSE 0 END) AS exits, {_BY_TYPE},
               sum(confidence) AS confidence_sum
        FROM events GROUP BY 1, 2)
    SELECT h.hour, h.floor_id, h.entries - h.removed_entries, h.exits - h.removed_exits,
           coalesce(e.entries, 0), coalesce(e.exits, 0)
    FROM event_hourly h LEFT JOIN e ON e.hour = h.hour AND e.floor_id = h.floor_id
    WHERE h.entries - h.removed_entries <> coalesce(e.entries, 0) OR h.exits - h.removed_exits <> coalesce(e.exits, 0)
       OR (h.removed_entries + h.removed_exits = 0
           AND ({_TYPES_DIFFER} OR abs(h.confidence_sum - coalesce(e.confidence_sum, 0)) > 0.000001 * (1 + h.entries)))
    UNION ALL
    SELECT e.hour, e.floor_id, 0, 0, e.entries, e.exits
    FROM e LEFT JOIN event_hourly h ON h.hour = e.hour AND h.floor_id = e.floor_id WHERE h.hour IS NULL
    ORDER BY 1, 2"""


def verify(db: Database) -> list[str]:
    """One sentence for every disagreement; empty when all is well.

    Recomputes each floor's count from the ledger and each hour's totals from its events, has SQLite examine the file
    and the foreign keys (a server answers for both by itself), and looks for rows that break a rule of their table and
    rows of the outbox without an event.
    All of it sees the same moment, also beside a writer. Reads every event.
    A database that cannot be read just now (locked, failing disk) raises peewee.OperationalError.
    """
    return _read(db, _file, _checks, _ledger, _hours, _outbox, _foreign_keys)


def damage(db: SqliteDatabase) -> list[str]:
    """What is wrong with the file as such, whatever its rows say: every page, row and index is looked at.

    A database that cannot be read just now raises peewee.OperationalError.
    """
    return _read(db, _file)


def _read(db: Database, *parts: Callable[[Database], list[str]]) -> list[str]:
    found: list[str] = []
    try:
        with read_transaction(db):
            for part in parts:
                found += part(db)
    except DatabaseError as error:
        if isinstance(error, OperationalError) and is_passing(error):
            raise
        found.append(f"The database cannot be read to the end: {sentence(error)}.")
    return found


def _file(db: Database) -> list[str]:
    if not isinstance(db, SqliteDatabase):
        return []
    return [
        f"The file is damaged: {text}."
        for (text,) in execute_sql(db, "PRAGMA integrity_check")
        if text != "ok" and not text.startswith("CHECK constraint")  # those are said with the row and the rule
    ]


def _checks(db: Database) -> list[str]:
    found = []
    for model, checks in CHECKS.items():
        key = "hour" if model is EventHourly else "id"
        for check in checks:
            broken = model.select(Rule(key)).where(Rule(f"NOT ({check})")).limit(MOST_OF_A_KIND)
            found += [f"Row {row} of {table_name(model)} breaks the rule {check}." for (row,) in rows(db, broken)]
    return found


def _ledger(db: Database) -> list[str]:
    return [
        f"Floor {floor.name!r} (id {floor.floor_id}) has {floor.current} vehicles, its ledger says {floor.ledger}:"
        f" {floor.opening} at the opening + {floor.entries} entries - {floor.exits} exits {floor.adjusted:+d} adjusted."
        for floor in Ledger(db).balances()
        if floor.ledger != floor.current
    ]


def _hours(db: Database) -> list[str]:
    return [
        f"The hour {from_micros(hour):%Y-%m-%dT%H:%MZ} of floor {floor} should have {entries} entries and {exits} exits"
        f" among the events, and has {there} and {gone}; or their types or confidences differ."
        for hour, floor, entries, exits, there, gone in execute_sql(db, words(db, _HOURS))[:MOST_OF_A_KIND]
    ]


def _outbox(db: Database) -> list[str]:
    query = (
        Outbox.select(Outbox.id, Outbox.event)
        .join(Event, JOIN.LEFT_OUTER, on=(Outbox.event == Event.id))
        .where(Event.id.is_null())
        .order_by(Outbox.id)
    )
    return [f"Row {row} of the outbox speaks of event {event}, which is not there." for row, event in rows(db, query)]


def _foreign_keys(db: Database) -> list[str]:
    if not isinstance(db, SqliteDatabase):  # others never let it come to that
        return []
    return [
        f"Row {row} of {table} refers to a row of {parent} that is not there."
        for table, row, parent, _ in execute_sql(db, "PRAGMA foreign_key_check")
        if table != table_name(Outbox)  # said above, with the event's id
    ]
