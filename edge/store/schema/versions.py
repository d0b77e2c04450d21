"""Whether a file is ours and of which version, and making the tables of a new one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from peewee import Database, SchemaManager, SqliteDatabase, fn

from edge import __version__
from edge.core.errors import StoreError
from edge.store.schema.models import MODELS, SchemaMigration, table_name
from edge.store.schema.views import create_views, drop_views
from edge.store.sql.errors import name_of, told
from edge.store.sql.query import execute, execute_sql, rows, write_transaction

if TYPE_CHECKING:
    from collections.abc import Iterable

    from peewee import Context

# "SPKE", in SQLite's header: `file` and this program tell our databases from others by it. Never change it.
APPLICATION_ID = 0x53504B45
SCHEMA_VERSION = 2
# What a database of each older version must hold to be whole.
OLDER_TABLES = {1: frozenset({"floors", "events", "adjustments", "outbox"})}
TABLES = frozenset(table_name(model) for model in MODELS)


class _Tables(SchemaManager):
    def _create_table(self, safe: bool = True, **options: Any) -> Context:
        made: Context = super()._create_table(safe, **options)  # type: ignore[misc]  # Peewee's stub leaves it out
        # A key of several columns is the table itself, instead of an index beside it: a page less for each event.
        if isinstance(self.database, SqliteDatabase) and self.model._meta.composite_key:
            made.literal(" WITHOUT ROWID")
        return made


def create_schema(db: Database) -> bool:
    """Creates the tables in an empty database; True if it did. All or nothing, and safe to repeat.

    A database of an older version stays as it is: see ``migrations``. StoreError for a database of another program,
    of a newer version, or without one of our tables.
    """
    with told(name_of(db)), write_transaction(db):
        if has_schema(db, name_of(db)):
            return False
        for model in MODELS:
            _Tables(model, db).create_all(safe=False)
        create_views(db)
        if isinstance(db, SqliteDatabase):
            db.pragma("application_id", APPLICATION_ID)
        note_version(db, SCHEMA_VERSION, "created", datetime.now(UTC))
        return True


def drop_schema(db: Database) -> None:
    """Removes our tables and all that is in them, in one transaction. Other tables stay."""
    with told(name_of(db)), write_transaction(db):
        drop_views(db)
        for model in reversed(MODELS):
            SchemaManager(model, db).drop_table(safe=True)
        if isinstance(db, SqliteDatabase):
            db.pragma("user_version", 0)


def note_version(db: Database, version: int, name: str, now: datetime) -> None:
    """The tables have this version from the end of the present transaction on."""
    values = {
        SchemaMigration.version: version,
        SchemaMigration.name: name,
        SchemaMigration.applied_at: now,
        SchemaMigration.program_version: __version__,
    }
    execute(db, SchemaMigration.insert(values))
    if isinstance(db, SqliteDatabase):
        db.pragma("user_version", version)


def schema_version(db: Database) -> int:
    """The version of the tables; 0 where there are none."""
    if isinstance(db, SqliteDatabase):
        return int(db.pragma("user_version"))
    if table_name(SchemaMigration) not in db.get_tables():
        return 0
    [(version,)] = rows(db, SchemaMigration.select(fn.MAX(SchemaMigration.version)))
    return int(version or 0)


def has_schema(db: Database, name: object) -> bool:
    """True for a database of ours, also of an older version; False for an empty one.

    ``name`` is what messages call it. StoreError for every other: that of another program, of a newer version, or
    without one of our tables. Nothing is written.
    """
    tables = set(db.get_tables()) - {"sqlite_sequence", "sqlite_stat1", "sqlite_stat4"}
    version = schema_version(db)
    if isinstance(db, SqliteDatabase):
        owner = int(db.pragma("application_id"))
        if not tables and owner in (0, APPLICATION_ID) and version == 0:
            return False
        if owner != APPLICATION_ID:
            raise StoreError(
                f"{name}: is a database of another program (application id {owner:#010x}, not"
                f" {APPLICATION_ID:#010x}); set [database] path to another file"
            )
    elif not tables & TABLES:
        return False
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"{name}: has schema version {version}, this program knows up to {SCHEMA_VERSION};"
            " install the newer program, or set [database] path to another file"
        )
    _whole(name, tables, OLDER_TABLES.get(version, TABLES))
    return True


def require_current(db: Database, name: object) -> None:
    """StoreError, with the remedy, for a database of ours that has an older version than this program's."""
    version = schema_version(db)
    if version < SCHEMA_VERSION:
        raise StoreError(
            f"{name}: has schema version {version}, this program needs {SCHEMA_VERSION};"
            " start `smartpark run`, or use `smartpark db migrate`"
        )


def tables_there(db: Database) -> dict[str, bool]:
    """For each table of ours whether it is there."""
    there = set(db.get_tables())
    return {table_name(model): table_name(model) in there for model in MODELS}


def _whole(name: object, tables: Iterable[str], needed: frozenset[str]) -> None:
    missing = sorted(needed - set(tables))
    if missing:
        raise StoreError(
            f"{name}: lacks the table{'s' if len(missing) > 1 else ''} {', '.join(missing)};"
            " it is damaged: put a backup in its place, or move it away to begin anew"
        )


def view_names(db: Database) -> list[str]:
    """The views that are there, by name. Only of SQLite."""
    return [name for (name,) in execute_sql(db, "SELECT name FROM sqlite_master WHERE type = 'view' ORDER BY name")]
