"""What a technician may want to know of the file itself, and a query of his own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import peewee

from edge.store.schema.models import CHECKS, MODELS, table_name
from edge.store.schema.versions import schema_version, tables_there, view_names
from edge.store.sql.online_copy import database_file
from edge.store.sql.query import execute_sql

if TYPE_CHECKING:
    from peewee import SqliteDatabase


@dataclass(frozen=True, slots=True)
class TableDescription:
    """A table as SQLite knows it: columns as (name, type, may be null, default), indexes as (name, unique, columns)."""

    name: str
    columns: list[tuple[str, str, bool, str | None]]
    indexes: list[tuple[str, bool, list[str]]]
    checks: list[str]


@dataclass(frozen=True, slots=True)
class FileStatistics:
    """Sizes in bytes. ``tables`` is (rows, bytes with indexes; None where this SQLite cannot tell)."""

    path: str
    version: int
    page_size: int
    page_count: int
    free_pages: int
    file_bytes: int
    wal_bytes: int
    journal_mode: str
    tables: dict[str, tuple[int, int | None]]


def describe(db: SqliteDatabase) -> list[TableDescription]:
    """Our tables, in the order in which they depend on each other."""
    found = []
    for model in MODELS:
        name = table_name(model)
        columns = [
            (str(column), str(kind), not (required or key), default)
            for _, column, kind, required, default, key in execute_sql(db, f"PRAGMA table_info('{name}')")
        ]
        indexes = [
            (str(index), bool(unique), [str(row[2]) for row in execute_sql(db, f"PRAGMA index_info('{index}')")])
            for _, index, unique, *_ in execute_sql(db, f"PRAGMA index_list('{name}')")
        ]
        found.append(TableDescription(name, columns, sorted(indexes), list(CHECKS.get(model, ()))))
    return found


def file_statistics(db: SqliteDatabase) -> FileStatistics:
    """Counts every row: seconds for millions of events."""
    path = database_file(db)
    wal = path.with_name(path.name + "-wal")
    sizes = _table_sizes(db)
    tables = {}
    for name in tables_there(db):
        [(rows,)] = execute_sql(db, f"SELECT count(*) FROM {name}")
        tables[name] = (int(rows), sizes.get(name))
    return FileStatistics(
        path=str(path),
        version=schema_version(db),
        page_size=int(db.pragma("page_size")),
        page_count=int(db.pragma("page_count")),
        free_pages=int(db.pragma("freelist_count")),
        file_bytes=path.stat().st_size,
        wal_bytes=wal.stat().st_size if wal.exists() else 0,
        journal_mode=str(db.pragma("journal_mode")),
        tables=tables,
    )


def _table_sizes(db: SqliteDatabase) -> dict[str, int]:
    query = "SELECT m.tbl_name, sum(s.pgsize) FROM dbstat s JOIN sqlite_master m ON m.name = s.name GROUP BY 1"
    try:
        return {str(name): int(size) for name, size in execute_sql(db, query)}
    except peewee.OperationalError:
        # An optional part of SQLite, which not every system brings; the rest of the answer is worth having.
        return {}


def objects(db: SqliteDatabase) -> tuple[dict[str, bool], list[str]]:
    """Which of our tables are there, and the names of the views."""
    return tables_there(db), view_names(db)
