"""Notices that another program wrote to the database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.store.sql.query import execute_sql

if TYPE_CHECKING:
    from peewee import SqliteDatabase


def data_version(db: SqliteDatabase) -> int:
    """A number that differs from the last one of the same handle when any other connection has committed since.

    SQLite's ``PRAGMA data_version``: asks the file's header, reads no table. Of SQLite only.
    """
    return int(execute_sql(db, "PRAGMA data_version")[0][0])
