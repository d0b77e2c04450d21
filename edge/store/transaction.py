"""How a query meets its database: the only module that touches Peewee's untyped edges."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import peewee
from peewee import Database, Query, SqliteDatabase

if TYPE_CHECKING:
    from collections.abc import Iterator

Row = tuple[Any, ...]


@contextmanager
def write_transaction(db: Database) -> Iterator[None]:
    """A transaction that holds the write lock from its first statement; a savepoint inside another one.

    SQLite cannot raise a read lock to a write lock once somebody else wrote, so what reads first and then writes
    has to say so at the beginning.
    """
    with db.atomic("IMMEDIATE") if isinstance(db, SqliteDatabase) else db.atomic():
        yield


@contextmanager
def read_transaction(db: Database) -> Iterator[None]:
    """All reads inside see the database as it was at the first one."""
    with db.atomic():
        yield


@contextmanager
def _fetching() -> Iterator[None]:
    # Peewee wraps the driver's errors where a statement begins, but SQLite reads on while rows are fetched.
    try:
        yield
    except sqlite3.Error as error:
        kind = getattr(peewee, type(error).__name__, peewee.DatabaseError)
        raise kind(str(error)) from error


def rows(db: Database, query: Query) -> list[Row]:
    """All rows of a query, as tuples of Python values."""
    with _fetching():
        return list(query.tuples().bind(db))


def first(db: Database, query: Query) -> Row | None:
    """The first row of a query, or None."""
    return next(iter(rows(db, query.limit(1))), None)


def execute(db: Database, query: Query) -> int:
    """Runs an insert, update or delete. The new row's id for an insert, else the number of rows."""
    return int(query.execute(db))


def execute_sql(db: Database, sql: str) -> list[Row]:
    """Runs a statement that Peewee has no words for; all of its rows."""
    with _fetching():
        return list(db.execute_sql(sql).fetchall())  # type: ignore[no-untyped-call]  # Peewee's stub has no types here
