"""The daemon finds its database damaged: it restores the newest backup, reports that, and continues to count."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from support.ramp import database_problems

from edge.store.schema.connect import PAGE_BYTES, open_database
from edge.store.upkeep.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CONFIG = """
[device]
id = "pi"

[mqtt]
host = "127.0.0.1"
port = {port}

[detector]
image_size = 256

[[floors]]
name = "Ground Floor"
total_slots = 1000
opening_vehicles = 500

[[cameras]]
id = "ramp"
source = "sim:ramp?width=256&height=144&fps=6&vehicles_per_minute=60&offset=30"

[[cameras.gates]]
id = "ramp"
line = [[0.5, 0.25], [0.5, 0.98]]
inside = [0.9, 0.6]
floor = "Ground Floor"
"""


def events_in(path: Path) -> int:
    """How many events are committed."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return int(connection.execute("SELECT count(*) FROM events").fetchone()[0])


def root_page(path: Path, name: str) -> int:
    """The first page of a table or index."""
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (name,)).fetchone()[0])


@pytest.fixture
def backed_up(counting: Any, mosquitto: Any) -> Any:
    """A database with the sample events and a corrected count, a backup of it, and one more correction."""
    mosquitto.start()
    counting.config(CONFIG.format(port=mosquitto.port))
    counting.here("db", "seed", "--sample")
    counting.here("floors", "correct", "Ground Floor", "30")
    counting.here("db", "backup")
    counting.here("floors", "correct", "Ground Floor", "40", "--note", "after the backup")
    return counting


def test_a_daemon_restores_the_newest_backup_and_counts_on(
    backed_up: Any, mosquitto: Any, listen: Any, tmp_path: Path, eventually: Callable[..., None]
) -> None:
    """The damaged file is kept; the loss is logged, audited and published until the floors were counted."""
    path = tmp_path / "smartpark.db"
    board = listen(mosquitto.port)

    def problems() -> list[str]:
        health = board.last("smartpark/garage/device/pi/health")
        return database_problems(json.loads(health)) if health else ["no message yet"]

    with path.open("r+b") as file:  # its beginning is gone, as after a power cut on a bad card
        file.write(bytes(PAGE_BYTES))
    torn = path.read_bytes()
    with backed_up.started("run") as daemon:
        eventually(lambda: path.read_bytes()[:PAGE_BYTES] != bytes(PAGE_BYTES) and events_in(path) >= 17, 90)
        eventually(lambda: problems() == ["database_restored"], 60)
        assert backed_up.stop(daemon) == 0
    with backed_up.started("run") as daemon:  # a restart does not make the count right
        eventually(lambda: "started site=" in backed_up.log.rpartition("stopped events_committed")[2], 90)
        eventually(lambda: problems() == ["database_restored"], 60)
        backed_up.here("floors", "correct", "Ground Floor", "35", "--note", "counted by hand")
        eventually(lambda: problems() == [], 60)
        assert backed_up.stop(daemon) == 0
    [kept] = [entry for entry in tmp_path.glob("smartpark.db.damaged-*") if not entry.name.endswith(("-wal", "-shm"))]
    assert kept.read_bytes() == torn
    assert "is damaged: file is not a database" in backed_up.log
    assert f"kept as {kept}" in backed_up.log
    assert "Traceback" not in backed_up.log
    [line] = [line for line in backed_up.json("db", "audit") if line["actor"] == "recovery"]
    assert (line["action"], line["before"]) == ("restore", {"kept_as": str(kept)})
    with closing(open_database(path, busy_timeout=5, read_only=True)) as handle:
        assert verify(handle) == []


def test_damage_found_by_a_running_daemon_is_repaired_at_its_next_start(
    backed_up: Any, tmp_path: Path, eventually: Callable[..., None]
) -> None:
    """The daemon stops so that systemd restarts it; then the whole file is examined and what is readable is saved."""
    path = tmp_path / "smartpark.db"
    with backed_up.started("run") as daemon:
        eventually(lambda: events_in(path) >= 16, 90)
        with closing(sqlite3.connect(path, isolation_level=None, timeout=30)) as other:
            # The damaged pages must not be in the write-ahead log as well: SQLite would read them there.
            eventually(lambda: other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0, 90)
            with path.open("r+b") as file:
                for index in ("event_camera_id_track_id_direction_timestamp", "event_camera_id_timestamp"):
                    file.seek((root_page(path, index) - 1) * PAGE_BYTES)
                    file.write(os.urandom(PAGE_BYTES))
            # A change by another connection makes the daemon read its cached pages again.
            other.execute("UPDATE floors SET seq = seq + 1")
        assert daemon.wait(90) == 1
    assert path.with_name("smartpark.db.suspect").exists()
    with backed_up.started("run") as daemon:
        eventually(lambda: "count the floors and use `smartpark floors correct`" in backed_up.log, 90)
        eventually(lambda: events_in(path) >= 18, 90)
        assert backed_up.stop(daemon) == 0
    # The correction after the backup stood in a table that was not damaged.
    adjustments = backed_up.json("floors", "show", "Ground Floor")["adjustments"]
    assert [row["reason"] for row in adjustments if row["actor"] == "recovery"] == ["repair"]
    assert backed_up.json("floors", "show", "Ground Floor")["current_vehicles"] > 35
    with closing(open_database(path, busy_timeout=5, read_only=True)) as handle:
        assert verify(handle) == []
