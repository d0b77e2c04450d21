"""Brings an older database to this program's tables.

Each migration is one transaction together with its row in ``schema_migrations`` and SQLite's ``user_version``; a copy
of the database is made before the first of them. There is no way back: the copy is.

Why not ``peewee-migrate`` (2.3 was looked at)? A migration and its history row do share a transaction there. But to
learn what an older migration made of the models it runs it again with ``peewee.Model.select`` and
``peewee.Database.execute_sql`` replaced for the whole process, under the feet of every other thread that reads; it
binds its history model to one database globally, and creates that table outside of the transaction. It has no dry run,
no copy, no refusal of a newer database. What would be left of it is the loop below.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from peewee import SqliteDatabase

from edge.core.errors import StoreError
from edge.store.schema import migration_2
from edge.store.schema.versions import SCHEMA_VERSION, note_version, schema_version
from edge.store.schema.views import create_views, drop_views
from edge.store.sql.errors import name_of, told
from edge.store.sql.online_copy import online_copy
from edge.store.sql.query import execute_sql, write_transaction

if TYPE_CHECKING:
    from peewee import Database

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Migration:
    """What makes tables of ``version`` out of those of the version before. Never changed once it was released."""

    version: int
    name: str
    statements: tuple[str, ...]


MIGRATIONS = (Migration(2, migration_2.NAME, migration_2.STATEMENTS),)


@dataclass(frozen=True, slots=True)
class Migrated:
    """What was done, or would be; ``copy`` is the database as it was before, None when nothing was changed."""

    applied: tuple[Migration, ...] = ()
    copy: Path | None = None


class _NotKeptError(Exception):
    """Ends the transaction of a dry run."""


def pending(db: Database) -> tuple[Migration, ...]:
    """The migrations that the database still needs, in their order."""
    version = schema_version(db)
    return tuple(step for step in MIGRATIONS if step.version > version)


def migrate(db: Database, now: datetime | None = None, *, dry_run: bool = False) -> Migrated:
    """Apply what is pending. With ``dry_run`` it is applied and rolled back again, and no copy is made.

    The caller sees to it that no other program counts into the database. StoreError, with the database as it was
    or at a whole earlier version, when the copy cannot be made or a migration fails.
    """
    now = now or datetime.now(UTC)
    with told(name_of(db)):
        steps = pending(db)
        if not steps:
            return Migrated()
        if not isinstance(db, SqliteDatabase):
            raise StoreError(f"{name_of(db)}: only SQLite databases are older than version {steps[-1].version}")
        if dry_run:
            try:
                with write_transaction(db):
                    for step in steps:
                        _apply(db, step, now)
                    raise _NotKeptError
            except _NotKeptError:
                return Migrated(steps)
        copy = _copy_name(Path(db.database), steps[0].version, now)
        online_copy(db, copy)
        for step in steps:
            with write_transaction(db):
                _apply(db, step, now)
            log.info("the database has schema version %d now (%s)", step.version, step.name)
    log.info("the database as it was before is kept as %s", copy)
    return Migrated(steps, copy)


def _apply(db: SqliteDatabase, step: Migration, now: datetime) -> None:
    if schema_version(db) >= step.version:  # another process was quicker; its transaction ended before ours began
        return
    drop_views(db)
    for statement in step.statements:
        execute_sql(db, statement)
    if step.version == SCHEMA_VERSION:
        create_views(db)
    note_version(db, step.version, step.name, now)


def _copy_name(path: Path, version: int, now: datetime) -> Path:
    return path.with_name(f"{path.name}.before-v{version}-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}")
