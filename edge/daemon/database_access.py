"""This module opens the daemon's database, and notices when another process has written to it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from edge.core.errors import StoreError
from edge.store.schema.connect import open_database
from edge.store.sql.data_version import data_version
from edge.store.sql.errors import told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from peewee import SqliteDatabase

    from edge.config.schema import DatabaseConfig
    from edge.host.problem_list import ProblemList

READING_PROBLEM = "database_reading"


class DatabaseAccess:
    """Opens the configured database. Every thread needs a connection of its own."""

    def __init__(self, config: DatabaseConfig) -> None:
        self._config = config

    def open_to_write(self) -> SqliteDatabase:
        """A new connection that writes."""
        return open_database(self._config.path, busy_timeout=self._config.busy_timeout_seconds)

    def open_to_read(self) -> SqliteDatabase:
        """A new connection that cannot write."""
        return open_database(self._config.path, busy_timeout=self._config.busy_timeout_seconds, read_only=True)

    @contextmanager
    def reading(self) -> Iterator[SqliteDatabase]:
        """A connection that cannot write, closed at the end. Errors of the database become ``StoreError``."""
        database = self.open_to_read()
        try:
            with told(self._config.path):
                yield database
        finally:
            database.close()


class ExternalChanges:
    """Notices that another process wrote to the database, as a replay or a command of a technician. For one thread."""

    def __init__(self, open_to_read: Callable[[], SqliteDatabase], problems: ProblemList) -> None:
        self._open_to_read = open_to_read
        self._problems = problems
        self._connection: SqliteDatabase | None = None
        self._version: int | None = None

    def happened(self) -> bool:
        """Whether anything was committed since the last call. A database that cannot be read is reported as a problem.

        The first call after ``close`` returns True.
        """
        try:
            if self._connection is None:
                self._connection = self._open_to_read()
            with told(self._connection.database):
                version = data_version(self._connection)
        except StoreError as error:
            self.close()
            self._problems.report(READING_PROBLEM, str(error))
            return False
        self._problems.clear(READING_PROBLEM)
        changed = version != self._version
        self._version = version
        return changed

    def close(self) -> None:
        """Close the file. The next call of ``happened`` opens it again."""
        if self._connection is not None:
            self._connection.close()
        self._connection = self._version = None
