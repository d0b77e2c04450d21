"""Runs any statement of a technician on a connection that only reads."""

from __future__ import annotations

import re
import sqlite3
from typing import TYPE_CHECKING

from edge.core.errors import RefusedError
from edge.store.sql.errors import is_passing, translated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from peewee import SqliteDatabase

    from edge.store.sql.query import SqlRow

_CHUNK = 500


def run_query(db: SqliteDatabase, sql: str) -> tuple[list[str], Iterator[SqlRow]]:
    """The names of the columns and the rows of any single statement; rows are read as they are asked for.

    ``db`` is a read-only handle: SQLite itself refuses every write. RefusedError, with SQLite's text, for a statement
    that writes or is wrong; StoreError if the database cannot be read.
    """
    try:
        cursor = db.connection().execute(sql)  # type: ignore[no-untyped-call]  # Peewee's stub has no types here
        names = [str(column[0]) for column in cursor.description or ()]
    except (sqlite3.Error, sqlite3.Warning, ValueError) as error:
        raise _query_error(db, error) from error

    def rows() -> Iterator[SqlRow]:
        try:
            while chunk := cursor.fetchmany(_CHUNK):
                yield from chunk
        except sqlite3.Error as error:
            raise _query_error(db, error) from error

    return names, rows()


def _query_error(db: SqliteDatabase, error: Exception) -> Exception:
    text = re.sub(r"\s+", " ", str(error))
    if "readonly" in text:
        return RefusedError(f"the query was refused: it would write, and this connection only reads ({text})")
    if is_passing(error):
        return translated(db, error)
    return RefusedError(f"the query was refused: {text}")
