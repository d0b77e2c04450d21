"""A copy of the database while it is in use."""

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
from edge.store.sql.errors import told
from edge.store.sql.query import execute_sql

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# What a copy leaves free beside itself, so that it never takes the room that the next events need; less for a small
# database, which needs little.
RESERVE_BYTES = 32 * 2**20


def quick_check(copy: SqliteDatabase) -> None:
    """StoreError if SQLite finds a page or row that is not sound; does not compare tables with their indexes."""
    [(answer,)] = execute_sql(copy, "PRAGMA quick_check(1)")
    if answer != "ok":
        raise StoreError(f"the copy is not sound: {answer}; check the database and the disk")


def online_copy(db: SqliteDatabase, target: Path, check: Callable[[SqliteDatabase], None] = quick_check) -> None:
    """Write a whole, checked copy of the moment to ``target``, beside any number of readers and one writer.

    The file gets its name when all of it is on the disk and ``check``, which gets a handle on it that cannot write,
    has raised nothing; until then it is ``<database>.unfinished``, which the next copy into the folder replaces. It is
    one file, without a write-ahead log. StoreError when it cannot be made, as when the disk has no room for it,
    or a file is there already; RefusedError while another copy is being written into the folder.
    """
    source = database_file(db)
    unfinished = target.with_name(f"{source.name}.unfinished")
    with told(target):
        try:
            with _only_copy_into(target.parent):
                if target.exists():
                    raise StoreError(f"{target}: is there already; move it away")
                _remove(unfinished)
                try:
                    _require_room(db, target)
                    _fill(db, unfinished)
                    with closing(_reader(unfinished)) as copy:
                        check(copy)
                    give_to_folder(unfinished)
                    on_disk(unfinished)
                    unfinished.rename(target)
                    on_disk(target.parent)
                finally:
                    _remove(unfinished)
        except OSError as error:
            raise StoreError(
                f"{target}: cannot be written ({error.strerror}); check the folder, its rights and the room on the disk"
            ) from error


def database_file(db: SqliteDatabase) -> Path:
    """The file of an open handle, whose own name is a URI when it only reads."""
    return next(Path(str(file)) for _, name, file in execute_sql(db, "PRAGMA database_list") if name == "main")


def on_disk(path: Path) -> None:
    """Returns when the file, or the names in the folder, would outlast a power cut. OSError if they cannot."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _fill(db: SqliteDatabase, unfinished: Path) -> None:
    with closing(sqlite3.connect(unfinished)) as copy:
        # In one step: one moment of the database, which a writer in another process cannot make begin again.
        db.connection().backup(copy)  # type: ignore[no-untyped-call]  # Peewee's stub has no types here
        # The copy says of itself that it uses a write-ahead log, as the original does: make it a lone file.
        copy.execute("PRAGMA journal_mode = DELETE")


def _require_room(db: SqliteDatabase, target: Path) -> None:
    size = int(db.pragma("page_count")) * int(db.pragma("page_size"))
    needed, free = size + min(size, RESERVE_BYTES), shutil.disk_usage(target.parent).free
    if free < needed:
        raise StoreError(
            f"{target}: a copy takes {size / 1e6:,.1f} MB and should leave some room, the disk has {free / 1e6:,.1f} MB"
            " free; make room, or use a folder on another disk"
        )


@contextmanager
def _only_copy_into(folder: Path) -> Iterator[None]:
    # The lock is on the folder itself: no file is left behind, and the kernel drops it however the process ends.
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RefusedError(f"{folder}: another copy is being written into it; wait for that one") from None
        yield
    finally:
        os.close(descriptor)


def _reader(path: Path) -> SqliteDatabase:
    return SqliteDatabase(f"{path.absolute().as_uri()}?mode=ro", uri=True, pragmas={"query_only": 1})


def _remove(unfinished: Path) -> None:
    unfinished.unlink(missing_ok=True)
    unfinished.with_name(f"{unfinished.name}-journal").unlink(missing_ok=True)
