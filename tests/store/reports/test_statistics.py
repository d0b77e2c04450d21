"""Tests of sums over time against sums in plain Python, before and after old events are removed."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import TYPE_CHECKING

import pytest

from edge.core.errors import RefusedError
from edge.core.events import Direction, VehicleType
from edge.store.counts.audit import Attribution
from edge.store.counts.events import Events
from edge.store.counts.floors import Floors
from edge.store.counts.outbox import Outbox
from edge.store.reports.occupancy_series import occupancy_over_time
from edge.store.reports.statistics import event_statistics
from edge.store.sql.query import execute_sql, with_placeholders
from edge.store.upkeep.cleanup import remove_old_events
from edge.store.upkeep.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from peewee import Database

    from edge.config.schema import FloorConfig
    from edge.core.events import Event

BEGINNING = datetime(2026, 5, 4, 0, 0, tzinfo=UTC)
DAYS = 4
LAST = BEGINNING + timedelta(days=DAYS)


@pytest.fixture(scope="module")
def events_of_four_days(make_event: Callable[..., Event]) -> list[Event]:
    """Four days of events on two floors, in the order of their timestamps; some at full hours."""
    chance = random.Random(11)
    events = []
    for n in range(900):
        moment = BEGINNING + timedelta(microseconds=chance.randrange(DAYS * 86_400_000_000))
        if n % 30 == 0:
            moment = moment.replace(minute=0, second=0, microsecond=0)
        events.append(
            make_event(
                n,
                floor=chance.choice(["Ground", "Ground", "Roof"]),
                direction=chance.choice(list(Direction)),
                vehicle_type=chance.choice(list(VehicleType)),
                confidence=chance.random(),
                timestamp=moment,
            )
        )
    return sorted(events, key=lambda event: event.timestamp)


def fill(db: Database, floors: tuple[FloorConfig, ...], events_of_four_days: list[Event]) -> None:
    """Record the events, with a few corrections between them."""
    Floors(db).create_missing(floors, BEGINNING)
    for start in range(0, len(events_of_four_days), 50):
        group = events_of_four_days[start : start + 50]
        Events(db).record_all(group, group[-1].timestamp)
        if start % 100 == 0:
            Floors(db).correct("Ground", start // 20, Attribution("anna", group[-1].timestamp))
    Outbox(db).acknowledge(range(1, 10_000))


@pytest.fixture(scope="module")
def filled(
    new_database: Callable[[], AbstractContextManager[Database]],
    floors: tuple[FloorConfig, ...],
    events_of_four_days: list[Event],
) -> Iterator[Database]:
    """A database with the events. Only read."""
    with new_database() as db:
        fill(db, floors, events_of_four_days)
        yield db


def check_window(db: Database, events: list[Event], since: datetime, until: datetime, floor: str | None) -> None:
    """Compare the statistics of a window with sums in plain Python."""
    zone = timezone(timedelta(hours=2))
    statistics = event_statistics(db, since, until, floor, zone=zone)
    inside = [e for e in events if statistics.since <= e.timestamp < statistics.until and floor in (None, e.floor)]
    ways = Counter(event.direction for event in inside)
    assert (statistics.entries, statistics.exits, statistics.total) == (
        *(ways[Direction.ENTRY], ways[Direction.EXIT]),
        len(inside),
    )
    assert statistics.net == statistics.entries - statistics.exits
    assert {kind: n for kind, n in statistics.by_type.items() if n} == Counter(event.vehicle_type for event in inside)
    hours = Counter((event.timestamp.astimezone(zone).hour, event.direction) for event in inside)
    assert statistics.by_hour == tuple((hours[h, Direction.ENTRY], hours[h, Direction.EXIT]) for h in range(24))
    if inside:
        mean = sum(event.confidence for event in inside) / len(inside)
        assert statistics.mean_confidence == pytest.approx(mean, abs=1e-9)
        busiest = Counter(event.timestamp.astimezone(zone).hour for event in inside)
        assert statistics.peak_hour == min(h for h in range(24) if busiest[h] == max(busiest.values()))
    else:
        assert (statistics.mean_confidence, statistics.peak_hour) == (None, None)


def windows() -> Iterator[tuple[datetime, datetime]]:
    """Windows of every kind: whole hours, parts of hours, within one hour, across the ends, empty."""
    chance = random.Random(5)
    for _ in range(40):
        since = BEGINNING + timedelta(minutes=chance.randrange(-60, DAYS * 1440))
        yield since, since + timedelta(seconds=chance.choice([1, 60, 600, 3600, 5000, 86400, 200_000, 900_000]))
    yield BEGINNING, LAST
    yield BEGINNING + timedelta(hours=5), BEGINNING + timedelta(hours=6)
    yield BEGINNING - timedelta(days=9), BEGINNING - timedelta(days=8)


@pytest.mark.parametrize("floor", [None, "Ground", "Roof"])
def test_a_window_is_exact_to_the_microsecond(
    filled: Database, events_of_four_days: list[Event], floor: str | None
) -> None:
    """Within an hour or over days, every number is that of the events in the window."""
    for since, until in windows():
        check_window(filled, events_of_four_days, since, until, floor)
        assert event_statistics(filled, since, until).since == since


def test_an_impossible_window_is_refused(filled: Database) -> None:
    """An end before the start, a naive time and an unknown floor are refused with the reason."""
    for since, until, floor, reason in (
        (LAST, BEGINNING, None, "not after its start"),
        (datetime(2026, 5, 4), LAST, None, "no time zone"),  # noqa: DTZ001
        (BEGINNING, LAST, "Attic", "no floor 'Attic'"),
    ):
        with pytest.raises(RefusedError, match=reason):
            event_statistics(filled, since, until, floor)


def count_at(events_of_four_days: list[Event], db: Database, floor: str, moment: datetime) -> int:
    """The count at a moment, from opening, events and adjustments."""
    opening = {"Ground": 10, "Roof": 0}[floor]
    crossed = sum(e.direction.delta for e in events_of_four_days if e.floor == floor and e.timestamp < moment)
    query = "SELECT coalesce(sum(delta), 0) FROM adjustments JOIN floors f ON f.id = floor_id WHERE name = ? AND at < ?"
    [(adjusted,)] = execute_sql(db, with_placeholders(db, query), (floor, int(moment.timestamp() * 1_000_000)))
    return opening + crossed + int(adjusted)


@pytest.mark.parametrize(
    ("since", "until", "step"),
    [
        (BEGINNING, LAST, timedelta(hours=1)),
        (BEGINNING, LAST, timedelta(hours=6)),
        (BEGINNING + timedelta(minutes=20), LAST, timedelta(hours=1)),
        (BEGINNING + timedelta(hours=30), BEGINNING + timedelta(hours=31, minutes=7), timedelta(minutes=3)),
        (BEGINNING - timedelta(days=1), LAST + timedelta(days=1), timedelta(hours=7, minutes=1)),
        (BEGINNING + timedelta(hours=3), BEGINNING + timedelta(hours=3, minutes=1), timedelta(hours=5)),
    ],
)
@pytest.mark.parametrize("floor", ["Ground", "Roof"])
def test_occupancy_over_time_is_what_the_ledger_gives(
    filled: Database, events_of_four_days: list[Event], floor: str, since: datetime, until: datetime, step: timedelta
) -> None:
    """Each point is the sum of opening, events and adjustments before it; clamps are at the time of their events."""
    series = occupancy_over_time(filled, floor, since, until, step)
    assert [point.at for point in series] == [since + n * step for n in range((until - since) // step + 1)]
    # Only some points: the sums in Python are slow.
    for point in series[:: max(len(series) // 20, 1)]:
        assert point.vehicles == count_at(events_of_four_days, filled, floor, point.at)
        assert 0 <= point.vehicles <= 50


def test_the_last_point_is_the_present_count(filled: Database) -> None:
    """A series up to now ends with the count that boards show."""
    for floor in Floors(filled).all():
        assert occupancy_over_time(filled, floor.name, BEGINNING, LAST)[-1].vehicles == floor.current_vehicles


def test_an_impossible_series_is_refused(filled: Database) -> None:
    """A step that is too small, too many points and an unknown floor are refused with the reason."""
    for floor, step, reason in (
        ("Ground", timedelta(0), "must be 1 s or more"),
        ("Ground", timedelta(seconds=1), "more than 100000; take a longer step"),
        ("Attic", timedelta(hours=1), "no floor 'Attic'"),
    ):
        with pytest.raises(RefusedError, match=reason):
            occupancy_over_time(filled, floor, BEGINNING, LAST, step)


def test_statistics_and_series_stay_after_a_clean_up(
    new_database: Callable[[], AbstractContextManager[Database]],
    floors: tuple[FloorConfig, ...],
    events_of_four_days: list[Event],
) -> None:
    """Whole hours have the same sums; a part of a removed hour is counted as all of it."""
    with new_database() as db:
        fill(db, floors, events_of_four_days)
        series = {f: occupancy_over_time(db, f, BEGINNING, LAST) for f in ("Ground", "Roof")}
        when = Attribution("anna", BEGINNING + timedelta(days=3, hours=2, minutes=59))
        done = remove_old_events(db, 1, when, pause=lambda _: None)
        edge = BEGINNING + timedelta(days=2, hours=2)
        assert done.before == edge
        assert done.removed == sum(event.timestamp < edge for event in events_of_four_days)
        assert Events(db).oldest(1)[0].timestamp >= edge
        assert verify(db) == []
        for since, until in windows():
            for floor in (None, "Ground", "Roof"):
                check_window(db, events_of_four_days, since, until, floor)
        piece = event_statistics(db, BEGINNING + timedelta(minutes=90), edge + timedelta(minutes=90))
        assert (piece.since, piece.until) == (BEGINNING + timedelta(hours=1), edge + timedelta(minutes=90))
        assert {f: occupancy_over_time(db, f, BEGINNING, LAST) for f in ("Ground", "Roof")} == series
        # Within the hours of removed events only the counts at their ends are known.
        fine = occupancy_over_time(db, "Ground", BEGINNING, LAST, timedelta(minutes=30))
        assert [point for point in fine if point.at.minute == 0] == series["Ground"]


CHANGE = datetime(2026, 3, 29, 1, 0, tzinfo=UTC)


class SummerTime(tzinfo):
    """One hour before UTC until ``CHANGE``, two hours from then on."""

    def utcoffset(self, moment: datetime | None) -> timedelta:
        """The offset by the local time; no local time is between the offsets."""
        summer = moment is not None and moment.replace(tzinfo=UTC) >= CHANGE + timedelta(hours=2)
        return timedelta(hours=2 if summer else 1)

    def dst(self, moment: datetime | None) -> timedelta:
        """The part of the offset that is added in summer."""
        return self.utcoffset(moment) - timedelta(hours=1)

    def tzname(self, moment: datetime | None) -> str:
        """The name of the offset."""
        return "summer" if self.dst(moment) else "winter"

    def fromutc(self, moment: datetime) -> datetime:
        """The local time."""
        return moment + timedelta(hours=2 if moment.replace(tzinfo=UTC) >= CHANGE else 1)


@pytest.mark.parametrize("days", [1, 40, 3000])
def test_hours_of_the_day_follow_the_change_to_summer_time(
    db: Database, make_event: Callable[..., Event], now: datetime, days: int
) -> None:
    """For two days before and after, an event in each hour is counted in the hour of the local time."""
    moments = [CHANGE + timedelta(hours=hour, minutes=30) for hour in range(-48, 48)]
    Events(db).record_all([make_event(n, timestamp=moment) for n, moment in enumerate(moments)], now)
    zone = SummerTime()
    since, until = CHANGE - days * timedelta(hours=24), CHANGE + days * timedelta(hours=24)
    expected = Counter(moment.astimezone(zone).hour for moment in moments if since <= moment < until)
    statistics = event_statistics(db, since, until, zone=zone)
    assert [entries for entries, _ in statistics.by_hour] == [expected[hour] for hour in range(24)]
    assert event_statistics(db, since, until, "Ground", zone=zone).by_hour == statistics.by_hour


def test_a_window_of_centuries_without_an_event_is_empty(db: Database) -> None:
    """It is not searched hour by hour."""
    statistics = event_statistics(db, datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC))
    assert (statistics.total, statistics.peak_hour, statistics.mean_confidence) == (0, None, None)
