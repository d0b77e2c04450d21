"""A real database file with two floors, and events to put in it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from edge.config import FloorConfig
from edge.records import Direction, Event, VehicleType
from edge.store.database import open_database
from edge.store.floors import Floors
from edge.store.schema import create_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from peewee import SqliteDatabase

BEGINNING = datetime(2026, 5, 4, 8, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def now() -> datetime:
    """A moment after every event of ``make_event``."""
    return datetime(2026, 5, 4, 20, 0, 0, 123456, tzinfo=UTC)


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
