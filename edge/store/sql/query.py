"""How a query meets its database: the only module that touches Peewee's untyped edges."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import peewee
from peewee import Database, PostgresqlDatabase, Query, SqliteDatabase

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Row = tuple[Any, ...]
Converter = Callable[[Any], Any]

# Names the lock of this program's writers among the advisory locks of a PostgreSQL database: "SPKE". Never change it.
_WRITER_LOCK = 0x53504B45


@contextmanager
def write_transaction(db: Database) -> Iterator[None]:
    """A transaction that holds the write lock from its first statement; a savepoint inside another one.

    SQLite cannot raise a read lock to a write lock once somebody else wrote, so what reads first and then writes
    has to say so at the beginning.

    PostgreSQL could let several of them write at once. But it gives out ids before the commit: a reader of the outbox
    that remembers how far it came would pass over a row that was committed after a later one. So they take turns there
    too, by an advisory lock, which other programs do not know of: see ``locked``.
    """
    if not isinstance(db, PostgresqlDatabase):
        with db.atomic("IMMEDIATE") if isinstance(db, SqliteDatabase) else db.atomic():
            yield
        return
    # Said, because a server may have another default: what others committed while this one waited has to be seen.
    with db.atomic("READ COMMITTED"):
        if db.transaction_depth() == 1:
            execute_sql(db, "SELECT pg_advisory_xact_lock(%s)", (_WRITER_LOCK,))
        yield


@contextmanager
def read_transaction(db: Database) -> Iterator[None]:
    """All reads inside see the database as it was at the first one."""
    with db.atomic("REPEATABLE READ") if isinstance(db, PostgresqlDatabase) else db.atomic():
        yield


@contextmanager
def _fetching() -> Iterator[None]:
    # Peewee wraps the driver's errors where a statement begins, but SQLite reads on while rows are fetched.
    try:
        yield
    except sqlite3.Error as error:
        raise _peewees(error) from error


def _peewees(error: sqlite3.Error) -> Exception:
    kind: type[Exception] = getattr(peewee, type(error).__name__, peewee.DatabaseError)
    return kind(str(error))


def rows(db: Database, query: Query) -> list[Row]:
    """All rows of a query, as tuples of Python values."""
    with _fetching():
        return list(query.tuples().bind(db))


def first(db: Database, query: Query) -> Row | None:
    """The first row of a query, or None."""
    return next(iter(rows(db, query.limit(1))), None)


def locked(db: Database, query: peewee.ModelSelect[Any]) -> peewee.ModelSelect[Any]:
    """The query, and nobody changes the rows that it finds before the transaction ends.

    For a count that is read and then written. A writer on SQLite is alone anyway, its query stays as it is.
    """
    return query.for_update() if db.for_update else query


def words(db: Database, sql: str) -> str:
    """A statement with a ``?`` for each value, as the database's driver wants it: ``%s``, other ``%`` doubled."""
    return sql if db.param == "?" else sql.replace("%", "%%").replace("?", str(db.param))


def execute(db: Database, query: Query) -> int:
    """Runs an insert, update or delete. The new row's id for an insert, else the number of rows."""
    if isinstance(query, peewee.ModelInsert) and db.returning_clause:
        # By itself Peewee 4.0 asks for the key only if the model is bound to a database, and fails if it is not.
        [(key,)] = rows(db, query.returning(query.model._meta.primary_key))
        return int(key)
    return int(query.execute(db))


def execute_sql(db: Database, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
    """Runs a statement that Peewee has no words for; all of its rows. ``words`` makes it one for any database."""
    try:
        cursor = db.execute_sql(sql, parameters)  # type: ignore[no-untyped-call]  # Peewee's stub has no types here
        # A driver may refuse to fetch after a statement that gives no rows.
        found: list[Row] = cursor.fetchall() if cursor.description is not None else []
    except sqlite3.Error as error:
        raise _peewees(error) from error
    return found
