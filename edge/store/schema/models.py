"""Defines the tables as Peewee models.

    floors ──< events ──1 outbox        current_vehicles = opening_vehicles + entries - exits + sum(delta)
       ├────< adjustments                                  is true after every transaction: the ledger
       └────< event_hourly              entries and exits by the hour; they stay when old events are removed

    audit_log                           who changed what
    blind_intervals                     when a camera could not be counted
    clock_changes                       starts, steps and the synchronisation of the wall clock
    schema_migrations                   the versions that the tables have had

Models carry no database: each query is bound to the handle that was passed in, of SQLite or PostgreSQL. A change here
needs a migration. ``Meta.name`` is a part of the names of indexes, which older databases have: never change it.
"""

from __future__ import annotations

from enum import StrEnum

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
from edge.store.schema.columns import NeverReusedField, UtcField, UuidField, check_constraint, one_of
from edge.store.schema.quality_models import BLIND_CHECKS, CLOCK_CHANGE_CHECKS, BlindRow, ClockChangeRow


class AdjustmentReason(StrEnum):
    """Why a floor's count changed without a vehicle."""

    UNDERFLOW = "underflow"  # an exit from an empty floor
    OVERFLOW = "overflow"  # an entry into a full floor, or fewer slots than the floor had vehicles
    CORRECTION = "correction"  # a person counted
    CHANGE = "change"  # a person entered how many came or went
    RESET = "reset"  # set to a number at a planned time
    REPAIR = "repair"  # `db verify --repair` corrected the ledger, or the count was read from a damaged database


# The conditions that every row fulfils. They are kept as texts, because ``verify`` evaluates them on a read-only handle
# too, where SQLite does not check its tables' constraints.
_FLOOR_CHECKS = (
    "total_slots >= 0",
    "current_vehicles >= 0 AND current_vehicles <= total_slots",
    # Not compared with total_slots: a floor may lose slots later, and its opening count stays.
    "opening_vehicles >= 0",
)
_EVENT_CHECKS = (
    one_of("vehicle_type", VehicleType),
    one_of("direction", Direction),
    "confidence >= 0 AND confidence <= 1",
)
_CLOCK_STATE_CHECK = one_of("clock_state", ClockState)
_ADJUSTMENT_CHECKS = ('"after" = "before" + delta', "reason <> ''")
_AUDIT_CHECKS = ("actor <> ''", "action <> ''")
_HOUR_CHECKS = (
    "hour % 3600000000 = 0",
    "entries >= 0 AND exits >= 0",
    "entries + exits = car + motorcycle + bus + truck + bicycle + other",
    "removed_entries >= 0 AND removed_entries <= entries",
    "removed_exits >= 0 AND removed_exits <= exits",
)


class FloorRow(Model):
    """A floor and its count. ``seq`` grows by one with every change of the row.

    ``is_configured``: the floor was in the configuration when that was last applied. A deleted floor keeps its row, its
    name and its events until it is restored or deleted for good.
    """

    id = NeverReusedField()
    name = TextField(unique=True)
    description = TextField()
    total_slots = IntegerField()
    current_vehicles = IntegerField()
    opening_vehicles = IntegerField()
    # Indexed for the lists of active floors.
    is_active = BooleanField(index=True)
    seq = BigIntegerField()
    created_at = UtcField()
    # Indexed for queries of what has changed since; the index is one page.
    updated_at = UtcField(index=True)
    deleted_at = UtcField(null=True)
    is_configured = BooleanField(constraints=[SQL("DEFAULT TRUE")])
    # When a person counted the floor for the last time, and the last blind interval that there was then.
    counted_at = UtcField(null=True)
    counted_interval = BigIntegerField(constraints=[SQL("DEFAULT 0")])

    class Meta:
        name = "floor"
        table_name = "floors"
        constraints = tuple(map(check_constraint, _FLOOR_CHECKS))


class EventRow(Model):
    """A vehicle came into a floor or left it.

    Each index is one more page that a recorded event writes, so each is there for a query that would otherwise read
    more rows the larger the table is; ``tests/store/sql/test_plans.py`` checks the queries' plans.
    """

    id = NeverReusedField()
    # Computed from the unique key below, and so unique. No index: ids are random, so each event that is recorded or
    # removed would write a page of it that no other event needs.
    event_id = UuidField()
    camera_id = TextField()
    gate_id = TextField()
    # No index of its own: (floor, timestamp) begins with it.
    floor = ForeignKeyField(FloorRow, on_delete="CASCADE", lazy_load=False, backref="+", index=False)
    track_id = TextField()
    vehicle_type = TextField()
    direction = TextField()
    confidence = DoubleField()
    timestamp = UtcField()
    created_at = UtcField()
    clock_state = TextField(constraints=[SQL(f"DEFAULT '{ClockState.UNKNOWN}'"), check_constraint(_CLOCK_STATE_CHECK)])
    # Of the events after a step back of the clock; by it lists sort them instead of by their timestamp.
    order_at = UtcField(null=True)
    # Microseconds that were added to both times when the clock was first synchronised.
    correction = BigIntegerField(constraints=[SQL("DEFAULT 0")])

    class Meta:
        name = "event"
        table_name = "events"
        constraints = tuple(map(check_constraint, _EVENT_CHECKS))
        indexes = (
            # Idempotency: finds an event that is stored already.
            (("camera_id", "track_id", "direction", "timestamp"), True),
            # A floor's newest events, its time ranges, the incomplete hours of its statistics.
            (("floor", "timestamp"), False),
            # The same of a camera.
            (("camera_id", "timestamp"), False),
            # The same of all floors, export, and the oldest events for the clean-up.
            (("timestamp",), False),
        )


