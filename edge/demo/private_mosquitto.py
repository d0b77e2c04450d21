"""An installed Mosquitto that nobody runs, started for oneself on a port of its own."""

from __future__ import annotations

import logging
import os
import shutil
import socket
import subprocess
import time
from typing import TYPE_CHECKING

from edge.core.errors import SmartParkError
from edge.demo.probe import is_mqtt_broker

if TYPE_CHECKING:
    from pathlib import Path

log = logging.getLogger(__name__)

START_SECONDS = 10.0
STOP_SECONDS = 5.0


def find_mosquitto() -> str | None:
    """The program's path; None where Mosquitto is not installed. Debian keeps it where users do not look."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


class PrivateMosquitto:
    """A child process that ends with ``close``; it listens on the loopback interface, and keeps nothing."""

    def __init__(self, program: str, folder: Path) -> None:
        """``folder`` takes its configuration and its log."""
        self.host = "127.0.0.1"
        self.port = 0
        self._program = program
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Listen, and return when clients can connect. Raises SmartParkError, which names the log."""
        with socket.socket() as probe:
            probe.bind((self.host, 0))
            self.port = int(probe.getsockname()[1])
        lines = [f"listener {self.port} {self.host}", "allow_anonymous true", "persistence false"]
        if os.geteuid() == 0:
            # It would give up root's rights, and then could not read its own configuration.
            lines.append("user root")
        config, output = self._folder / "mosquitto.conf", self._folder / "mosquitto.log"
        config.write_text("\n".join(lines) + "\n")
        with output.open("ab") as file:
            self._process = subprocess.Popen([self._program, "-c", str(config)], stdout=file, stderr=file)
        deadline = time.monotonic() + START_SECONDS
        while not is_mqtt_broker(self.host, self.port, timeout=1.0):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.close()
                raise SmartParkError(f"{self._program} does not start; see {output}")
            time.sleep(0.05)

    def close(self) -> None:
        """End the process."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            log.warning("Mosquitto does not stop and is killed process=%d", self._process.pid)
            self._process.kill()
            self._process.wait(STOP_SECONDS)
        self._process = None
