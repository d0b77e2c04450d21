"""Describes the database file and its tables for a technician."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.store.schema.models import CHECKS, MODELS, table_name
from edge.store.schema.versions import own_tables, schema_version
from edge.store.sql.errors import AccessError
from edge.store.sql.online_copy import database_file
from edge.store.sql.query import execute_sql, pragma

if TYPE_CHECKING:
    from peewee import SqliteDatabase


@dataclass(frozen=True, slots=True)
class TableDescription:
    """A table of SQLite: columns as (name, type, may be null, default), indexes as (name, unique, columns)."""

    name: str
    columns: list[tuple[str, str, bool, str | None]]
    indexes: list[tuple[str, bool, list[str]]]
    checks: list[str]


@dataclass(frozen=True, slots=True)
class FileStatistics:
    """Sizes in bytes. ``tables`` has (rows, bytes with indexes) by name; bytes are None if this SQLite lacks dbstat."""

    path: str
    version: int
    page_size: int
    page_count: int
    free_pages: int
    file_bytes: int
    wal_bytes: int
    journal_mode: str
    tables: dict[str, tuple[int, int | None]]


def describe_tables(db: SqliteDatabase) -> list[TableDescription]:
    """Our tables, each after those that it refers to."""
    descriptions = []
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
        descriptions.append(TableDescription(name, columns, sorted(indexes), list(CHECKS.get(model, ()))))
    return descriptions


def file_statistics(db: SqliteDatabase) -> FileStatistics:
    """The file's sizes and numbers of rows. Counts every row, which takes seconds for millions of events."""
    path = database_file(db)
    wal = path.with_name(path.name + "-wal")
    sizes = _table_sizes(db)
    tables = {}
    for name in own_tables(db):
        [(rows,)] = execute_sql(db, f"SELECT count(*) FROM {name}")
        tables[name] = (int(rows), sizes.get(name))
    return FileStatistics(
        path=str(path),
        version=schema_version(db),
        page_size=int(pragma(db, "page_size")),
        page_count=int(pragma(db, "page_count")),
        free_pages=int(pragma(db, "freelist_count")),
        file_bytes=path.stat().st_size,
        wal_bytes=wal.stat().st_size if wal.exists() else 0,
        journal_mode=str(pragma(db, "journal_mode")),
        tables=tables,
    )


def _table_sizes(db: SqliteDatabase) -> dict[str, int]:
    query = "SELECT m.tbl_name, sum(s.pgsize) FROM dbstat s JOIN sqlite_master m ON m.name = s.name GROUP BY 1"
    try:
        return {str(name): int(size) for name, size in execute_sql(db, query)}
    except AccessError:
        # dbstat is an optional part of SQLite, which not every system has.
        return {}
