"""What came and went in a window of time.

Whole hours come from the hourly totals, the pieces of an hour at the ends from the events: exact, and a year costs
thousands of rows, not millions.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from peewee import fn

from edge.errors import RefusedError
from edge.records import Direction, VehicleType
from edge.store.fields import from_micros, to_utc
from edge.store.floors import Floors
from edge.store.hours import HOUR, hour_of
from edge.store.models import Event, EventHourly
from edge.store.transaction import Prepared, read_transaction, rows, slot

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

    from peewee import Database, Expression

_BY_HOUR = (
    EventHourly.select(
        EventHourly.hour,
        fn.SUM(EventHourly.entries),
        fn.SUM(EventHourly.exits),
        fn.SUM(EventHourly.confidence_sum),
        *(fn.SUM(getattr(EventHourly, kind.value)) for kind in VehicleType),
    )
    .where(
        EventHourly.hour >= slot("since", EventHourly.hour),
        EventHourly.hour < slot("until", EventHourly.hour),
    )
    .group_by(EventHourly.hour)
)
_HOURS = Prepared(_BY_HOUR)
_HOURS_OF_FLOOR = Prepared(_BY_HOUR.where(EventHourly.floor == slot("floor_id")))


@dataclass(frozen=True, slots=True)
class Summary:
    """The events from ``since`` until before ``until``, of a floor or of all.

    Both are the window that was counted: where the events at an end of it were cleaned up, the whole hour is taken in.
    ``by_hour`` holds (entries, exits) for each hour of the day, 0 to 23, in local time; an hour of UTC counts where
    it begins, which matters only in time zones off by half an hour.
    """

    since: datetime
    until: datetime
    floor: str | None
    entries: int
    exits: int
    by_type: dict[VehicleType, int]
    by_hour: tuple[tuple[int, int], ...]
    mean_confidence: float | None

    @property
    def total(self) -> int:
        """All events."""
        return self.entries + self.exits

    @property
    def net(self) -> int:
        """How many more came than went."""
        return self.entries - self.exits

    @property
    def peak_hour(self) -> int | None:
        """The hour of the day, 0 to 23 in local time, with most events; the earliest of equals, None without any."""
        if not self.total:
            return None
        return max(range(24), key=lambda hour: (sum(self.by_hour[hour]), -hour))


class _Tally:
    def __init__(self, zone: tzinfo | None) -> None:
        self._zone = zone
        self.entries: Counter[int] = Counter()
        self.exits: Counter[int] = Counter()
        self.types: Counter[VehicleType] = Counter()
        self.confidence = 0.0

    def hour(self, moment: datetime, entries: int, exits: int) -> None:
        local = moment.astimezone(self._zone).hour
        self.entries[local] += entries
        self.exits[local] += exits


class Statistics:
    """Sums over the events of one database. Used in the thread that opened the handle."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def window(
        self, since: datetime, until: datetime, floor: str | None = None, *, zone: tzinfo | None = None
    ) -> Summary:
        """The summary of the events from ``since`` until before ``until``; hours of the day are those of ``zone``.

        Without a zone it is the machine's. RefusedError for an unknown floor, a naive time, or an end that is not
        after the beginning.
        """
        since, until = checked_window(since, until)
        tally = _Tally(zone)
        with read_transaction(self._db):
            floor_id = Floors(self._db).find(floor).id if floor is not None else None
            since, until = self._widened(since, until, floor_id)
            first, last = _up(since), hour_of(until)
            if first > last:  # within one hour
                self._count_events(since, until, floor_id, tally)
            else:
                self._count_events(since, first, floor_id, tally)
                self._count_hours(first, last, floor_id, tally)
                self._count_events(last, until, floor_id, tally)
        entries, exits = tally.entries.total(), tally.exits.total()
        return Summary(
            since=since,
            until=until,
            floor=floor,
            entries=entries,
            exits=exits,
            by_type={kind: tally.types[kind] for kind in VehicleType},
            by_hour=tuple((tally.entries[hour], tally.exits[hour]) for hour in range(24)),
            mean_confidence=tally.confidence / (entries + exits) if entries + exits else None,
        )

    def _widened(self, since: datetime, until: datetime, floor_id: int | None) -> tuple[datetime, datetime]:
        if since != hour_of(since) and self._cleaned(hour_of(since), floor_id):
            since = hour_of(since)
        if until != hour_of(until) and self._cleaned(hour_of(until), floor_id):
            until = _up(until)
        return since, until

    def _cleaned(self, hour: datetime, floor_id: int | None) -> bool:
        removed = EventHourly.removed_entries + EventHourly.removed_exits
        query = EventHourly.select(EventHourly.hour).where(EventHourly.hour == hour, removed > 0)
        if floor_id is not None:
            query = query.where(EventHourly.floor == floor_id)
        return bool(rows(self._db, query.limit(1)))

    def _count_hours(self, since: datetime, until: datetime, floor_id: int | None, tally: _Tally) -> None:
        if since >= until:
            return
        query, floor = (_HOURS, {}) if floor_id is None else (_HOURS_OF_FLOOR, {"floor_id": floor_id})
        found = query.rows(self._db, since=since, until=until, **floor)
        if not found:
            return
        hours, entries, exits, confidence, *types = zip(*found, strict=True)
        for hour, came, went in zip(hours, entries, exits, strict=True):
            tally.hour(from_micros(hour), came, went)
        tally.confidence += sum(confidence)
        for kind, numbers in zip(VehicleType, types, strict=True):
            tally.types[kind] += sum(numbers)

    def _count_events(self, since: datetime, until: datetime, floor_id: int | None, tally: _Tally) -> None:
        if since >= until:
            return
        where = _within(Event.timestamp, since, until)
        if floor_id is not None:
            where &= Event.floor == floor_id
        query = Event.select(Event.direction, Event.vehicle_type, Event.confidence).where(where)
        for direction, kind, confidence in rows(self._db, query):
            entry = direction == Direction.ENTRY.value
            tally.hour(since, int(entry), int(not entry))
            tally.types[VehicleType(kind)] += 1
            tally.confidence += confidence


def checked_window(since: datetime, until: datetime) -> tuple[datetime, datetime]:
    """Both in UTC; RefusedError for a naive time or an end that is not after the beginning."""
    since, until = to_utc(since), to_utc(until)
    if since >= until:
        raise RefusedError(f"the window ends at {until.isoformat()}, not after its beginning at {since.isoformat()}")
    return since, until


def _up(moment: datetime) -> datetime:
    hour = hour_of(moment)
    return hour if hour == moment else hour + HOUR


def _within(column: Any, since: datetime, until: datetime) -> Expression:
    within: Expression = (column >= since) & (column < until)
    return within