# Empty unless the clock was ever set back.
EventRow.add_index(EventRow.index(EventRow.order_at, where=EventRow.order_at.is_null(False), name="event_order_at"))


class AdjustmentRow(Model):
    """A change of a floor's count that no vehicle caused: ``after = before + delta``.

    For a clamp ``before`` is the count that the event alone would give (-1 on an empty floor), ``after`` is the count
    that is kept. ``event_id`` is that event's UUID, and no foreign key: it outlives the event's row. ``at`` is then the
    event's own time, so that a series over time shows both at the same moment.
    Reasons are checked in Python only, so that a new reason needs no new table.
    """

    id = NeverReusedField()
    floor = ForeignKeyField(FloorRow, on_delete="CASCADE", lazy_load=False, backref="+", index=False)
    delta = IntegerField()
    reason = TextField()
    event_id = UuidField(null=True)
    note = TextField()
    before = IntegerField()
    after = IntegerField()
    at = UtcField()
    actor = TextField(constraints=[SQL("DEFAULT ''")])

    class Meta:
        name = "adjustment"
        table_name = "adjustments"
        constraints = tuple(map(check_constraint, _ADJUSTMENT_CHECKS))
        # A floor's adjustments in a range of time, for its occupancy over time; and all of a floor.
        indexes = ((("floor", "at"), False),)


class HourRow(Model):
    """How many events of a floor fell into an hour of UTC; written in the transaction that records the event.

    One row for each hour and floor, one column for each vehicle type: a year of eight floors is 70,000 rows, which a
    query adds up in a few hundredths of a second. ``removed_...`` is how many of the events were removed since: the
    others are in ``events``.
    """

    # The hour is first in the key: a window of all floors is one range of the table, grouped by hour without sorting.
    hour = UtcField()
    floor = ForeignKeyField(FloorRow, on_delete="CASCADE", lazy_load=False, backref="+")
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
        name = "eventhourly"
        table_name = "event_hourly"
        primary_key = CompositeKey("hour", "floor")
        constraints = tuple(map(check_constraint, _HOUR_CHECKS))


class OutboxRow(Model):
    """An event that the broker has not acknowledged yet."""

    id = NeverReusedField()
    event = ForeignKeyField(EventRow, on_delete="CASCADE", lazy_load=False, backref="+", unique=True)
    created_at = UtcField()

    class Meta:
        name = "outbox"
        table_name = "outbox"


class AuditRow(Model):
    """A change: who made it, when, and what it was; ``before`` and ``after`` are JSON objects or null."""

    id = NeverReusedField()
    at = UtcField()
    actor = TextField()
    action = TextField()
    subject = TextField()
    before = TextField(null=True)
    after = TextField(null=True)
    note = TextField()

    class Meta:
        name = "auditentry"
        table_name = "audit_log"
        constraints = tuple(map(check_constraint, _AUDIT_CHECKS))


class MigrationRow(Model):
    """A version that the tables had from ``applied_at`` on, and the migration that led to it."""

    version = IntegerField(primary_key=True)
    name = TextField()
    applied_at = UtcField()
    program_version = TextField()

    class Meta:
        name = "schemamigration"
        table_name = "schema_migrations"


# In the order in which they are created; they are dropped the other way round.
MODELS: tuple[type[Model], ...] = (
    *(FloorRow, EventRow, AdjustmentRow, HourRow, OutboxRow),
    *(BlindRow, ClockChangeRow, AuditRow, MigrationRow),
)
CHECKS: dict[type[Model], tuple[str, ...]] = {
    FloorRow: _FLOOR_CHECKS,
    EventRow: (*_EVENT_CHECKS, _CLOCK_STATE_CHECK),
    AdjustmentRow: _ADJUSTMENT_CHECKS,
    HourRow: _HOUR_CHECKS,
    BlindRow: BLIND_CHECKS,
    ClockChangeRow: CLOCK_CHANGE_CHECKS,
    AuditRow: _AUDIT_CHECKS,
}


def table_name(model: type[Model]) -> str:
    """The table of a model."""
    return str(model._meta.table_name)
