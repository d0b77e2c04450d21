"""Writes databases for the bench of the store in bulk: years of a car park, the same for the same seed.

Their rows are those that recording each event on its own would have written: events in the order of their times, hourly
totals, clamps in the ledger, the floors' counts; the outbox is empty. Indexes are built at the end, so their pages are
fuller than those of a database that grew.
"""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from edge.config.schema import FloorConfig
from edge.core.events import EVENT_NAMESPACE, Direction, Event, VehicleType
from edge.store.counts.floors import Floors
from edge.store.schema.connect import open_database
from edge.store.schema.versions import create_tables
from edge.store.sql.times import to_micros

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

DAYS = 730
DAY_MICROS = 86_400_000_000
HOUR_MICROS = 3_600_000_000
# The databases end here.
END = datetime(2026, 5, 5, 0, 0, tzinfo=UTC)
FLOORS = tuple(
    FloorConfig(name=f"Level {number}", total_slots=300 + 50 * number, opening_vehicles=10 * number)
    for number in range(1, 9)
)
KINDS = tuple(VehicleType)
KIND_SHARES = (0.82, 0.05, 0.01, 0.04, 0.06, 0.02)
# Shares of the day's events by the hour, and how many of an hour's events are entries.
DAY_PROFILE = np.array([1, 1, 1, 1, 2, 5, 12, 20, 18, 12, 10, 10, 12, 12, 11, 13, 17, 20, 15, 10, 7, 5, 3, 2], float)
ENTRY_SHARES = np.array(
    [45, 45, 45, 45, 55, 60, 62, 60, 58, 55, 53, 50, 48, 50, 50, 47, 42, 41, 43, 45, 45, 44, 44, 44]
)
_INSERT = """
    INSERT INTO events (event_id, camera_id, gate_id, floor_id, track_id, vehicle_type, direction, confidence,
                        timestamp, created_at, clock_state)
    VALUES (?, ?, 'gate', ?, ?, ?, ?, ?, ?, ?, 'synchronised')"""
_ADJUST = """
    INSERT INTO adjustments (floor_id, delta, reason, event_id, note, "before", "after", at, actor)
    VALUES (?, ?, ?, ?, '', ?, ?, ?, '')"""
_HOUR = f"INSERT INTO event_hourly VALUES ({', '.join('?' * 13)})"
_COUNTED = "UPDATE floors SET current_vehicles = ?, seq = seq + ?, updated_at = ? WHERE id = ?"


def build(path: Path, events: int, seed: int = 1, days: int = DAYS) -> None:
    """Write a database of ``events`` events in the ``days`` days before ``END`` to ``path``, which must not exist."""
    with closing(open_database(path, busy_timeout=5.0)) as db:
        create_tables(db)
        Floors(db).create_missing(FLOORS, END - timedelta(days=days))
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -400000", "threads = 2"):
            db.execute(f"PRAGMA {pragma}").fetchall()
        indexes = db.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'events' AND sql IS NOT NULL"
        ).fetchall()
        db.execute("BEGIN")
        for name, _ in indexes:
            db.execute(f"DROP INDEX {name}")
        _Garage(db, events, seed, days).fill()
        db.execute("COMMIT")
        for _, sql in indexes:
            db.execute(sql)
        db.execute("PRAGMA journal_mode = WAL").fetchall()


