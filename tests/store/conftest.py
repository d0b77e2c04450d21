"""A real database file with two floors, events to put in it, and a writer to do so."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from edge.config import FloorConfig
from edge.records import Direction, Event, VehicleType
from edge.store.audit import Act
from edge.store.database import open_database
from edge.store.floors import Floors
from edge.store.schema import create_schema
from edge.store.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from peewee import SqliteDatabase

    from edge.store.events import Recorded

BEGINNING = datetime(2026, 5, 4, 8, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def now() -> datetime:
    """A moment after every event of ``make_event``."""
    return datetime(2026, 5, 4, 20, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture(scope="session")
def act(now: datetime) -> Act:
    """A technician does something at ``now``."""
    return Act("anna", now, "by hand")


@pytest.fixture(scope="session")
def floors() -> tuple[FloorConfig, ...]:
    """``Ground`` with 50 places and 10 vehicles, ``Roof`` with 2 places and none."""
    return (
        FloorConfig(name="Ground", total_slots=50, opening_vehicles=10, description="by the street"),
        FloorConfig(name="Roof", total_slots=2),
    )


@pytest.fixture(scope="session")
def make_event() -> Callable[..., Event]:
    """``make_event(n)`` is the nth entry into Ground, one a second; keywords change its fields."""

    def make(n: int, **changes: object) -> Event:
        fields: dict[str, object] = {
            "camera_id": "ramp",
            "gate_id": "gate",
            "floor": "Ground",
            "track_id": f"RUN-{n}",
            "vehicle_type": VehicleType.CAR,
            "direction": Direction.ENTRY,
            "confidence": 0.87,
            "timestamp": BEGINNING + timedelta(seconds=n),
        }
        return Event(**{**fields, **changes})  # type: ignore[arg-type]

    return make


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the database of the test is, once something made it."""
    return tmp_path / "smartpark.db"


@pytest.fixture
def db(path: Path, floors: tuple[FloorConfig, ...], now: datetime) -> Iterator[SqliteDatabase]:
    """A writer's handle on a database with the floors."""
    handle = open_database(path, busy_timeout=5.0)
    create_schema(handle)
    Floors(handle).ensure(floors, now)
    yield handle
    handle.close()


class Bench:
    """A writer on the test's file, and what it told."""

    def __init__(self, path: Path, now: datetime) -> None:
        self.path = path
        self.handle: SqliteDatabase | None = None
        self.told: list[list[Recorded]] = []
        self.fatal: list[BaseException] = []
        self.busy_timeout = 0.05  # short, which keeps the tests quick
        self.opened = 0
        self.on_attempt: Callable[[SqliteDatabase], None] | None = None
        self._now = now
        self.writers: list[Writer] = []

    def writer(self, **options: int) -> Writer:
        """A new one, not started."""

        def open_db() -> SqliteDatabase:
            self.handle = open_database(self.path, busy_timeout=self.busy_timeout)
            self.opened += 1
            return self.handle

        def clock() -> datetime:  # the writer asks for the time once an attempt, in its own thread
            if self.on_attempt is not None and self.handle is not None:
                self.on_attempt(self.handle)
            return self._now

        writer = Writer(open_db, self.told.append, self.fatal.append, clock=clock, **options)
        self.writers.append(writer)
        return writer

    def started(self, floors: tuple[FloorConfig, ...], **options: int) -> Writer:
        """A new one that runs and has the floors."""
        writer = self.writer(**options)
        writer.start()
        writer.ensure_floors(floors)
        return writer

    def read(self) -> SqliteDatabase:
        """A read-only handle."""
        return open_database(self.path, busy_timeout=5.0, read_only=True)

    @property
    def recorded(self) -> list[Recorded]:
        """All that was told, in order."""
        return [item for group in self.told for item in group]


@pytest.fixture
def make_bench(now: datetime) -> Iterator[Callable[[Path], Bench]]:
    """``make_bench(path)``: writers on that file, which are closed at the end of the test."""
    benches: list[Bench] = []

    def make(path: Path) -> Bench:
        benches.append(Bench(path, now))
        return benches[-1]

    yield make
    for bench in benches:
        for writer in bench.writers:
            writer.close(timeout=5.0)


@pytest.fixture
def bench(make_bench: Callable[[Path], Bench], path: Path) -> Bench:
    """Writers on the test's file."""
    return make_bench(path)


@pytest.fixture
def locked(path: Path) -> Iterator[sqlite3.Connection]:
    """Another program's connection; ``BEGIN IMMEDIATE`` on it keeps the writer out, ``ROLLBACK`` lets it in."""
    with closing(sqlite3.connect(path, isolation_level=None, timeout=5.0)) as other:
        yield other
