"""Checks whether the database is consistent: file, constraints, ledger, hourly totals, outbox and references."""

from __future__ import annotations

from typing import TYPE_CHECKING

from peewee import JOIN, SqliteDatabase

from edge.core.events import VehicleType
from edge.store.counts.hourly_totals import HOUR_OF_TIMESTAMP
from edge.store.counts.ledger import Ledger
from edge.store.schema.columns import SqlText
from edge.store.schema.models import CHECKS, EventRow, HourRow, OutboxRow, table_name
from edge.store.sql.errors import AccessError, description, is_passing
from edge.store.sql.query import execute_sql, fetch_rows, read_transaction, with_placeholders
from edge.store.sql.times import from_micros

if TYPE_CHECKING:
    from collections.abc import Callable

    from peewee import Database

# More problems of one kind would only hide the others.
_MOST_OF_A_KIND = 100

_BY_TYPE = ", ".join(f"sum(CASE WHEN vehicle_type = '{name}' THEN 1 ELSE 0 END) AS {name}" for name in VehicleType)
_TYPES_DIFFER = " OR ".join(f"h.{name} <> coalesce(e.{name}, 0)" for name in VehicleType)
# Hours whose hourly totals differ from their events, in both directions. The types of removed events are not known any
# more, so types are compared only where no event was removed. Without the CAST the computed hour has no column's type,
# and SQLite would search for each hour among all hours of its floor.
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
    """One sentence for every problem; empty if the database is consistent.

    Recomputes each floor's count from the ledger and each hour's totals from its events, has SQLite check the file
    and the foreign keys (a server makes sure of both by itself), and searches for rows that break a rule of their table
    and for rows of the outbox without an event.
    All checks see the database as it is at one moment, also beside a writer. Reads every event.
    StoreError if the database cannot be read now (locked, failing disk).
    """
    return _problems(db, _file, _checks, _ledger, _hours, _outbox, _foreign_keys)


def file_damage(db: SqliteDatabase) -> list[str]:
    """What is wrong with the file itself: SQLite checks every page, row and index, but not what the rows mean.

    StoreError if the database cannot be read now.
    """
    return _problems(db, _file)


def _problems(db: Database, *checks: Callable[[Database], list[str]]) -> list[str]:
    problems: list[str] = []
    try:
        with read_transaction(db):
            for check in checks:
                problems += check(db)
    except AccessError as error:
        if is_passing(error):
            raise
        problems.append(f"The database cannot be read to the end: {description(error)}.")
    return problems


def _file(db: Database) -> list[str]:
    if not isinstance(db, SqliteDatabase):
        return []
    return [
        f"The file is damaged: {text}."
        for (text,) in execute_sql(db, "PRAGMA integrity_check")
        if text != "ok" and not text.startswith("CHECK constraint")  # ``_checks`` names the row and the rule
    ]


def _checks(db: Database) -> list[str]:
    problems = []
    for model, conditions in CHECKS.items():
        key = "hour" if model is HourRow else "id"
        for condition in conditions:
            broken = model.select(SqlText(key)).where(SqlText(f"NOT ({condition})")).limit(_MOST_OF_A_KIND)
            problems += [
                f"Row {row} of {table_name(model)} breaks the rule {condition}." for (row,) in fetch_rows(db, broken)
            ]
    return problems


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
        for hour, floor, entries, exits, there, gone in execute_sql(db, with_placeholders(db, _HOURS))[:_MOST_OF_A_KIND]
    ]


def _outbox(db: Database) -> list[str]:
    query = (
        OutboxRow.select(OutboxRow.id, OutboxRow.event)
        .join(EventRow, JOIN.LEFT_OUTER, on=(OutboxRow.event == EventRow.id))
        .where(EventRow.id.is_null())
        .order_by(OutboxRow.id)
    )
    return [
        f"Row {row} of the outbox refers to event {event}, which does not exist."
        for row, event in fetch_rows(db, query)
    ]


def _foreign_keys(db: Database) -> list[str]:
    if not isinstance(db, SqliteDatabase):  # other databases check every reference when it is written
        return []
    return [
        f"Row {row} of {table} refers to a row of {parent} that does not exist."
        for table, row, parent, _ in execute_sql(db, "PRAGMA foreign_key_check")
        if table != table_name(OutboxRow)  # ``_outbox`` reports those with the event's id
    ]
