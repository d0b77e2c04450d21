"""Computes a floor's count over time from its ledger."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from edge.core.errors import RefusedError
from edge.store.counts.floors import Floors
from edge.store.counts.hourly_totals import HOUR_MICROS
from edge.store.reports.statistics import checked_window
from edge.store.sql.query import SqlRow, execute_sql, read_transaction, with_placeholders
from edge.store.sql.times import from_micros, to_micros

if TYPE_CHECKING:
    from datetime import datetime

    from peewee import Database

_MOST_POINTS = 100_000

# Each query gives (step, change): the change of the count from one point of the series to the next. Of events that were
# removed only the hour is known: they change the count with the last microsecond of it.
_HOURS = """
    SELECT (hour - ?) / ?, sum(entries - exits) FROM event_hourly
    WHERE floor_id = ? AND hour >= ? AND hour < ? GROUP BY 1"""
_REMOVED = f"""
    SELECT (hour + {HOUR_MICROS - 1} - ?) / ?, sum(removed_entries - removed_exits) FROM event_hourly
    WHERE floor_id = ? AND hour >= ? AND hour < ? GROUP BY 1"""
_EVENTS = """
    SELECT (timestamp - ?) / ?, sum(CASE direction WHEN 'entry' THEN 1 ELSE -1 END) FROM events
    WHERE floor_id = ? AND timestamp >= ? AND timestamp < ? GROUP BY 1"""
_ADJUSTMENTS = """
    SELECT (at - ?) / ?, sum(delta) FROM adjustments
    WHERE floor_id = ? AND at >= ? AND at < ? GROUP BY 1"""
# Later than any time that can be stored, in microseconds.
_LATEST = 2**62


@dataclass(frozen=True, slots=True)
class OccupancyPoint:
    """The number of vehicles on a floor at ``at``, after all that happened before that moment."""

    at: datetime
    vehicles: int


def occupancy_over_time(
    db: Database, floor: str, since: datetime, until: datetime, step: timedelta = timedelta(hours=1)
) -> list[OccupancyPoint]:
    """A floor's count at ``since`` and then every ``step`` up to and including ``until``.

    Computed backwards from the present count, so that recent windows, which are asked for most, cost least. Events with
    a wrong timestamp, or stored in another order than they happened, can take an older point below 0 or above the
    slots: the series shows the ledger as it is. RefusedError for an unknown floor, a step below a second, or more than
    100,000 points.
    """
    since, until = checked_window(since, until)
    if step < timedelta(seconds=1):
        raise RefusedError(f"the step is {step.total_seconds():g} s; it must be 1 s or more")
    begin, width = to_micros(since), step // timedelta(microseconds=1)
    points = (to_micros(until) - begin) // width + 1
    if points > _MOST_POINTS:
        raise RefusedError(f"that would be {points} points, more than {_MOST_POINTS}; take a longer step")
    end = begin + (points - 1) * width
    with read_transaction(db):
        stored = Floors(db).by_name(floor)
        changes = _changes_by_step(db, stored.floor_id, begin, end, width)
        later = _change_after(db, stored.floor_id, end)
    vehicles = stored.current_vehicles - later - changes.total()
    series = []
    for index in range(points):
        series.append(OccupancyPoint(from_micros(begin + index * width), vehicles))
        vehicles += changes[index]
    return series


def _changes_by_step(db: Database, floor_id: int, begin: int, end: int, width: int) -> Counter[int]:
    """The changes of the count from ``begin`` until before ``end``, by the number of the step."""
    changes: Counter[int] = Counter()
    parts = [(_ADJUSTMENTS, begin, end)]
    if begin % HOUR_MICROS == 0 and width % HOUR_MICROS == 0:
        parts += [(_HOURS, begin, end)]
    else:
        parts += [(_EVENTS, begin, end), (_REMOVED, begin - HOUR_MICROS + 1, end - HOUR_MICROS + 1)]
    for query, since, until in parts:
        for step, change in _run(db, query, (begin, width, floor_id, since, until)):
            changes[int(step)] += int(change)
    return changes


def _change_after(db: Database, floor_id: int, end: int) -> int:
    """The change of the count at ``end`` or later."""
    whole = end + -end % HOUR_MICROS
    parts = [
        (_ADJUSTMENTS, end, _LATEST),
        (_EVENTS, end, whole),
        (_REMOVED, end - HOUR_MICROS + 1, whole if whole > end else end - HOUR_MICROS + 1),
        (_HOURS, whole, _LATEST),
    ]
    return sum(
        int(change)
        for query, since, until in parts
        for _, change in _run(db, query, (end - HOUR_MICROS, _LATEST, floor_id, since, until))
    )


def _run(db: Database, query: str, values: tuple[int, ...]) -> list[SqlRow]:
    return execute_sql(db, with_placeholders(db, query), values)
