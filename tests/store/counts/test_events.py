"""Tests of recording events, each once and completely or not at all, and of reading the newest."""

from __future__ import annotations

import random
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from edge.core.errors import RefusedError
from edge.core.events import Direction, VehicleType
from edge.store.counts.events import Events
from edge.store.counts.floors import Floors
from edge.store.counts.outbox import Outbox
from edge.store.schema.connect import open_database
from edge.store.schema.models import AdjustmentReason
from edge.store.upkeep.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from peewee import Database, SqliteDatabase

    from edge.core.events import Event


def contents(db: Database) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table."""
    return {
        table: db.execute_sql(f"SELECT * FROM {table} ORDER BY id").fetchall()
        for table in ("floors", "events", "adjustments", "outbox")
    }


def test_recording_stores_the_event_changes_the_count_and_fills_the_outbox(
    db: Database, make_event: Callable[..., Event], now: datetime
) -> None:
    """The row has every field of the event, the floor has one more vehicle, and the outbox has the event."""
    event = make_event(1, vehicle_type=VehicleType.BUS, confidence=1 / 3)
    recorded = Events(db).record(event, now)
    assert recorded.inserted
    assert recorded.clamp is None
    assert recorded.event.event == event
    assert (recorded.event.event_id, recorded.event.floor_id) == (event.event_id, 1)
    assert recorded.event.created_at == now
    assert (recorded.occupancy.current_vehicles, recorded.occupancy.seq, recorded.occupancy.as_of) == (11, 2, now)
    assert recorded.occupancy in Floors(db).active()
    assert Events(db).newest(10) == [recorded.event]
    assert Outbox(db).pending(10) == [recorded.event]
    assert verify(db) == []


def test_entries_add_and_exits_subtract(db: Database, make_event: Callable[..., Event], now: datetime) -> None:
    """Each event also increases the floor's sequence number by 1."""
    ways = [Direction.ENTRY, Direction.EXIT, Direction.EXIT]
    results = Events(db).record_all([make_event(n, direction=way) for n, way in enumerate(ways)], now)
    assert [item.occupancy.current_vehicles for item in results] == [11, 10, 9]
    assert [item.occupancy.seq for item in results] == [2, 3, 4]


def test_recording_again_changes_nothing(db: Database, make_event: Callable[..., Event], now: datetime) -> None:
    """The second call returns the first row, also if other fields differ, and changes no table."""
    first = Events(db).record(make_event(1), now)
    before = contents(db)
    differs = make_event(1, confidence=0.1, vehicle_type=VehicleType.TRUCK, gate_id="other", floor="Roof")
    for again in (make_event(1), differs, replace(differs, floor="Nowhere")):
        repeated = Events(db).record(again, now + timedelta(hours=1))
        assert not repeated.inserted
        assert repeated.event == first.event
        assert repeated.occupancy == first.occupancy
    assert contents(db) == before
    assert Events(db).count() == 1


def test_recording_again_writes_no_page(
    sqlite_db: SqliteDatabase, path: Path, make_event: Callable[..., Event], now: datetime
) -> None:
    """A duplicate adds no byte to the write-ahead log, and other connections see no change."""
    events = [make_event(n) for n in range(3)]
    Events(sqlite_db).record_all(events, now)
    log = path.with_name(f"{path.name}-wal")
    with closing(open_database(path, busy_timeout=1.0, read_only=True)) as other:
        version, size, content = other.pragma("data_version"), log.stat().st_size, log.read_bytes()
        for _ in range(5):
            assert not any(item.inserted for item in Events(sqlite_db).record_all(events, now))
        assert (log.stat().st_size, log.read_bytes()) == (size, content)
        assert other.pragma("data_version") == version
        Events(sqlite_db).record(make_event(9), now)
        assert other.pragma("data_version") != version


def test_the_same_event_twice_in_one_call_is_recorded_once(
    db: Database, make_event: Callable[..., Event], now: datetime
) -> None:
    """The second one finds the first in the same transaction."""
    results = Events(db).record_all([make_event(1), make_event(2), make_event(1)], now)
    assert [item.inserted for item in results] == [True, True, False]
    assert results[2].event == results[0].event
    assert results[2].occupancy.current_vehicles == 12


