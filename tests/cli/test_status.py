"""Tests of ``smartpark status``."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from edge.config.load import load_config
from edge.core.device_health import (
    BrokerHealth,
    CameraCondition,
    CameraHealth,
    ClockHealth,
    DetectorHealth,
    DeviceHealth,
    LatencyHealth,
    MachineHealth,
    PictureHealth,
    Problem,
    plain_fields,
)
from edge.core.events import ClockState
from edge.core.source import SourceStage
from edge.daemon.health.stored_health import read_stored_health
from edge.host.alive_file import AliveFile, LastRun
from edge.host.control_server import ControlServer
from edge.host.control_socket import ControlAnswer
from edge.host.instance_lock import InstanceLock
from edge.host.problem_file import ProblemFile
from edge.store import Attribution, BlindInterval, iso, open_store, utc_now

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from edge.store import Store

MB = 1_000_000
BEGAN = datetime(2026, 5, 4, 8, 0, tzinfo=UTC)


def test_status_shows_floors_events_and_what_waits(seeded: Any) -> None:
    """The numbers are those of the database."""
    status = seeded.json("status", code=3)
    assert (status["ok"], status["running"], status["events"], status["outbox"]) == (False, False, 15, 15)
    assert [floor["name"] for floor in status["floors"]] == list(seeded.floors())
    assert status["last_event"] == seeded.json("events", "--limit", "1")[0]
    text = seeded("status", code=3).stdout
    assert "not running" in text
    assert "15, 15 not yet acknowledged by the broker" in text


def test_status_shows_the_problems_of_a_running_daemon(seeded: Any, eventually: Callable[..., Any]) -> None:
    """A daemon that is too slow says so here; what a killed daemon left behind is not shown."""
    file = ProblemFile(seeded.path)
    file.start()
    file.update((Problem("camera.ramp", "1.8 frames a second are processed", BEGAN),), 0.0)
    eventually(file.read)
    assert seeded.json("status", code=3)["problems"] == []
    assert "problem  " not in seeded("status", code=3).stdout
    daemon = InstanceLock(seeded.path)
    assert daemon.acquire()
    try:
        (problem,) = seeded.json("status", code=3)["problems"]
        text = seeded("status", code=3).stdout
    finally:
        daemon.release()
        file.close()
    assert problem["code"] == "camera.ramp"
    assert "problem      camera.ramp: 1.8 frames a second are processed (since 2026-05-04T08:00:00Z)" in text


def test_a_daemon_that_gives_no_answer_is_not_well(garage: Garage) -> None:
    """It runs, its database is shown, and why it was not asked; exit code 3."""
    garage.server.close()
    status = garage.shell.json("status", code=3)
    assert (status["running"], status["answered_by"], status["faults"]) == (True, "database", ["daemon"])
    assert "no daemon listens there" in status["no_answer"]
    assert {floor["quality"] for floor in status["floors"]} == {"live"}
    text = garage.shell("status", code=3).stdout
    assert "daemon       running, but gives no answer: " in text
    assert "what follows is from the database" in text


def test_a_daemon_of_another_version_is_not_understood(garage: Garage) -> None:
    """What it answers is no reason to fail: the database is shown, and what to do."""
    garage.answer = lambda: {"problems": "many"}
    status = garage.shell.json("status", code=3)
    assert status["answered_by"] == "database"
    assert "of another version than this program; restart the daemon" in status["no_answer"]


def test_the_screen_shows_every_part_of_the_device(garage: Garage) -> None:
    """Cameras, floors, broker, outbox, detector, database, disk, memory, temperature and clock, with their numbers."""
    down = CameraHealth(
        *("street", CameraCondition.DOWN, BEGAN, "refuses connections; is it on?"), stage=SourceStage.CONNECTING
    )
    counting = CameraHealth(
        *("ramp", CameraCondition.COUNTING, utc_now()),
        fps_set=5.0,
        fps_camera=25.0,
        fps_processed=4.96,
        picture_age_seconds=0.14,
        lag_seconds=0.3,
        dropped=12,
        latency=LatencyHealth(9, 120.4, 301.0, 0.0, 600.0),
    )
    dark = PictureHealth("washed_out", "the picture is white", BEGAN, True)
    garage.parts = {
        "problems": (Problem("camera.street", "refuses connections; is it on?", BEGAN),),
        "cameras": (down, counting, CameraHealth("yard", CameraCondition.BLIND, BEGAN, pictures=(dark,))),
        "detector": DetectorHealth("onnx", "yolo11n", 640, 100, 4.5, 45.2, 0.38),
        "broker": BrokerHealth("mqtt.garage:8883", False, utc_now() - timedelta(minutes=5), "the broker refused: no"),
        "machine": MachineHealth(212 * MB, 150 * MB, 3, 4000 * MB, 1900 * MB, 1.2, 4, 81.2, ("under-voltage",), ()),
        "clock": ClockHealth(ClockState.STEPPED, 2, -3600.0, BEGAN),
    }
    text = garage.shell("status", code=3).stdout
    for line in (
        "daemon       degraded: camera.street, camera.yard, broker; running for 60 min",
        "problem      camera.street: refuses connections; is it on? (since 2026-05-04T08:00:00Z)",
        "broker       mqtt.garage:8883 not connected for 5 min: the broker refused: no",
        "events       0, 0 not yet acknowledged by the broker",
        "recommended  Roof",
        "detector     onnx yolo11n at 640 pixels: 45 ms an image, busy 38% of the time",
        "memory       212 MB (daemon 150 MB, 2 camera readers 62 MB); 1.9 GB of 4.0 GB are available",
        "machine      load 1.2 on 4 processors, 81 °C, slowed down: under-voltage",
        "clock        stepped, set 2 times, last at 2026-05-04T08:00:00Z by -3600.0 s",
    ):
        assert line in text
    rows = {line.split()[0]: " ".join(line.split()) for line in text.splitlines() if line}
    assert rows["street"].startswith("street down: connecting 05-04 08:00 - 0.0 0.0 - - 0 -")
    assert rows["ramp"].endswith("5.0 25.0 5.0 0.1 s 0.3 s 12 120/301")
    assert rows["yard"].startswith("yard blind: washed out")
    assert rows["Ground"] == "Ground 50 50 0 live"
    assert "tables of version 3" in rows["database"]
    assert "of its disk are free" in rows["database"]
    fields = garage.shell.json("status", code=3)
    assert fields["cameras"][1]["latency"]["p99_ms"] == 301.0
    assert fields["machine"]["temperature_celsius"] == 81.2
    assert fields["broker"]["reason"] == "the broker refused: no"


def test_commands_know_a_blind_camera_before_the_database_does(garage: Garage) -> None:
    """In the first seconds after a start nothing is recorded yet: the daemon is asked."""
    garage.blind = [BlindInterval(0, "street", utc_now(), None, "no frame since the start")]
    quality = {floor["name"]: floor["quality"] for floor in garage.shell.json("floors")}
    assert quality == {"Ground": "unknown", "Roof": "live"}
    assert garage.shell.json("floors", "recommended")["name"] == "Roof"
    assert garage.shell.json("status", code=3)["floors"][0]["reason"] == "camera street: no frame since the start"


class Garage:
    """Two floors with a camera each, of which the second also counts the ramp from the first, and a daemon."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        gate = '[[cameras.gates]]\nid = "g"\nline = [[0.1, 0.5], [0.9, 0.5]]\ninside = [0.5, 0.9]\n'
        text = (
            f'[database]\npath = "{shell.path}"\n'
            '[[floors]]\nname = "Ground"\ntotal_slots = 50\n[[floors]]\nname = "Roof"\ntotal_slots = 60\n'
            f'[[cameras]]\nid = "street"\nsource = "sim:ramp"\n{gate}floor = "Ground"\n'
            f'[[cameras]]\nid = "ramp"\nsource = "sim:ramp"\n{gate}floor = "Roof"\noutside_floor = "Ground"\n'
        )
        file = shell.path.parent / "garage.toml"
        file.write_text(text)
        shell.environ["SMARTPARK_CONFIG"] = str(file)
        self.config = load_config(file)
        with open_store(shell.path) as store:
            store.apply_configuration(self.config.floors, Attribution("configuration"))
        self.daemon = InstanceLock(shell.path)
        self.parts: dict[str, Any] = {}
        self.blind: list[BlindInterval] | None = None
        self.answer: Callable[[], dict[str, Any]] = lambda: plain_fields(self.health())
        self.server = ControlServer(shell.path, {"status": lambda _: ControlAnswer(self.answer())})

    def health(self) -> DeviceHealth:
        """What the daemon knows: the database, and what the test sets."""
        now = utc_now()
        with open_store(self.shell.path, read_only=True) as store:
            cameras = self.config.cameras_by_floor
            stored = read_stored_health(store, self.shell.path, cameras, now, self.blind, count_events=True)
        parts = {"problems": (), "stored": stored, **self.parts}
        return DeviceHealth(
            **parts,
            events_waiting=0,
            events_dropped=0,
            events_refused=0,
            as_of=now,
            version="1.0",
            process_id=12,
            started_at=now - timedelta(hours=1),
        )

    def change(self, work: Callable[[Store], object]) -> None:
        """Change the database as the daemon does."""
        with open_store(self.shell.path) as store:
            work(store)


