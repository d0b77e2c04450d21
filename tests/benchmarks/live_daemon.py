"""Runs ``smartpark run`` with live cameras of the tests' own, for the benches of the whole daemon.

The cameras are RTSP servers in a process of their own, which send H.264 of simulated traffic that was drawn before.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edge.simulator.scene import Scene

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FIRST_EVENT_SECONDS = 180.0
_SERVER = """
import sys
from edge.simulator.scene import Scene, SceneParameters
from support.rtsp_server import RtspServer, encode
width, height, fps, seconds, vehicles, cameras = map(int, sys.argv[1:])
scene = Scene(SceneParameters(fps=fps, width=width, height=height, seed=3, vehicles_per_minute=vehicles))
size, key_interval = (width, height), 2 * fps
units = encode((scene.render(number / fps) for number in range(seconds * fps)), size, key_interval)
class Camera(RtspServer):
    def units(self, number, size):
        return units[number % len(units)]
for _ in range(cameras):
    camera = Camera(fps=fps, key_interval=key_interval)
    camera.size, camera.count = size, len(units)
    camera.start()
    print(camera.url, flush=True)
sys.stdin.read()
"""


@dataclass(frozen=True, slots=True)
class Camera:
    """What a camera sends, and what of it the daemon takes."""

    size: tuple[int, int] = (1920, 1080)
    fps: int = 20
    seconds: int = 20  # of traffic, which begins again after them
    vehicles_per_minute: int = 15
    fps_taken: int = 10
    image_size: int = 640


@dataclass(frozen=True, slots=True)
class LiveDaemon:
    """A daemon that counts."""

    process: subprocess.Popen[bytes]
    database: Path
    log: Path

    def events(self) -> int:
        """How many events it has stored."""
        if not self.database.exists():
            return 0
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as reader:
            try:
                return int(reader.execute("SELECT count(*) FROM events").fetchone()[0])
            except sqlite3.OperationalError:  # the tables are not there yet
                return 0

    def check(self) -> None:
        """End with the end of its log when it has ended."""
        if self.process.poll() is not None:
            self.fail("the daemon has ended")

    def fail(self, why: str) -> None:
        """End with this reason and the end of the daemon's log."""
        raise SystemExit(f"{why}:\n{self.log.read_text(encoding='utf-8')[-2000:]}")


@contextmanager
def live_daemon(camera: Camera, cameras: int, *options: str) -> Iterator[LiveDaemon]:
    """A daemon with so many cameras, from its first event on, which says that every part works, to the block's end.

    ``options`` are those of ``smartpark run``.
    """
    with tempfile.TemporaryDirectory(prefix="smartpark-bench-") as name, _camera_urls(camera, cameras) as urls:
        folder = Path(name)
        config, log = folder / "smartpark.toml", folder / "log"
        config.write_text(_configuration(folder, urls, camera), encoding="utf-8")
        command = [sys.executable, "-m", "edge", "run", "--config", str(config), *options]
        with log.open("w", encoding="utf-8") as file:
            process = subprocess.Popen(command, env=_environment(), stdout=file, stderr=file)
        daemon = LiveDaemon(process, folder / "smartpark.db", log)
        try:
            until = time.monotonic() + FIRST_EVENT_SECONDS
            while not daemon.events():
                daemon.check()
                if time.monotonic() > until:
                    daemon.fail(f"no event within {FIRST_EVENT_SECONDS:.0f} s")
                time.sleep(0.5)
            yield daemon
        finally:
            process.terminate()
            process.wait(60)


@contextmanager
def _camera_urls(camera: Camera, cameras: int) -> Iterator[list[str]]:
    """The addresses of so many cameras, which run until the end of the block."""
    numbers = (*camera.size, camera.fps, camera.seconds, camera.vehicles_per_minute, cameras)
    command = [sys.executable, "-c", _SERVER, *map(str, numbers)]
    with subprocess.Popen(
        command, env=_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        try:
            yield [server.stdout.readline().strip() for _ in range(cameras)]
        finally:
            server.kill()


def _environment() -> dict[str, str]:
    """The environment with the way to this package and to the tests' modules."""
    tests = Path(__file__).parents[1]
    paths = [str(tests.parent), str(tests), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


def _configuration(folder: Path, urls: Sequence[str], camera: Camera) -> str:
    """A configuration with a camera for each address, and without a broker."""
    line, inside = [list(point) for point in Scene.LINE], list(Scene.INSIDE)
    lines = [
        f'[database]\npath = "{folder / "smartpark.db"}"',
        f"[detector]\nimage_size = {camera.image_size}",
        "[mqtt]\nenabled = false",
        '[[floors]]\nname = "Ground Floor"\ntotal_slots = 500\nopening_vehicles = 250',
    ]
    for number, url in enumerate(urls):
        lines.append(f'[[cameras]]\nid = "camera-{number}"\nsource = "{url}"\nfps = {camera.fps_taken}')
        lines.append(f'[[cameras.gates]]\nid = "ramp"\nline = {line}\ninside = {inside}\nfloor = "Ground Floor"')
    return "\n".join(lines) + "\n"
