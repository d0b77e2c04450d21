"""Sums up the events of a window of time.

Whole hours are read from the hourly totals, incomplete hours at the ends of the window from the events: the sums are
exact, and a year needs thousands of rows, not millions.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from edge.core.errors import RefusedError
from edge.core.events import VehicleType
from edge.store.counts.floors import Floors
from edge.store.counts.hourly_totals import HOUR, HOUR_MICROS, hour_of
from edge.store.sql.query import execute_sql, read_transaction, with_placeholders
from edge.store.sql.times import from_micros, to_micros, to_utc, utc_now

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import tzinfo

    from peewee import Database

    from edge.store.sql.query import SqlRow

_DAY = timedelta(days=1)
# The limits of a window: a day from the ends of the calendar, so that every hour of it can be computed.
_FIRST, _LAST = datetime.min.replace(tzinfo=UTC) + _DAY, datetime.max.replace(tzinfo=UTC) - _DAY
# A longer window is first narrowed to the part in which anything was counted.
_LONG_WINDOW = timedelta(days=1000)

_COUNTED = ("entries", "exits", "confidence_sum", *(vehicle_type.value for vehicle_type in VehicleType))
_SUMS = ", ".join(f"sum({name})" for name in _COUNTED)
_NAMED_SUMS = ", ".join(f"sum({name}) AS {name}" for name in _COUNTED)
# By the hour of the day in UTC, -23 to 23 because databases round divisions towards 0. The inner query groups by hour,
# which is the order of the table, so that only its few thousand sums have to be sorted.
_HOURS = f"""
    SELECT (hour / {HOUR_MICROS}) % 24, {_SUMS} FROM (
        SELECT hour, {_NAMED_SUMS} FROM event_hourly WHERE hour >= ? AND hour < ? GROUP BY hour) AS by_hour
    GROUP BY 1"""
_HOURS_OF_FLOOR = f"""
    SELECT (hour / {HOUR_MICROS}) % 24, {_SUMS} FROM event_hourly
    WHERE hour >= ? AND hour < ? AND floor_id = ? GROUP BY 1"""
_EVENTS = f"""
    SELECT count(CASE direction WHEN 'entry' THEN 1 END), count(CASE direction WHEN 'exit' THEN 1 END), sum(confidence),
           {", ".join(f"count(CASE vehicle_type WHEN '{kind}' THEN 1 END)" for kind in VehicleType)}
    FROM events WHERE timestamp >= ? AND timestamp < ?"""
_EVENTS_OF_FLOOR = f"{_EVENTS} AND floor_id = ?"
_CLEANED = "SELECT hour FROM event_hourly WHERE hour IN (?, ?) AND removed_entries + removed_exits > 0"
_CLEANED_OF_FLOOR = f"{_CLEANED} AND floor_id = ?"
# Each subquery reads one row; a single query for both would read the whole table in SQLite.
_FIRST_AND_LAST = "SELECT (SELECT min(hour) FROM event_hourly), (SELECT max(hour) FROM event_hourly)"


@dataclass(frozen=True, slots=True)
class EventStatistics:
    """The sums of the events from ``since`` until before ``until``, of a floor or of all.

    Both are the window that was counted: if events of an incomplete hour at an end of it were removed, the whole hour
    is counted. ``by_hour`` has (entries, exits) for each hour of the day, 0 to 23, in local time; an hour of UTC is
    counted where it begins, which matters only in time zones with an offset that is not a whole number of hours.
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
        """How many events there were."""
        return self.entries + self.exits

    @property
    def net(self) -> int:
        """How many more vehicles came than left."""
        return self.entries - self.exits

    @property
    def peak_hour(self) -> int | None:
        """The hour of the day, 0 to 23 in local time, with most events; the earliest of a tie; None without events."""
        if not self.total:
            return None
        return max(range(24), key=lambda hour: (sum(self.by_hour[hour]), -hour))


def event_statistics(
    db: Database,
    since: datetime | None = None,
    until: datetime | None = None,
    floor: str | None = None,
    *,
    zone: tzinfo | None = None,
) -> EventStatistics:
    """The statistics of the events from ``since`` until before ``until``: without them, of the last 24 hours.

    Hours of the day are those of ``zone``, else of the machine's. RefusedError for an unknown floor, a naive time, or
    an end that is not after the start.
    """
    until = utc_now() if until is None else to_utc(until)
    since, until = checked_window(max(until, _FIRST) - _DAY if since is None else since, until)
    with read_transaction(db):
        counter = _Counter(db, None if floor is None else Floors(db).by_name(floor).floor_id, zone)
        since, until = counter.widened(since, until)
        first, last = _round_up(since), hour_of(until)
        if first > last:  # within one hour
            counter.count_events(since, until)
        else:
            counter.count_events(since, first)
            counter.count_hours(first, last)
            counter.count_events(last, until)
    entries, exits, confidence, *types = counter.sums
    return EventStatistics(
        since=since,
        until=until,
        floor=floor,
        entries=int(entries),
        exits=int(exits),
        by_type=dict(zip(VehicleType, map(int, types), strict=True)),
        by_hour=tuple((came, left) for came, left in counter.by_hour),
        mean_confidence=confidence / (entries + exits) if entries + exits else None,
    )


