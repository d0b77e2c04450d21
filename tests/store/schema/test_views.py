"""Tests of the views and of the README's queries, as a person with a plain ``sqlite3`` shell uses them."""

from __future__ import annotations

import re
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from edge.core.events import Direction
from edge.store.counts.events import Events
from edge.store.counts.floors import Floors

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from peewee import SqliteDatabase

    from edge.core.events import Event
    from edge.store.counts.audit import Attribution

TEXT = (Path(__file__).parent / "queries.sql").read_text()
QUERIES = [part.strip() for part in re.split(r"^-- \d+\..*$", TEXT, flags=re.MULTILINE)[1:]]


@pytest.fixture
def used(sqlite_db: SqliteDatabase, make_event: Callable[..., Event], now: datetime, by: Attribution) -> SqliteDatabase:
    """A database with events, a clamp and a correction."""
    Events(sqlite_db).record_all([make_event(n) for n in range(5)], now)
    Events(sqlite_db).record(make_event(9, floor="Roof", direction=Direction.EXIT), now)
    Floors(sqlite_db).correct("Ground", 12, by)
    return sqlite_db


def test_there_are_ten_queries() -> None:
    """The README has them, one statement each."""
    assert len(QUERIES) == 10
    assert all(query.count(";") == 1 and query.endswith(";") for query in QUERIES)
    readme = (Path(__file__).parents[3] / "README.md").read_text()
    assert all(query in readme for query in QUERIES)


@pytest.mark.parametrize("query", QUERIES, ids=[f"{n}" for n in range(1, 11)])
def test_each_query_runs_on_a_plain_connection(used: SqliteDatabase, path: Path, query: str) -> None:
    """They use SQLite's own functions only; those that do not ask for the last days return rows."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as plain:
        rows = plain.execute(query).fetchall()
    assert rows or "'now'" in query


@pytest.mark.parametrize("query", QUERIES, ids=[f"{n}" for n in range(1, 11)])
def test_each_query_runs_in_the_sqlite3_shell(used: SqliteDatabase, path: Path, query: str) -> None:
    """They are pasted unchanged."""
    shell = shutil.which("sqlite3")
    if shell is None:
        pytest.skip("no sqlite3 shell here")
    done = subprocess.run([shell, "-readonly", str(path), query], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_views_have_the_values_of_the_tables(used: SqliteDatabase, now: datetime) -> None:
    """That is names, free slots, local times and totals."""
    ask = used.execute_sql
    assert ask("SELECT name, free, current_vehicles, occupancy_percentage, is_deleted FROM v_floors").fetchall() == [
        ("Ground", 38, 12, 24.0, 0),
        ("Roof", 2, 0, 0.0, 0),
    ]
    [event] = Events(used).newest(1)
    local = event.timestamp.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    newest = "SELECT time_local, floor, direction, id FROM v_events_local ORDER BY timestamp DESC LIMIT 1"
    assert ask(newest).fetchall() == [(local, "Roof", "exit", event.id)]
    hour = event.timestamp.astimezone().replace(minute=0, second=0).strftime("%Y-%m-%d %H:%M:%S")
    assert ask("SELECT hour_local, floor, entries, exits, net, mean_confidence FROM v_hourly").fetchall() == [
        (hour, "Ground", 5, 0, 5, 0.87),
        (hour, "Roof", 0, 1, -1, 0.87),
    ]
