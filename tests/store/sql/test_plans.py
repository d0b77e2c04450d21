"""Tests of query plans: no query of the daemon or a command reads all events, or sorts them."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from edge.store.counts.events import Cursor, Events
from edge.store.counts.floors import Floors
from edge.store.counts.outbox import Outbox
from edge.store.reports.occupancy_series import occupancy_over_time
from edge.store.reports.statistics import event_statistics
from edge.store.upkeep.cleanup import remove_old_events

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from peewee import SqliteDatabase

    from edge.core.events import Event
    from edge.store.counts.audit import Attribution

DAY = timedelta(days=1)


@pytest.fixture
def filled(sqlite_db: SqliteDatabase, make_event: Callable[..., Event], now: datetime) -> SqliteDatabase:
    """A database with some hundred events, without ANALYZE, as on the day of installation."""
    names = ("Ground", "Roof")
    events = [make_event(n, timestamp=now - timedelta(hours=n), floor=names[n % 2]) for n in range(300)]
    Events(sqlite_db).record_all(events, now)
    Outbox(sqlite_db).acknowledge(range(1, 250))
    return sqlite_db


def plans(db: SqliteDatabase, work: Callable[[], object]) -> list[str]:
    """SQLite's plan of each statement that is run, a line for each."""
    statements: list[str] = []
    db.connection().set_trace_callback(statements.append)
    work()
    db.connection().set_trace_callback(None)
    found = []
    for statement in statements:
        if statement.lstrip().split()[0] in ("SELECT", "UPDATE", "DELETE", "INSERT"):
            steps = [row[3] for row in db.execute_sql(f"EXPLAIN QUERY PLAN {statement}").fetchall()]
            found.append("; ".join(steps))
    assert found
    return found


# (the query, the index or key that it must use)
QUERIES = [
    (lambda db, now, event: Events(db).record(event, now), "event_camera_id_track_id_direction_timestamp"),
    (lambda db, now, event: Events(db).newest(50, floor="Ground"), "event_floor_id_timestamp"),
    (lambda db, now, event: Events(db).newest(50, floor="Ground", before=Cursor(now, 9)), "event_floor_id_timestamp"),
    (
        lambda db, now, event: Events(db).newest(50, floor="Roof", since=now - DAY, until=now),
        "event_floor_id_timestamp",
    ),
    (
        lambda db, now, event: Events(db).oldest(50, floor="Roof", after=Cursor(now - DAY, 9)),
        "event_floor_id_timestamp",
    ),
    (lambda db, now, event: Events(db).newest(50, camera="ramp"), "event_camera_id_timestamp"),
    (lambda db, now, event: Events(db).newest(50, camera="ramp", before=Cursor(now, 9)), "event_camera_id_timestamp"),
    (lambda db, now, event: Events(db).newest(50, camera="ramp", since=now - DAY), "event_camera_id_timestamp"),
    (lambda db, now, event: Events(db).newest(50), "event_timestamp"),
    (lambda db, now, event: Events(db).newest(50, since=now - DAY, until=now), "event_timestamp"),
    (lambda db, now, event: Events(db).newest(50, before=Cursor(now, 9)), "event_timestamp"),
    (lambda db, now, event: Events(db).by_id(9), "INTEGER PRIMARY KEY"),
    (lambda db, now, event: list(Events(db).stream(since=now - DAY)), "event_timestamp"),
    (lambda db, now, event: list(Events(db).stream(floor="Roof")), "event_floor_id_timestamp"),
    (lambda db, now, event: event_statistics(db, now - DAY, now), "event_timestamp"),
    (lambda db, now, event: event_statistics(db, now - 365 * DAY, now), "USING PRIMARY KEY (hour>? AND hour<?)"),
    (lambda db, now, event: event_statistics(db, now - 5000 * DAY, now), "USING PRIMARY KEY (hour>? AND hour<?)"),
    (lambda db, now, event: event_statistics(db, now - DAY, now, "Ground"), "event_floor_id_timestamp"),
    (lambda db, now, event: event_statistics(db, now - 365 * DAY, now, "Ground"), "eventhourly_floor_id"),
    (lambda db, now, event: occupancy_over_time(db, "Roof", now - DAY, now), "adjustment_floor_id_at"),
    (lambda db, now, event: occupancy_over_time(db, "Roof", now - DAY, now), "eventhourly_floor_id"),
    (lambda db, now, event: Outbox(db).pending(50), "outbox_event_id"),
    (lambda db, now, event: Floors(db).recommended(), "floor_is_active"),
    (lambda db, now, event: Floors(db).by_name("Ground"), "floor_name"),
]


HARMLESS = (
    # An index is read from its end until the limit is reached.
    "SCAN t1 USING INDEX event_timestamp",
    "SCAN t3 USING COVERING INDEX outbox_event_id",
    # The names of all floors, which are few; the ends of the hourly totals; sums of a subquery.
    "SCAN t1 USING COVERING INDEX floor_name",
    "SCAN CONSTANT ROW",
    "SCAN by_hour",
)


@pytest.mark.parametrize(("ask", "by"), QUERIES)
def test_a_query_is_answered_by_its_index(
    filled: SqliteDatabase, now: datetime, make_event: Callable[..., Event], ask: Callable[..., object], by: str
) -> None:
    """The named index is used, no table is read from end to end, and events are not sorted."""
    done = plans(filled, lambda: ask(filled, now, make_event(9999)))
    assert any(by in plan for plan in done), done
    for plan in done:
        rest = re.sub("|".join(map(re.escape, HARMLESS)), "", plan)
        assert "SCAN" not in rest, plan
        assert "USE TEMP B-TREE FOR ORDER BY" not in plan, plan


def test_statistics_of_all_floors_sort_hours_not_rows(filled: SqliteDatabase, now: datetime) -> None:
    """The rows are summed up in the order of the table; what is sorted has one row for each hour."""
    [plan] = [plan for plan in plans(filled, lambda: event_statistics(filled, now - 9 * DAY, now)) if "by_hour" in plan]
    steps = plan.split("; ")
    assert steps.index("SEARCH event_hourly USING PRIMARY KEY (hour>? AND hour<?)") < steps.index("SCAN by_hour")
    assert steps.count("USE TEMP B-TREE FOR GROUP BY") == 1
    assert steps[-1] == "USE TEMP B-TREE FOR GROUP BY"


def test_a_clean_up_finds_the_oldest_by_their_index(filled: SqliteDatabase, by: Attribution) -> None:
    """No statement of it reads a table from end to end, but the small ones of blind intervals and clock changes."""
    done = plans(filled, lambda: remove_old_events(filled, 5, by, lambda _: None))
    chosen = [plan for plan in done if "event_timestamp (timestamp>? AND timestamp<?)" in plan]
    assert chosen
    for plan in done:
        assert "SCAN" not in re.sub("SCAN (blind_intervals|t1|clock_changes)$", "", plan), plan
        assert "USE TEMP B-TREE FOR ORDER BY" not in plan, plan
