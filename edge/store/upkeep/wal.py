"""SQLite's write-ahead log, kept short by a program that writes much beside others that must not wait for it."""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from edge.core.errors import StoreError
from edge.store.schema.connect import LOG_BYTES
from edge.store.sql.query import execute_sql

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from peewee import SqliteDatabase

log = logging.getLogger(__name__)

# Above this the log is begun anew: below the bytes at which the daemon's own commits would have to copy it.
RESTART_BYTES = LOG_BYTES // 4
# Above this nothing more is written until those who still read the log have ended.
MOST_BYTES = 4 * LOG_BYTES
WAIT_SECONDS = 0.1
LONGEST_WAIT_SECONDS = 600.0


class ShortLog:
    """Copies the log back and begins it anew. Used in the thread that opened the handle, outside of transactions."""

    def __init__(self, db: SqliteDatabase, pause: Callable[[float], None] = time.sleep) -> None:
        self._db = db
        self._pause = pause
        self._page_bytes = int(execute_sql(db, "PRAGMA page_size")[0][0])

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Inside, no commit of this handle copies the log by itself: that would take place with the write lock."""
        [(pages,)] = execute_sql(self._db, "PRAGMA wal_autocheckpoint")
        execute_sql(self._db, "PRAGMA wal_autocheckpoint = 0")
        try:
            yield
        finally:
            execute_sql(self._db, f"PRAGMA wal_autocheckpoint = {int(pages)}")

    def shorten(self) -> int:
        """Copy the log back, and begin it anew when it is long; the bytes of it that others may still read."""
        length = self._copy("PASSIVE")
        if length > RESTART_BYTES:
            length = self._restart(length)
        return length

    def shorten_or_wait(self) -> None:
        """``shorten``, and wait while the log is longer than ``MOST_BYTES``, which only a long read can bring about.

        StoreError when that does not end for minutes.
        """
        if self.shorten() <= MOST_BYTES:
            return
        log.warning("somebody reads the database for long; waiting, so that its write-ahead log does not grow")
        until = time.monotonic() + LONGEST_WAIT_SECONDS
        while self.shorten() > MOST_BYTES:
            if time.monotonic() >= until:
                raise StoreError(
                    f"{self._db.database}: another program has read it for {LONGEST_WAIT_SECONDS:g} s without an end,"
                    " and the write-ahead log would grow; end that program and begin again, what was done is kept"
                )
            self._pause(WAIT_SECONDS)

    def _restart(self, length: int) -> int:
        # This takes the write lock, so the copying was done before, and readers in the way are not waited for.
        timeout, self._db.timeout = self._db.timeout, 0
        try:
            return self._copy("RESTART") if length else 0
        finally:
            self._db.timeout = timeout

    def _copy(self, how: str) -> int:
        [(busy, pages, copied)] = execute_sql(self._db, f"PRAGMA wal_checkpoint({how})")
        if how == "RESTART" and not busy and pages == copied:
            return 0
        return max(int(pages), 0) * self._page_bytes
