"""The daemon as a process: start, stop, signals, and what the world does to it."""

from __future__ import annotations

import json
import signal
import socket
import sqlite3
from typing import TYPE_CHECKING, Any

import cv2
import pytest
from support.ramp import FLOORS, GATE

from edge.simulator.scene import Scene, SceneParameters
from edge.store.schema.connect import open_database
from edge.store.upkeep.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# Small pictures and brisk traffic: the way of a frame is the real one, only faster.
RAMP = "sim:ramp?width=256&height=144&fps=6&vehicles_per_minute=40"


def camera(name: str, source: str) -> str:
    """One camera at the ramp between the floors."""
    return f'[[cameras]]\nid = "{name}"\nsource = "{source}"\nstale_seconds = 1.0\n{GATE}'


def mqtt(port: int | None) -> str:
    """The broker's section; None is no broker at all."""
    return "[mqtt]\nenabled = false\n" if port is None else f'[mqtt]\nhost = "127.0.0.1"\nport = {port}\n'


def events_in(database: Path) -> int:
    """How many events are committed; 0 while there is no database."""
    try:
        with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
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


def test_a_daemon_counts_publishes_and_stops_in_order(
    counting: Any, mosquitto: Any, listen: Any, tmp_path: Path, eventually: Callable[..., None]
) -> None:
    """READY to systemd, online to the boards; after TERM: STOPPING, offline, an empty outbox, exit code 0."""
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
            eventually(lambda: len(board.payloads("smartpark/garage/event/ramp")) >= 4, 60)
            assert counting.json("status")["running"] is True
            assert counting.stop(daemon) == 0
            heard = _drain(systemd)
    assert b"STOPPING=1" in heard
    assert b"WATCHDOG=1" in heard
    eventually(lambda: board.last(status) == b"offline")

    stored = {event["event_id"]: event for event in counting.json("events", "--limit", "1000")}
    told = {payload["event_id"]: payload for payload in map(json.loads, board.payloads("smartpark/garage/event/ramp"))}
    assert stored.keys() == told.keys()
    assert all(stored[key]["timestamp"] == told[key]["timestamp"] for key in stored)
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
    """HUP applies the floors of the file, tells what waits for a restart, and counts on; INT ends it in order."""
    path = counting.config(mqtt(None) + FLOORS + camera("ramp", RAMP))
    with counting.started("run") as daemon:
        eventually(lambda: events_in(tmp_path / "smartpark.db") > 0, 60)
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
        eventually(lambda: events_in(tmp_path / "smartpark.db") > before, 60)
        assert counting.stop(daemon, signal.SIGINT) == 0
    assert "stopped events_committed=all" in counting.log
    assert_clean(tmp_path / "smartpark.db")


def test_a_broker_that_comes_late_is_told_everything(
    counting: Any, mosquitto: Any, listen: Any, tmp_path: Path, eventually: Callable[..., None]
) -> None:
    """Without a broker the counting goes on; when it comes it gets every event that waited."""
    counting.config(mqtt(mosquitto.port) + FLOORS + camera("ramp", RAMP))
    with counting.started("run") as daemon:
        eventually(lambda: events_in(tmp_path / "smartpark.db") >= 6, 60)
        mosquitto.start()
        board = listen(mosquitto.port)
        eventually(lambda: len(set(board.payloads("smartpark/garage/event/"))) >= 6, 60)
        assert counting.stop(daemon) == 0
    assert counting.json("status")["outbox"] == 0


def test_a_dead_camera_does_not_stop_the_other_one(
    counting: Any, tmp_path: Path, eventually: Callable[..., None]
) -> None:
    """A camera that is not there is tried again for ever, beside one that counts."""
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        dead = f"http://127.0.0.1:{nobody.getsockname()[1]}/video"
    counting.config(mqtt(None) + FLOORS + camera("dead", dead) + camera("ramp", RAMP))
    with counting.started("run") as daemon:
        eventually(lambda: events_in(tmp_path / "smartpark.db") >= 4, 60)
        assert counting.stop(daemon) == 0
    assert {event["camera_id"] for event in counting.json("events")} == {"ramp"}
    assert "dead" in counting.log


def test_only_one_daemon_counts_into_a_database(counting: Any, tmp_path: Path, eventually: Callable[..., None]) -> None:
    """A second one is refused and leaves the first alone."""
    counting.config(mqtt(None) + FLOORS + camera("ramp", RAMP))
    with counting.started("run") as daemon:
        eventually(lambda: events_in(tmp_path / "smartpark.db") > 0, 60)
        assert "another smartpark is counting into it" in counting("run", code=1).stderr
        assert daemon.poll() is None
        assert counting.stop(daemon) == 0


def test_a_floor_keeps_its_count_over_a_restart(counting: Any, tmp_path: Path) -> None:
    """Opening vehicles count once: the second start goes on from the first one's count."""
    source = f"{RAMP}&recorded=1&seconds=40"
    for run in range(2):
        counting.config(mqtt(None) + FLOORS + camera("ramp", f"{source}&seed={run}"))
        counting("run")
        counts = {floor["name"]: floor["current_vehicles"] for floor in counting.json("floors")}
        net = sum(1 if e["direction"] == "entry" else -1 for e in _of_first_floor(counting))
        assert counts == {"First Floor": 500 + net, "Ground Floor": 500 - net}
    assert events_in(tmp_path / "smartpark.db") >= 20
    assert_clean(tmp_path / "smartpark.db")


