"""Replaces a database that is found damaged at the start by the newest backup that is not damaged.

``find_damage`` checks the file, ``recover`` puts the backup in its place, and ``salvage``, once the tables have this
program's version and the floors are those of the configuration, carries over what the damaged file still tells.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING

from edge.core.errors import StoreError
from edge.store.schema.connect import open_copy, open_database
from edge.store.schema.versions import APPLICATION_ID, create_tables
from edge.store.sql.errors import is_damage, result_codes
from edge.store.sql.online_copy import online_copy
from edge.store.upkeep.replace_file import (
    Replacement,
    begin_replacement,
    carry_out_replacement,
    replacing_path,
    set_aside_path,
    unfinished_replacement,
)
from edge.store.upkeep.salvage import RECOVERY

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from edge.store.upkeep.backup import Backups

log = logging.getLogger(__name__)

# How long a start may check the pages of a large database; `db verify` checks all of them. After ``request_full_check``
# the time is not limited.
_CHECK_SECONDS = 5.0
# SQLite calls the progress handler after so many steps of its virtual machine: every few milliseconds.
_STEPS = 100_000
# SQLite's file header, and the bytes of it that hold the application id.
_HEADER_BYTES = 100
_APPLICATION_ID_BYTES = slice(68, 72)


def request_full_check(path: Path) -> None:
    """Have the next start check all of the file. For a program that met damage and ends; logs if it cannot."""
    try:
        _mark(path).touch()
    except OSError as error:
        log.error("%s cannot be created (%s); use `smartpark db verify`", _mark(path), error.strerror)


def recover(path: Path, backups: Backups, now: datetime) -> Replacement | None:
    """Put the newest backup in the place of a damaged database, an empty database if there is no backup.

    Returns what was replaced until ``finish_replacement`` is called; also what an earlier start, or a person's
    ``db restore``, began and did not finish. None for a database that is not damaged or does not exist. The damaged one
    is kept as ``<database>.damaged-<time>`` with its write-ahead log. No other program may have the database open.
    StoreError if the backup cannot be put in place, for example for lack of room; a file that is not ours stays as it
    is. Damaged backups are passed over: to count from nothing is better than not to count.
    """
    replacement = unfinished_replacement(path)
    if replacement is None:
        try:
            has_backups = bool(backups.newest_first())
        except StoreError as error:
            log.error("the backups cannot be read: %s", error)
            has_backups = False
        damage = find_damage(path, is_ours=has_backups)
        if damage is None:
            return None
        log.error("the database %s is damaged: %s", path, damage)
        backup, problems = backups.newest_intact() if has_backups else (None, [])
        for problem in problems:
            log.error("a backup cannot be used: %s", problem)
        new = replacing_path(path)
        _remove(new)
        if backup is None:
            with closing(open_database(new, busy_timeout=0.0)) as db:
                create_tables(db)
        else:
            with open_copy(backup.path) as copy:
                online_copy(copy, new)
        aside = set_aside_path(path, "damaged", now)
        replacement = Replacement(aside, backup.path if backup else None, now, RECOVERY, damage=damage)
        begin_replacement(path, replacement)
    carry_out_replacement(path, replacement)
    _remove(_mark(path))
    if replacement.damage:
        source = replacement.source
        result = f"restored from {source}" if source else "empty now: there is no backup that is not damaged"
        log.error("the database %s is %s; the damaged one is kept as %s", path, result, replacement.set_aside)
    return replacement


def find_damage(path: Path, *, is_ours: bool = False, seconds: float = _CHECK_SECONDS) -> str | None:
    """What is wrong with the file, as SQLite reports it; None if nothing was found, or there is no file.

    Checks every page, or as many as it can in ``seconds``; all of them and their indexes after ``request_full_check``.
    A file that is empty, or whose first page is destroyed, is checked only if the caller knows that it ``is_ours``: a
    file of another program is left alone. No other program may write meanwhile. StoreError for a file that cannot be
    read at all.
    """
    try:
        if not path.exists():
            return None
        if path.stat().st_size == 0:
            return "the file is empty" if is_ours else None
        with path.open("rb") as file:
            application_id = file.read(_HEADER_BYTES)[_APPLICATION_ID_BYTES]
    except OSError as error:
        raise StoreError(f"{path}: cannot be read ({error.strerror}); check the disk and the file's rights") from error
    if application_id != APPLICATION_ID.to_bytes(4, "big") and not is_ours:
        return None
    if _mark(path).exists():
        damage = _run_check(path, "integrity_check", None)
        if damage is None:
            log.warning("an earlier run met damage in %s; a check of the whole file finds none", path)
            _remove(_mark(path))
        return damage
    return _run_check(path, "quick_check", seconds)


def _run_check(path: Path, check: str, seconds: float | None) -> str | None:
    deadline = None if seconds is None else time.monotonic() + seconds
    try:
        # Not read-only: after a power cut even reading has to build the index of the write-ahead log again.
        with closing(sqlite3.connect(path, timeout=0.0)) as connection:
            if deadline is not None:
                connection.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS)
            [answer] = connection.execute(f"PRAGMA {check}(1)").fetchone()
            return None if answer == "ok" else str(answer)
    except sqlite3.Error as error:
        if is_damage(error):
            return str(error)
        if sqlite3.SQLITE_INTERRUPT in result_codes(error):
            log.info("no damage found in %s in %.0f s; `smartpark db verify` checks all of it", path, seconds)
            return None
        # Another error, such as a full disk, is reported where the database is opened.
        log.debug("%s could not be checked: %s", path, error)
        return None


def _mark(path: Path) -> Path:
    return path.with_name(f"{path.name}.suspect")


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(f"{path}: cannot be removed ({error.strerror}); remove it") from error