class _Garage:
    def __init__(self, db: sqlite3.Connection, events: int, seed: int, days: int) -> None:
        self._db = db
        self._days = days
        self._begin = END - timedelta(days=days)
        self._chance = np.random.default_rng(seed)
        self._events = events
        self._counts = [floor.opening_vehicles for floor in FLOORS]
        self._slots = [floor.total_slots for floor in FLOORS]
        self._adjustments: list[tuple[object, ...]] = []
        self._changes = np.zeros(len(FLOORS), int)
        self._last = [to_micros(self._begin)] * len(FLOORS)

    def fill(self) -> None:
        """All days, then what depends on the last of them."""
        begin = to_micros(self._begin)
        for day in range(self._days):
            number = self._events * (day + 1) // self._days - self._events * day // self._days
            drawn = self._day(begin + day * DAY_MICROS, number)
            self._db.executemany(_INSERT, self._rows(day, *drawn))
            self._db.executemany(_HOUR, _hours(*drawn))
            times, floors = drawn[:2]
            self._changes += np.bincount(floors, minlength=len(FLOORS))
            for floor, time in zip(floors.tolist(), times.tolist(), strict=True):
                self._last[floor] = time
        self._db.executemany(_ADJUST, self._adjustments)
        totals = zip(self._counts, self._changes.tolist(), self._last, strict=True)
        for index, (count, changed, time) in enumerate(totals):
            self._db.execute(_COUNTED, (count, changed, time + 150_000, index + 1))
        # Each event was in the outbox once.
        self._db.execute("DELETE FROM sqlite_sequence WHERE name = 'outbox'")
        self._db.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('outbox', ?)", (self._events,))

    def _day(self, begin: int, number: int) -> tuple[NDArray[np.int64], ...]:
        chance = self._chance
        hours = chance.choice(24, number, p=DAY_PROFILE / DAY_PROFILE.sum())
        times = np.sort(begin + hours * HOUR_MICROS + chance.integers(0, HOUR_MICROS, number))
        entry_shares = ENTRY_SHARES[times % DAY_MICROS // HOUR_MICROS] / 100
        return (
            times,
            chance.integers(0, len(FLOORS), number),
            (chance.random(number) < entry_shares).astype(np.int64),
            chance.choice(len(KINDS), number, p=KIND_SHARES),
            # In ten thousandths.
            chance.integers(4000, 9900, number),
        )

    def _rows(self, day: int, *drawn: NDArray[np.int64]) -> Iterator[tuple[object, ...]]:
        date = (self._begin + timedelta(days=day)).strftime("%Y-%m-%dT")
        namespace, sha1, variants = (
            EVENT_NAMESPACE.bytes,
            hashlib.sha1,
            dict(zip("0123456789abcdef", 4 * "89ab", strict=True)),
        )
        cameras = [f"camera-{number}" for number in range(1, len(FLOORS) + 1)]
        kinds, counts, slots = [kind.value for kind in KINDS], self._counts, self._slots
        columns = (column.tolist() for column in drawn)
        for number, (time, floor, entry, kind, confidence) in enumerate(zip(*columns, strict=True)):
            seconds, micros = divmod(time % DAY_MICROS, 1_000_000)
            minutes, second = divmod(seconds, 60)
            track = f"{day:04x}-{number:06d}"
            way = "entry" if entry else "exit"
            camera = cameras[floor]
            moment = f"{date}{minutes // 60:02d}:{minutes % 60:02d}:{second:02d}.{micros:06d}Z"
            text = sha1(namespace + f"{camera}\n{track}\n{way}\n{moment}".encode()).hexdigest()
            event_id = f"{text[:8]}-{text[8:12]}-5{text[13:16]}-{variants[text[16]]}{text[17:20]}-{text[20:32]}"
            before = counts[floor]
            counted = before + (1 if entry else -1)
            if 0 <= counted <= slots[floor]:
                counts[floor] = counted
            else:
                reason = "underflow" if counted < 0 else "overflow"
                self._adjustments.append((floor + 1, before - counted, reason, event_id, counted, before, time))
            yield event_id, camera, floor + 1, track, kinds[kind], way, confidence / 10_000, time, time + 150_000


def _hours(
    times: NDArray[np.int64],
    floors: NDArray[np.int64],
    entries: NDArray[np.int64],
    kinds: NDArray[np.int64],
    confidences: NDArray[np.int64],
) -> Iterator[tuple[object, ...]]:
    first = int(times[0]) - int(times[0]) % DAY_MICROS if len(times) else 0
    width = len(FLOORS)
    places = (times - first) // HOUR_MICROS * width + floors
    size = 24 * width
    total = np.bincount(places, minlength=size)
    entered = np.bincount(places, weights=entries, minlength=size).astype(int)
    by_kind = np.bincount(places * len(KINDS) + kinds, minlength=size * len(KINDS)).reshape(size, len(KINDS))
    confidence = np.bincount(places, weights=confidences, minlength=size) / 10_000
    for place in np.flatnonzero(total).tolist():
        hour, floor = first + place // width * HOUR_MICROS, place % width + 1
        exits = int(total[place] - entered[place])
        yield (hour, floor, int(entered[place]), exits, *by_kind[place].tolist(), float(confidence[place]), 0, 0)


def new_event(number: int, moment: datetime) -> Event:
    """An event that no database of the bench has. Entries and exits alternate, so that no count is clamped."""
    floor = number % (2 * len(FLOORS)) // 2
    way = Direction.EXIT if number % 2 else Direction.ENTRY
    track = f"new-{number:08d}"
    return Event(
        camera_id=f"camera-{floor + 1}",
        gate_id="gate",
        floor=FLOORS[floor].name,
        track_id=track,
        vehicle_type=VehicleType.CAR,
        direction=way,
        confidence=0.87,
        timestamp=moment,
    )
