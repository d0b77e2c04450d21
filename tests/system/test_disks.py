"""The whole daemon on a disk that fills up, pauses, or is taken out."""

from __future__ import annotations

import json
import re
import socket
import sqlite3
import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from support.ramp import FLOORS, GATE, database_problems

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

HEALTH = "smartpark/garage/device/pi/health"
# The traffic has begun before the first frame, so that events come soon.
RAMP = "sim:ramp?width=256&height=144&fps=6&vehicles_per_minute=60&offset=30"
CONFIG = (
    """
busy_timeout_seconds = 1.0

[device]
id = "pi"
"""
    + FLOORS
    + """
[[cameras]]
id = "ramp"
source = "{source}"
"""
    + GATE
    + """
[mqtt]
"""
)


def config(source: str, port: int | None) -> str:
    """One camera at the ramp between two floors, with a broker or without."""
    return CONFIG.format(source=source) + (
        "enabled = false\n" if port is None else f'host = "127.0.0.1"\nport = {port}\n'
    )


def crossings(program: Any) -> list[str]:
    """The ids of all events that the daemon's cameras made, by its log."""
    return re.findall(r" crossing event=(\S+) ", program.log)


def stored(database: Path) -> list[str]:
    """The ids of the events in the database, in the order in which they were recorded."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as plain:
        return [event for (event,) in plain.execute("SELECT event_id FROM events ORDER BY id")]


class Systemd:
    """Listens as systemd does, and keeps every message."""

    def __init__(self, listening: socket.socket) -> None:
        self.messages: list[str] = []
        self._listening = listening
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while message := self._listening.recv(2000):
            self.messages.append(message.decode())

    def close(self) -> None:
        """Stop listening."""
        self._listening.shutdown(socket.SHUT_RD)
        self._thread.join()


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[Systemd]:
    """The messages of a daemon to its notification socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        systemd = Systemd(listening)
        yield systemd
        systemd.close()


def test_a_daemon_counts_on_while_its_disk_is_full(
    counting: Any,
    small_disk: Any,
    mosquitto: Any,
    listen: Any,
    systemd: Systemd,
    tmp_path: Path,
    eventually: Callable[..., Any],
) -> None:
    """The health topic and systemd say what is wrong, the watchdog is fed, and with room again no crossing is lost."""
    mosquitto.start()
    board = listen(mosquitto.port)
    counting.config(config(RAMP, mosquitto.port), disk=small_disk.path)
    counting.environ["NOTIFY_SOCKET"] = str(tmp_path / "notify")
    with counting.started("run") as daemon:
        eventually(lambda: len(crossings(counting)) >= 2, 120)
        eventually(lambda: board.last(HEALTH) and not database_problems(board.json(HEALTH)), 120)
        small_disk.fill()
        before = len(crossings(counting))
        eventually(lambda: database_problems(board.json(HEALTH)), 120)
        eventually(lambda: len(crossings(counting)) >= before + 6 and board.json(HEALTH)["events_waiting"] >= 4, 120)
        health = board.json(HEALTH)
        assert database_problems(health) == ["database", "events_waiting"]
        texts = {problem["code"]: problem["text"] for problem in health["problems"]}
        assert texts["database"] == "database or disk is full; free some room on the disk"
        fed = systemd.messages.count("WATCHDOG=1")
        eventually(lambda: systemd.messages.count("WATCHDOG=1") > fed, 120)
        # systemd's line has the oldest problem: on a slow machine that is the camera's.
        assert any("database: database or disk is full; free some room" in line for line in systemd.messages) or (
            texts.keys() > {"database", "events_waiting"}
        )
        small_disk.free()
        eventually(lambda: not database_problems(board.json(HEALTH)), 120)
        assert board.json(HEALTH)["events_waiting"] == 0
        assert counting.stop(daemon) == 0
    assert board.json(HEALTH)["events_dropped"] == 0
    assert stored(small_disk.path / "smartpark.db") == crossings(counting)
    assert counting.json("db", "verify")["problems"] == []
    assert "Traceback" not in counting.log


def test_a_daemon_counts_on_while_its_disk_pauses(
    counting: Any,
    card: Any,
    mosquitto: Any,
    listen: Any,
    systemd: Systemd,
    tmp_path: Path,
    eventually: Callable[..., Any],
) -> None:
    """Five seconds without a finished write are no problem: counting continues and each crossing is stored later."""
    mosquitto.start()
    board = listen(mosquitto.port)
    counting.config(config(RAMP, mosquitto.port), disk=card.path)
    counting.environ["NOTIFY_SOCKET"] = str(tmp_path / "notify")
    with counting.started("run") as daemon:
        eventually(lambda: len(crossings(counting)) >= 2, 120)
        card.freeze()
        began, before = time.monotonic(), len(crossings(counting))
        eventually(lambda: len(crossings(counting)) >= before + 4 and time.monotonic() - began >= 5.0, 120)
        card.thaw()
        fed = systemd.messages.count("WATCHDOG=1")
        eventually(lambda: systemd.messages.count("WATCHDOG=1") > fed, 120)
        eventually(lambda: len(stored(card.path / "smartpark.db")) >= before + 4, 120)
        assert counting.stop(daemon) == 0
    assert board.payloads(HEALTH)
    assert not any(database_problems(json.loads(payload)) for payload in board.payloads(HEALTH) if payload)
    assert stored(card.path / "smartpark.db") == crossings(counting)
    assert counting.json("db", "verify")["problems"] == []
    assert "ERROR" not in counting.log


def test_a_daemon_counts_on_while_its_card_is_out(
    counting: Any, card: Any, mosquitto: Any, listen: Any, eventually: Callable[..., Any]
) -> None:
    """A card that failed is taken out, checked and put back beside the running daemon, which loses no crossing."""
    mosquitto.start()
    board = listen(mosquitto.port)
    counting.config(config(RAMP, mosquitto.port), disk=card.path)
    with counting.started("run") as daemon:
        eventually(lambda: len(crossings(counting)) >= 2, 120)
        card.fail()
        eventually(lambda: '"code":"database"' in str(board.last(HEALTH)), 120)
        card.take_out()
        eventually(lambda: "mount its disk" in str(board.json(HEALTH).get("problems")), 120)
        card.put_back()
        eventually(lambda: not database_problems(board.json(HEALTH)), 120)
        assert counting.stop(daemon) == 0
    assert stored(card.path / "smartpark.db") == crossings(counting)
    assert counting.json("db", "verify")["problems"] == []
    assert counting.json("status")["outbox"] == 0
    assert len(set(board.payloads("smartpark/garage/event/"))) == len(crossings(counting))
    assert counting.log.count("opened again") == 2
    assert "Traceback" not in counting.log


def test_a_daemon_that_finds_a_full_disk_at_its_start_says_so(counting: Any, small_disk: Any) -> None:
    """With no room to open the database the start fails with the remedy and 1, so that systemd tries again."""
    counting.config(config(f"{RAMP}&recorded=1&seconds=33", None), disk=small_disk.path)
    counting("db", "create")
    small_disk.fill()
    message = counting("run", code=1).stderr
    assert "smartpark.db: " in message
    assert "free some room on the disk" in message
    assert "Traceback" not in message
    small_disk.free()
    counting("run")