class _Counter:
    """Adds up the parts of a window. ``sums`` are those of ``_COUNTED``; ``by_hour`` has [entries, exits]."""

    def __init__(self, db: Database, floor_id: int | None, zone: tzinfo | None) -> None:
        self._db = db
        self._floor = () if floor_id is None else (floor_id,)
        self._zone = zone
        self.by_hour = [[0, 0] for _ in range(24)]
        self.sums: list[float] = [0] * len(_COUNTED)

    def widened(self, since: datetime, until: datetime) -> tuple[datetime, datetime]:
        """The window, extended to the whole of a first or last hour of which events were removed."""
        first, last = hour_of(since), hour_of(until)
        if since == first and until == last:
            return since, until
        rows = self._run(_CLEANED_OF_FLOOR if self._floor else _CLEANED, to_micros(first), to_micros(last))
        cleaned = {int(hour) for (hour,) in rows}
        if to_micros(first) in cleaned:
            since = first
        if to_micros(last) in cleaned:
            until = _round_up(until)
        return since, until

    def count_hours(self, since: datetime, until: datetime) -> None:
        """Add whole hours."""
        if until - since > _LONG_WINDOW:
            [(first, last)] = execute_sql(self._db, _FIRST_AND_LAST)
            if first is None:
                return
            since, until = max(since, from_micros(first)), min(until, from_micros(last) + HOUR)
        for begin, end, offset in _by_offset(since, until, self._zone):
            query = _HOURS_OF_FLOOR if self._floor else _HOURS
            for hour, *sums in self._run(query, to_micros(begin), to_micros(end)):
                self._add((int(hour) + offset) % 24, sums)

    def count_events(self, since: datetime, until: datetime) -> None:
        """Add the events of a part of an hour."""
        if since < until:
            query = _EVENTS_OF_FLOOR if self._floor else _EVENTS
            [sums] = self._run(query, to_micros(since), to_micros(until))
            self._add(since.astimezone(self._zone).hour, sums)

    def _add(self, hour: int, sums: Sequence[float | None]) -> None:
        if sums[2] is None:  # nothing was counted
            return
        self.by_hour[hour][0] += int(sums[0] or 0)
        self.by_hour[hour][1] += int(sums[1] or 0)
        self.sums = [total + float(number or 0) for total, number in zip(self.sums, sums, strict=True)]

    def _run(self, query: str, since: int, until: int) -> list[SqlRow]:
        return execute_sql(self._db, with_placeholders(self._db, query), (since, until, *self._floor))


def _by_offset(since: datetime, until: datetime, zone: tzinfo | None) -> Iterator[tuple[datetime, datetime, int]]:
    """The window in parts of one UTC offset of local time, in whole hours rounded down: (start, end, offset).

    A change of the offset is searched for day by day, then hour by hour: no zone changes twice in a day.
    """
    begin = moment = since
    offset = _offset(since, zone)
    while moment < until:
        after = min(moment + _DAY, until)
        if _offset(after, zone) != offset:
            after = next(hour for hour in _hours(moment, after) if _offset(hour, zone) != offset)
            yield begin, after, offset
            begin, offset = after, _offset(after, zone)
        moment = after
    if begin < until:
        yield begin, until, offset


def _hours(since: datetime, until: datetime) -> Iterator[datetime]:
    while since < until:
        since += HOUR
        yield since


def _offset(moment: datetime, zone: tzinfo | None) -> int:
    offset = moment.astimezone(zone).utcoffset()
    return 0 if offset is None else offset // HOUR


def checked_window(since: datetime, until: datetime) -> tuple[datetime, datetime]:
    """Both in UTC; RefusedError for a naive time or an end that is not after the start."""
    since, until = to_utc(since), to_utc(until)
    if since < _FIRST or until > _LAST:
        raise RefusedError(f"the window from {since.isoformat()} to {until.isoformat()} reaches the calendar's end")
    if since >= until:
        raise RefusedError(f"the window ends at {until.isoformat()}, not after its start at {since.isoformat()}")
    return since, until


def _round_up(moment: datetime) -> datetime:
    hour = hour_of(moment)
    return hour if hour == moment else hour + HOUR
