"""Fixtures: a database with two floors, of SQLite and of PostgreSQL, events to record in it, and a writer."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from peewee import PostgresqlDatabase, SqliteDatabase
from support.postgres_server import PostgresServer, reason_for_none

from edge.config.schema import FloorConfig
from edge.core.events import Direction, Event, VehicleType
from edge.store.counts.audit import Attribution
from edge.store.counts.floors import Floors
from edge.store.schema.connect import open_database
from edge.store.schema.versions import create_tables
from edge.store.store import Store, open_store
from edge.store.writing.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from peewee import Database

    from edge.store.counts.stored_event import Recorded

BEGINNING = datetime(2026, 5, 4, 8, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def now() -> datetime:
    """A time after every event of ``make_event``."""
    return datetime(2026, 5, 4, 20, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture(scope="session")
def by(now: datetime) -> Attribution:
    """A technician makes a change at ``now``."""
    return Attribution("anna", now, "by hand")


@pytest.fixture(scope="session")
def floors() -> tuple[FloorConfig, ...]:
    """``Ground`` with 50 slots and 10 vehicles, ``Roof`` with 2 slots and no vehicle."""
    return (
        FloorConfig(name="Ground", total_slots=50, opening_vehicles=10, description="by the street"),
        FloorConfig(name="Roof", total_slots=2),
    )


@pytest.fixture(scope="session")
def make_event() -> Callable[..., Event]:
    """``make_event(n)`` is the nth entry into Ground, one each second; keywords change its fields."""

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
    """The path of the test's database, which need not exist yet."""
    return tmp_path / "smartpark.db"


@pytest.fixture(scope="session")
def file_with_floors(tmp_path_factory: pytest.TempPathFactory, floors: tuple[FloorConfig, ...], now: datetime) -> bytes:
    """The content of a SQLite file with the floors: to copy it is quicker than to create the tables for each test."""
    path = tmp_path_factory.mktemp("template") / "x.db"
    with closing(open_database(path, busy_timeout=5.0)) as handle:
        create_tables(handle)
        Floors(handle).create_missing(floors, now)
    return path.read_bytes()


@pytest.fixture
def sqlite_db(path: Path, file_with_floors: bytes) -> Iterator[SqliteDatabase]:
    """A writing handle on a file with the floors, for what only SQLite has; ``db`` is for everything else."""
    path.write_bytes(file_with_floors)
    handle = open_database(path, busy_timeout=5.0)
    yield handle
    handle.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server that ends with the tests."""
    reason = reason_for_none()
    if reason is not None:
        pytest.skip(reason)
    server = PostgresServer()
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
def postgres_db(
    postgres: PostgresServer, floors: tuple[FloorConfig, ...], now: datetime
) -> Iterator[PostgresqlDatabase]:
    """A handle on a PostgreSQL database with the floors."""
    with postgres.database() as handle:
        Floors(handle).create_missing(floors, now)
        yield handle


@pytest.fixture(params=["sqlite", "postgresql"])
def db(request: pytest.FixtureRequest) -> Database:
    """A writing handle on a database with the floors, of each kind in turn."""
    return request.getfixturevalue("sqlite_db" if request.param == "sqlite" else "postgres_db")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def new_database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], AbstractContextManager[Database]]:
    """Makes databases that have tables and no floors, of each kind in turn, for tests that share one or need several.

    They do not wait for the disk, so they are not for tests of crashes.
    """

    @contextmanager
    def sqlite() -> Iterator[Database]:
        with closing(open_database(tmp_path_factory.mktemp("new") / "x.db", busy_timeout=5.0)) as handle:
            handle.execute_sql("PRAGMA synchronous = OFF")
            create_tables(handle)
            yield handle

    if request.param == "sqlite":
        return sqlite
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.database


@pytest.fixture
def beside() -> Iterator[Callable[[Database], Database]]:
    """``beside(db)`` opens another handle on the same database; the fixture closes it in the test's thread."""
    made: list[Database] = []

    def another(db: Database) -> Database:
        if isinstance(db, SqliteDatabase):
            made.append(open_database(Path(db.database), busy_timeout=60.0))
        else:
            made.append(PostgresqlDatabase(db.database, prefer_psycopg3=True))
        return made[-1]

    yield another
    for handle in made:
        handle.close()


class WriterBench:
    """Writers on a file, and what they reported."""

    def __init__(self, path: Path, now: datetime) -> None:
        self.path = path
        self.handle: SqliteDatabase | None = None
        self.reports: list[list[Recorded]] = []
        self.fatal: list[BaseException] = []
        self.busy_timeout = 0.05
        self.opened = 0
        self.on_attempt: Callable[[SqliteDatabase], None] | None = None
        self._now = now
        self.writers: list[Writer] = []

    def writer(self, **options: int) -> Writer:
        """A new writer, not started."""

        def open_again() -> Store:
            store = open_store(self.path, any_version=True, busy_timeout=self.busy_timeout)
            assert isinstance(store.db, SqliteDatabase)
            self.handle = store.db
            self.opened += 1
            return store

        def clock() -> datetime:  # called once for each attempt, in the writer's thread
            if self.on_attempt is not None and self.handle is not None:
                self.on_attempt(self.handle)
            return self._now

        writer = Writer(open_again, self.reports.append, self.fatal.append, clock=clock, **options)
        self.writers.append(writer)
        return writer

    def started(self, floors: tuple[FloorConfig, ...], **options: int) -> Writer:
        """A new writer that runs and has created the floors."""
        writer = self.writer(**options)
        writer.start()
        writer.create_missing_floors(floors)
        return writer

    def read(self) -> SqliteDatabase:
        """A read-only handle."""
        return open_database(self.path, busy_timeout=5.0, read_only=True)

    @property
    def recorded(self) -> list[Recorded]:
        """All events that were reported as recorded, in order."""
        return [item for group in self.reports for item in group]


@pytest.fixture
def make_bench(now: datetime) -> Iterator[Callable[[Path], WriterBench]]:
    """``make_bench(path)``: writers on that file, which are closed at the end of the test."""
    benches: list[WriterBench] = []

    def make(path: Path) -> WriterBench:
        benches.append(WriterBench(path, now))
        return benches[-1]

    yield make
    for bench in benches:
        for writer in bench.writers:
            writer.close(timeout=5.0)


@pytest.fixture
def bench(make_bench: Callable[[Path], WriterBench], path: Path) -> WriterBench:
    """Writers on the test's file."""
    return make_bench(path)


@pytest.fixture
def other_program(path: Path) -> Iterator[sqlite3.Connection]:
    """Another program's connection; ``BEGIN IMMEDIATE`` on it locks the writer out, ``ROLLBACK`` ends that."""
    with closing(sqlite3.connect(path, isolation_level=None, timeout=5.0)) as other:
        yield other
