"""What came and went in a window of time.

Whole hours come from the hourly totals, the pieces of an hour at the ends from the events: exact, and a year costs
thousands of rows, not millions.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from edge.core.errors import RefusedError
from edge.core.events import VehicleType
from edge.store.counts.floors import Floors
from edge.store.counts.hourly_totals import HOUR, HOUR_MICROS, hour_of
from edge.store.schema.columns import from_micros, to_micros, to_utc
from edge.store.sql.query import execute_sql, read_transaction, words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime, tzinfo

    from peewee import Database

    from edge.store.sql.query import Row

DAY = timedelta(days=1)
# Of a longer window only the part is looked at in which something was counted.
LONG = timedelta(days=1000)

_COUNTED = ("entries", "exits", "confidence_sum", *(kind.value for kind in VehicleType))
_SUMS = ", ".join(f"sum({name})" for name in _COUNTED)
_NAMED_SUMS = ", ".join(f"sum({name}) AS {name}" for name in _COUNTED)
# By the hour of the day of UTC, -23 to 23 as division by databases goes. First by the hour, which is the order of the
# table: only its few thousand sums have to be sorted, not each row.
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
# Each on its own is the first step into the table; asked together, SQLite would read all of it.
_FIRST_AND_LAST = "SELECT (SELECT min(hour) FROM event_hourly), (SELECT max(hour) FROM event_hourly)"


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
    def __init__(self) -> None:
        self.by_hour = [[0, 0] for _ in range(24)]
        self.sums: list[float] = [0] * len(_COUNTED)

    def add(self, hour: int, sums: Sequence[float | None]) -> None:
        """The sums of ``_COUNTED`` of an hour of the day; there are none where nothing was counted."""
        if sums[2] is None:
            return
        self.by_hour[hour][0] += int(sums[0] or 0)
        self.by_hour[hour][1] += int(sums[1] or 0)
        self.sums = [total + float(number or 0) for total, number in zip(self.sums, sums, strict=True)]


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
        tally = _Tally()
        with read_transaction(self._db):
            floors = () if floor is None else (Floors(self._db).find(floor).id,)
            since, until = self._widened(since, until, floors)
            first, last = _up(since), hour_of(until)
            if first > last:  # within one hour
                self._count_events(since, until, floors, zone, tally)
            else:
                self._count_events(since, first, floors, zone, tally)
                self._count_hours(first, last, floors, zone, tally)
                self._count_events(last, until, floors, zone, tally)
        entries, exits, confidence, *types = tally.sums
        return Summary(
            since=since,
            until=until,
            floor=floor,
            entries=int(entries),
            exits=int(exits),
            by_type=dict(zip(VehicleType, map(int, types), strict=True)),
            by_hour=tuple((came, went) for came, went in tally.by_hour),
            mean_confidence=confidence / (entries + exits) if entries + exits else None,
        )

    def _widened(self, since: datetime, until: datetime, floors: tuple[int, ...]) -> tuple[datetime, datetime]:
        first, last = hour_of(since), hour_of(until)
        if since == first and until == last:
            return since, until
        query = _CLEANED_OF_FLOOR if floors else _CLEANED
        cleaned = {int(hour) for (hour,) in self._run(query, to_micros(first), to_micros(last), *floors)}
        if to_micros(first) in cleaned:
            since = first
        if to_micros(last) in cleaned:
            until = _up(until)
        return since, until

    def _count_hours(
        self, since: datetime, until: datetime, floors: tuple[int, ...], zone: tzinfo | None, tally: _Tally
    ) -> None:
        if until - since > LONG:
            [(first, last)] = self._run(_FIRST_AND_LAST)
            if first is None:
                return
            since, until = max(since, from_micros(first)), min(until, from_micros(last) + HOUR)
        for begin, end, shift in _by_offset(since, until, zone):
            query = _HOURS_OF_FLOOR if floors else _HOURS
            for hour, *sums in self._run(query, to_micros(begin), to_micros(end), *floors):
                tally.add((int(hour) + shift) % 24, sums)

    def _count_events(
        self, since: datetime, until: datetime, floors: tuple[int, ...], zone: tzinfo | None, tally: _Tally
    ) -> None:
        if since < until:
            query = _EVENTS_OF_FLOOR if floors else _EVENTS
            [sums] = self._run(query, to_micros(since), to_micros(until), *floors)
            tally.add(since.astimezone(zone).hour, sums)

    def _run(self, query: str, *values: int) -> list[Row]:
        return execute_sql(self._db, words(self._db, query), values)


def _by_offset(since: datetime, until: datetime, zone: tzinfo | None) -> Iterator[tuple[datetime, datetime, int]]:
    """The window in pieces in which local time is so many whole hours from UTC, rounded down.

    The hours of the day at which a change takes effect are found by looking at each day: no zone changes twice in one.
    """
    begin = moment = since
    shift = _shift(since, zone)
    while moment < until:
        after = min(moment + DAY, until)
        if _shift(after, zone) != shift:
            after = next(hour for hour in _hours(moment, after) if _shift(hour, zone) != shift)
            yield begin, after, shift
            begin, shift = after, _shift(after, zone)
        moment = after
    if begin < until:
        yield begin, until, shift


def _hours(since: datetime, until: datetime) -> Iterator[datetime]:
    while since < until:
        since += HOUR
        yield since


def _shift(moment: datetime, zone: tzinfo | None) -> int:
    offset = moment.astimezone(zone).utcoffset()
    return 0 if offset is None else offset // HOUR


def checked_window(since: datetime, until: datetime) -> tuple[datetime, datetime]:
    """Both in UTC; RefusedError for a naive time or an end that is not after the beginning."""
    since, until = to_utc(since), to_utc(until)
    if since >= until:
        raise RefusedError(f"the window ends at {until.isoformat()}, not after its beginning at {since.isoformat()}")
    return since, until


def _up(moment: datetime) -> datetime:
    hour = hour_of(moment)
    return hour if hour == moment else hour + HOUR
