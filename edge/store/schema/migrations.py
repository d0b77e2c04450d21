"""Changes the tables of an older database into those of this program.

Each migration is one transaction together with its row in ``schema_migrations`` and SQLite's ``user_version``; a copy
of the database is made before the first of them. No migration can be undone: the copy is the way back.

Why not ``peewee-migrate`` (version 2.3)? A migration and its history row do share a transaction there. But to learn the
models that an older migration led to it runs it again, with ``peewee.Model.select`` and ``peewee.Database.execute_sql``
replaced for the whole process while other threads read; it binds its history model to one database globally, and
creates that table outside of the transaction. It has no dry run, no copy, and does not refuse a newer database. Without
these parts it is the loop below.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from peewee import SqliteDatabase

from edge.core.errors import StoreError
from edge.store.schema import migration_2, migration_3
from edge.store.schema.versions import SCHEMA_VERSION, record_version, schema_version
from edge.store.schema.views import create_views, drop_views
from edge.store.sql.errors import name_of
from edge.store.sql.online_copy import online_copy
from edge.store.sql.query import execute_sql, write_transaction
from edge.store.sql.times import utc_now

if TYPE_CHECKING:
    from peewee import Database

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Migration:
    """The statements that change the tables of the version before into those of ``version``.

    Never changed after its release.
    """

    version: int
    name: str
    statements: tuple[str, ...]


_MIGRATIONS = (
    Migration(2, migration_2.NAME, migration_2.STATEMENTS),
    Migration(3, migration_3.NAME_OF_3, migration_3.STATEMENTS_OF_3),
)


@dataclass(frozen=True, slots=True)
class Migrated:
    """The migrations that were applied, or would be; ``copy`` is the database as it was, None if nothing changed."""

    applied: tuple[Migration, ...] = ()
    copy: Path | None = None


class _RollBackError(Exception):
    """Ends the transaction of a dry run."""


def pending_migrations(db: Database) -> tuple[Migration, ...]:
    """The migrations that the database still needs, in their order."""
    version = schema_version(db)
    return tuple(step for step in _MIGRATIONS if step.version > version)


def migrate(db: Database, now: datetime | None = None, *, dry_run: bool = False) -> Migrated:
    """Apply the pending migrations. With ``dry_run`` they are rolled back again, and no copy is made.

    The caller makes sure that no other program counts into the database. StoreError, with the database as it was
    or at a complete earlier version, if the copy cannot be made or a migration fails.
    """
    now = now or utc_now()
    steps = pending_migrations(db)
    if not steps:
        return Migrated()
    if not isinstance(db, SqliteDatabase):
        raise StoreError(f"{name_of(db)}: only SQLite databases are older than version {steps[-1].version}")
    if dry_run:
        try:
            with write_transaction(db):
                for step in steps:
                    _apply(db, step, now)
                raise _RollBackError
        except _RollBackError:
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
    if schema_version(db) >= step.version:  # another process has applied it before this transaction began
        return
    drop_views(db)
    for statement in step.statements:
        execute_sql(db, statement)
    if step.version == SCHEMA_VERSION:
        create_views(db)
    record_version(db, step.version, step.name, now)


def _copy_name(path: Path, version: int, now: datetime) -> Path:
    return path.with_name(f"{path.name}.before-v{version}-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}")
