"""Any statement of a technician, on a connection that only reads."""

from __future__ import annotations

import re
import sqlite3
from typing import TYPE_CHECKING

from edge.core.errors import RefusedError
from edge.store.sql.errors import is_passing, sentence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from peewee import SqliteDatabase

    from edge.store.sql.query import Row

_CHUNK = 500


def run_query(db: SqliteDatabase, sql: str) -> tuple[list[str], Iterator[Row]]:
    """The names of the columns and the rows of any single statement, read as they are asked for.

    ``db`` is a read-only handle: SQLite itself refuses every write. RefusedError, in SQLite's words, for that and for
    all that is wrong with the statement.
    """
    try:
        cursor = db.connection().execute(sql)  # type: ignore[no-untyped-call]  # Peewee's stub has no types here
        names = [str(column[0]) for column in cursor.description or ()]
    except (sqlite3.Error, sqlite3.Warning, ValueError) as error:
        raise _refused(error) from error

    def rows() -> Iterator[Row]:
        try:
            while chunk := cursor.fetchmany(_CHUNK):
                yield from chunk
        except sqlite3.Error as error:
            raise _refused(error) from error

    return names, rows()


def _refused(error: Exception) -> RefusedError:
    text = re.sub(r"\s+", " ", sentence(error) if is_passing(error) else str(error))
    if "readonly" in text:
        return RefusedError(f"the query was refused: it would write, and this handle only reads ({text.split(';')[0]})")
    return RefusedError(f"the query was refused: {text}")
