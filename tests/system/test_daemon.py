"""The daemon as a process: start, stop, signals, faults of broker and camera, and commands beside it.

One daemon serves several checks where they do not disturb each other: a start costs a second, and the first crossings
take as long as vehicles drive.
"""

from __future__ import annotations

import json
import signal
import socket
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import cv2
import pytest
from support.ramp import FLOORS, GATE

from edge.host.clock import kernel_clock_state
from edge.simulator.scene import Scene, SceneParameters
from edge.store.schema.connect import open_database
from edge.store.upkeep.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# Small pictures and dense traffic that has begun before the first frame, so that events come soon.
RAMP = "sim:ramp?width=256&height=144&fps=6&vehicles_per_minute=60&offset=30"
NO_TRAFFIC = RAMP.replace("minute=60", "minute=0")


def camera(name: str, source: str) -> str:
    """One camera at the ramp between the floors."""
    return f'[[cameras]]\nid = "{name}"\nsource = "{source}"\nstale_seconds = 1.0\n{GATE}'


def mqtt(port: int | None) -> str:
    """The broker's section; None is no broker at all."""
    return "[mqtt]\nenabled = false\n" if port is None else f'[mqtt]\nhost = "127.0.0.1"\nport = {port}\n'


def events_in(database: Path) -> int:
    """How many events are committed; 0 while there is no database."""
    try:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
            return int(connection.execute("SELECT count(*) FROM events").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def assert_clean(database: Path) -> None:
    """Every floor equals its events, and the file is whole."""
    handle = open_database(database, busy_timeout=5, read_only=True)
    try:
        assert verify(handle) == []
    finally:
        handle.close()


def test_a_daemon_counts_alone_publishes_and_stops_in_order(
    counting: Any, mosquitto: Any, listen: Any, tmp_path: Path, eventually: Callable[..., None]
) -> None:
    """READY to systemd, online to the boards, a second daemon refused, live events with the kernel's clock state; after
    TERM: STOPPING, offline, an empty outbox, exit code 0.
    """
    mosquitto.start()
    board = listen(mosquitto.port)
    counting.config(mqtt(mosquitto.port) + '[device]\nid = "pi"\n' + FLOORS + camera("ramp", RAMP))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(30)
        counting.environ["NOTIFY_SOCKET"] = str(tmp_path / "notify")
        with counting.started("run") as daemon:
            assert systemd.recv(1000).startswith(b"READY=1")
            status = "smartpark/garage/device/pi/status"
            eventually(lambda: board.last(status) == b"online")
            eventually(lambda: len(board.payloads("smartpark/garage/event/ramp")) >= 4, 120)
            assert counting.json("status")["running"] is True
            # A second daemon is refused and leaves the first alone.
            assert "another smartpark is counting into it" in counting("run", code=1).stderr
            assert daemon.poll() is None
            assert counting.stop(daemon) == 0
            heard = _drain(systemd)
    assert b"STOPPING=1" in heard
    assert b"WATCHDOG=1" in heard
    eventually(lambda: board.last(status) == b"offline")

    stored = {event["event_id"]: event for event in counting.json("events", "--limit", "1000")}
    payloads = map(json.loads, board.payloads("smartpark/garage/event/ramp"))
    published = {payload["event_id"]: payload for payload in payloads}
    assert stored.keys() == published.keys()
    assert all(stored[key]["timestamp"] == published[key]["timestamp"] for key in stored)
    assert {event["clock_state"] for event in stored.values()} == {kernel_clock_state().value}
    after = counting.json("status")
    assert (after["running"], after["outbox"]) == (False, 0)
    for floor in counting.json("floors"):
        state = json.loads(board.last(f"smartpark/garage/floor/{floor['name'].lower().replace(' ', '-')}/state"))
        assert state["current_vehicles"] == floor["current_vehicles"]
    assert_clean(tmp_path / "smartpark.db")
    assert "Traceback" not in counting.log


def _drain(listening: socket.socket) -> bytes:
    """All datagrams that have come by now."""
    listening.setblocking(False)
    heard = b""
    while True:
        try:
            heard += listening.recv(1000) + b"\n"
        except BlockingIOError:
            return heard


def test_a_hangup_reloads_the_floors_and_ctrl_c_stops(
    counting: Any, tmp_path: Path, eventually: Callable[..., None]
) -> None:
    """HUP applies the floors of the file, logs what needs a restart, and the counting goes on; INT stops in order."""
    path = counting.config(mqtt(None) + FLOORS + camera("ramp", RAMP))
    with counting.started("run") as daemon:
        eventually(lambda: events_in(tmp_path / "smartpark.db") > 0, 120)
        good = path.read_text()
        path.write_text(good + "[mqqt]\n")
        daemon.send_signal(signal.SIGHUP)
        eventually(lambda: "nothing was changed: " in counting.log and "did you mean 'mqtt'" in counting.log)
        path.write_text(good.replace("1000\n", "900\n", 1) + '[site]\nid = "elsewhere"\n')
        daemon.send_signal(signal.SIGHUP)
        eventually(lambda: "a restart is needed for: site" in counting.log)
        assert "floor 'Ground Floor': total_slots is 900, was 1000" in counting.log
        assert [floor["total_slots"] for floor in counting.json("floors")] == [900, 1000]
        before = events_in(tmp_path / "smartpark.db")
        eventually(lambda: events_in(tmp_path / "smartpark.db") > before, 120)
        assert counting.stop(daemon, signal.SIGINT) == 0
    assert "stopped events_committed=all" in counting.log
    assert_clean(tmp_path / "smartpark.db")


def test_neither_a_dead_camera_nor_a_missing_broker_stops_the_counting(
    counting: Any, mosquitto: Any, listen: Any, tmp_path: Path, eventually: Callable[..., None]
) -> None:
    """A camera that is away is tried again beside one that counts; a broker that comes late gets every event."""
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        dead = f"http://127.0.0.1:{nobody.getsockname()[1]}/video"
    counting.config(mqtt(mosquitto.port) + FLOORS + camera("dead", dead) + camera("ramp", RAMP))
    with counting.started("run") as daemon:
        eventually(lambda: events_in(tmp_path / "smartpark.db") >= 6, 120)
        assert daemon.poll() is None
        eventually(lambda: counting.json("status")["problems"], 60)
        assert "camera.dead" in [problem["code"] for problem in counting.json("status")["problems"]]
        mosquitto.start()
        board = listen(mosquitto.port)
        eventually(lambda: len(set(board.payloads("smartpark/garage/event/"))) >= 6, 120)
        assert counting.stop(daemon) == 0
    assert not (tmp_path / "smartpark.db.problems").exists()
    assert counting.json("status")["outbox"] == 0
    stored = counting.json("events", "--limit", "1000")
    assert {event["camera_id"] for event in stored} == {"ramp"}
    published = {json.loads(payload)["event_id"] for payload in board.payloads("smartpark/garage/event/")}
    assert published == {event["event_id"] for event in stored}
    assert "dead" in counting.log


def test_a_floor_keeps_its_count_over_a_restart(counting: Any, tmp_path: Path) -> None:
    """Opening vehicles count once, a second start continues the count, and a recording's events have no clock state."""
    source = f"{RAMP}&recorded=1&seconds=60"
    for run in range(2):
        counting.config(mqtt(None) + FLOORS + camera("ramp", f"{source}&seed={run}"))
        counting("run")
        counts = {floor["name"]: floor["current_vehicles"] for floor in counting.json("floors")}
        net = sum(1 if e["direction"] == "entry" else -1 for e in _of_first_floor(counting))
        assert counts == {"First Floor": 500 + net, "Ground Floor": 500 - net}
    assert events_in(tmp_path / "smartpark.db") >= 20
    assert {event["clock_state"] for event in _of_first_floor(counting)} == {"unknown"}
    assert_clean(tmp_path / "smartpark.db")


def _of_first_floor(program: Any) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = program.json("events", "--limit", "1000", "--floor", "First Floor")
    return events


def test_a_recording_that_breaks_off_ends_with_1(counting: Any, tmp_path: Path) -> None:
    """A source that cannot be opened at the start ends the daemon with a message that names it."""
    (tmp_path / "clip.mp4").write_bytes(b"\x00" * 1000)
    counting.config(mqtt(None) + FLOORS + camera("clip", str(tmp_path / "clip.mp4")))
    message = counting("run", code=1).stderr
    assert str(tmp_path / "clip.mp4") in message
    assert "Traceback" not in message


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("remembered_detections")
def test_a_daemon_publishes_what_other_programs_write(
    counting: Any, mosquitto: Any, listen: Any, tmp_path: Path, eventually: Callable[..., None]
) -> None:
    """A replay's events, a corrected count and a deleted floor reach the boards through the running daemon, which keeps
    its connection to the broker.
    """
    mosquitto.start()
    board = listen(mosquitto.port)
    clip = _film(tmp_path / "ramp.avi")
    counting.config(mqtt(mosquitto.port) + FLOORS + camera("ramp", NO_TRAFFIC))
    ground, first = (f"smartpark/garage/floor/{slug}/state" for slug in ("ground-floor", "first-floor"))
    with counting.started("run") as daemon:
        eventually(lambda: board.last(first) and board.last(ground), 120)

        done = counting.json("replay", str(clip), "--camera", "ramp", "--start", "2026-05-04T12:00:00Z")
        assert done["added"] > 0
        eventually(lambda: len(set(board.payloads("smartpark/garage/event/ramp"))) == done["added"], 60)
        counts = {floor["name"]: floor["current_vehicles"] for floor in counting.json("floors")}
        eventually(lambda: board.json(first)["current_vehicles"] == counts["First Floor"], 60)

        corrected = counting.json("floors", "correct", "Ground Floor", "17", "--note", "counted by hand")
        assert corrected["current_vehicles"] == 17
        eventually(lambda: board.json(ground)["current_vehicles"] == 17, 60)
        assert counting.json("db", "verify") == {"problems": [], "repaired": []}
        eventually(lambda: board.json("smartpark/garage/site/state")["floors"] == 2, 60)
        counting.here("floors", "delete", "First Floor")
        eventually(lambda: board.last(first) == b"", 60)
        eventually(lambda: board.last(first.replace("/state", "/available")) == b"", 60)
        eventually(lambda: board.json("smartpark/garage/site/state")["floors"] == 1, 60)

        assert "a daemon is using it" in counting.here("db", "drop", "--yes", code=1).stderr
        assert b"offline" not in [payload for topic, payload, _ in board.messages if topic.endswith("status")]
        assert counting.stop(daemon) == 0
    deletion, correction, *_, creation = counting.json("db", "audit", "--limit", "100")
    assert deletion["action"] == "delete"
    assert (correction["action"], correction["note"]) == ("correction", "counted by hand")
    assert (creation["actor"], creation["action"]) == ("configuration", "create")


def _film(path: Path) -> Path:
    """Twenty seconds of the ramp as a video file."""
    scene = Scene(SceneParameters(seed=3, width=256, height=144, vehicles_per_minute=40, seconds=20, noise=0))
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 6, (256, 144))
    assert writer.isOpened()
    for index in range(120):
        writer.write(scene.render(index / 6))
    writer.release()
    return path
