"""A daemon that counts filmed traffic from cameras of which each is a process, and what it recorded.

What is asked of the database is read from the file while the daemon writes it. Times are monotonic seconds, the clock
of the films and of all processes here, unless they are said to be UTC.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import psutil

from edge.store import open_store

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from support.film_cameras import FilmCamera

    from edge.core.events import Direction
    from edge.store import Store

GAP_SECONDS = 1.0  # three frames of the least rate
LINE, INSIDE = "[[0.5, 0.25], [0.5, 0.98]]", "[0.9, 0.6]"  # of the simulated ramp


class CountedEvent(NamedTuple):
    """An event of the database; ``at`` is its time."""

    camera: str
    direction: Direction
    at: float
    event_id: str


class BlindTime(NamedTuple):
    """A blind interval of the database; ``ended`` is infinite while it lasts."""

    camera: str
    began: float
    ended: float
    reason: str


class SeenFrame(NamedTuple):
    """A frame that the daemon processed."""

    camera: str
    taken: float
    processed: float


class Resources(NamedTuple):
    """What the daemon and the readers hold; ``resident`` is megabytes of all of them, ``daemon`` of it alone."""

    descriptors: int
    threads: int
    readers: int
    resident: float
    daemon: float


class FieldDaemon:
    """A daemon in a folder, with a floor for each camera: ``floor-<id>``."""

    def __init__(self, folder: Path, cameras: dict[str, FilmCamera], broker: int, image_size: int) -> None:
        """``broker`` is the port of one on this machine."""
        self.folder = folder
        self.cameras = cameras
        self.database = folder / "smartpark.db"
        self._frames = folder / "frames.txt"
        self._config = folder / "smartpark.toml"
        self._broker = broker
        self._image_size = image_size
        self._utc = time.time() - time.monotonic()  # what a monotonic time lacks
        self.process: subprocess.Popen[bytes] | None = None

    def configure(self, sections: str = "") -> None:
        """Write the configuration, with further ``sections``."""
        text = f'[database]\npath = "{self.database}"\n{sections}'
        text += f"[detector]\nimage_size = {self._image_size}\nthreads = 1\n"
        text += f'[mqtt]\nhost = "127.0.0.1"\nport = {self._broker}\ndrain_seconds = 30.0\n'
        for name, camera in self.cameras.items():
            text += f'[[floors]]\nname = "floor-{name}"\ntotal_slots = 100000\nopening_vehicles = 50000\n'
            text += f'[[cameras]]\nid = "{name}"\nsource = "{camera.url}"\n'
            text += f'[[cameras.gates]]\nid = "gate"\nline = {LINE}\ninside = {INSIDE}\nfloor = "floor-{name}"\n'
        self._config.write_text(text, encoding="utf-8")

    def start(self) -> None:
        """Start the daemon."""
        environment = {key: value for key, value in os.environ.items() if not key.startswith("SMARTPARK_")}
        if "SMARTPARK_DETECTOR_MODELS_DIR" in os.environ:
            environment["SMARTPARK_DETECTOR_MODELS_DIR"] = os.environ["SMARTPARK_DETECTOR_MODELS_DIR"]
        paths = [str(__file__).rpartition("/support/")[0], os.environ.get("PYTHONPATH", "")]
        with (self.folder / "log.txt").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "support.observed_daemon", str(self._frames), "run"],
                env={**environment, "PYTHONPATH": os.pathsep.join(paths), "SMARTPARK_CONFIG": str(self._config)},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
            )

    def stop(self, timeout: float = 60.0) -> int:
        """TERM; returns the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout)

    def close(self) -> None:
        """Kill what still runs."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(30)
        for camera in self.cameras.values():
            camera.kill()

    @property
    def log(self) -> str:
        """What the daemon has logged."""
        return (self.folder / "log.txt").read_text(encoding="utf-8")

    def events(self) -> list[CountedEvent]:
        """All events, in the order in which they were recorded."""
        with self._store() as store:
            rows = [] if store is None else store.events.newest(1_000_000)
        return [
            CountedEvent(row.camera_id, row.direction, row.timestamp.timestamp() - self._utc, str(row.event_id))
            for row in reversed(rows)
        ]

    def blind(self) -> list[BlindTime]:
        """All blind intervals, the oldest first."""
        with self._store() as store:
            rows = [] if store is None else store.blind.newest(1_000_000)
        return sorted(
            (
                BlindTime(
                    row.camera_id,
                    row.began_at.timestamp() - self._utc,
                    float("inf") if row.ended_at is None else row.ended_at.timestamp() - self._utc,
                    row.reason,
                )
                for row in rows
            ),
            key=lambda interval: interval.began,
        )

    def frames(self) -> list[SeenFrame]:
        """The frames that were processed."""
        if not self._frames.exists():
            return []
        lines = self._frames.read_text(encoding="utf-8").splitlines(keepends=True)
        rows = [line.split() for line in lines if line.endswith("\n")]
        return [SeenFrame(camera, float(taken), float(processed)) for camera, taken, processed in rows]

    def resources(self) -> Resources:
        """What the daemon and its readers hold now."""
        assert self.process is not None
        daemon = psutil.Process(self.process.pid)
        readers = daemon.children()
        own = daemon.memory_info().rss / 1e6
        total = own
        for reader in readers:
            with contextlib.suppress(psutil.Error):  # it has just been replaced
                total += reader.memory_info().rss / 1e6
        return Resources(daemon.num_fds(), daemon.num_threads(), len(readers), total, own)

    def verify(self) -> list[str]:
        """What is wrong in the database."""
        with open_store(self.database, read_only=True) as store:
            return store.verify()

    def utc(self, at: float) -> datetime:
        """A time as UTC."""
        return datetime.fromtimestamp(at + self._utc, UTC)

    @contextlib.contextmanager
    def _store(self) -> Iterator[Store | None]:
        """The database; None where the daemon has not created it yet."""
        try:
            store = open_store(self.database, read_only=True)
        except Exception:  # whatever a database that is being created lacks
            yield None
            return
        with store:
            yield store


def frame_gaps(frames: Iterable[SeenFrame], camera: str) -> list[BlindTime]:
    """The times of a second or more without a frame of a camera.

    A machine that others use makes some now and then: too short to be blind, and long enough to miss a vehicle.
    """
    taken = [frame.taken for frame in frames if frame.camera == camera]
    return [
        BlindTime(camera, before, after, "gap") for before, after in pairwise(taken) if after - before >= GAP_SECONDS
    ]


def longest_pause(frames: Iterable[SeenFrame], camera: str, first: float, last: float) -> float:
    """The longest time between two frames of a camera, from ``first`` to ``last``."""
    times = [frame.processed for frame in frames if frame.camera == camera and first <= frame.processed <= last]
    times = [first, *times, last]
    return max(later - earlier for earlier, later in pairwise(times))
