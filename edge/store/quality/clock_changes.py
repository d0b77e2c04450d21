"""Records starts, steps and the first synchronisation of the wall clock, and corrects times by them.

Each row has the offset of the wall clock from the monotonic clock, which is the same clock for all programs of a boot.
Between two rows of a boot the offset is that of the first. When the clock is first synchronised the true offset is
known, and with it how wrong each time of the boot before it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from peewee import fn

from edge.store.counts.audit import Attribution
from edge.store.quality.time_correction import correct_times
from edge.store.schema.models import EventRow
from edge.store.schema.quality_models import BlindRow, ClockChangeKind, ClockChangeRow
from edge.store.sql.query import execute, fetch_rows, write_transaction
from edge.store.sql.times import MICROSECOND, to_utc

if TYPE_CHECKING:
    from datetime import datetime

    from peewee import Database

# The actor of a correction in the audit log.
_ACTOR = "clock"


@dataclass(frozen=True, slots=True)
class ClockChange:
    """A change of the wall clock, whose time was ``at`` (aware UTC) after it.

    ``offset`` is the wall clock's time since 1970 less the monotonic clock's in the boot ``boot_id``; ``step`` is by
    how much the clock was set.
    """

    kind: ClockChangeKind
    at: datetime
    boot_id: str
    offset: timedelta
    step: timedelta = timedelta(0)


class ClockChanges:
    """The clock changes of one database. Used in the thread that opened the handle."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def record(self, change: ClockChange) -> int:
        """Record a change in one transaction; the number of events whose time was corrected.

        Of the first synchronisation of a boot: the times of the boot's unsynchronised events are corrected, each once,
        with their ids kept, and the events wait in the outbox again. A later one of the boot is not recorded.
        """
        at = to_utc(change.at)
        with write_transaction(self._db):
            if change.kind is ClockChangeKind.SYNCHRONISED and self._is_synchronised(change.boot_id):
                return 0
            [(last_event,)] = fetch_rows(self._db, EventRow.select(fn.MAX(EventRow.id)))
            values = {
                ClockChangeRow.at: at,
                ClockChangeRow.kind: change.kind.value,
                ClockChangeRow.boot_id: change.boot_id,
                ClockChangeRow.offset_micros: change.offset // MICROSECOND,
                ClockChangeRow.step_micros: change.step // MICROSECOND,
                ClockChangeRow.last_event: last_event or 0,
            }
            row = execute(self._db, ClockChangeRow.insert(values))
            if change.kind is ClockChangeKind.STEP:
                self._shift_open_intervals(change.step // MICROSECOND, row)
            if change.kind is ClockChangeKind.SYNCHRONISED:
                return correct_times(self._db, change.boot_id, Attribution(_ACTOR, at))
        return 0

    def newest(self, limit: int = 50) -> list[ClockChange]:
        """The last ``limit`` changes, the newest first."""
        columns = (
            *(ClockChangeRow.kind, ClockChangeRow.at, ClockChangeRow.boot_id),
            *(ClockChangeRow.offset_micros, ClockChangeRow.step_micros),
        )
        rows = fetch_rows(self._db, ClockChangeRow.select(*columns).order_by(ClockChangeRow.id.desc()).limit(limit))
        return [
            ClockChange(ClockChangeKind(kind), at, boot, offset * MICROSECOND, step * MICROSECOND)
            for kind, at, boot, offset, step in rows
        ]

    def latest_time(self) -> datetime | None:
        """The latest time from which the clock was set back, so that events may lie before it; None if it never was.

        Steps before the first synchronisation of their boot do not matter, because the times were corrected.
        """
        synchronised = ClockChangeRow.alias()
        corrected = synchronised.select(synchronised.id).where(
            synchronised.boot_id == ClockChangeRow.boot_id,
            synchronised.kind == ClockChangeKind.SYNCHRONISED.value,
            synchronised.id > ClockChangeRow.id,
        )
        back = ClockChangeRow.select(ClockChangeRow.at, ClockChangeRow.step_micros)
        back = back.where(ClockChangeRow.step_micros < 0, ~fn.EXISTS(corrected))
        return max((at - step * MICROSECOND for at, step in fetch_rows(self._db, back)), default=None)

    def remove_before(self, before: datetime) -> int:
        """Remove older changes, but those of the last boot, by which times may still be corrected; how many."""
        last = ClockChangeRow.select(ClockChangeRow.boot_id).order_by(ClockChangeRow.id.desc()).limit(1)
        rows = fetch_rows(self._db, last)
        if not rows:
            return 0
        old = (ClockChangeRow.at < before) & (ClockChangeRow.boot_id != rows[0][0])
        return execute(self._db, ClockChangeRow.delete().where(old))

    # -- inside the transaction of the caller ----------------------------------------------------------------------

    def _is_synchronised(self, boot: str) -> bool:
        kind = ClockChangeRow.kind == ClockChangeKind.SYNCHRONISED.value
        query = ClockChangeRow.select(ClockChangeRow.id).where(ClockChangeRow.boot_id == boot, kind)
        return bool(fetch_rows(self._db, query))

    def _shift_open_intervals(self, micros: int, row: int) -> None:
        """Keep the lengths of the intervals that last, so that a step forward makes none an hour longer."""
        shifted = BlindRow.select(BlindRow.id, BlindRow.began_at)
        shifted = shifted.where(BlindRow.ended_at.is_null(), BlindRow.began_clock.is_null(False))
        for row_id, began_at in fetch_rows(self._db, shifted):
            values = {BlindRow.began_at: began_at + micros * MICROSECOND, BlindRow.began_clock: row}
            execute(self._db, BlindRow.update(values).where(BlindRow.id == row_id))
