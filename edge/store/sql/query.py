"""Runs queries and transactions on a handle. Only this module uses the parts of Peewee that have no types.

Every error of the database leaves it as one of edge's own exceptions: see ``edge.store.sql.errors``.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from peewee import Database, ModelInsert, PostgresqlDatabase, Query, SqliteDatabase

from edge.store.sql.errors import DRIVER_ERRORS, translated, translated_errors

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from peewee import ModelSelect

SqlRow = tuple[Any, ...]
Converter = Callable[[Any], Any]

# Names the lock of this program's writers among the advisory locks of a PostgreSQL database: "SPKE". Never change it.
_WRITER_LOCK = 0x53504B45


@contextmanager
def write_transaction(db: Database) -> Iterator[None]:
    """A transaction that holds the write lock from its first statement; a savepoint inside another one.

    SQLite cannot raise a read lock to a write lock once another connection has written, so a transaction that reads
    first and then writes has to take the write lock at its beginning.

    PostgreSQL could let several of them write at once. But it gives out ids before the commit: a reader of the outbox
    that remembers the last id it saw would miss a row of a lower id that is committed later. So writers take turns
    there too, by an advisory lock, which other programs do not know of: see ``locked``.
    """
    if not isinstance(db, PostgresqlDatabase):
        with translated_errors(db), db.atomic("IMMEDIATE") if isinstance(db, SqliteDatabase) else db.atomic():
            yield
        return
    # The level is named, because a server may have another default: a writer that waited has to see what the others
    # committed meanwhile.
    with translated_errors(db), db.atomic("READ COMMITTED"):
        if db.transaction_depth() == 1:
            execute_sql(db, "SELECT pg_advisory_xact_lock(%s)", (_WRITER_LOCK,))
        yield


@contextmanager
def read_transaction(db: Database) -> Iterator[None]:
    """All reads inside see the database as it was at the first one."""
    with translated_errors(db), db.atomic("REPEATABLE READ") if isinstance(db, PostgresqlDatabase) else db.atomic():
        yield


def fetch_rows(db: Database, query: Query) -> list[SqlRow]:
    """All rows of a query, as tuples of Python values."""
    with translated_errors(db):
        return list(query.tuples().bind(db))


def first_row(db: Database, query: Query) -> SqlRow | None:
    """The first row of a query, or None."""
    return next(iter(fetch_rows(db, query.limit(1))), None)


def locked(db: Database, query: ModelSelect[Any]) -> ModelSelect[Any]:
    """The query, extended so that no other program changes the rows that it finds before the transaction ends.

    For a count that is read and then written. On SQLite the query stays as it is: a writer is alone there anyway.
    """
    return query.for_update() if db.for_update else query


def with_placeholders(db: Database, sql: str) -> str:
    """A statement with a ``?`` for each value, as the database's driver wants it: ``%s``, other ``%`` doubled."""
    return sql if db.param == "?" else sql.replace("%", "%%").replace("?", str(db.param))


def execute(db: Database, query: Query) -> int:
    """Runs an insert, update or delete. The new row's id for an insert, else the number of rows."""
    if isinstance(query, ModelInsert) and db.returning_clause:
        # By itself Peewee 4.0 asks for the key only if the model is bound to a database, and fails if it is not.
        [(key,)] = fetch_rows(db, query.returning(query.model._meta.primary_key))
        return int(key)
    with translated_errors(db):
        return int(query.execute(db))


def execute_sql(db: Database, sql: str, parameters: Sequence[object] = ()) -> list[SqlRow]:
    """Runs a statement that Peewee's query builder cannot express; all of its rows.

    ``with_placeholders`` makes a statement fit for any database.
    """
    # No context manager: this is called several times for each event that is recorded.
    try:
        cursor = db.execute_sql(sql, parameters)  # type: ignore[no-untyped-call]  # Peewee's stub has no types here
        # A driver may refuse to fetch after a statement that gives no rows.
        rows: list[SqlRow] = cursor.fetchall() if cursor.description is not None else []
    except DRIVER_ERRORS as error:
        raise translated(db, error) from error
    return rows


def pragma(db: SqliteDatabase, name: str, value: object = None) -> Any:
    """The value of a pragma of SQLite; ``value`` sets it."""
    rows = execute_sql(db, f"PRAGMA {name}" if value is None else f"PRAGMA {name} = {value}")
    return rows[0][0] if rows else None


def table_names(db: Database) -> set[str]:
    """The names of all tables, of other programs too."""
    with translated_errors(db):
        return set(db.get_tables())
