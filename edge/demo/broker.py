"""Finds the demo's MQTT broker, or starts one: an installed Mosquitto on a port of its own."""

from __future__ import annotations

import logging
import os
import re
import secrets
import shutil
import socket
import subprocess
import time
from typing import TYPE_CHECKING

from edge.core.errors import RefusedError, SmartParkError

if TYPE_CHECKING:
    from contextlib import ExitStack
    from pathlib import Path

log = logging.getLogger(__name__)

DEFAULT_MQTT_PORT = 1883
_PROBE_SECONDS = 2.0
_START_SECONDS = 30.0
_STOP_SECONDS = 5.0


def demo_broker(address: tuple[str, int] | None, folder: Path, stack: ExitStack) -> tuple[str, int, str]:
    """Host, port and description of the broker at ``address``, of the one on localhost, or of one that is started.

    A broker that is started keeps its files in ``folder`` and ends with ``stack``. Raises RefusedError when there is
    none, with what to do about it, and SmartParkError when Mosquitto does not start.
    """
    if address is not None:
        host, port = address
        if not is_mqtt_broker(host, port, _PROBE_SECONDS):
            raise RefusedError(
                f"no MQTT broker that accepts anonymous clients answers at {host}:{port}; check --broker, and that the"
                " broker runs"
            )
        return host, port, f"the broker on {host}:{port}"
    if is_mqtt_broker("localhost", DEFAULT_MQTT_PORT, _PROBE_SECONDS):
        return "localhost", DEFAULT_MQTT_PORT, f"the broker on localhost:{DEFAULT_MQTT_PORT}"
    program = find_mosquitto()
    if program is None:
        raise RefusedError(
            f"the demo needs an MQTT broker: none answers on localhost:{DEFAULT_MQTT_PORT}, and Mosquitto is not"
            " installed; install it (sudo apt-get install mosquitto), or name a broker with --broker HOST[:PORT]"
        )
    broker = PrivateMosquitto(program, folder)
    broker.start()
    stack.callback(broker.close)
    return broker.host, broker.port, f"a Mosquitto of its own on {broker.host}:{broker.port}"


def broker_address(text: str) -> tuple[str, int]:
    """Host and port of ``HOST`` or ``HOST:PORT``, IPv6 as ``[::1]:1883``. Raises RefusedError for anything else."""
    match = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\s:\[\]]+))(?::([0-9]{1,5}))?", text)
    port = int(match[3] or DEFAULT_MQTT_PORT) if match else 0
    if match is None or not 0 < port < 65_536:
        raise RefusedError(f"--broker {text!r} is no address; give HOST or HOST:PORT, as in 192.168.1.10:1883")
    return match[1] or match[2], port


def is_mqtt_broker(host: str, port: int, timeout: float) -> bool:
    """Whether a broker at that address accepts an anonymous client within ``timeout`` seconds.

    Sends a CONNECT of MQTT 3.1.1 and reads the CONNACK. False also when nothing listens, when something else than a
    broker listens, and when the broker asks for a user name.
    """
    client_id = f"smartpark-probe-{secrets.token_hex(4)}".encode()
    head = b"\x00\x04MQTT\x04\x02\x00\x0a" + len(client_id).to_bytes(2, "big") + client_id
    try:
        with socket.create_connection((host, port), timeout) as connection:
            connection.settimeout(timeout)
            connection.sendall(bytes([0x10, len(head)]) + head)
            answer = b""
            while len(answer) < 4:
                part = connection.recv(4 - len(answer))
                if not part:
                    return False
                answer += part
            accepted = answer[:2] == b"\x20\x02" and answer[3] == 0
            if accepted:
                # DISCONNECT, so that the broker's log shows no lost client.
                connection.sendall(b"\xe0\x00")
            return accepted
    except OSError as error:
        log.debug("no MQTT broker at %s:%d: %s", host, port, error)
        return False


def find_mosquitto() -> str | None:
    """The path of Mosquitto's program; None where it is not installed.

    Debian installs it in /usr/sbin, which is not in the PATH of every user.
    """
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


class PrivateMosquitto:
    """A Mosquitto as a child process, until ``close``: on the loopback interface, anonymous, in memory only."""

    def __init__(self, program: str, folder: Path) -> None:
        """``folder`` takes its configuration and its log."""
        self.host = "127.0.0.1"
        self.port = 0
        self._program = program
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and return when clients can connect. Raises SmartParkError, which names the log."""
        with socket.socket() as unused:
            unused.bind((self.host, 0))
            self.port = int(unused.getsockname()[1])
        lines = [f"listener {self.port} {self.host}", "allow_anonymous true", "persistence false"]
        if os.geteuid() == 0:
            # Otherwise it changes to a user of its own, who may not read a configuration in root's folder.
            lines.append("user root")
        config, output = self._folder / "mosquitto.conf", self._folder / "mosquitto.log"
        config.write_text("\n".join(lines) + "\n")
        with output.open("ab") as file:
            self._process = subprocess.Popen([self._program, "-c", str(config)], stdout=file, stderr=file)
        deadline = time.monotonic() + _START_SECONDS
        while not is_mqtt_broker(self.host, self.port, _PROBE_SECONDS):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.close()
                raise SmartParkError(f"{self._program} does not start; see {output}")
            time.sleep(0.05)

    def close(self) -> None:
        """End the process. Safe to call more than once."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            log.warning("Mosquitto does not end and is killed process=%d", self._process.pid)
            self._process.kill()
            self._process.wait(_STOP_SECONDS)
        self._process = None
