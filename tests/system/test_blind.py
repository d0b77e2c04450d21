"""The daemon says that a count is not known while a camera is blind, and what it missed; and it notices a set clock."""

from __future__ import annotations

import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.camera_servers import MjpegServer
from support.ramp import FLOORS, GATE

from edge.host.alive_file import AliveFile
from edge.store import ClockChangeKind, open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STATE = "smartpark/garage/floor/ground-floor/state"
AVAILABLE = "smartpark/garage/floor/ground-floor/available"
FAKETIME = next(Path("/usr/lib").glob("**/faketime/libfaketime.so.1"), None)
# The daemon's wall clock is its monotonic clock with an offset, which may differ from the system's by this.
CLOCKS = timedelta(seconds=0.1)
HOUR = timedelta(hours=1)


@pytest.fixture
def server() -> Iterator[MjpegServer]:
    """A network camera that is not switched on yet, but has a port."""
    made = MjpegServer(fps=8.0)
    made.start()
    made.stop()
    yield made
    made.stop()


def config(port: int, source: str) -> str:
    """One camera at the ramp between two floors, and a broker."""
    mqtt = f'[mqtt]\nhost = "127.0.0.1"\nport = {port}\n'
    return f'{mqtt}{FLOORS}[[cameras]]\nid = "ramp"\nsource = "{source}"\nstale_seconds = 1.0\n{GATE}'


def moment(text: str) -> datetime:
    """A time that a command printed."""
    return datetime.fromisoformat(text)


def test_a_count_is_unknown_while_its_camera_is_dead_and_degraded_until_it_is_corrected(
    counting: Any, mosquitto: Any, listen: Any, server: MjpegServer, tmp_path: Path, eventually: Callable[..., None]
) -> None:
    """Since the start; after the first frame; through a kill; a correction makes it live, until the daemon stops."""
    mosquitto.start()
    board = listen(mosquitto.port)
    counting.config(config(mosquitto.port, server.url))
    began = datetime.now(UTC)
    with counting.started("run") as daemon:
        eventually(lambda: board.last(AVAILABLE) == b"--", 60, counting.log)
        eventually(lambda: counting.json("blind"), 60, counting.log)
        status = counting.json("status")
        assert (status["ok"], status["recommended"]) == (False, None)
        assert {floor["quality"] for floor in status["floors"]} == {"unknown"}
        assert board.json(STATE)["quality"] == "unknown"
        came = datetime.now(UTC)
        server.start()
        eventually(lambda: board.last(AVAILABLE) == b"500", 120, counting.log)
        eventually(lambda: counting.json("blind")[0]["ended_at"], 60, counting.log)
        [interval] = counting.json("blind")
        assert interval["reason"] == "the camera gives no frames"
        ended = moment(interval["ended_at"])
        assert began <= moment(interval["began_at"]) <= came <= ended + CLOCKS <= datetime.now(UTC) + 2 * CLOCKS
        eventually(lambda: board.json(STATE)["blind_seconds"] == round(interval["seconds"], 1), 60)
        assert board.json(STATE)["quality"] == "degraded"
        alive = AliveFile(tmp_path / "smartpark.db")
        eventually(lambda: (last := alive.read()) is not None and last.at > ended, 60)
        daemon.send_signal(signal.SIGKILL)
        daemon.wait(30)
    assert {floor["reason"] for floor in counting.json("status")["floors"]} == {
        "camera ramp: the daemon is not running"
    }
    with counting.started("run") as daemon:
        restarted = datetime.now(UTC)
        eventually(lambda: (rows := counting.json("blind"))[0]["ended_at"] and len(rows) == 2, 60, counting.log)
        stop = counting.json("blind")[0]
        assert stop["reason"] == "the daemon was not running"
        assert ended < moment(stop["began_at"]) <= restarted <= moment(stop["ended_at"])
        counting.here("floors", "correct", "Ground Floor", "17")
        eventually(lambda: board.json(STATE)["quality"] == "live", 60, counting.log)
        assert {floor["name"]: floor["quality"] for floor in counting.json("floors")} == {
            "Ground Floor": "live",
            "First Floor": "degraded",
        }
        eventually(lambda: board.last(AVAILABLE) == b"983")
        assert counting.stop(daemon) == 0
    eventually(lambda: board.last(AVAILABLE) == b"--")
    assert "Traceback" not in counting.log
    counting.here("db", "verify")


@pytest.mark.long
@pytest.mark.skipif(FAKETIME is None, reason="libfaketime is not installed (apt-get install faketime)")
@pytest.mark.timeout(900)
def test_a_clock_that_is_set_while_the_daemon_runs_loses_doubles_and_reorders_nothing(
    counting: Any, mosquitto: Any, listen: Any, tmp_path: Path, eventually: Callable[..., None]
) -> None:
    """A fortnight back and then an hour forward, under libfaketime: events, lists, floors and messages."""
    mosquitto.start()
    board = listen(mosquitto.port)
    clock = tmp_path / "clock"
    clock.write_text("+0\n")
    counting.environ.update(
        LD_PRELOAD=str(FAKETIME),
        FAKETIME_TIMESTAMP_FILE=str(clock),
        FAKETIME_NO_CACHE="1",
        FAKETIME_DONT_FAKE_MONOTONIC="1",
        DONT_FAKE_MONOTONIC="1",
    )
    counting.config(config(mosquitto.port, "sim:ramp?width=256&height=144&fps=6&vehicles_per_minute=60&offset=30"))
    database = tmp_path / "smartpark.db"

    def events() -> list[Any]:
        try:
            with open_store(database, read_only=True) as store:
                return store.events.newest(100_000)
        except Exception:  # the daemon has not created it yet
            return []

    with counting.started("run") as daemon:
        for setting in ("-14d", "-335h"):
            before = len(events())
            eventually(lambda n=before: len(events()) >= n + 6, 200, counting.log)
            clock.write_text(f"{setting}\n")
        before = len(events())
        eventually(lambda: len(events()) >= before + 6, 200, counting.log)
        assert counting.stop(daemon) == 0
    stored = events()
    assert [event.id for event in stored] == sorted((event.id for event in stored), reverse=True)
    with open_store(database, read_only=True) as store:
        steps = [change.step for change in reversed(store.clock.newest()) if change.kind is ClockChangeKind.STEP]
        assert store.verify() == []
    assert [round(step / HOUR) for step in steps] == [-14 * 24, 1]
    assert counting.log.count("the wall clock was set by") == 2
    assert len({event.clock_state for event in stored}) >= 2
    published = set(board.payloads("smartpark/garage/event/ramp"))
    assert len(published) == len(stored)
    net = sum(event.direction.delta for event in stored if event.floor == "First Floor")
    assert {floor["name"]: floor["current_vehicles"] for floor in counting.json("floors")}["First Floor"] == 500 + net
