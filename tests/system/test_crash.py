"""Kills the daemon with SIGKILL again and again while it counts simulated traffic.

The small form kills four times in five minutes of traffic, the full one twenty times in an hour.
"""

from __future__ import annotations

import json
import random
import signal
import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from support.ramp import GATE

from edge.evaluation.accuracy import match_times
from edge.simulator.scene import Scene, SceneParameters
from edge.store.schema.connect import open_database
from edge.store.upkeep.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DAY = 86_400
RESTART_SECONDS = 2.0  # from a kill to the first frame of the next start
LAST_SECONDS = 30  # of the run that is not killed
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


def source(offset: float, seconds: float) -> str:
    """The address of the ramp's frames from ``offset`` to ``seconds``, counted as fast as the machine can."""
    keys = "&".join(f"{key}={value}" for key, value in SCENE.items())
    return f"sim:ramp?{keys}&recorded=1&seconds={seconds:.3f}&offset={offset:.3f}"


def committed(database: Path) -> dict[str, int]:
    """Event ids and times (microseconds) that a reader sees: these are promised.

    The connection is closed: one that stays open over a kill would keep the next reader from recovering the log, and
    hide an event that was committed in the moment of the kill.
    """
    try:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
            return dict(connection.execute("SELECT event_id, timestamp FROM events"))
    except sqlite3.OperationalError:
        return {}


def second_of(micros: int) -> float:
    """A stored time as a second of the simulation."""
    return micros / 1e6 - EPOCH.timestamp()


def latest(events: dict[str, int]) -> float:
    """The second of the last event; 0 where there is none."""
    return max((second_of(micros) for micros in events.values()), default=0.0)


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("kills", "seconds"), [(4, 300), pytest.param(20, 3600, marks=pytest.mark.long)])
def test_kills_lose_no_event_and_repeat_none(
    counting: Any,
    mosquitto: Any,
    listen: Any,
    tmp_path: Path,
    eventually: Callable[..., None],
    kills: int,
    seconds: int,
) -> None:
    """Every event that a reader saw stays, none is stored twice, floors equal their events, subscribers get all."""
    mosquitto.start()
    board = listen(mosquitto.port, "smartpark/garage/event/#")
    database = tmp_path / "smartpark.db"
    chance = random.Random(20260501)
    promised: dict[str, int] = {}
    for _ in range(kills):
        # Each start continues where the last one was killed, later than the last event by what a restart takes. It has
        # a day of traffic, so it never ends by itself.
        offset = latest(promised) + RESTART_SECONDS if promised else 0.0
        until = offset + chance.uniform(0.5, 1.5) * seconds / kills
        counting.config(CONFIG.format(port=mosquitto.port, source=source(offset, DAY)))
        with counting.started("run") as daemon:

            def reached(until: float = until, process: Any = daemon) -> bool:
                promised.update(committed(database))
                return process.poll() is not None or latest(promised) > until

            eventually(reached, 240, f"second {until:.0f} of the simulation\n{counting.log[-2000:]}", every=0.05)
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

    offset = latest(promised) + RESTART_SECONDS
    end = offset + LAST_SECONDS
    counting.config(CONFIG.format(port=mosquitto.port, source=source(offset, end)))
    counting("run", timeout=900)

    final = committed(database)
    assert promised.keys() <= final.keys()
    assert_one_event_a_crossing(counting, end)
    assert counting.json("status")["outbox"] == 0
    received = {json.loads(payload)["event_id"] for payload in board.payloads("smartpark/garage/event/ramp")}
    assert received == final.keys()


def assert_one_event_a_crossing(program: Any, seconds: float) -> None:
    """No true crossing has two events, and the floors' counts are those of the events."""
    truth = Scene(SceneParameters(**SCENE, seconds=seconds)).crossings(seconds)  # type: ignore[arg-type]
    events = program.json("events", "--limit", "100000", "--floor", "First Floor")
    assert len(events) > seconds / 7.2
    for direction in ("entry", "exit"):
        counted = [
            (datetime.fromisoformat(event["timestamp"]) - EPOCH).total_seconds()
            for event in events
            if event["direction"] == direction
        ]
        _, extra = match_times([crossing.at for crossing in truth if crossing.direction == direction], counted, 1.5)
        assert extra == []
    net = sum(1 if event["direction"] == "entry" else -1 for event in events)
    counts = {floor["name"]: floor["current_vehicles"] for floor in program.json("floors")}
    assert counts == {"First Floor": 1000 + net, "Ground Floor": 1000 - net}
