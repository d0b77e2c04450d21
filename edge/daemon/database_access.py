"""This module opens the daemon's database, and notices when another process has written to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.core.errors import StoreError
from edge.store import open_store

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.config.schema import DatabaseConfig
    from edge.host.problem_list import ProblemList
    from edge.store import Store

READING_PROBLEM = "database_reading"


class DatabaseAccess:
    """Opens the configured database. Every thread needs a connection of its own."""

    def __init__(self, config: DatabaseConfig) -> None:
        self._config = config

    def open_to_write(self) -> Store:
        """A new connection that writes, whatever the version of the tables."""
        return open_store(self._config.path, any_version=True, busy_timeout=self._config.busy_timeout_seconds)

    def open_to_read(self) -> Store:
        """A new connection that cannot write."""
        return open_store(self._config.path, read_only=True, busy_timeout=self._config.busy_timeout_seconds)


class ExternalChanges:
    """Notices that another process wrote to the database, as a replay or a command of a technician. For one thread."""

    def __init__(self, open_to_read: Callable[[], Store], problems: ProblemList) -> None:
        self._open_to_read = open_to_read
        self._problems = problems
        self._store: Store | None = None
        self._version: int | None = None

    def happened(self) -> bool:
        """Whether anything was committed since the last call. A database that cannot be read is reported as a problem.

        The first call after ``close`` returns True.
        """
        try:
            if self._store is None:
                self._store = self._open_to_read()
            version = self._store.data_version()
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
        if self._store is not None:
            self._store.close()
        self._store = self._version = None
