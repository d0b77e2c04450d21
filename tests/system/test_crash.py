"""kill -9 in the middle of a simulated hour, twenty times over."""

from __future__ import annotations

import json
import random
import signal
import sqlite3
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from support.ramp import GATE

from edge.evaluation.accuracy import match
from edge.simulator.scene import Scene, SceneParameters
from edge.store.schema.connect import open_database
from edge.store.upkeep.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

KILLS = 20
HOUR = 3600
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)  # when second 0 of a recorded simulation is
SCENE = {"width": 224, "height": 126, "fps": 3, "vehicles_per_minute": 16, "seed": 11, "noise": 0}
CONFIG = (
    """
[detector]
image_size = 224

[mqtt]
host = "127.0.0.1"
port = {port}
drain_seconds = 30.0

[[floors]]
name = "Ground Floor"
total_slots = 2000
opening_vehicles = 1000

[[floors]]
name = "First Floor"
total_slots = 2000
opening_vehicles = 1000

[[cameras]]
id = "ramp"
source = "{source}"
"""
    + GATE
)


def source(offset: float) -> str:
    """The ramp from a second of the hour on, every frame, as fast as they can be counted."""
    keys = "&".join(f"{key}={value}" for key, value in SCENE.items())
    return f"sim:ramp?{keys}&recorded=1&seconds={HOUR}&offset={offset:.3f}"


def committed(database: Path) -> dict[str, int]:
    """Event ids and times (microseconds) that a reader sees: these are promised."""
    try:
        with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
            return dict(connection.execute("SELECT event_id, timestamp FROM events"))
    except sqlite3.OperationalError:
        return {}


def second_of(micros: int) -> float:
    """A stored time as a second of the simulated hour."""
    return micros / 1e6 - EPOCH.timestamp()


@pytest.mark.timeout(900)
def test_twenty_kills_lose_nothing_and_double_nothing(
    counting: Any, mosquitto: Any, listen: Any, tmp_path: Path, eventually: Callable[..., None]
) -> None:
    """Every event that a reader saw stays, none is there twice, floors equal their events, boards hear of all."""
    mosquitto.start()
    board = listen(mosquitto.port, "smartpark/garage/event/#")
    database = tmp_path / "smartpark.db"
    chance = random.Random(20260501)
    promised: dict[str, int] = {}
    for kill in range(KILLS):
        # Each start goes on where the last one was killed, up to its share of the hour.
        offset = max((second_of(micros) for micros in promised.values()), default=0.0)
        share = (kill + chance.random()) / KILLS * HOUR
        counting.config(CONFIG.format(port=mosquitto.port, source=source(offset)))
        with counting.started("run") as daemon:

            def reached(until: float = share, process: Any = daemon) -> bool:
                promised.update(committed(database))
                return process.poll() is not None or any(second_of(micros) > until for micros in promised.values())

            eventually(reached, 120, f"second {share:.0f} of the hour\n{counting.log[-2000:]}", every=0.05)
            pause = time.monotonic() + chance.uniform(0.0, 0.2)
            eventually(lambda until=pause: time.monotonic() >= until)
            promised.update(committed(database))
            assert daemon.poll() is None, counting.log
            daemon.send_signal(signal.SIGKILL)
            assert daemon.wait(30) == -signal.SIGKILL
        survived = committed(database)
        assert promised.keys() <= survived.keys()
        handle = open_database(database, busy_timeout=5, read_only=True)
        assert verify(handle) == []
        handle.close()
        promised.update(survived)

    offset = max(second_of(micros) for micros in promised.values())
    counting.config(CONFIG.format(port=mosquitto.port, source=source(offset)))
    counting("run", timeout=300)

    final = committed(database)
    assert promised.keys() <= final.keys()
    assert_one_event_a_crossing(counting)
    assert counting.json("status")["outbox"] == 0
    told = {json.loads(payload)["event_id"] for payload in board.payloads("smartpark/garage/event/ramp")}
    assert told == final.keys()


def assert_one_event_a_crossing(program: Any) -> None:
    """No true crossing has two events, and the floors' counts are those of the events."""
    truth = Scene(SceneParameters(**SCENE, seconds=HOUR)).crossings(HOUR)  # type: ignore[arg-type]
    events = program.json("events", "--limit", "100000", "--floor", "First Floor")
    assert len(events) > 500
    for direction in ("entry", "exit"):
        counted = [
            (datetime.fromisoformat(event["timestamp"]) - EPOCH).total_seconds()
            for event in events
            if event["direction"] == direction
        ]
        _, extra = match([one.at for one in truth if one.direction == direction], counted, 1.5)
        assert extra == []
    net = sum(1 if event["direction"] == "entry" else -1 for event in events)
    counts = {floor["name"]: floor["current_vehicles"] for floor in program.json("floors")}
    assert counts == {"First Floor": 1000 + net, "Ground Floor": 1000 - net}
