"""Tests of telling errors that may pass from errors that last, by SQLite's own errors."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import peewee
import pytest

from edge.core.errors import StoreError
from edge.store.counts.events import Events
from edge.store.sql.errors import AccessError, description, is_passing, result_codes, translated_errors
from edge.store.sql.query import execute_sql, write_transaction

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from peewee import SqliteDatabase

    from edge.core.events import Event


def fill_the_disk(db: SqliteDatabase, make_event: Callable[..., Event], now: datetime) -> AccessError:
    """The error of a transaction that SQLite itself ends in the middle."""
    db.execute_sql(f"PRAGMA max_page_count = {db.pragma('page_count')}")
    with pytest.raises(AccessError) as caught, write_transaction(db):
        Events(db).record_all([make_event(n) for n in range(1000)], now)
    return caught.value


def test_a_full_disk_passes_although_the_roll_back_fails(
    sqlite_db: SqliteDatabase, make_event: Callable[..., Event], now: datetime
) -> None:
    """SQLite ends the transaction by itself; the error of the roll-back is recognised as that of a full disk."""
    error = fill_the_disk(sqlite_db, make_event, now)
    assert sqlite3.SQLITE_FULL in result_codes(error)
    assert is_passing(error)
    assert description(error) == "database or disk is full; free some room on the disk"
    sqlite_db.execute_sql("PRAGMA max_page_count = 1000000")
    assert Events(sqlite_db).count() == 0
    assert Events(sqlite_db).record(make_event(1), now).inserted


def test_a_lock_passes(sqlite_db: SqliteDatabase, path: Path, make_event: Callable[..., Event], now: datetime) -> None:
    """Another program's lock may be gone at the next attempt."""
    sqlite_db.timeout = 0.01
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(AccessError) as caught:
            Events(sqlite_db).record(make_event(1), now)
        with pytest.raises(sqlite3.OperationalError) as raw:
            sqlite_db.connection().execute("BEGIN IMMEDIATE")
    assert is_passing(caught.value)
    assert is_passing(raw.value)
    assert description(caught.value) == "database is locked; another program holds it; close that one"


def test_a_wrong_statement_and_a_refused_row_do_not_pass(sqlite_db: SqliteDatabase) -> None:
    """They fail again at every attempt."""
    for statement in ("SELECT * FROM nowhere", "SELEKT", "INSERT INTO floors (name) VALUES ('x')"):
        with pytest.raises(AccessError) as caught:
            execute_sql(sqlite_db, statement)
        assert not is_passing(caught.value)
    assert not is_passing(ValueError("no database at all"))


def test_an_operational_error_of_another_database_passes() -> None:
    """Without SQLite's codes the class of the error decides."""
    assert is_passing(peewee.OperationalError("server closed the connection"))


def test_a_translated_error_names_the_file(sqlite_db: SqliteDatabase) -> None:
    """The text begins with the path; errors that are not the database's pass through unchanged."""
    with pytest.raises(StoreError, match=r"^/var/x\.db: no such table: nowhere$"), translated_errors("/var/x.db"):
        sqlite_db.execute_sql("SELECT * FROM nowhere")
    with pytest.raises(KeyError), translated_errors("/var/x.db"):
        raise KeyError


UNPRIVILEGED = """
import json, os, sys
from pathlib import Path
from edge.core.errors import StoreError
from edge.store.schema.connect import open_database
os.setgid(65534)
os.setuid(65534)
answers = []
for path, kind in json.loads(sys.argv[1]):
    try:
        open_database(Path(path), busy_timeout=0.2, read_only=kind == "read")
        answers.append("opened")
    except StoreError as error:
        answers.append(str(error))
print(json.dumps(answers))
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_missing_rights_are_reported_with_the_remedy(sqlite_db: SqliteDatabase) -> None:
    """A user who is not the daemon's reads which right is missing, of the file or of its folder."""
    cases = (
        (0o600, 0o755, "read", "unable to open database file; check that the folder exists, and use the account"),
        (0o644, 0o755, "read", "use the account that owns the file and its folder"),
        (0o644, 0o700, "read", "cannot be opened (Permission denied); check the rights"),
        (0o644, 0o755, "write", "use the account that owns the file and its folder"),
    )
    with tempfile.TemporaryDirectory() as root:  # pytest's own folders are closed to other users
        Path(root).chmod(0o755)
        paths = []
        for number, (file_mode, folder_mode, kind, _) in enumerate(cases):
            path = Path(root, f"state-{number}", "x.db")
            path.parent.mkdir()
            with closing(sqlite3.connect(path)) as copy:
                sqlite_db.connection().backup(copy)
            path.chmod(file_mode)
            path.parent.chmod(folder_mode)
            paths.append((str(path), kind))
        command = [sys.executable, "-c", UNPRIVILEGED, json.dumps(paths)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    for answer, (path_text, _), (*_, expected) in zip(json.loads(done.stdout), paths, cases, strict=True):
        assert expected in answer
        assert path_text in answer
