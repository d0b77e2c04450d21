"""The tables as Peewee models.

    floors ──< events ──1 outbox        current_vehicles = opening_vehicles + entries - exits + sum(delta)
       ├────< adjustments                                  holds after every transaction: the ledger
       └────< event_hourly              entries and exits by the hour; they stay when old events are cleaned up

    audit_log                           who changed what from the shell
    schema_migrations                   how the tables came to be as they are

Models carry no database: each query is bound to the handle that was passed in, of SQLite or PostgreSQL. A change here
needs a migration.
"""

from __future__ import annotations

from enum import Enum, StrEnum
from typing import TYPE_CHECKING

from peewee import (
    SQL,
    BigIntegerField,
    BooleanField,
    CompositeKey,
    DoubleField,
    ForeignKeyField,
    IntegerField,
    Model,
    TextField,
)

from edge.core.events import ClockState, Direction, VehicleType
from edge.store.schema.columns import NeverReusedField, UtcField, UuidField, check

if TYPE_CHECKING:
    from collections.abc import Iterable


class AdjustmentReason(StrEnum):
    """Why a floor's count changed without a vehicle."""

    UNDERFLOW = "underflow"  # an exit from an empty floor
    OVERFLOW = "overflow"  # an entry into a full one, or slots taken away from a floor that had more vehicles
    CORRECTION = "correction"  # a person counted
    CHANGE = "change"  # a person said how many came or went
    RESET = "reset"  # back to a number at a planned time
    REPAIR = "repair"  # `db verify --repair` made the ledger agree with the count, or a damaged database told it


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
CLOCK_STATE_CHECK = _one_of("clock_state", ClockState)
ADJUSTMENT_CHECKS = ('"after" = "before" + delta', "reason <> ''")
AUDIT_CHECKS = ("actor <> ''", "action <> ''")
HOUR_CHECKS = (
    "hour % 3600000000 = 0",
    "entries >= 0 AND exits >= 0",
    "entries + exits = car + motorcycle + bus + truck + bicycle + other",
    "removed_entries >= 0 AND removed_entries <= entries",
    "removed_exits >= 0 AND removed_exits <= exits",
)


class Floor(Model):
    """A floor and its count. ``seq`` grows by one with every change of the row.

    ``is_configured``: it stood in the configuration when that was last applied. A deleted floor keeps its row, its
    name and its events until it is restored or deleted for good.
    """

    id = NeverReusedField()
    name = TextField(unique=True)
    description = TextField()
    total_slots = IntegerField()
    current_vehicles = IntegerField()
    opening_vehicles = IntegerField()
    # For the lists of active floors.
    is_active = BooleanField(index=True)
    seq = BigIntegerField()
    created_at = UtcField()
    # For "what changed since": a page of a handful of rows, so that it costs hardly anything.
    updated_at = UtcField(index=True)
    deleted_at = UtcField(null=True)
    is_configured = BooleanField(constraints=[SQL("DEFAULT TRUE")])

    class Meta:
        table_name = "floors"
        constraints = tuple(map(check, FLOOR_CHECKS))


class Event(Model):
    """A vehicle came into a floor or left it.

    Each index is one more page that a recorded event writes, so each has a query that it makes independent of the
    table's size; ``tests/store/test_plans.py`` holds the plans to it.
    """

    id = NeverReusedField()
    # Made of the unique key below, so unique by itself. No index: ids are random, and each event recorded or cleaned up
    # would write a page of it that no other event needs.
    event_id = UuidField()
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
    clock_state = TextField(constraints=[SQL(f"DEFAULT '{ClockState.UNKNOWN}'"), check(CLOCK_STATE_CHECK)])

    class Meta:
        table_name = "events"
        constraints = tuple(map(check, EVENT_CHECKS))
        indexes = (
            # Idempotency: finds the event that is there already.
            (("camera_id", "track_id", "direction", "timestamp"), True),
            # A floor's newest events, its time ranges, the hours at the ends of its statistics.
            (("floor", "timestamp"), False),
            # The same of a camera.
            (("camera_id", "timestamp"), False),
            # The same over all floors, export, and the oldest events for the clean-up.
            (("timestamp",), False),
        )