@pytest.fixture
def garage(shell: Any) -> Iterator[Garage]:
    """The garage with a running daemon."""
    made = Garage(shell)
    assert made.daemon.acquire()
    made.server.start()
    yield made
    made.server.close()
    made.daemon.release()


def test_all_is_well_while_the_daemon_sees_every_gate(garage: Garage) -> None:
    """Exit code 0, every floor is live, and the one with most places is recommended."""
    status = garage.shell.json("status")
    assert (status["ok"], status["recommended"]) == (True, "Roof")
    assert {floor["quality"] for floor in status["floors"]} == {"live"}
    assert "Roof: 60 of 60 free" in garage.shell("floors", "recommended").stdout


def test_a_floor_with_a_blind_gate_is_unknown_and_not_recommended(garage: Garage) -> None:
    """Exit code 3, -- for its free places with the reason, and the other floor is recommended; or none, with why."""
    shell, since = garage.shell, utc_now() - timedelta(minutes=2)
    garage.change(lambda store: store.blind.begin("street", since, "the camera gives no frames"))
    status = shell.json("status", code=3)
    ground, roof = status["floors"]
    assert (ground["quality"], roof["quality"], status["recommended"]) == ("unknown", "live", "Roof")
    assert (ground["blind_since"], ground["reason"]) == (iso(since), "camera street: the camera gives no frames")
    assert 120 <= ground["blind_seconds"] < 1200
    row = next(line for line in shell("floors").stdout.splitlines() if line.startswith("Ground"))
    assert row.split()[1:3] == ["--", "50"]
    assert f"unknown since {iso(since)}" in row
    assert "unknown since" in shell("floors", "show", "Ground").stdout
    garage.change(lambda store: store.blind.begin("ramp", since, "too few frames"))
    assert shell.json("status", code=3)["recommended"] is None
    assert (
        "none: the count of every active floor is unknown (camera street: the camera" in shell("status", code=3).stdout
    )
    refused = shell("floors", "recommended", code=1).stderr
    assert "no floor can be recommended: the count of every active floor is unknown" in refused


