"""Defines the tables that say how far counts and times can be trusted."""

from __future__ import annotations

from enum import StrEnum

from peewee import BigIntegerField, Model, TextField

from edge.store.schema.columns import NeverReusedField, UtcField, check_constraint, one_of


class ClockChangeKind(StrEnum):
    """What happened to the wall clock."""

    START = "start"  # a daemon started
    STEP = "step"  # the clock was set while a daemon ran
    SYNCHRONISED = "synchronised"  # a daemon saw for the first time that the clock is synchronised


BLIND_CHECKS = ("camera_id <> ''", "reason <> ''")
CLOCK_CHANGE_CHECKS = (one_of("kind", ClockChangeKind), "boot_id <> ''")


class BlindRow(Model):
    """A time in which a camera could not be counted; ``ended_at`` is null while it lasts.

    ``began_clock`` and ``ended_clock`` are the ids of the last clock changes before the two times were taken: by them
    the times are corrected when the clock is first synchronised. Null: the time is not corrected. The table is small,
    and needs no index.
    """

    id = NeverReusedField()
    camera_id = TextField()
    began_at = UtcField()
    ended_at = UtcField(null=True)
    reason = TextField()
    began_clock = BigIntegerField(null=True)
    ended_clock = BigIntegerField(null=True)

    class Meta:
        name = "blindinterval"
        table_name = "blind_intervals"
        constraints = tuple(map(check_constraint, BLIND_CHECKS))


class ClockChangeRow(Model):
    """A change of the wall clock. Its offset is that of the wall clock from the monotonic clock of the boot.

    ``at`` is the wall clock's time after the change, ``step_micros`` how far it was set, and ``last_event`` the id of
    the last event that was recorded before it.
    """

    id = NeverReusedField()
    at = UtcField()
    kind = TextField()
    boot_id = TextField()
    offset_micros = BigIntegerField()
    step_micros = BigIntegerField()
    last_event = BigIntegerField()

    class Meta:
        name = "clockchange"
        table_name = "clock_changes"
        constraints = tuple(map(check_constraint, CLOCK_CHANGE_CHECKS))
