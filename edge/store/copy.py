"""A copy of the database while it is in use."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from edge.errors import StoreError
from edge.store.trouble import told

if TYPE_CHECKING:
    from pathlib import Path

    from peewee import SqliteDatabase


def online_copy(db: SqliteDatabase, target: Path) -> None:
    """Write a whole, checked copy to ``target``, beside any number of readers and one writer.

    The file gets its name when all of it is on the disk and SQLite found nothing wrong with it; what is made before
    is removed again. It is one file, without a write-ahead log. StoreError when it cannot be made; a file that is
    there already is refused.
    """
    if target.exists():
        raise StoreError(f"{target}: is there already; move it away")
    unfinished = target.with_name(target.name + ".unfinished")
    try:
        with told(target):
            with closing(sqlite3.connect(unfinished)) as copy:
                db.connection().backup(copy)  # type: ignore[no-untyped-call]  # Peewee's stub has no types here
                # The copy says of itself that it uses a write-ahead log, as the original does: make it a lone file.
                copy.execute("PRAGMA journal_mode = DELETE")
                [(answer,)] = copy.execute("PRAGMA quick_check(1)").fetchall()
            if answer != "ok":
                raise StoreError(f"{db.database}: a copy of it is not sound: {answer}; check the database and the disk")
        _on_disk(unfinished)
        unfinished.rename(target)
        _on_disk(target.parent)
    except OSError as error:
        raise StoreError(f"{target}: cannot be written ({error.strerror}); check the room on the disk") from error
    finally:
        unfinished.unlink(missing_ok=True)


def _on_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
