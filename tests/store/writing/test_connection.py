"""The writer's connection is given up when it may be the connection that is at fault, and only then."""

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
def handle(path: Path, now: datetime) -> Iterator[WritingConnection]:
    """An open one."""
    handle = WritingConnection(lambda: open_store(path, any_version=True, busy_timeout=0.1))
    handle.open(now, may_migrate=True)
    yield handle
    handle.close()


def error_of(code: int) -> peewee.OperationalError:
    """What Peewee raises for one of SQLite's codes."""
    cause = sqlite3.OperationalError("as SQLite says it")
    cause.sqlite_errorcode = code
    error = peewee.OperationalError("as Peewee says it")
    error.__cause__ = cause
    return error


def fail(
    handle: WritingConnection, code: int = sqlite3.SQLITE_IOERR_WRITE, times: int = _FAILURES_BEFORE_NEW_CONNECTION
) -> None:
    """So many failures in a row."""
    for _ in range(times):
        handle.failed(error_of(code))


def test_failures_in_a_row_have_it_opened_anew(handle: WritingConnection) -> None:
    """Not the first ones, and not if it worked in between."""
    first = handle.use()
    fail(handle, times=_FAILURES_BEFORE_NEW_CONNECTION - 1)
    handle.succeeded()
    fail(handle, times=_FAILURES_BEFORE_NEW_CONNECTION - 1)
    assert handle.use() is first
    fail(handle, times=1)
    assert first.db.is_closed()
    assert handle.use() is not first
    assert handle.use().db.execute_sql("PRAGMA synchronous").fetchone() == (2,)


@pytest.mark.parametrize("code", [sqlite3.SQLITE_BUSY, sqlite3.SQLITE_FULL])
def test_a_lock_and_a_full_disk_are_not_the_connections_fault(handle: WritingConnection, code: int) -> None:
    """A full disk may not have the room that opening needs."""
    first = handle.use()
    fail(handle, code, times=10 * _FAILURES_BEFORE_NEW_CONNECTION)
    assert handle.use() is first


def test_a_file_that_is_gone_is_waited_for_and_not_made_again(handle: WritingConnection, path: Path) -> None:
    """An empty mount point gets no database; the right file that comes back is used."""
    fail(handle)
    kept = path.rename(path.with_name("kept"))
    for _ in range(3):
        with pytest.raises(UnavailableError, match="does not exist any more; mount its disk, or put the file back"):
            handle.use()
    assert not path.exists()
    kept.rename(path)
    assert not handle.use().db.is_closed()


def test_a_wrong_file_in_its_place_is_not_written(handle: WritingConnection, path: Path) -> None:
    """An empty one, a folder, or another program's: told, and left as it is."""
    fail(handle)
    kept = path.rename(path.with_name("kept"))
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("CREATE TABLE theirs (a)")
    with pytest.raises(UnavailableError, match="database of another program"):
        handle.use()
    path.unlink()
    path.mkdir()
    with pytest.raises(UnavailableError, match="is a folder"):
        handle.use()
    path.rmdir()
    path.touch()
    with pytest.raises(UnavailableError, match="is empty; put the right file back"):
        handle.use()
    path.unlink()
    kept.rename(path)
    with closing(open_database(path, busy_timeout=0.1)) as db:
        drop_tables(db)
    with pytest.raises(UnavailableError, match="is empty; put the right file back"):
        handle.use()


def test_a_damaged_file_is_not_waited_for(handle: WritingConnection, path: Path) -> None:
    """The daemon is to end, so that its next start can bring a backup back."""
    fail(handle)
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(StoreError, match="not a SQLite database"):
        handle.use()


def test_closing_it_twice_or_while_it_is_away_is_harmless(handle: WritingConnection, path: Path) -> None:
    """The end may come at any time."""
    fail(handle)
    handle.close()
    handle.close()
    with closing(sqlite3.connect(path, isolation_level=None, timeout=0.0)) as other:
        # Only who is alone with the file can give up its write-ahead log.
        assert other.execute("PRAGMA journal_mode = DELETE").fetchone() == ("delete",)