class Adjustment(Model):
    """A change of a floor's count that no vehicle caused: ``after = before + delta``.

    For a clamp ``before`` is what the event alone would have made of the count (-1 on an empty floor), ``after``
    is where the count stays. ``event_id`` is that event's UUID, no foreign key: it outlives the event's row. ``at`` is
    then the event's own time, so that a series over time shows both at once.
    Reasons are checked in Python only, so that a new one needs no new table.
    """

    id = NeverReusedField()
    floor = ForeignKeyField(Floor, on_delete="CASCADE", lazy_load=False, backref="+", index=False)
    delta = IntegerField()
    reason = TextField()
    event_id = UuidField(null=True)
    note = TextField()
    before = IntegerField()
    after = IntegerField()
    at = UtcField()
    actor = TextField(constraints=[SQL("DEFAULT ''")])

    class Meta:
        table_name = "adjustments"
        constraints = tuple(map(check, ADJUSTMENT_CHECKS))
        # A floor's adjustments in a stretch of time, for its occupancy over time; and all of a floor.
        indexes = ((("floor", "at"), False),)


class EventHourly(Model):
    """How many events of a floor fell into an hour of UTC, kept in the transaction that records the event.

    One row an hour and floor, a column a vehicle type: a year of eight floors is 70,000 rows, which a query adds up
    in a few hundredths of a second. ``removed_...`` is how many of them were cleaned up: the rest is in ``events``.
    """

    # First the hour: a window of all floors is one stretch of the table, grouped by hour without sorting.
    hour = UtcField()
    floor = ForeignKeyField(Floor, on_delete="CASCADE", lazy_load=False, backref="+")
    entries = IntegerField()
    exits = IntegerField()
    car = IntegerField()
    motorcycle = IntegerField()
    bus = IntegerField()
    truck = IntegerField()
    bicycle = IntegerField()
    other = IntegerField()
    confidence_sum = DoubleField()
    removed_entries = IntegerField(constraints=[SQL("DEFAULT 0")])
    removed_exits = IntegerField(constraints=[SQL("DEFAULT 0")])

    class Meta:
        table_name = "event_hourly"
        primary_key = CompositeKey("hour", "floor")
        constraints = tuple(map(check, HOUR_CHECKS))


class Outbox(Model):
    """An event that the broker has not acknowledged yet."""

    id = NeverReusedField()
    event = ForeignKeyField(Event, on_delete="CASCADE", lazy_load=False, backref="+", unique=True)
    created_at = UtcField()

    class Meta:
        table_name = "outbox"


class AuditEntry(Model):
    """Somebody changed something: who, when, what; ``before`` and ``after`` are JSON objects or null."""

    id = NeverReusedField()
    at = UtcField()
    actor = TextField()
    action = TextField()
    subject = TextField()
    before = TextField(null=True)
    after = TextField(null=True)
    note = TextField()

    class Meta:
        table_name = "audit_log"
        constraints = tuple(map(check, AUDIT_CHECKS))


class SchemaMigration(Model):
    """A version that the tables reached, and what brought them there."""

    version = IntegerField(primary_key=True)
    name = TextField()
    applied_at = UtcField()
    program_version = TextField()

    class Meta:
        table_name = "schema_migrations"


# In the order in which they are created; they are dropped the other way round.
MODELS: tuple[type[Model], ...] = (Floor, Event, Adjustment, EventHourly, Outbox, AuditEntry, SchemaMigration)
CHECKS: dict[type[Model], tuple[str, ...]] = {
    Floor: FLOOR_CHECKS,
    Event: (*EVENT_CHECKS, CLOCK_STATE_CHECK),
    Adjustment: ADJUSTMENT_CHECKS,
    EventHourly: HOUR_CHECKS,
    AuditEntry: AUDIT_CHECKS,
}


def table_name(model: type[Model]) -> str:
    """The table of a model."""
    return str(model._meta.table_name)
