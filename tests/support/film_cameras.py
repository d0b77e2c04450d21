"""Cameras that show films, each a process: started, killed, stopped, and changed while a daemon reads them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

SYSTEM_PYTHON = "/usr/bin/python3"
SUPPORT = Path(__file__).parent
GSTREAMER_PACKAGES = (
    "gir1.2-gst-rtsp-server-1.0 python3-gi gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad"
    " gstreamer1.0-plugins-ugly"
)
_CHECK = "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import GstRtspServer"
_PATHS = {"rtsp": "rtsp://{}:{}/live", "gstreamer": "rtsp://{}:{}/live", "mjpeg": "http://{}:{}/video.mjpg"}


def has_gstreamer() -> bool:
    """Whether GStreamer's RTSP server is installed."""
    if not Path(SYSTEM_PYTHON).exists():
        return False
    return subprocess.run([SYSTEM_PYTHON, "-c", _CHECK], capture_output=True, check=False).returncode == 0


class FilmCamera:
    """A camera of one kind, ``rtsp``, ``gstreamer`` or ``mjpeg``, that keeps its port.

    ``epoch`` is when its films began (monotonic); ``prefix`` is a command that runs its program elsewhere, where it
    has the address ``host``.
    """

    def __init__(self, kind: str, epoch: float, *, host: str = "127.0.0.1", prefix: tuple[str, ...] = ()) -> None:
        self.kind = kind
        self.port = 0
        self.film = ""  # the name of the one that it shows
        self._epoch = epoch
        self._host = host
        self._prefix = prefix
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        """Where it is, once it was started."""
        return _PATHS[self.kind].format(self._host, self.port)

    def start(self, film: Path, **keys: Any) -> None:
        """Start it with a film; ``keys`` are those of ``CameraServer``, which GStreamer's does not take."""
        self.film = film.name
        arguments = {"film": str(film), "epoch": self._epoch, "port": self.port}
        if self.kind == "gstreamer":
            command = [SYSTEM_PYTHON, str(SUPPORT / "gst_film_server.py"), json.dumps(arguments)]
        else:
            address = "127.0.0.1" if self._host == "127.0.0.1" else "0.0.0.0"
            arguments = {**arguments, "kind": self.kind, "address": address, **keys}
            command = [sys.executable, "-m", "support.film_server", json.dumps(arguments)]
        paths = os.pathsep.join([str(SUPPORT.parent), os.environ.get("PYTHONPATH", "")])
        self._process = subprocess.Popen(
            [*self._prefix, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "PYTHONPATH": paths},
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    def set(self, name: str, value: float | str) -> None:
        """Set an attribute of the server, as ``film_server`` takes it."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(f"{name} {value}\n")
        self._process.stdin.flush()

    def suspend(self) -> None:
        """SIGSTOP."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL; nothing if it does not run."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _signal(self, number: int) -> None:
        assert self._process is not None
        os.kill(self._process.pid, number)
