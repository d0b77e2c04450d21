"""Opens the writer's connection, opens it again when the disk failed under it, and closes it at the end."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from edge.core.errors import StoreError
from edge.store.schema.versions import has_tables, require_current_version
from edge.store.sql.errors import is_damage, needs_new_connection, translated_errors
from edge.store.sql.query import execute_sql

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from edge.store.store import Store

log = logging.getLogger(__name__)

# At the end others may still read the write-ahead log; it is not worth a long wait, the next start reads it too.
CHECKPOINT_SECONDS = 0.5
# After so many failures in a row that a new connection could end, the connection is closed.
_FAILURES_BEFORE_NEW_CONNECTION = 3


class UnavailableError(Exception):
    """The database cannot be opened again now; the text has the reason and the remedy."""


class WritingConnection:
    """The writing connection of one thread.

    A file system that failed stays failed for every file that is open on it, and cannot be unmounted, checked and
    mounted again before they are closed: so after some failures the connection is closed, and each later use tries to
    open it again.
    """

    def __init__(self, open_store: Callable[[], Store]) -> None:
        self._open_store = open_store
        self._store: Store | None = None
        self._path = Path()
        self._failures = 0
        self._given_up = False

    def open(self, now: datetime, *, may_migrate: bool) -> None:
        """Open it for the first time; creates the tables or migrates them. Raises what prevents that."""
        store = self._open_store()
        try:
            if store.create_tables():
                log.info("created the tables in %s", store.name)
            elif may_migrate:
                store.migrate(now)
            else:
                require_current_version(store.db)
        except BaseException:
            store.close()
            raise
        self._store, self._path = store, Path(store.name)

    def use(self) -> Store:
        """The open store. UnavailableError while it cannot be opened again; StoreError if the file is damaged."""
        if self._store is None:
            try:
                self._store = self._open_again()
            except StoreError as error:
                if is_damage(error):
                    raise
                raise UnavailableError(str(error)) from error
            log.debug("opened %s again", self._path)
        return self._store

    def failed(self, error: BaseException) -> None:
        """An attempt with the connection has failed with an error that may pass."""
        self._failures += 1
        if (
            self._failures >= _FAILURES_BEFORE_NEW_CONNECTION
            and self._store is not None
            and needs_new_connection(error)
        ):
            # While a disk stays away this happens again and again: it is news only the first time.
            log.log(logging.DEBUG if self._given_up else logging.INFO, "%s is closed, to be opened again", self._path)
            self._close(self._store)
            self._store, self._given_up = None, True

    def succeeded(self) -> None:
        """An attempt with the connection has succeeded."""
        if self._given_up:
            log.info("%s was opened again, and works", self._path)
        self._failures, self._given_up = 0, False

    def close(self) -> None:
        """Copy the write-ahead log into the database and empty it if no other program reads it, and close."""
        if self._store is None:
            return
        store, self._store = self._store, None
        try:
            with translated_errors(self._path):
                try:
                    execute_sql(store.db, f"PRAGMA busy_timeout = {round(1000 * CHECKPOINT_SECONDS)}")
                    [(busy, _, _)] = execute_sql(store.db, "PRAGMA wal_checkpoint(TRUNCATE)")
                    if busy:
                        log.debug("others still read the write-ahead log; it stays")
                finally:
                    store.close()
        except StoreError as error:
            log.warning("the write-ahead log stays, the next start reads it: %s", error)

    def _open_again(self) -> Store:
        # Opening would create a new file where the old one's file system is not mounted, and the events would go there.
        try:
            exists = self._path.exists()
        except OSError as error:
            raise StoreError(f"{self._path}: cannot be found ({error.strerror}); check the disk") from error
        if not exists:
            raise StoreError(f"{self._path}: does not exist any more; mount its disk, or put the file back")
        store = self._open_store()
        try:
            if not has_tables(store.db):
                raise StoreError(f"{self._path}: is empty; put the right file back")
            require_current_version(store.db)
        except BaseException:
            self._close(store)
            raise
        return store

    def _close(self, store: Store) -> None:
        try:
            with translated_errors(self._path):
                store.close()
        except StoreError as error:
            log.warning("a connection that failed could not be closed in order: %s", error)
