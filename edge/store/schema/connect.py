"""Opening the SQLite file, for the one writer and for any number of readers beside it."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from peewee import OperationalError, SqliteDatabase

from edge.core.errors import StoreError
from edge.core.file_owner import make_for_folder
from edge.store.schema.versions import has_schema, require_current
from edge.store.sql.errors import is_passing, told
from edge.store.sql.query import execute_sql

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RETRY_SECONDS = 0.02
# What an event writes is a dozen pages with little new on each: small ones halve the wear of the card, and reading is
# as quick. A file keeps the size that it was made with.
PAGE_BYTES = 1024
# So much is gathered in the write-ahead log before it is copied into the database, and so much of the log's file stays
# on the disk for good.
LOG_BYTES = 4 * 1024 * 1024


def open_database(path: Path, *, busy_timeout: float, read_only: bool = False) -> SqliteDatabase:
    """An open handle. ``busy_timeout`` is how many seconds a statement waits for another program's lock.

    A writer's handle is durable (WAL, ``synchronous=FULL``), checks foreign keys, and creates the file and its
    folder; its tables come from ``create_schema``, or from ``migrate`` when they are older. It works in the thread
    that opened it, and nowhere else. A read-only handle changes nothing, needs tables, and never hinders the writer;
    each thread that uses it gets a connection of its own, which ``close()`` in that thread ends.

    StoreError, with the path and the remedy, for a file that cannot be opened or is not ours; a file of another
    program is left as it was.
    """
    path = path.absolute()
    try:
        is_folder = path.is_dir()
    except OSError as error:
        raise StoreError(f"{path}: cannot be looked at ({error.strerror}); check the rights of its folder") from error
    if is_folder:
        raise StoreError(f"{path}: is a folder; set [database] path to a file in it")
    db = _read_only(path, busy_timeout) if read_only else _writer(path, busy_timeout)
    try:
        with told(path):
            db.connect()
            ours = has_schema(db, path)
            if read_only and not ours:
                raise StoreError(f"{path}: has no tables yet; start `smartpark run` once, or use `smartpark db create`")
            if read_only:
                require_current(db, path)
            if not read_only:
                _use_wal(db, path, busy_timeout)
    except BaseException:
        db.close()
        raise
    return db


@contextmanager
def open_copy(path: Path) -> Iterator[SqliteDatabase]:
    """A handle that cannot write, on a database of ours that nobody uses: a backup, or one that was set aside.

    Also of an older version. StoreError, with the path, for a file that is not ours, and for every error of SQLite in
    the block.
    """
    path = path.absolute()
    db = _read_only(path, busy_timeout=0.0)
    try:
        with told(path):
            db.connect()
            if not has_schema(db, path):
                raise StoreError(f"{path}: has no tables; name a backup of a SmartPark database")
            yield db
    finally:
        db.close()


def _writer(path: Path, busy_timeout: float) -> SqliteDatabase:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        make_for_folder(path)
    except OSError as error:
        raise StoreError(
            f"{path}: its folder cannot be made, or it in there ({error.strerror});"
            " make the folder, or set [database] path to another file"
        ) from error
    # autoconnect off: a handle used in a wrong thread says so instead of opening a second connection there.
    pragmas = {
        "page_size": PAGE_BYTES,
        "synchronous": "FULL",
        "foreign_keys": 1,
        # A log that grew beside a long read is cut back when it begins anew.
        "journal_size_limit": LOG_BYTES,
    }
    return SqliteDatabase(str(path), pragmas=pragmas, timeout=busy_timeout, autoconnect=False)


def _read_only(path: Path, busy_timeout: float) -> SqliteDatabase:
    if not path.exists():
        raise StoreError(f"{path}: there is no database; start `smartpark run` once, or correct [database] path")
    # as_uri() escapes what SQLite would read as the URI's query or fragment.
    return SqliteDatabase(f"{path.as_uri()}?mode=ro", uri=True, pragmas={"query_only": 1}, timeout=busy_timeout)


def _use_wal(db: SqliteDatabase, path: Path, busy_timeout: float) -> None:
    deadline = time.monotonic() + busy_timeout
    while True:
        try:
            [(mode,)] = execute_sql(db, "PRAGMA journal_mode = WAL")
            break
        except OperationalError as error:
            # SQLite does not wait for others here as it does elsewhere.
            if not is_passing(error) or time.monotonic() >= deadline:
                raise
            time.sleep(RETRY_SECONDS)
    if mode != "wal":
        raise StoreError(
            f"{path}: the file system cannot hold a write-ahead log; set [database] path to a file on a local disk"
        )
    [(page_bytes,)] = execute_sql(db, "PRAGMA page_size")
    execute_sql(db, f"PRAGMA wal_autocheckpoint = {LOG_BYTES // page_bytes}")
