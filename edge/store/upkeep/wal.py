"""Keeps SQLite's write-ahead log short while a program writes much beside others that must not wait for it."""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from edge.core.errors import StoreError
from edge.store.schema.connect import WAL_BYTES
from edge.store.sql.errors import name_of
from edge.store.sql.query import execute_sql, pragma

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from peewee import SqliteDatabase

log = logging.getLogger(__name__)

# Above this length the log is written from its start again: below the length at which the daemon's own commits would
# have to copy it.
RESTART_BYTES = WAL_BYTES // 4
# Above this length nothing more is written until the programs that still read the log have ended.
MOST_BYTES = 4 * WAL_BYTES
_WAIT_SECONDS = 0.1
LONGEST_WAIT_SECONDS = 600.0


class WalLimiter:
    """Copies the log into the database and has it written from its start again.

    Used in the thread that opened the handle, outside of transactions.
    """

    def __init__(self, db: SqliteDatabase, pause: Callable[[float], None] = time.sleep) -> None:
        self._db = db
        self._pause = pause
        self._page_bytes = int(pragma(db, "page_size"))

    @contextmanager
    def no_automatic_checkpoints(self) -> Iterator[None]:
        """Inside, no commit of this handle copies the log by itself: it would do so while it has the write lock."""
        pages = pragma(self._db, "wal_autocheckpoint")
        pragma(self._db, "wal_autocheckpoint", 0)
        try:
            yield
        finally:
            pragma(self._db, "wal_autocheckpoint", int(pages))

    def shorten(self) -> int:
        """Copy the log, and restart it if it is long; how many bytes of it other programs may still read."""
        length = self._checkpoint("PASSIVE")
        if length > RESTART_BYTES:
            length = self._restart(length)
        return length

    def shorten_or_wait(self) -> None:
        """``shorten``, and wait while the log is longer than ``MOST_BYTES``, which only a long read can cause.

        StoreError if that takes more than ``LONGEST_WAIT_SECONDS``.
        """
        if self.shorten() <= MOST_BYTES:
            return
        log.warning("another program reads the database for long; waiting, so that its write-ahead log does not grow")
        deadline = time.monotonic() + LONGEST_WAIT_SECONDS
        while self.shorten() > MOST_BYTES:
            if time.monotonic() >= deadline:
                raise StoreError(
                    f"{name_of(self._db)}: another program has been reading it for {LONGEST_WAIT_SECONDS:g} s, and the"
                    " write-ahead log would grow; end that program and start again, what was done is kept"
                )
            self._pause(_WAIT_SECONDS)

    def _restart(self, length: int) -> int:
        # A restart takes the write lock, so the log was copied before, and readers are not waited for.
        timeout, self._db.timeout = self._db.timeout, 0
        try:
            return self._checkpoint("RESTART") if length else 0
        finally:
            self._db.timeout = timeout

    def _checkpoint(self, mode: str) -> int:
        [(busy, pages, copied)] = execute_sql(self._db, f"PRAGMA wal_checkpoint({mode})")
        if mode == "RESTART" and not busy and pages == copied:
            return 0
        return max(int(pages), 0) * self._page_bytes
