"""A floor's occupancy over time, as its ledger gives it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from edge.core.errors import RefusedError
from edge.store.counts.floors import Floors
from edge.store.counts.hourly_totals import HOUR_MICROS
from edge.store.reports.statistics import checked_window
from edge.store.schema.columns import from_micros, to_micros
from edge.store.sql.query import Row, execute_sql, read_transaction, words

if TYPE_CHECKING:
    from datetime import datetime

    from peewee import Database

MOST_POINTS = 100_000

# Each gives (step, change): what moved the count from one point of the series to the next. Of events that were cleaned
# up only the hour is known: they move the count with the last microsecond of it.
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
# Later than anything that can be stored.
_FOR_EVER = 2**62


@dataclass(frozen=True, slots=True)
class Point:
    """So many vehicles are on the floor at ``at``: by all that happened before it."""

    at: datetime
    vehicles: int


def occupancy_over_time(
    db: Database, floor: str, since: datetime, until: datetime, step: timedelta = timedelta(hours=1)
) -> list[Point]:
    """A floor's count at ``since`` and then every ``step`` up to and including ``until``.

    Worked out backwards from the present count, so that what is asked most costs least. Events that were dated wrongly,
    or stored in another order than they happened, can take an older point below 0 or above the slots: the series is
    what the ledger says, not what it should have said. RefusedError for an unknown floor, a step below a second, or
    more than 100,000 points.
    """
    since, until = checked_window(since, until)
    if step < timedelta(seconds=1):
        raise RefusedError(f"the step is {step.total_seconds():g} s; it must be 1 s or more")
    begin, width = to_micros(since), step // timedelta(microseconds=1)
    points = (to_micros(until) - begin) // width + 1
    if points > MOST_POINTS:
        raise RefusedError(f"that would be {points} points, more than {MOST_POINTS}; take a longer step")
    end = begin + (points - 1) * width
    with read_transaction(db):
        found = Floors(db).find(floor)
        moved = _moved(db, found.id, begin, end, width)
        later = _moved_after(db, found.id, end)
    vehicles = found.occupancy.current_vehicles - later - moved.total()
    series = []
    for index in range(points):
        series.append(Point(from_micros(begin + index * width), vehicles))
        vehicles += moved[index]
    return series


def _moved(db: Database, floor_id: int, begin: int, end: int, width: int) -> Counter[int]:
    """What moved the count from ``begin`` until before ``end``, by the step in which it did."""
    moved: Counter[int] = Counter()
    parts = [(_ADJUSTMENTS, begin, end)]
    if begin % HOUR_MICROS == 0 and width % HOUR_MICROS == 0:
        parts += [(_HOURS, begin, end)]
    else:
        parts += [(_EVENTS, begin, end), (_REMOVED, begin - HOUR_MICROS + 1, end - HOUR_MICROS + 1)]
    for query, since, until in parts:
        for step, change in _run(db, query, (begin, width, floor_id, since, until)):
            moved[int(step)] += int(change)
    return moved


def _moved_after(db: Database, floor_id: int, end: int) -> int:
    """What moved the count at ``end`` or later."""
    whole = end + -end % HOUR_MICROS
    parts = [
        (_ADJUSTMENTS, end, _FOR_EVER),
        (_EVENTS, end, whole),
        (_REMOVED, end - HOUR_MICROS + 1, whole if whole > end else end - HOUR_MICROS + 1),
        (_HOURS, whole, _FOR_EVER),
    ]
    return sum(
        int(change)
        for query, since, until in parts
        for _, change in _run(db, query, (end - HOUR_MICROS, _FOR_EVER, floor_id, since, until))
    )


def _run(db: Database, query: str, values: tuple[int, ...]) -> list[Row]:
    return execute_sql(db, words(db, query), values)