def test_the_same_moment_in_another_offset_is_the_same_event(
    db: Database, make_event: Callable[..., Event], now: datetime
) -> None:
    """The key has the moment, not its offset, and the timestamp is returned in UTC."""
    event = make_event(1)
    elsewhere = replace(event, timestamp=event.timestamp.astimezone(timezone(timedelta(hours=5, minutes=30))))
    first = Events(db).record(elsewhere, now)
    assert first.event.timestamp.tzinfo is UTC
    assert first.event.event == event
    assert not Events(db).record(event, now).inserted


def test_another_direction_time_track_or_camera_is_another_event(
    db: Database, make_event: Callable[..., Event], now: datetime
) -> None:
    """One track may cross a line several times."""
    event = make_event(1)
    others = [
        replace(event, direction=Direction.EXIT),
        replace(event, timestamp=event.timestamp + timedelta(microseconds=1)),
        replace(event, track_id="RUN-1b"),
        replace(event, camera_id="ramp-2"),
    ]
    assert all(item.inserted for item in Events(db).record_all([event, *others], now))
    assert Events(db).count() == 5


def test_a_refused_event_undoes_the_whole_call(db: Database, make_event: Callable[..., Event], now: datetime) -> None:
    """A crossing between floors whose second event is refused does not store the first."""
    before = contents(db)
    pair = [make_event(1, direction=Direction.EXIT), make_event(1, floor="No such floor")]
    with pytest.raises(RefusedError, match=r"no floor 'No such floor'.*'Ground', 'Roof'"):
        Events(db).record_all(pair, now)
    assert contents(db) == before
    both = Events(db).record_all([pair[0], replace(pair[1], floor="Roof")], now)
    assert [(item.occupancy.name, item.occupancy.current_vehicles) for item in both] == [("Ground", 9), ("Roof", 1)]


def test_a_call_without_events_does_nothing(db: Database, now: datetime) -> None:
    """The result is empty."""
    assert Events(db).record_all([], now) == []


def test_an_exit_from_an_empty_floor_is_recorded_and_clamped(
    db: Database, make_event: Callable[..., Event], now: datetime
) -> None:
    """The event is stored, the count stays at 0, and the ledger has the reason."""
    event = make_event(1, floor="Roof", direction=Direction.EXIT)
    recorded = Events(db).record(event, now)
    assert recorded.inserted
    assert recorded.clamp is AdjustmentReason.UNDERFLOW
    assert (recorded.occupancy.current_vehicles, recorded.occupancy.seq) == (0, 2)
    [row] = contents(db)["adjustments"]
    assert row[1:8] == (2, 1, "underflow", str(event.event_id), "", -1, 0)
    assert verify(db) == []


def test_an_entry_into_a_full_floor_is_recorded_and_clamped(
    db: Database, make_event: Callable[..., Event], now: datetime
) -> None:
    """The event of the third vehicle on two slots is stored, and the count stays at 2."""
    results = Events(db).record_all([make_event(n, floor="Roof") for n in range(3)], now)
    assert [item.clamp for item in results] == [None, None, AdjustmentReason.OVERFLOW]
    assert [item.occupancy.current_vehicles for item in results] == [1, 2, 2]
    [row] = contents(db)["adjustments"]
    assert row[1:8] == (2, -1, "overflow", str(results[2].event.event_id), "", 3, 2)
    assert verify(db) == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"floor": "Nowhere"}, "no floor 'Nowhere' in the database"),
        ({"floor": "x'; DROP TABLE events; --"}, "no floor"),
        ({"confidence": 1.2}, "confidence is 1.2; it must be a number from 0 to 1"),
        ({"confidence": -0.01}, "confidence is -0.01"),
        ({"confidence": float("nan")}, "confidence is nan"),
        ({"confidence": float("inf")}, "confidence is inf"),
        ({"confidence": "0.5"}, "confidence is 0.5; it must be a number"),
        ({"confidence": None}, "confidence is None"),
        ({"direction": "in"}, "direction is in; it must be one of entry, exit"),
        ({"direction": None}, "direction is None"),
        ({"vehicle_type": "tank"}, "vehicle_type is tank; it must be one of car, .*other"),
        ({"timestamp": datetime(2026, 5, 4, 8, 0)}, "track 'RUN-1': the time 2026-05-04T08:00:00 has no time zone"),  # noqa: DTZ001
        ({"timestamp": 1_777_000_000.0}, "must be a datetime"),
        ({"timestamp": datetime.max.replace(tzinfo=timezone(timedelta(hours=-9)))}, "out of the calendar"),
        ({"camera_id": ""}, "camera_id has 0 characters"),
        ({"camera_id": "x" * 10_000}, "camera_id has 10000 characters; it must have 1 to 200"),
        ({"track_id": "RUN\n1"}, "track_id 'RUN.*control characters"),
        ({"gate_id": "\ud800"}, "gate_id"),
        ({"track_id": 7}, "track_id must be text, not int"),
    ],
)
def test_an_impossible_event_is_refused_in_one_sentence(
    db: Database, make_event: Callable[..., Event], now: datetime, changes: dict[str, object], reason: str
) -> None:
    """The sentence names the value; neither this event nor the valid one beside it is stored."""
    before = contents(db)
    with pytest.raises(RefusedError, match=reason) as caught:
        Events(db).record_all([make_event(2), make_event(1, **changes)], now)
    assert len(str(caught.value)) < 400
    assert "\n" not in str(caught.value)
    assert contents(db) == before