def _of_first_floor(program: Any) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = program.json("events", "--limit", "1000", "--floor", "First Floor")
    return events


def test_a_recording_that_breaks_off_ends_with_1(counting: Any, tmp_path: Path) -> None:
    """A source that cannot be opened at the start is told, and nothing runs on without it."""
    (tmp_path / "clip.mp4").write_bytes(b"\x00" * 1000)
    counting.config(mqtt(None) + FLOORS + camera("clip", str(tmp_path / "clip.mp4")))
    told = counting("run", code=1).stderr
    assert str(tmp_path / "clip.mp4") in told
    assert "Traceback" not in told


@pytest.mark.timeout(600)
def test_a_replay_beside_a_running_daemon_is_published_by_it(
    counting: Any, mosquitto: Any, listen: Any, tmp_path: Path, eventually: Callable[..., None]
) -> None:
    """The daemon notices what another process recorded, and never loses its own place at the broker."""
    mosquitto.start()
    board = listen(mosquitto.port)
    clip = _film(tmp_path / "ramp.avi")
    counting.config(mqtt(mosquitto.port) + FLOORS + camera("ramp", RAMP.replace("minute=40", "minute=0")))
    with counting.started("run") as daemon:
        eventually(lambda: board.last("smartpark/garage/floor/first-floor/state"), 60)
        done = counting.json("replay", str(clip), "--camera", "ramp", "--start", "2026-05-04T12:00:00Z")
        assert done["added"] > 0
        eventually(lambda: len(set(board.payloads("smartpark/garage/event/ramp"))) == done["added"], 30)
        first = next(floor for floor in counting.json("floors") if floor["name"] == "First Floor")
        count = b'"current_vehicles":%d,' % first["current_vehicles"]
        eventually(lambda: count in board.last("smartpark/garage/floor/first-floor/state"), 30)
        assert b"offline" not in [payload for topic, payload, _ in board.messages if topic.endswith("status")]
        assert counting.stop(daemon) == 0


def _film(path: Path) -> Path:
    """Twenty seconds of the ramp as a video file."""
    scene = Scene(SceneParameters(seed=3, width=256, height=144, vehicles_per_minute=40, seconds=20, noise=0))
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 6, (256, 144))
    assert writer.isOpened()
    for index in range(120):
        writer.write(scene.render(index / 6))
    writer.release()
    return path


def test_what_is_changed_in_the_shell_reaches_the_boards(
    counting: Any, mosquitto: Any, listen: Any, tmp_path: Path, eventually: Callable[..., None]
) -> None:
    """A technician corrects a count and deletes a floor beside the running daemon, which notices and publishes it."""
    mosquitto.start()
    board = listen(mosquitto.port)
    counting.config(mqtt(mosquitto.port) + FLOORS + camera("ramp", RAMP.replace("minute=40", "minute=0")))
    state = "smartpark/garage/floor/ground-floor/state"
    with counting.started("run") as daemon:
        eventually(lambda: board.last(state), 60)
        corrected = counting.json("floors", "correct", "Ground Floor", "17", "--note", "walked it")
        assert corrected["current_vehicles"] == 17
        eventually(lambda: b'"current_vehicles":17,' in board.last(state), 30)
        assert counting.json("db", "verify") == {"problems": [], "repaired": []}
        eventually(lambda: board.json("smartpark/garage/site/state")["floors"] == 2, 30)
        counting("floors", "delete", "First Floor")
        eventually(lambda: board.last("smartpark/garage/floor/first-floor/state") == b"", 30)
        eventually(lambda: board.last("smartpark/garage/floor/first-floor/available") == b"", 30)
        eventually(lambda: board.json("smartpark/garage/site/state")["floors"] == 1, 30)
        assert "a daemon is using it" in counting("db", "drop", "--yes", code=1).stderr
        assert counting.stop(daemon) == 0
    deletion, first, second = counting.json("db", "audit", "--limit", "3")
    assert deletion["action"] == "delete"
    assert (first["action"], first["note"]) == ("correction", "walked it")
    assert (second["actor"], second["action"]) == ("configuration", "create")


def test_live_events_say_whether_the_clock_was_right(
    counting: Any, tmp_path: Path, eventually: Callable[..., None]
) -> None:
    """A live camera's events carry the kernel's word, a recording's carry none."""
    from edge.host.clock import kernel_state

    counting.config(mqtt(None) + FLOORS + camera("ramp", RAMP))
    with counting.started("run") as daemon:
        eventually(lambda: events_in(tmp_path / "smartpark.db") >= 2, 60)
        assert counting.stop(daemon) == 0
    assert {event["clock_state"] for event in counting.json("events")} == {kernel_state().value}
    counting.config(mqtt(None) + FLOORS + camera("film", f"{RAMP}&recorded=1&seconds=20"))
    counting("run")
    assert {event["clock_state"] for event in counting.json("events", "--camera", "film")} == {"unknown"}
