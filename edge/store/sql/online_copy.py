"""Copies a SQLite database while other connections read and write it."""

from __future__ import annotations

import fcntl
import os
import shutil
import sqlite3
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from peewee import SqliteDatabase

from edge.core.errors import RefusedError, StoreError
from edge.core.file_owner import give_to_folder
from edge.store.sql.errors import translated_errors
from edge.store.sql.query import execute_sql, pragma

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# A copy leaves as many bytes free on the disk as it takes itself, but no more than this, so that the next events find
# room.
_RESERVE_BYTES = 32 * 2**20


def quick_check(copy: SqliteDatabase) -> None:
    """StoreError if SQLite finds a damaged page or row; tables are not compared with their indexes."""
    answer = pragma(copy, "quick_check(1)")
    if answer != "ok":
        raise StoreError(f"the copy is damaged: {answer}; check the database and the disk")


def online_copy(db: SqliteDatabase, target: Path, check: Callable[[SqliteDatabase], None] = quick_check) -> None:
    """Write a whole, checked copy of the database as it is at this moment to ``target``; others go on using it.

    The file gets its name when all of it is on the disk and ``check``, which gets a read-only handle on it, has raised
    nothing; until then its name is ``<database>.unfinished``, which the next copy into the folder replaces. The copy is
    one file, without a write-ahead log. StoreError if it cannot be made, for example because the disk has no room for
    it or the target exists already; RefusedError while another copy is being written into the folder.
    """
    source = database_file(db)
    unfinished = target.with_name(f"{source.name}.unfinished")
    with translated_errors(target):
        try:
            with _exclusive_copy_into(target.parent):
                if target.exists():
                    raise StoreError(f"{target}: exists already; move it away")
                _remove(unfinished)
                try:
                    _require_room(db, target)
                    _fill(db, unfinished)
                    with closing(_reader(unfinished)) as copy:
                        check(copy)
                    give_to_folder(unfinished)
                    sync_to_disk(unfinished)
                    unfinished.rename(target)
                    sync_to_disk(target.parent)
                finally:
                    _remove(unfinished)
        except OSError as error:
            raise StoreError(
                f"{target}: cannot be written ({error.strerror}); check the folder, its rights and the room on the disk"
            ) from error


def database_file(db: SqliteDatabase) -> Path:
    """The file of an open handle; the handle's own name is a URI if it only reads."""
    return next(Path(str(file)) for _, name, file in execute_sql(db, "PRAGMA database_list") if name == "main")


def sync_to_disk(path: Path) -> None:
    """Returns when a power cut can no longer undo the file, or the names in the folder. OSError if that fails."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _fill(db: SqliteDatabase, unfinished: Path) -> None:
    with closing(sqlite3.connect(unfinished)) as copy:
        # In one step: copied in several, it would start again whenever another process writes.
        db.connection().backup(copy)  # type: ignore[no-untyped-call]  # Peewee's stub has no types here
        # The copy is marked as using a write-ahead log, as the original is: make it a single file.
        copy.execute("PRAGMA journal_mode = DELETE")


def _require_room(db: SqliteDatabase, target: Path) -> None:
    size = int(pragma(db, "page_count")) * int(pragma(db, "page_size"))
    needed, free = size + min(size, _RESERVE_BYTES), shutil.disk_usage(target.parent).free
    if free < needed:
        raise StoreError(
            f"{target}: a copy takes {size / 1e6:,.1f} MB and must leave some room, the disk has {free / 1e6:,.1f} MB"
            " free; free some room, or use a folder on another disk"
        )


@contextmanager
def _exclusive_copy_into(folder: Path) -> Iterator[None]:
    # The lock is on the folder itself: no lock file is left behind, and the kernel releases it however the process
    # ends.
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RefusedError(f"{folder}: another copy is being written into it; wait until it is done") from None
        yield
    finally:
        os.close(descriptor)


def _reader(path: Path) -> SqliteDatabase:
    return SqliteDatabase(f"{path.absolute().as_uri()}?mode=ro", uri=True, pragmas={"query_only": 1})


def _remove(unfinished: Path) -> None:
    unfinished.unlink(missing_ok=True)
    unfinished.with_name(f"{unfinished.name}-journal").unlink(missing_ok=True)
