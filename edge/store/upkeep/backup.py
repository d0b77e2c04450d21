"""Backups: whole copies of the database in a folder, each checked before it gets its name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from edge.core.errors import SmartParkError, StoreError
from edge.core.file_owner import give_to_folder
from edge.store.schema.connect import open_copy
from edge.store.sql.online_copy import database_file, online_copy
from edge.store.upkeep.verify import damage, verify

if TYPE_CHECKING:
    from pathlib import Path

    from peewee import SqliteDatabase

STAMP = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, slots=True)
class Backup:
    """A file of the folder. ``made_at`` is from its name, in UTC, to the second."""

    path: Path
    made_at: datetime
    size: int


@dataclass(frozen=True, slots=True)
class Made:
    """A new backup. ``disagreements`` are what ``verify`` says of it: they are the database's, faithfully copied."""

    backup: Backup
    disagreements: list[str]


class Backups:
    """The backups of the database ``database`` in ``folder``; other files there are left alone."""

    def __init__(self, folder: Path, database: Path) -> None:
        self._folder = folder
        self._stem = database.stem
        self._suffix = database.suffix or ".db"

    def make(self, db: SqliteDatabase, now: datetime) -> Made:
        """Copy what ``db`` holds at this moment, and verify the copy; others go on writing and reading meanwhile.

        StoreError when it cannot be written or the copy is damaged: then there is no new file, and the older ones
        are as they were. RefusedError while another one is being made, or when one of this second is there.
        """
        try:
            if not self._folder.is_dir():
                self._folder.mkdir(parents=True)
                give_to_folder(self._folder.absolute())
        except OSError as error:
            raise StoreError(
                f"{self._folder}: cannot be made ({error.strerror}); make it, or set [backup] folder"
            ) from error
        path = self._folder / f"{self._stem}-{now.astimezone(UTC):{STAMP}}{self._suffix}"
        disagreements: list[str] = []

        def check(copy: SqliteDatabase) -> None:
            require_sound(copy, f"the copy of {database_file(db)}")
            disagreements.extend(verify(copy))

        online_copy(db, path, check)
        return Made(self._backup(path, now.astimezone(UTC).replace(microsecond=0)), disagreements)

    def found(self) -> list[Backup]:
        """Those that are there, the newest first, as their names say; none of them is opened.

        StoreError when the folder is there and cannot be read.
        """
        pattern = re.compile(rf"{re.escape(self._stem)}-(\d{{8}}T\d{{6}}Z){re.escape(self._suffix)}")
        there = []
        try:
            for path in self._folder.iterdir():
                if match := pattern.fullmatch(path.name):
                    try:
                        made_at = datetime.strptime(match[1], STAMP).replace(tzinfo=UTC)
                    except ValueError:  # digits that are no time: not one of ours
                        continue
                    there.append(self._backup(path, made_at))
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise StoreError(
                f"{self._folder}: cannot be read ({error.strerror}); give the daemon's account the right,"
                " or correct [backup] folder"
            ) from error
        return sorted(there, key=lambda backup: backup.made_at, reverse=True)

    def newest_sound(self) -> tuple[Backup | None, list[str]]:
        """The newest that can be restored, or None; and why each newer one cannot, in a sentence. Reads them whole."""
        why_not = []
        for backup in self.found():
            try:
                with open_copy(backup.path) as copy:
                    require_sound(copy, backup.path)
            except SmartParkError as error:
                why_not.append(str(error))
            else:
                return backup, why_not
        return None, why_not

    def prune(self, now: datetime, keep_days: int, keep_files: int) -> list[Backup]:
        """Remove what is older than so many days or beyond so many files; those removed. The newest always stays.

        OSError of a file that cannot be removed becomes a StoreError.
        """
        removed = []
        for place, backup in enumerate(self.found()):
            if place and (place >= keep_files or now - backup.made_at > timedelta(days=keep_days)):
                try:
                    backup.path.unlink()
                except OSError as error:
                    raise StoreError(f"{backup.path}: cannot be removed ({error.strerror})") from error
                removed.append(backup)
        return removed

    @staticmethod
    def _backup(path: Path, made_at: datetime) -> Backup:
        return Backup(path, made_at, path.stat().st_size)


def require_sound(db: SqliteDatabase, name: object) -> None:
    """StoreError if SQLite finds anything wrong with the file: every page, row and index is looked at."""
    found = damage(db)
    if found:
        raise StoreError(f"{name}: is damaged and of no use: {found[0]}")
