"""Sums over time against sums in plain Python, before and after old events are cleaned up."""

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
def happened(make_event: Callable[..., Event]) -> list[Event]:
    """Four days of events on two floors, in the order of their time; some on full hours."""
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


def fill(db: Database, floors: tuple[FloorConfig, ...], happened: list[Event]) -> None:
    """Record them, with a few corrections between."""
    Floors(db).create_missing(floors, BEGINNING)
    for start in range(0, len(happened), 50):
        group = happened[start : start + 50]
        Events(db).record_all(group, group[-1].timestamp)
        if start % 100 == 0:
            Floors(db).correct("Ground", start // 20, Attribution("anna", group[-1].timestamp))
    Outbox(db).acknowledge(range(1, 10_000))


@pytest.fixture(scope="module")
def filled(
    new_database: Callable[[], AbstractContextManager[Database]],
    floors: tuple[FloorConfig, ...],
    happened: list[Event],
) -> Iterator[Database]:
    """A database with them. Only read."""
    with new_database() as db:
        fill(db, floors, happened)
        yield db


def assert_true(db: Database, events: list[Event], since: datetime, until: datetime, floor: str | None) -> None:
    """The summary is what adding up gives."""
    zone = timezone(timedelta(hours=2))
    summary = event_statistics(db, since, until, floor, zone=zone)
    inside = [e for e in events if summary.since <= e.timestamp < summary.until and floor in (None, e.floor)]
    ways = Counter(event.direction for event in inside)
    assert (summary.entries, summary.exits, summary.total) == (
        *(ways[Direction.ENTRY], ways[Direction.EXIT]),
        len(inside),
    )
    assert summary.net == summary.entries - summary.exits
    assert {kind: n for kind, n in summary.by_type.items() if n} == Counter(event.vehicle_type for event in inside)
    hours = Counter((event.timestamp.astimezone(zone).hour, event.direction) for event in inside)
    assert summary.by_hour == tuple((hours[h, Direction.ENTRY], hours[h, Direction.EXIT]) for h in range(24))
    if inside:
        mean = sum(event.confidence for event in inside) / len(inside)
        assert summary.mean_confidence == pytest.approx(mean, abs=1e-9)
        busiest = Counter(event.timestamp.astimezone(zone).hour for event in inside)
        assert summary.peak_hour == min(h for h in range(24) if busiest[h] == max(busiest.values()))
    else:
        assert (summary.mean_confidence, summary.peak_hour) == (None, None)


def windows() -> Iterator[tuple[datetime, datetime]]:
    """Windows of every kind: whole hours, pieces, within one hour, across ends, empty."""
    chance = random.Random(5)
    for _ in range(40):
        since = BEGINNING + timedelta(minutes=chance.randrange(-60, DAYS * 1440))
        yield since, since + timedelta(seconds=chance.choice([1, 60, 600, 3600, 5000, 86400, 200_000, 900_000]))
    yield BEGINNING, LAST
    yield BEGINNING + timedelta(hours=5), BEGINNING + timedelta(hours=6)
    yield BEGINNING - timedelta(days=9), BEGINNING - timedelta(days=8)


@pytest.mark.parametrize("floor", [None, "Ground", "Roof"])
def test_a_window_is_exact_to_the_microsecond(filled: Database, happened: list[Event], floor: str | None) -> None:
    """Whatever the ends, within an hour or over days: every number is that of the events in the window."""
    for since, until in windows():
        assert_true(filled, happened, since, until, floor)
        assert event_statistics(filled, since, until).since == since


def test_what_is_no_window_is_refused(filled: Database) -> None:
    """A window that ends before it begins, a naive time and an unknown floor get a sentence."""
    for since, until, floor, reason in (
        (LAST, BEGINNING, None, "not after its start"),
        (datetime(2026, 5, 4), LAST, None, "no time zone"),  # noqa: DTZ001
        (BEGINNING, LAST, "Attic", "no floor 'Attic'"),
    ):
        with pytest.raises(RefusedError, match=reason):
            event_statistics(filled, since, until, floor)


def counted(happened: list[Event], db: Database, floor: str, moment: datetime) -> int:
    """What a person with the events and the adjustments would say."""
    opening = {"Ground": 10, "Roof": 0}[floor]
    crossed = sum(e.direction.delta for e in happened if e.floor == floor and e.timestamp < moment)
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
    filled: Database, happened: list[Event], floor: str, since: datetime, until: datetime, step: timedelta
) -> None:
    """Each point is opening, events and adjustments before it, clamps at the time of their events."""
    series = occupancy_over_time(filled, floor, since, until, step)
    assert [point.at for point in series] == [since + n * step for n in range((until - since) // step + 1)]
    # Only some: adding up in Python is slow.
    for point in series[:: max(len(series) // 20, 1)]:
        assert point.vehicles == counted(happened, filled, floor, point.at)
        assert 0 <= point.vehicles <= 50


def test_the_last_point_is_the_present_count(filled: Database) -> None:
    """A series that ends now ends with what the board shows."""
    for floor in Floors(filled).all():
        assert occupancy_over_time(filled, floor.name, BEGINNING, LAST)[-1].vehicles == floor.current_vehicles


def test_an_impossible_series_is_refused(filled: Database) -> None:
    """Too fine, too long, no floor."""
    for floor, step, reason in (
        ("Ground", timedelta(0), "must be 1 s or more"),
        ("Ground", timedelta(seconds=1), "more than 100000; take a longer step"),
        ("Attic", timedelta(hours=1), "no floor 'Attic'"),
    ):
        with pytest.raises(RefusedError, match=reason):
            occupancy_over_time(filled, floor, BEGINNING, LAST, step)


def test_statistics_and_series_outlive_the_events(
    new_database: Callable[[], AbstractContextManager[Database]],
    floors: tuple[FloorConfig, ...],
    happened: list[Event],
) -> None:
    """After the first days are cleaned up whole hours give the same sums; a piece of a cleaned one is all of it."""
    with new_database() as db:
        fill(db, floors, happened)
        series = {f: occupancy_over_time(db, f, BEGINNING, LAST) for f in ("Ground", "Roof")}
        when = Attribution("anna", BEGINNING + timedelta(days=3, hours=2, minutes=59))
        done = remove_old_events(db, 1, when, pause=lambda _: None)
        edge = BEGINNING + timedelta(days=2, hours=2)
        assert done.before == edge
        assert done.removed == sum(event.timestamp < edge for event in happened)
        assert Events(db).oldest(1)[0].timestamp >= edge
        assert verify(db) == []
        for since, until in windows():
            for floor in (None, "Ground", "Roof"):
                assert_true(db, happened, since, until, floor)
        piece = event_statistics(db, BEGINNING + timedelta(minutes=90), edge + timedelta(minutes=90))
        assert (piece.since, piece.until) == (BEGINNING + timedelta(hours=1), edge + timedelta(minutes=90))
        assert {f: occupancy_over_time(db, f, BEGINNING, LAST) for f in ("Ground", "Roof")} == series
        # In between the hours of what is gone only their ends are known.
        fine = occupancy_over_time(db, "Ground", BEGINNING, LAST, timedelta(minutes=30))
        assert [point for point in fine if point.at.minute == 0] == series["Ground"]


CHANGE = datetime(2026, 3, 29, 1, 0, tzinfo=UTC)


class SummerTime(tzinfo):
    """An hour before UTC until ``CHANGE``, two hours from then on."""

    def utcoffset(self, moment: datetime | None) -> timedelta:
        """By the local time: there is none between one offset and the other."""
        summer = moment is not None and moment.replace(tzinfo=UTC) >= CHANGE + timedelta(hours=2)
        return timedelta(hours=2 if summer else 1)

    def dst(self, moment: datetime | None) -> timedelta:
        """What is added in summer."""
        return self.utcoffset(moment) - timedelta(hours=1)

    def tzname(self, moment: datetime | None) -> str:
        """The name of the offset."""
        return "summer" if self.dst(moment) else "winter"

    def fromutc(self, moment: datetime) -> datetime:
        """Local time."""
        return moment + timedelta(hours=2 if moment.replace(tzinfo=UTC) >= CHANGE else 1)


@pytest.mark.parametrize("days", [1, 40, 3000])
def test_hours_of_the_day_follow_the_change_to_summer_time(
    db: Database, make_event: Callable[..., Event], now: datetime, days: int
) -> None:
    """An event an hour, two days before and after: each counts in the hour that the clock on the wall showed."""
    moments = [CHANGE + timedelta(hours=hour, minutes=30) for hour in range(-48, 48)]
    Events(db).record_all([make_event(n, timestamp=moment) for n, moment in enumerate(moments)], now)
    zone = SummerTime()
    since, until = CHANGE - days * timedelta(hours=24), CHANGE + days * timedelta(hours=24)
    expected = Counter(moment.astimezone(zone).hour for moment in moments if since <= moment < until)
    summary = event_statistics(db, since, until, zone=zone)
    assert [entries for entries, _ in summary.by_hour] == [expected[hour] for hour in range(24)]
    assert event_statistics(db, since, until, "Ground", zone=zone).by_hour == summary.by_hour


def test_a_window_of_centuries_without_an_event_is_empty(db: Database) -> None:
    """And takes no time to go through."""
    summary = event_statistics(db, datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC))
    assert (summary.total, summary.peak_hour, summary.mean_confidence) == (0, None, None)
