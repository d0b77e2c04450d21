"""A database that is found damaged at the start: set aside, the newest good backup in its place, and said.

``find_damage`` looks, ``recover`` puts the backup in place, and ``take_over``, once the tables are those of this
program and the floors those of the configuration, carries over what the damaged file still tells.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING

from edge.core.errors import StoreError
from edge.store.schema.connect import open_copy, open_database
from edge.store.schema.versions import APPLICATION_ID, create_schema
from edge.store.sql.errors import codes, is_damage
from edge.store.sql.online_copy import online_copy
from edge.store.upkeep.replace_file import Replacement, begin, carry_out, name_aside, new_file, under_way
from edge.store.upkeep.salvage import RECOVERY

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from edge.store.upkeep.backup import Backups

log = logging.getLogger(__name__)

# How long a start may spend on looking at the pages of a large database; `db verify` looks at all of them. After a
# write that met damage the time is not limited.
CHECK_SECONDS = 5.0
# SQLite asks whether to go on after so many steps of its machine: a few milliseconds.
_STEPS = 100_000
# Where SQLite keeps the application id in a file.
_OWNER = slice(68, 72)


def suspect(path: Path) -> None:
    """Have the next start look at all of the file. For a program that met damage and ends; logs if it cannot."""
    try:
        _mark(path).touch()
    except OSError as error:
        log.error("%s cannot be made (%s); use `smartpark db verify`", _mark(path), error.strerror)


def recover(path: Path, backups: Backups, now: datetime) -> Replacement | None:
    """Put the newest sound backup in the place of a damaged database, an empty one if there is none.

    What was done, until ``replacement.finish`` says that it is dealt with: also what an earlier start, or somebody's
    ``db restore``, began and did not finish. None for a database that is well, or not there. The damaged one is kept
    as ``<database>.damaged-<time>`` with its write-ahead log. Only while nobody else has the database open. StoreError
    when the backup cannot be put in place, as for want of room; a file that is not ours is left alone. Backups that
    cannot be read are none: counting anew is better than not counting.
    """
    begun = under_way(path)
    if begun is None:
        try:
            ours = bool(backups.found())
        except StoreError as error:
            log.error("the backups cannot be looked at: %s", error)
            ours = False
        damage = find_damage(path, ours=ours)
        if damage is None:
            return None
        log.error("the database %s is damaged: %s", path, damage)
        backup, why_not = backups.newest_sound() if ours else (None, [])
        for why in why_not:
            log.error("a backup cannot be used: %s", why)
        new = new_file(path)
        _remove(new)
        if backup is None:
            with closing(open_database(new, busy_timeout=0.0)) as db:
                create_schema(db)
        else:
            with open_copy(backup.path) as copy:
                online_copy(copy, new)
        aside = name_aside(path, "damaged", now)
        begun = Replacement(aside, backup.path if backup else None, now, RECOVERY, damage=damage)
        begin(path, begun)
    carry_out(path, begun)
    _remove(_mark(path))
    if begun.damage:
        what = f"restored from {begun.source}" if begun.source else "begun anew: there is no sound backup"
        log.error("the database %s is %s; the damaged one is kept as %s", path, what, begun.set_aside)
    return begun


def find_damage(path: Path, *, ours: bool = False, seconds: float = CHECK_SECONDS) -> str | None:
    """What is wrong with the file, in SQLite's words; None if nothing was found, or there is no file.

    Looks at every page, or at as many as it can in ``seconds``; at all of them and their indexes if ``suspect`` was
    called. A file that is empty, or whose first page is destroyed, is taken for ours only if the caller knows that it
    is ``ours``: another program's file is none of our business. Only while nobody else writes. StoreError for a file
    that cannot be read at all.
    """
    try:
        if not path.exists():
            return None
        if path.stat().st_size == 0:
            return "the file is empty" if ours else None
        with path.open("rb") as file:
            owner = file.read(100)[_OWNER]
    except OSError as error:
        raise StoreError(f"{path}: cannot be read ({error.strerror}); check the disk and the file's rights") from error
    if owner != APPLICATION_ID.to_bytes(4, "big") and not ours:
        return None
    if _mark(path).exists():
        found = _examine(path, "integrity_check", None)
        if found is None:
            log.warning("an earlier run met damage in %s; all of it was looked at, and it is sound", path)
            _remove(_mark(path))
        return found
    return _examine(path, "quick_check", seconds)


def _examine(path: Path, check: str, seconds: float | None) -> str | None:
    deadline = None if seconds is None else time.monotonic() + seconds
    try:
        # Writing, because after a power cut even reading needs the index of the write-ahead log to be made anew.
        with closing(sqlite3.connect(path, timeout=0.0)) as connection:
            if deadline is not None:
                connection.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS)
            [answer] = connection.execute(f"PRAGMA {check}(1)").fetchone()
            return None if answer == "ok" else str(answer)
    except sqlite3.Error as error:
        if is_damage(error):
            return str(error)
        if sqlite3.SQLITE_INTERRUPT in codes(error):
            log.info("no damage found in %s in %.0f s; `smartpark db verify` looks at all of it", path, seconds)
            return None
        # What hinders everybody, as a full disk, is told where the database is opened.
        log.debug("could not be examined: %s", error)
        return None


def _mark(path: Path) -> Path:
    return path.with_name(f"{path.name}.suspect")


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(f"{path}: cannot be removed ({error.strerror}); remove it") from error
