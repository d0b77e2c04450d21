"""Records the times in which a camera could not be counted, and reads them.

A camera has one open interval at most. Each change is one transaction, and does what is needed whatever is stored: a
change before it may have been dropped while the disk was full.
"""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TextIO

from peewee import fn

from edge.store.schema.quality_models import BlindRow, ClockChangeRow
from edge.store.sql.query import execute, fetch_rows, write_transaction
from edge.store.sql.times import iso, to_utc

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from peewee import Database, ModelSelect

    from edge.store.sql.query import SqlRow

NOT_RUNNING = "the daemon was not running"
BLIND_COLUMNS = ("id", "camera_id", "began_at", "ended_at", "seconds", "reason")
_COLUMNS = (BlindRow.id, BlindRow.camera_id, BlindRow.began_at, BlindRow.ended_at, BlindRow.reason)
_CHUNK = 1000


@dataclass(frozen=True, slots=True)
class BlindInterval:
    """A time in which a camera could not be counted; ``ended_at`` is None while it lasts. Times are aware UTC."""

    id: int
    camera_id: str
    began_at: datetime
    ended_at: datetime | None
    reason: str

    @property
    def seconds(self) -> float | None:
        """How long it was, never below 0; None while it lasts."""
        return None if self.ended_at is None else max((self.ended_at - self.began_at).total_seconds(), 0.0)


def blind_fields(interval: BlindInterval) -> dict[str, object]:
    """The interval's values by the names of ``BLIND_COLUMNS``, as JSON takes them."""
    return {
        "id": interval.id,
        "camera_id": interval.camera_id,
        "began_at": iso(interval.began_at),
        "ended_at": None if interval.ended_at is None else iso(interval.ended_at),
        "seconds": interval.seconds,
        "reason": interval.reason,
    }


