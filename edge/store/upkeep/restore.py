"""Puts a backup in the place of the database when a person asks for it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.core.errors import RefusedError, StoreError
from edge.store.counts.audit import Attribution
from edge.store.schema.connect import open_copy, open_database
from edge.store.schema.migrations import migrate
from edge.store.schema.versions import schema_version
from edge.store.sql.online_copy import online_copy
from edge.store.upkeep.backup import require_intact
from edge.store.upkeep.replace_file import (
    Replacement,
    begin_replacement,
    carry_out_replacement,
    finish_replacement,
    replacing_path,
    set_aside_path,
    unfinished_replacement,
)
from edge.store.upkeep.salvage import salvage

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did. ``kept_as`` is the database that was there before, None if there was none.

    ``backup_version`` is the schema version of the backup; the database has this program's.
    """

    source: Path
    kept_as: Path | None
    backup_version: int


def restore_backup(path: Path, backup: Path, by: Attribution | None = None, *, busy_timeout: float = 0.0) -> Restored:
    """Put a copy of ``backup`` in the place of the database ``path``, after checking it, and migrate it.

    The database that was there is kept beside it as ``<database>.replaced-<time>``. No other program may have the
    database open. RefusedError if there is no backup file or it is the database itself; StoreError, with the database
    as it was, if the backup is damaged or cannot be copied.
    """
    by = by or Attribution()
    path, backup = path.absolute(), backup.absolute()
    if not backup.exists():
        raise RefusedError(f"{backup}: there is no such file; `smartpark db backups` lists the backups")
    if path.exists() and backup.samefile(path):
        raise RefusedError(f"{backup}: is the database itself; name a backup, as `smartpark db backups` lists them")
    if (unfinished := unfinished_replacement(path)) is not None:  # an earlier restore that was interrupted
        carry_out_replacement(path, unfinished)
        _finish(path, unfinished, busy_timeout)
    new = replacing_path(path)
    try:
        new.unlink(missing_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{new}: cannot be written ({error.strerror}); check the folder and its rights") from error
    with open_copy(backup) as source:
        require_intact(source, backup)
        online_copy(source, new)
    replacement = Replacement(set_aside_path(path, "replaced", by.at), backup, by.at, by.actor, by.note)
    begin_replacement(path, replacement)
    carry_out_replacement(path, replacement)
    backup_version = _finish(path, replacement, busy_timeout)
    kept_as = replacement.set_aside if replacement.set_aside.exists() else None
    return Restored(backup, kept_as, backup_version)


def _finish(path: Path, replacement: Replacement, busy_timeout: float) -> int:
    """Migrate the new database and write its audit entry; the version of its tables before that."""
    by = Attribution(replacement.actor, replacement.at, replacement.note)
    with closing(open_database(path, busy_timeout=busy_timeout)) as db:
        version = schema_version(db)
        migrate(db, by.at)
        salvage(db, replacement, by)
    finish_replacement(path)
    return version
