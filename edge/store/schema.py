"""The tables, and whether a file is ours.

    floors ──< events ──1 outbox        current_vehicles = opening_vehicles + entries - exits + sum(delta)
       └────< adjustments                                  holds after every transaction: the ledger

Models carry no database: each query is bound to the handle that was passed in.
"""

from __future__ import annotations

from enum import Enum, StrEnum
from typing import TYPE_CHECKING

from peewee import (
    BigIntegerField,
    BooleanField,
    Check,
    Database,
    DoubleField,
    ForeignKeyField,
    IntegerField,
    Model,
    SchemaManager,
    SqliteDatabase,
    TextField,
)

from edge.errors import StoreError
from edge.records import Direction, VehicleType
from edge.store.fields import NeverReusedField, UtcField, UuidField
from edge.store.transaction import write_transaction
from edge.store.trouble import told

if TYPE_CHECKING:
    from collections.abc import Iterable

# "SPKE", in SQLite's header: `file` and this program tell our databases from others by it. Never change it.
APPLICATION_ID = 0x53504B45
SCHEMA_VERSION = 1


class AdjustmentReason(StrEnum):
    """Why a floor's count changed without a vehicle."""

    UNDERFLOW = "underflow"  # an exit from an empty floor
    OVERFLOW = "overflow"  # an entry into a full one


def _one_of(column: str, values: Iterable[Enum]) -> str:
    return f"{column} IN ({', '.join(repr(str(value.value)) for value in values)})"


# What every row keeps to. Texts, because SQLite reads a table's own checks only when it may write, and ``verify``
# asks a read-only handle too.
FLOOR_CHECKS = (
    "total_slots >= 0",
    "current_vehicles >= 0 AND current_vehicles <= total_slots",
    # Not against total_slots: a floor may lose slots later, its opening count is history.
    "opening_vehicles >= 0",
)
EVENT_CHECKS = (
    _one_of("vehicle_type", VehicleType),
    _one_of("direction", Direction),
    "confidence >= 0 AND confidence <= 1",
)
ADJUSTMENT_CHECKS = ('"after" = "before" + delta', "reason <> ''")


class Floor(Model):
    """A floor and its count. ``seq`` grows by one with every change of the row."""

    id = NeverReusedField()
    name = TextField(unique=True)
    description = TextField()
    total_slots = IntegerField()
    current_vehicles = IntegerField()
    opening_vehicles = IntegerField()
    is_active = BooleanField()
    seq = BigIntegerField()
    created_at = UtcField()
    updated_at = UtcField()

    class Meta:
        table_name = "floors"
        constraints = tuple(map(Check, FLOOR_CHECKS))


class Event(Model):
    """A vehicle came into a floor or left it."""

    id = NeverReusedField()
    event_id = UuidField(unique=True)
    camera_id = TextField()
    gate_id = TextField()
    # No index of its own: (floor, timestamp) begins with it.
    floor = ForeignKeyField(Floor, on_delete="CASCADE", lazy_load=False, backref="+", index=False)
    track_id = TextField()
    vehicle_type = TextField()
    direction = TextField()
    confidence = DoubleField()
    timestamp = UtcField()
    created_at = UtcField()

    class Meta:
        table_name = "events"
        constraints = tuple(map(Check, EVENT_CHECKS))
        indexes = (
            (("camera_id", "track_id", "direction", "timestamp"), True),
            (("floor", "timestamp"), False),
        )


class Adjustment(Model):
    """A change of a floor's count that no vehicle caused: ``after = before + delta``.

    For a clamp ``before`` is what the event alone would have made of the count (-1 on an empty floor), ``after``
    is where the count stays. ``event_id`` is that event's UUID, no foreign key: it outlives the event's row.
    Reasons are checked in Python only, so that a new one needs no new table.
    """

    id = NeverReusedField()
    floor = ForeignKeyField(Floor, on_delete="CASCADE", lazy_load=False, backref="+")
    delta = IntegerField()
    reason = TextField()
    event_id = UuidField(null=True)
    note = TextField()
    before = IntegerField()
    after = IntegerField()
    at = UtcField()

    class Meta:
        table_name = "adjustments"
        constraints = tuple(map(Check, ADJUSTMENT_CHECKS))


class Outbox(Model):
    """An event that the broker has not acknowledged yet."""

    id = NeverReusedField()
    event = ForeignKeyField(Event, on_delete="CASCADE", lazy_load=False, backref="+", unique=True)
    created_at = UtcField()

    class Meta:
        table_name = "outbox"


MODELS: tuple[type[Model], ...] = (Floor, Event, Adjustment, Outbox)
CHECKS: dict[type[Model], tuple[str, ...]] = {
    Floor: FLOOR_CHECKS,
    Event: EVENT_CHECKS,
    Adjustment: ADJUSTMENT_CHECKS,
}


def create_schema(db: Database) -> bool:
    """Creates the tables in an empty database; True if it did. All or nothing, and safe to repeat.

    StoreError for a database of another program, of a newer schema, or without one of our tables.
    """
    with told(db.database), write_transaction(db):
        if has_schema(db, db.database):
            return False
        for model in MODELS:
            SchemaManager(model, db).create_all(safe=False)
        if isinstance(db, SqliteDatabase):
            db.pragma("application_id", APPLICATION_ID)
            db.pragma("user_version", SCHEMA_VERSION)
        return True


def has_schema(db: Database, name: object) -> bool:
    """True for a database of ours, False for an empty one. ``name`` is what messages call it.

    StoreError for every other: that of another program, of a newer schema, or without one of our tables.
    Nothing is written.
    """
    tables = set(db.get_tables()) - {"sqlite_sequence"}
    if isinstance(db, SqliteDatabase):
        owner, version = int(db.pragma("application_id")), int(db.pragma("user_version"))
        if not tables and owner in (0, APPLICATION_ID) and version == 0:
            return False
        if owner != APPLICATION_ID:
            raise StoreError(
                f"{name}: is a database of another program (application id {owner:#010x}, not"
                f" {APPLICATION_ID:#010x}); set [database] path to another file"
            )
        if version > SCHEMA_VERSION:
            raise StoreError(
                f"{name}: has schema version {version}, this program knows up to {SCHEMA_VERSION};"
                " install the newer program, or set [database] path to another file"
            )
    elif not tables & {table_name(model) for model in MODELS}:
        return False
    missing = sorted({table_name(model) for model in MODELS} - tables)
    if missing:
        raise StoreError(
            f"{name}: lacks the table{'s' if len(missing) > 1 else ''} {', '.join(missing)};"
            " it is damaged: put a backup in its place, or move it away to begin anew"
        )
    return True


def table_name(model: type[Model]) -> str:
    """The table of a model."""
    return str(model._meta.table_name)
