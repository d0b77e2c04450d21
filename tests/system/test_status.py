"""The state of a running daemon as an operator sees it: on the screen, as JSON, in metrics and over MQTT."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import select
import signal
import socket
import struct
import subprocess
import sys
import termios
import time
import urllib.request
from typing import TYPE_CHECKING, Any

from support.camera_servers import MjpegServer
from support.ramp import FLOORS, GATE
from support.shared_fixtures import free_port

from edge.host.control_socket import control_socket_path, socket_address

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HEALTH = "smartpark/garage/device/pi/health"
LONG = 120.0


def config(broker: int, metrics: int, camera: str) -> str:
    """A simulated camera between two floors and one on the network, a broker with users, and metrics."""
    mqtt = f'[mqtt]\nhost = "127.0.0.1"\nport = {broker}\nusername = "pi"\npassword = "hush-hush"\n'
    own = f'[device]\nid = "pi"\n[metrics]\nenabled = true\nport = {metrics}\n'
    simulated = f'[[cameras]]\nid = "ramp"\nsource = "sim:ramp"\nfps = 4\n{GATE}'
    network = f'[[cameras]]\nid = "yard"\nsource = "{camera}"\nfps = 4\n'
    gate = '[[cameras.gates]]\nid = "g"\nline = [[0.1, 0.6], [0.9, 0.6]]\ninside = [0.5, 0.9]\nfloor = "Yard"\n'
    return f'{mqtt}{own}{FLOORS}[[floors]]\nname = "Yard"\ntotal_slots = 9\n{simulated}{network}{gate}'


def scraped(port: int) -> str:
    """The metrics as text."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=LONG) as answer:
        text: str = answer.read().decode()
        return text


def test_what_an_operator_sees_of_a_daemon_with_a_dead_camera_and_a_broker_that_refuses(
    counting: Any, mosquitto: Any, listen: Any, eventually: Callable[..., Any], tmp_path: Path
) -> None:
    """Each is named with its reason, nowhere a secret; when both are back all is well; a kill leaves no confusion."""
    mosquitto.users = {"pi": "another", "reader": "reader"}
    mosquitto.start()
    camera, metrics = MjpegServer(fps=8.0), free_port()
    camera.start()
    camera.stop()
    address = camera.url.replace("http://", "http://viewer:hush-hush@")
    counting.config(config(mosquitto.port, metrics, address))
    database = tmp_path / "smartpark.db"
    with counting.started("run") as daemon:
        eventually(control_socket_path(database).is_socket, LONG, counting.log)

        def status() -> Any:
            return counting.json("status")

        eventually(lambda: [item["condition"] for item in status()["cameras"]] == ["counting", "down"], LONG)
        eventually(lambda: "refused" in status()["broker"]["reason"], LONG)
        eventually(lambda: status()["detector"]["ms"], LONG)
        found = status()
        assert (found["ok"], found["answered_by"], found["process_id"]) == (False, "daemon", daemon.pid)
        assert {"camera.yard", "floor.Yard", "broker"} <= set(found["faults"])
        ramp, yard = found["cameras"]
        assert (ramp["fps_set"], ramp["state"], yard["state"]) == (4, "up", "down")
        assert ramp["frames"] > 0 < ramp["fps_processed"]
        assert 0 < found["detector"]["load"] <= 1
        assert (found["broker"]["connected"], found["broker"]["connections"]) == (False, 0)
        assert "Not authorized" in found["broker"]["reason"]
        assert found["machine"]["daemon_bytes"] > 50_000_000
        assert (found["schema_version"], found["recommended"] != "Yard") == (3, True)
        text = scraped(metrics)
        assert 'smartpark_camera_condition{camera="yard",condition="down"} 1.0' in text
        assert "smartpark_broker_connected 0.0" in text
        screen = counting.here("status", code=3).stdout
        assert "hush" not in json.dumps(found) + text + screen + counting.log

        # A client that hangs, and rubbish, disturb nobody.
        with socket.socket(socket.AF_UNIX) as hung, socket.socket(socket.AF_UNIX) as rubbish:
            with socket_address(control_socket_path(database)) as path:
                hung.connect(path)
                rubbish.connect(path)
            rubbish.sendall(os.urandom(1000))
            assert status()["answered_by"] == "daemon"

        mosquitto.stop()
        mosquitto.users["pi"] = "hush-hush"
        mosquitto.start()
        camera.start()
        board = listen(mosquitto.port, username="reader", password="reader")
        eventually(lambda: status()["broker"]["connected"], LONG, counting.log)
        eventually(lambda: [item["condition"] for item in status()["cameras"]] == ["counting"] * 2, LONG, counting.log)
        # The floors stay degraded until a person has counted them.
        eventually(lambda: "unknown" not in {floor["quality"] for floor in status()["floors"]}, LONG, counting.log)
        for floor in ("Ground Floor", "First Floor", "Yard"):
            counting.here("floors", "correct", floor, "5")
        eventually(lambda: status()["ok"], LONG, counting.log)
        counting.here("status")
        eventually(lambda: board.json(HEALTH).get("status") == "ok", LONG, counting.log)
        health = board.json(HEALTH)
        assert {item["id"]: item["condition"] for item in health["cameras"]} == {"ramp": "counting", "yard": "counting"}
        assert {item["quality"] for item in health["floors"]} == {"live"}
        assert health["broker"]["connections"] == 1
        assert "127.0.0.1" not in board.last(HEALTH).decode()
        eventually(lambda: "smartpark_healthy 1.0" in scraped(metrics), LONG)

        daemon.send_signal(signal.SIGKILL)
        daemon.wait(60)
    assert control_socket_path(database).is_socket()
    dead = counting.json("status")
    assert (dead["running"], dead["answered_by"], dead["cameras"]) == (False, "database", [])
    camera.stop()