def test_a_floor_stays_degraded_until_a_person_counts_it(garage: Garage) -> None:
    """For how long a gate was blind is shown until `floors correct`, and the exit code is 3 until then."""
    shell, now = garage.shell, utc_now()
    garage.change(lambda store: store.blind.end("ramp", now - timedelta(hours=2), now - timedelta(hours=1), "dark"))
    floors = {floor["name"]: floor for floor in shell.json("status", code=3)["floors"]}
    assert {name: (floor["quality"], floor["blind_seconds"]) for name, floor in floors.items()} == {
        "Ground": ("degraded", 3600.0),
        "Roof": ("degraded", 3600.0),
    }
    assert shell.json("floors", "recommended")["name"] == "Roof"
    shell("floors", "correct", "Ground", "7")
    assert {floor["name"]: floor["quality"] for floor in shell.json("floors")} == {"Ground": "live", "Roof": "degraded"}
    shell("floors", "reset", "Roof")
    assert shell.json("status")["ok"] is True


def test_without_a_daemon_no_count_is_known(garage: Garage) -> None:
    """A daemon that does not run sees nothing: since when is in its file. Floors without cameras stay live."""
    shell = garage.shell
    ended = utc_now() - timedelta(minutes=5)
    file = AliveFile(shell.path)
    file.start()
    file.update(LastRun(ended, 12.5, "boot"))
    file.close()
    shell("floors", "create", "Yard", "--slots", "5")
    garage.server.close()
    garage.daemon.release()
    status = shell.json("status", code=3)
    assert [(floor["quality"], floor["blind_since"]) for floor in status["floors"]] == [
        ("unknown", iso(ended)),
        ("unknown", iso(ended)),
        ("live", None),
    ]
    assert status["recommended"] == "Yard"
    shell.path.with_name("smartpark.db.alive").unlink()
    assert [floor["blind_since"] for floor in shell.json("floors")] == [None, None, None]
    assert "unknown: camera street: the daemon is not running" in shell("floors").stdout
    assert status["floors"][1]["reason"] == "camera ramp: the daemon is not running"