def test_a_naive_now_is_refused(db: Database, make_event: Callable[..., Event]) -> None:
    """The time of recording needs a time zone too."""
    with pytest.raises(RefusedError, match="no time zone"):
        Events(db).record(make_event(1), datetime(2026, 5, 4, 8, 0))  # noqa: DTZ001
    assert Events(db).count() == 0


@pytest.mark.parametrize("confidence", [0, 1, np.float32(0.1), np.float64(0.7), 5e-324])
def test_a_confidence_of_any_number_type_is_stored_exactly(
    db: Database, make_event: Callable[..., Event], now: datetime, confidence: float
) -> None:
    """Detectors return NumPy's numbers; the same number is returned as a float."""
    Events(db).record(make_event(1, confidence=confidence), now)
    [stored] = Events(db).newest(1)
    assert type(stored.confidence) is float
    assert stored.confidence == float(confidence)


def test_an_event_that_breaks_a_constraint_of_the_database_is_refused(
    db: Database, make_event: Callable[..., Event], now: datetime
) -> None:
    """A constraint that was added to the table becomes a RefusedError with the database's text."""
    event = make_event(1)
    Events(db).record(make_event(5), now)
    db.execute_sql("CREATE UNIQUE INDEX one_a_floor ON events (floor_id)")
    with pytest.raises(RefusedError, match="the database refuses event=") as caught:
        Events(db).record(event, now)
    assert "\n" not in str(caught.value)
    assert Events(db).count() == 1


def test_the_newest_come_first_by_their_timestamp(
    db: Database, make_event: Callable[..., Event], now: datetime
) -> None:
    """Events that were recorded out of order are sorted, also those of one floor or camera."""
    order = list(range(20))
    random.Random(7).shuffle(order)
    for n in order:
        floor, camera = ("Roof" if n % 2 else "Ground"), ("up" if n % 3 else "down")
        Events(db).record(make_event(n, floor=floor, camera_id=camera), now)

    def tracks(limit: int, **choice: Any) -> list[int]:
        return [int(item.track_id.removeprefix("RUN-")) for item in Events(db).newest(limit, **choice)]

    assert tracks(5) == [19, 18, 17, 16, 15]
    assert tracks(3, floor="Ground") == [18, 16, 14]
    assert tracks(100, floor="Roof", camera="down") == [15, 9, 3]
    assert tracks(2, camera="up") == [19, 17]
    assert tracks(9, floor="Nowhere") == tracks(9, camera="none") == tracks(9, camera="\ud800") == []
    for limit in (0, -1):
        with pytest.raises(RefusedError, match=f"limit is {limit}"):
            Events(db).newest(limit)


def test_the_newest_of_a_floor_are_read_from_the_index(sqlite_db: SqliteDatabase) -> None:
    """They are not sorted."""
    statements: list[str] = []
    sqlite_db.connection().set_trace_callback(statements.append)
    Events(sqlite_db).newest(50, floor="Ground")
    sqlite_db.connection().set_trace_callback(None)
    plan = " ".join(row[3] for row in sqlite_db.execute_sql(f"EXPLAIN QUERY PLAN {statements[-1]}").fetchall())
    assert "event_floor_id_timestamp" in plan
    assert "USE TEMP B-TREE FOR ORDER BY" not in plan
