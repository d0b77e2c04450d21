"""Makes and finds backups: whole copies of the database in a folder, each checked before it gets its name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from edge.core.errors import SmartParkError, StoreError
from edge.core.file_owner import give_to_folder
from edge.store.schema.connect import open_copy
from edge.store.sql.online_copy import database_file, online_copy
from edge.store.upkeep.verify import file_damage, verify

if TYPE_CHECKING:
    from pathlib import Path

    from peewee import SqliteDatabase

TIME_FORMAT = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup file. ``made_at`` is read from its name, in UTC, to the second; ``size`` is in bytes."""

    path: Path
    made_at: datetime
    size: int


@dataclass(frozen=True, slots=True)
class NewBackup:
    """A new backup, and the problems that ``verify`` finds in it: they are the database's own."""

    backup: Backup
    problems: list[str]


class Backups:
    """The backups in ``folder`` of the file ``database``; other files there are ignored."""

    def __init__(self, folder: Path, database: Path) -> None:
        self._folder = folder
        self._stem = database.stem
        self._suffix = database.suffix or ".db"

    def make(self, db: SqliteDatabase, now: datetime) -> NewBackup:
        """Copy the database as it is at this moment, and verify the copy; others go on writing and reading meanwhile.

        StoreError if the copy cannot be written, is damaged, or a backup of this second exists: then there is no new
        file, and the older ones are as they were. RefusedError while another backup is being made.
        """
        try:
            if not self._folder.is_dir():
                self._folder.mkdir(parents=True)
                give_to_folder(self._folder.absolute())
        except OSError as error:
            raise StoreError(
                f"{self._folder}: cannot be created ({error.strerror}); create it, or set [backup] folder"
            ) from error
        path = self._folder / f"{self._stem}-{now.astimezone(UTC):{TIME_FORMAT}}{self._suffix}"
        problems: list[str] = []

        def check(copy: SqliteDatabase) -> None:
            require_intact(copy, f"the copy of {database_file(db)}")
            problems.extend(verify(copy))

        online_copy(db, path, check)
        return NewBackup(self._backup(path, now.astimezone(UTC).replace(microsecond=0)), problems)

    def newest_first(self) -> list[Backup]:
        """The backups in the order of the times in their names; none of them is opened.

        Empty if there is no folder; StoreError if it cannot be read.
        """
        pattern = re.compile(rf"{re.escape(self._stem)}-(\d{{8}}T\d{{6}}Z){re.escape(self._suffix)}")
        backups = []
        try:
            for path in self._folder.iterdir():
                if match := pattern.fullmatch(path.name):
                    try:
                        made_at = datetime.strptime(match[1], TIME_FORMAT).replace(tzinfo=UTC)
                    except ValueError:  # digits that are not a time: a file of another program
                        continue
                    backups.append(self._backup(path, made_at))
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise StoreError(
                f"{self._folder}: cannot be read ({error.strerror}); give the daemon's account the right,"
                " or correct [backup] folder"
            ) from error
        return sorted(backups, key=lambda backup: backup.made_at, reverse=True)

    def newest_intact(self) -> tuple[Backup | None, list[str]]:
        """The newest backup that is not damaged, or None; and what is wrong with each newer one. Reads whole files."""
        problems = []
        for backup in self.newest_first():
            try:
                with open_copy(backup.path) as copy:
                    require_intact(copy, backup.path)
            except SmartParkError as error:
                problems.append(str(error))
            else:
                return backup, problems
        return None, problems

    def prune(self, now: datetime, keep_days: int, keep_files: int) -> list[Backup]:
        """Remove backups older than ``keep_days`` or beyond ``keep_files``; the removed ones. The newest always stays.

        StoreError if a file cannot be removed.
        """
        removed = []
        for index, backup in enumerate(self.newest_first()):
            if index and (index >= keep_files or now - backup.made_at > timedelta(days=keep_days)):
                try:
                    backup.path.unlink()
                except OSError as error:
                    raise StoreError(f"{backup.path}: cannot be removed ({error.strerror})") from error
                removed.append(backup)
        return removed

    @staticmethod
    def _backup(path: Path, made_at: datetime) -> Backup:
        return Backup(path, made_at, path.stat().st_size)


def require_intact(db: SqliteDatabase, name: object) -> None:
    """StoreError if SQLite finds anything wrong with the file; it checks every page, row and index."""
    damage = file_damage(db)
    if damage:
        raise StoreError(f"{name}: is damaged and cannot be used: {damage[0]}")