class BlindIntervals:
    """The blind intervals of one database. Used in the thread that opened the handle."""

    def __init__(self, db: Database) -> None:
        self._db = db

    # -- reading ---------------------------------------------------------------------------------------------------

    def newest(
        self,
        limit: int = 50,
        *,
        camera: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> list[BlindInterval]:
        """The ``limit`` intervals that began last, the last first: those that touch the time range."""
        query = _in_range(camera, since, until).order_by(BlindRow.id.desc()).limit(limit)
        return [BlindInterval(*row) for row in fetch_rows(self._db, query)]

    def open(self) -> list[BlindInterval]:
        """The intervals that last, in the order in which they were recorded."""
        query = BlindRow.select(*_COLUMNS).where(BlindRow.ended_at.is_null()).order_by(BlindRow.id)
        return [BlindInterval(*row) for row in fetch_rows(self._db, query)]

    def export(
        self,
        out: TextIO,
        form: Literal["csv", "jsonl"] = "csv",
        *,
        camera: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> int:
        """Write the intervals that touch the range as CSV or JSON Lines, the oldest first; how many there were."""
        writer = csv.DictWriter(out, BLIND_COLUMNS, lineterminator="\n")
        if form == "csv":
            writer.writeheader()
        written = 0
        for interval in self._stream(camera, since, until):
            if form == "csv":
                writer.writerow(blind_fields(interval))
            else:
                out.write(json.dumps(blind_fields(interval), ensure_ascii=False) + "\n")
            written += 1
        return written

    def _stream(self, camera: str | None, since: datetime | None, until: datetime | None) -> Iterator[BlindInterval]:
        last = 0
        while True:
            query = _in_range(camera, since, until).where(BlindRow.id > last).order_by(BlindRow.id).limit(_CHUNK)
            rows = fetch_rows(self._db, query)
            if not rows:
                return
            yield from (BlindInterval(*row) for row in rows)
            last = int(rows[-1][0])

    # -- changing --------------------------------------------------------------------------------------------------

    def begin(self, camera: str, at: datetime, reason: str) -> None:
        """A camera is blind from ``at`` on. An interval that is open ends then."""
        at = to_utc(at)
        with write_transaction(self._db):
            clock = self._last_clock_change()
            for interval in self._open_of(camera):
                self._close(interval, max(at, interval[1]), clock)
            self._insert(camera, at, None, reason, clock, None)

    def end(self, camera: str, began_at: datetime, ended_at: datetime, reason: str) -> None:
        """The camera's open interval ended at ``ended_at``; without an open one the whole interval is recorded."""
        began_at, ended_at = to_utc(began_at), to_utc(ended_at)
        with write_transaction(self._db):
            clock = self._last_clock_change()
            rows = self._open_of(camera)
            for interval in rows:
                self._close(interval, ended_at, clock)
            if not rows:
                self._insert(camera, began_at, ended_at, reason, clock, clock)

    def start_run(
        self, cameras: Sequence[str], last_run: datetime | None, *, same_boot: bool = False
    ) -> list[BlindInterval]:
        """A daemon starts, which saw nothing since ``last_run``, the end of the last one; the open intervals.

        Intervals that were open then end there, and each camera is blind since then because the daemon was not running.
        With None nothing is known of an earlier run: what is open stays open. The end of a run in an earlier boot is a
        time that no later synchronisation corrects.
        """
        with write_transaction(self._db):
            clock = self._last_clock_change()
            for interval in self.open():
                if last_run is not None or interval.camera_id not in cameras:
                    ended_at = interval.began_at if last_run is None else max(interval.began_at, to_utc(last_run))
                    self._close((interval.id, interval.began_at), ended_at, None)
            if last_run is not None:
                for camera in cameras:
                    began_clock = clock if same_boot else None
                    self._insert(camera, to_utc(last_run), None, NOT_RUNNING, began_clock, None)
            return self.open()

    def remove_before(self, before: datetime) -> int:
        """Remove the intervals that ended before that time; how many. Open ones stay."""
        return execute(self._db, BlindRow.delete().where(BlindRow.ended_at < before))

    # -- inside the transaction of the caller ----------------------------------------------------------------------

    def _open_of(self, camera: str) -> list[SqlRow]:
        query = BlindRow.select(BlindRow.id, BlindRow.began_at)
        return fetch_rows(self._db, query.where(BlindRow.camera_id == camera, BlindRow.ended_at.is_null()))

    def _close(self, interval: tuple[int, datetime] | SqlRow, at: datetime, clock: int | None) -> None:
        values = {BlindRow.ended_at: at, BlindRow.ended_clock: clock}
        execute(self._db, BlindRow.update(values).where(BlindRow.id == interval[0]))

    def _insert(
        self,
        camera: str,
        began_at: datetime,
        ended_at: datetime | None,
        reason: str,
        began_clock: int | None,
        ended_clock: int | None,
    ) -> None:
        values = {
            BlindRow.camera_id: camera,
            BlindRow.began_at: began_at,
            BlindRow.ended_at: ended_at,
            BlindRow.reason: reason,
            BlindRow.began_clock: began_clock,
            BlindRow.ended_clock: ended_clock,
        }
        execute(self._db, BlindRow.insert(values))

    def _last_clock_change(self) -> int | None:
        [(last,)] = fetch_rows(self._db, ClockChangeRow.select(fn.MAX(ClockChangeRow.id)))
        return None if last is None else int(last)


def _in_range(camera: str | None, since: datetime | None, until: datetime | None) -> ModelSelect[BlindRow]:
    """The intervals of a camera that touch a time range."""
    query = BlindRow.select(*_COLUMNS)
    if camera is not None:
        query = query.where(BlindRow.camera_id == camera)
    if since is not None:
        query = query.where(BlindRow.ended_at.is_null() | (BlindRow.ended_at >= to_utc(since)))
    if until is not None:
        query = query.where(BlindRow.began_at < to_utc(until))
    return query
