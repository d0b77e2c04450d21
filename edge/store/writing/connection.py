"""The writer's connection: opened at the start, opened anew when the disk went away under it, closed at the end."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from edge.core.errors import StoreError
from edge.store.schema.migrations import migrate
from edge.store.schema.versions import create_schema, has_schema, require_current
from edge.store.sql.errors import is_damage, told, wants_new_handle
from edge.store.sql.query import execute_sql

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from peewee import SqliteDatabase

log = logging.getLogger(__name__)

# At the end readers may still look at the write-ahead log; it is not worth a long wait, the next start reads it too.
CHECKPOINT_SECONDS = 0.5
# So many failures in a row that a new connection could mend, and the old one is given up.
PATIENCE_FAILURES = 3


class AwayError(Exception):
    """The database cannot be opened anew just now; the text says why and gives the remedy."""


class WritingHandle:
    """One thread's writing connection. A file system that failed stays failed for every file that is open on it, and
    cannot be unmounted, checked and mounted again before they are closed: so after some failures the connection is
    closed, and each later use tries to open it again.
    """

    def __init__(self, open_db: Callable[[], SqliteDatabase]) -> None:
        self._open_db = open_db
        self._db: SqliteDatabase | None = None
        self._name = ""
        self._failures = 0
        self._given_up = False

    def open(self, now: datetime, *, may_migrate: bool) -> None:
        """Open for the first time; makes the tables or brings them up to date. Raises what stands in the way."""
        db = self._open_db()
        try:
            if create_schema(db):
                log.info("created the tables in %s", db.database)
            elif may_migrate:
                migrate(db, now)
            else:
                require_current(db, db.database)
        except BaseException:
            db.close()
            raise
        self._db, self._name = db, str(db.database)

    def use(self) -> SqliteDatabase:
        """The open connection. AwayError while it cannot be opened anew; StoreError when the file is damaged."""
        if self._db is None:
            try:
                self._db = self._open_again()
            except StoreError as error:
                if is_damage(error):
                    raise
                raise AwayError(str(error)) from error
            log.debug("opened %s anew", self._name)
        return self._db

    def failed(self, error: BaseException) -> None:
        """Take note that what was tried with the connection failed."""
        self._failures += 1
        if self._failures >= PATIENCE_FAILURES and self._db is not None and wants_new_handle(error):
            # A disk that stays away has this again and again.
            log.log(logging.DEBUG if self._given_up else logging.INFO, "%s is closed, to be opened anew", self._name)
            self._close(self._db)
            self._db, self._given_up = None, True

    def succeeded(self) -> None:
        """Take note that it works."""
        if self._given_up:
            log.info("%s was opened anew, and works", self._name)
        self._failures, self._given_up = 0, False

    def close(self) -> None:
        """Empty the write-ahead log if nobody reads it, and close."""
        if self._db is None:
            return
        db, self._db = self._db, None
        try:
            with told(self._name):
                try:
                    db.timeout = CHECKPOINT_SECONDS
                    [(busy, _, _)] = execute_sql(db, "PRAGMA wal_checkpoint(TRUNCATE)")
                    if busy:
                        log.debug("others still read the write-ahead log; it stays")
                finally:
                    db.close()
        except StoreError as error:
            log.warning("the write-ahead log stays, the next start reads it: %s", error)

    def _open_again(self) -> SqliteDatabase:
        # Opening would make a new file where the old one's file system is not mounted, and the events would go there.
        try:
            there = Path(self._name).exists()
        except OSError as error:
            raise StoreError(f"{self._name}: cannot be looked at ({error.strerror}); check the disk") from error
        if not there:
            raise StoreError(f"{self._name}: is not there any more; mount its disk, or put the file back")
        db = self._open_db()
        try:
            with told(self._name):
                if not has_schema(db, self._name):
                    raise StoreError(f"{self._name}: is empty; put the right file back")
                require_current(db, self._name)
        except BaseException:
            self._close(db)
            raise
        return db

    def _close(self, db: SqliteDatabase) -> None:
        try:
            with told(self._name):
                db.close()
        except StoreError as error:
            log.warning("a connection that failed could not be closed in order: %s", error)
