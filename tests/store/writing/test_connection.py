"""Tests of the writer's connection: it is opened again when it may be the cause of an error, and only then."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import peewee
import pytest

from edge.core.errors import StoreError
from edge.store.schema.connect import open_database
from edge.store.schema.versions import drop_tables
from edge.store.store import open_store
from edge.store.writing.connection import _FAILURES_BEFORE_NEW_CONNECTION, UnavailableError, WritingConnection

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path


@pytest.fixture
def connection(path: Path, now: datetime) -> Iterator[WritingConnection]:
    """An open connection."""
    connection = WritingConnection(lambda: open_store(path, any_version=True, busy_timeout=0.1))
    connection.open(now, may_migrate=True)
    yield connection
    connection.close()


def error_of(code: int) -> peewee.OperationalError:
    """The error that Peewee raises for one of SQLite's codes."""
    cause = sqlite3.OperationalError("as SQLite says it")
    cause.sqlite_errorcode = code
    error = peewee.OperationalError("as Peewee says it")
    error.__cause__ = cause
    return error


def fail(
    connection: WritingConnection, code: int = sqlite3.SQLITE_IOERR_WRITE, times: int = _FAILURES_BEFORE_NEW_CONNECTION
) -> None:
    """Report so many failures in a row."""
    for _ in range(times):
        connection.failed(error_of(code))


def test_after_failures_in_a_row_it_is_opened_again(connection: WritingConnection) -> None:
    """Not after the first ones, and not if an attempt succeeded in between."""
    first = connection.use()
    fail(connection, times=_FAILURES_BEFORE_NEW_CONNECTION - 1)
    connection.succeeded()
    fail(connection, times=_FAILURES_BEFORE_NEW_CONNECTION - 1)
    assert connection.use() is first
    fail(connection, times=1)
    assert first.db.is_closed()
    assert connection.use() is not first
    assert connection.use().db.execute_sql("PRAGMA synchronous").fetchone() == (2,)


@pytest.mark.parametrize("code", [sqlite3.SQLITE_BUSY, sqlite3.SQLITE_FULL])
def test_a_lock_and_a_full_disk_do_not_close_it(connection: WritingConnection, code: int) -> None:
    """A full disk may not have the room that opening needs."""
    first = connection.use()
    fail(connection, code, times=10 * _FAILURES_BEFORE_NEW_CONNECTION)
    assert connection.use() is first


def test_a_missing_file_is_waited_for_and_not_created(connection: WritingConnection, path: Path) -> None:
    """No database is created on an empty mount point; the file is used when it is back."""
    fail(connection)
    kept = path.rename(path.with_name("kept"))
    for _ in range(3):
        with pytest.raises(UnavailableError, match="does not exist any more; mount its disk, or put the file back"):
            connection.use()
    assert not path.exists()
    kept.rename(path)
    assert not connection.use().db.is_closed()


def test_a_wrong_file_in_its_place_is_not_written(connection: WritingConnection, path: Path) -> None:
    """An empty file, a folder and a file of another program are reported and stay as they are."""
    fail(connection)
    kept = path.rename(path.with_name("kept"))
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("CREATE TABLE theirs (a)")
    with pytest.raises(UnavailableError, match="database of another program"):
        connection.use()
    path.unlink()
    path.mkdir()
    with pytest.raises(UnavailableError, match="is a folder"):
        connection.use()
    path.rmdir()
    path.touch()
    with pytest.raises(UnavailableError, match="is empty; put the right file back"):
        connection.use()
    path.unlink()
    kept.rename(path)
    with closing(open_database(path, busy_timeout=0.1)) as db:
        drop_tables(db)
    with pytest.raises(UnavailableError, match="is empty; put the right file back"):
        connection.use()


def test_a_damaged_file_is_not_waited_for(connection: WritingConnection, path: Path) -> None:
    """The daemon ends, so that its next start can restore a backup."""
    fail(connection)
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(StoreError, match="not a SQLite database"):
        connection.use()


def test_closing_it_twice_or_while_the_file_is_missing_is_harmless(connection: WritingConnection, path: Path) -> None:
    """The end may come at any time."""
    fail(connection)
    connection.close()
    connection.close()
    with closing(sqlite3.connect(path, isolation_level=None, timeout=0.0)) as other:
        # Only the last connection to a file can end its write-ahead log.
        assert other.execute("PRAGMA journal_mode = DELETE").fetchone() == ("delete",)