def on_a_terminal(command: list[str], environ: dict[str, str], wanted: bytes, times: int) -> tuple[bytes, int]:
    """What a command writes to a terminal of 80 columns until ``wanted`` is in it, and its exit code after Ctrl-C."""
    process, terminal = pty.fork()
    if process == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        os.execvpe(command[0], command, environ)
    output, limit = b"", time.monotonic() + LONG
    with contextlib.suppress(OSError):  # a terminal whose program has ended
        while time.monotonic() < limit:
            if select.select([terminal], [], [], 0.1)[0]:
                output += os.read(terminal, 65_536)
            if output.count(wanted) >= times:
                os.write(terminal, b"\x03")
                times = 10**9
        os.kill(process, signal.SIGKILL)  # it did not end in time
    _, result = os.waitpid(process, 0)
    os.close(terminal)
    return output, os.waitstatus_to_exitcode(result)


def test_watching_until_ctrl_c(smartpark: Any) -> None:
    """The screen is drawn again on a terminal and over a pipe, and gives its terminal back; `kill` ends it as well."""
    smartpark.config('[[floors]]\nname = "Ground"\ntotal_slots = 5\n')
    smartpark.here("db", "create")
    smartpark.here("floors", "create", "Ground", "--slots", "5")
    command = [sys.executable, "-m", "edge", "status", "--watch"]
    output, code = on_a_terminal(command, {**smartpark.environment, "TERM": "xterm"}, b"not running", 2)
    assert code == 3
    assert output.startswith(b"\x1b[?1049h")
    assert b"\x1b[?1049l" in output
    assert b"Traceback" not in output
    output, code = on_a_terminal(command, {**smartpark.environment, "TERM": "dumb"}, b"not running", 2)
    assert (code, b"\x1b" in output) == (3, False)
    with subprocess.Popen(
        [*command, "--json"], env=smartpark.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        lines = [json.loads(process.stdout.readline()) for _ in range(2)]
        process.send_signal(signal.SIGTERM)
        assert process.wait(LONG) == 3
        assert process.stderr.read() == b""
    assert [line["floors"][0]["name"] for line in lines] == ["Ground", "Ground"]
    assert lines[0]["as_of"] < lines[1]["as_of"]
