"""Tests of what the daemon publishes from its database, with a real broker: blind cameras and corrected times."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from edge.config.schema import Config
from edge.core.device_health import DeviceHealth
from edge.core.events import ClockState, Direction, Event
from edge.daemon.database_access import DatabaseAccess
from edge.daemon.health.blindness import Blindness
from edge.daemon.publishing import Publishing
from edge.host.clock import WallClock
from edge.store import ClockChange, ClockChangeKind, Writer, open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

NOW = datetime(2026, 5, 4, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
WAIT = 60.0
EVENT = "smartpark/garage/event/ramp"


class Bench:
    """A writer, blindness and publishing of one floor and one camera."""

    def __init__(self, path: Path, port: int) -> None:
        gate = {"id": "g", "line": ((0.5, 0.1), (0.5, 0.9)), "inside": (0.9, 0.5), "floor": "Ground"}
        self.config = Config.model_validate(
            {
                "database": {"path": str(path)},
                "mqtt": {"host": "127.0.0.1", "port": port},
                "floors": ({"name": "Ground", "total_slots": 10},),
                "cameras": ({"id": "ramp", "source": "sim:ramp", "gates": (gate,)},),
            }
        )
        access = DatabaseAccess(self.config.database)
        self.fatal: list[BaseException] = []
        self.writer = Writer(access.open_to_write, self.recorded, self.fatal.append)
        self.writer.start()
        self.writer.create_missing_floors(self.config.floors)
        clock = WallClock()
        self.blindness = Blindness(self.writer.post, clock)
        self.publishing = Publishing(self.config, access, self.writer, self.blindness, clock)
        self.publishing.start(DeviceHealth((), 0, 0, 0, NOW))

    def recorded(self, items: Any) -> None:
        """Publish what was committed."""
        self.publishing.publish_recorded(items)

    def waiting(self) -> int:
        """How many events wait in the outbox."""
        with open_store(self.config.database.path, read_only=True) as store:
            return store.outbox.count()


@pytest.fixture
def bench(tmp_path: Path, mosquitto: Any) -> Iterator[Bench]:
    """A publishing daemon, without cameras."""
    mosquitto.start()
    made = Bench(tmp_path / "smartpark.db", mosquitto.port)
    yield made
    made.publishing.close()
    made.writer.close(WAIT)
    assert made.fatal == []


def test_a_corrected_time_is_published_with_the_id_of_the_event(
    bench: Bench, mosquitto: Any, listen: Any, eventually: Callable[..., None]
) -> None:
    """Once more, with what was added to it; then nothing waits any more."""
    board = listen(mosquitto.port)
    change = ClockChange(ClockChangeKind.START, NOW, "boot", timedelta(0))
    bench.writer.call(lambda store: store.clock.record(change), "the start")
    event = Event(
        camera_id="ramp",
        floor="Ground",
        track_id="1",
        direction=Direction.ENTRY,
        timestamp=NOW,
        clock_state=ClockState.UNSYNCHRONISED,
    )
    bench.writer.submit([event])
    eventually(lambda: len(board.payloads(EVENT)) == 1)
    eventually(lambda: bench.waiting() == 0)
    change = ClockChange(ClockChangeKind.SYNCHRONISED, NOW + HOUR, "boot", HOUR)
    assert bench.writer.call(lambda store: store.clock.record(change), "the synchronisation") == 1
    bench.publishing.publish_external_changes()
    eventually(lambda: len(board.payloads(EVENT)) == 2)
    first, second = (json.loads(payload) for payload in board.payloads(EVENT))
    assert (first["clock_state"], first["correction_seconds"]) == ("unsynchronised", 0.0)
    assert (second["clock_state"], second["correction_seconds"]) == ("synchronised", 3600.0)
    assert first["event_id"] == second["event_id"] == str(event.event_id)
    assert second["timestamp"] == "2026-05-04T09:00:00.000000Z"
    eventually(lambda: bench.waiting() == 0)


def test_a_blind_camera_makes_its_floor_unknown_though_the_disk_is_locked(
    bench: Bench, mosquitto: Any, listen: Any, tmp_path: Path, eventually: Callable[..., None]
) -> None:
    """The board does not wait for the database; the interval is recorded when that answers again."""
    board = listen(mosquitto.port)
    available = "smartpark/garage/floor/ground/available"
    eventually(lambda: board.last(available) == b"10")
    with open_store(tmp_path / "smartpark.db") as other, other.transaction():
        bench.blindness.start(["ramp"], [], 100.0, NOW)
        bench.blindness.update("ramp", "the camera gives no frames", 120.0)
        bench.publishing.publish_blindness(120.0)
        eventually(lambda: board.last(available) == b"--")
    assert bench.writer.flush(WAIT)
    bench.blindness.update("ramp", None, 130.0)
    bench.blindness.update("ramp", None, 140.0)
    bench.publishing.publish_blindness(140.0)
    eventually(lambda: board.last(available) == b"10")
    assert bench.writer.flush(WAIT)
    bench.publishing.publish_external_changes()
    eventually(lambda: board.json("smartpark/garage/floor/ground/state")["blind_seconds"] == 30.0)
