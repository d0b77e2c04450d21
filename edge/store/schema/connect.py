"""Opens the SQLite file, for the one writer and for any number of readers beside it."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from peewee import SqliteDatabase

from edge.core.errors import StoreError
from edge.core.file_owner import make_for_folder
from edge.store.schema.versions import has_tables, require_current_version
from edge.store.sql.errors import AccessError, is_passing, translated_errors
from edge.store.sql.query import pragma

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_RETRY_SECONDS = 0.02
# An event writes a dozen pages and changes little on each: small pages halve the wear of the card, and reading is as
# quick. A file keeps the page size that it was created with.
PAGE_BYTES = 1024
# The write-ahead log is copied into the database when it has this length, and its file is cut back to it.
WAL_BYTES = 4 * 1024 * 1024


def open_database(path: Path, *, busy_timeout: float, read_only: bool = False) -> SqliteDatabase:
    """An open handle. ``busy_timeout`` is how many seconds a statement waits for another program's lock.

    A writer's handle is durable (WAL, ``synchronous=FULL``), checks foreign keys, and creates the file and its folder;
    tables are created by ``create_tables``, and older ones changed by ``migrate``. It works only in the thread that
    opened it. A read-only handle needs tables, changes nothing, and never blocks the writer; each thread that uses it
    gets a connection of its own, which ``close()`` in that thread closes.

    StoreError, with the path and the remedy, for a file that cannot be opened or is not ours; a file of another
    program is left as it was.
    """
    path = path.absolute()
    if "\0" in str(path):
        raise StoreError(f"{str(path)!r}: cannot be a path; it has a zero byte")
    try:
        is_folder = path.is_dir()
    except OSError as error:
        raise StoreError(f"{path}: cannot be opened ({error.strerror}); check the rights of its folder") from error
    if is_folder:
        raise StoreError(f"{path}: is a folder; set [database] path to a file in it")
    db = _read_only(path, busy_timeout) if read_only else _writer(path, busy_timeout)
    try:
        with translated_errors(path):
            db.connect()
        has_ours = has_tables(db)
        if read_only:
            if not has_ours:
                raise StoreError(f"{path}: has no tables yet; start `smartpark run` once, or use `smartpark db create`")
            require_current_version(db)
        else:
            _use_wal(db, path, busy_timeout)
    except BaseException:
        db.close()
        raise
    return db


@contextmanager
def open_copy(path: Path) -> Iterator[SqliteDatabase]:
    """A read-only handle on a database of ours that no program uses: a backup, or a file that was set aside.

    Its version may be an older one. StoreError, with the path, for a file that is not ours.
    """
    path = path.absolute()
    db = _read_only(path, busy_timeout=0.0)
    try:
        with translated_errors(path):
            db.connect()
        if not has_tables(db):
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
            f"{path}: the file or its folder cannot be created ({error.strerror});"
            " create the folder, or set [database] path to another file"
        ) from error
    # autoconnect off: a handle that is used in a wrong thread raises an error instead of opening a connection there.
    pragmas = {
        "page_size": PAGE_BYTES,
        "synchronous": "FULL",
        "foreign_keys": 1,
        # A log that grew during a long read is cut back when it is written from its start again.
        "journal_size_limit": WAL_BYTES,
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
            mode = pragma(db, "journal_mode", "WAL")
            break
        except AccessError as error:
            # For this statement SQLite does not wait for another program's lock.
            if not is_passing(error) or time.monotonic() >= deadline:
                raise
            time.sleep(_RETRY_SECONDS)
    if mode != "wal":
        raise StoreError(
            f"{path}: the file system cannot hold a write-ahead log; set [database] path to a file on a local disk"
        )
    pragma(db, "wal_autocheckpoint", WAL_BYTES // int(pragma(db, "page_size")))
