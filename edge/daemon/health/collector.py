"""This module collects the state of the device for whatever shows it: commands, metrics and MQTT.

What is in memory is read when it is asked for. What the disk, the database or the kernel must be asked for is read by a
thread, so that neither the main thread, which feeds the watchdog, nor a camera waits for it.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from edge import __version__
from edge.core.device_health import DetectorHealth, DeviceHealth
from edge.core.errors import StoreError
from edge.daemon.health.camera_health import CameraReport
from edge.daemon.health.clock_watch import utc_of
from edge.daemon.health.rates import RecentRates
from edge.daemon.health.stored_health import read_stored_health
from edge.host.machine import read_machine
from edge.store import utc_now

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from edge.config.schema import Config
    from edge.core.device_health import BrokerHealth, CameraHealth, ClockHealth, MachineHealth, StoredHealth
    from edge.daemon.camera_worker import CameraWorker
    from edge.daemon.database_access import DatabaseAccess
    from edge.daemon.health.blindness import Blindness
    from edge.host.clock import WallClock
    from edge.host.problem_list import ProblemList
    from edge.store import Writer

log = logging.getLogger(__name__)

# How old what the thread reads gets when nobody asks for it.
_REFRESH_SECONDS = 30.0
# Who asks waits so long for the thread, and then gets what was read last: the disk may hang.
FRESH_SECONDS = 2.0
_CLOSE_SECONDS = 2.0
# The disk is nearly full when less than this is free, and less than this share of it.
_LEAST_FREE_BYTES = 100_000_000
_LEAST_FREE_SHARE = 0.05
# The problem is over when so much more is free.
_ENOUGH_FREE = 1.2


DISK_PROBLEM = "disk"
POWER_PROBLEM = "power"


class DetectorUse(Protocol):
    """How much the detector was used since the start."""

    @property
    def images(self) -> int:
        """The images that it was given."""

    @property
    def busy_seconds(self) -> float:
        """How long it worked on them."""


@dataclass(frozen=True, slots=True)
class HealthSources:
    """The parts of the daemon whose state is collected. ``workers`` is a list to which cameras are still added."""

    problems: ProblemList
    writer: Writer
    workers: Sequence[CameraWorker]
    detector: DetectorUse
    blindness: Blindness
    clock: WallClock
    database: DatabaseAccess
    read_clock: Callable[[], ClockHealth]
    read_broker: Callable[[], BrokerHealth | None]


class HealthCollector:
    """Collects the state of the device. ``sample`` is for the daemon's main thread, all else for any."""

    def __init__(self, config: Config, sources: HealthSources, clock: Callable[[], float] = time.monotonic) -> None:
        self._config = config
        self._sources = sources
        self._clock = clock
        self._cameras_by_floor = config.cameras_by_floor
        self._started_at: datetime | None = None
        self._reports: dict[str, CameraReport] = {}
        self._camera_rates: dict[str, RecentRates] = {}
        self._detector_rates = RecentRates()
        self._stored: StoredHealth | None = None
        self._machine: MachineHealth | None = None
        self._logged = ""
        self._changed = threading.Condition()
        # The thread reads when it was asked more often than it has done so: at first without being asked.
        self._asked = 1
        self._done = 0
        # Counting all events takes long where there are millions, so it is done only for a person who asks.
        self._counts_events = False
        self._closing = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to read what takes its time; returns at once."""
        self._started_at = utc_now()
        self._thread = threading.Thread(target=self._run, name="health", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread. A disk that hangs is not waited for."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(_CLOSE_SECONDS)
            self._thread = None

    def sample(self, now: float) -> None:
        """Read the counters from which rates are made; to be called every two seconds (``now`` is monotonic)."""
        for worker in self._sources.workers:
            rates = self._camera_rates.setdefault(worker.camera.id, RecentRates())
            rates.add(now, worker.source.status.frames, worker.pipeline.statistics.frames)
        detector = self._sources.detector
        self._detector_rates.add(now, detector.images, detector.busy_seconds)

    def refresh_soon(self) -> None:
        """Have the thread read everything again, without waiting for it."""
        with self._changed:
            self._asked += 1
            self._changed.notify_all()

    def fresh(self, seconds: float = FRESH_SECONDS) -> DeviceHealth:
        """The state with all that the thread reads now; what takes longer than ``seconds`` is as it was read last."""
        with self._changed:
            self._asked += 1
            self._counts_events = True
            wanted = self._asked
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._done >= wanted or self._closing, seconds)
        return self.current()

    def current(self) -> DeviceHealth:
        """The state, with what the thread read last. Never waits."""
        sources, now = self._sources, self._clock()
        problems = sources.problems.current()
        texts = {problem.code: problem.text for problem in problems}
        writer = sources.writer.status
        return DeviceHealth(
            problems=problems,
            events_waiting=writer.waiting,
            events_dropped=writer.dropped,
            events_refused=writer.refused,
            as_of=utc_now(),
            version=__version__,
            process_id=os.getpid(),
            started_at=self._started_at,
            cameras=tuple(
                self._camera(worker, now, texts.get(f"camera.{worker.camera.id}", "")) for worker in sources.workers
            ),
            detector=self._detector(),
            broker=sources.read_broker(),
            stored=self._stored,
            machine=self._machine,
            clock=sources.read_clock(),
        )

    def _camera(self, worker: CameraWorker, now: float, problem: str) -> CameraHealth:
        camera_id = worker.camera.id
        report = self._reports.setdefault(camera_id, CameraReport(worker))
        rates = self._camera_rates.get(camera_id)
        reading = self._sources.clock.check()
        latency = self._sources.writer.latency(camera_id)
        return report.health(
            now, lambda at: utc_of(reading.at(at)), problem, () if rates is None else rates.rates(), latency
        )

    def _detector(self) -> DetectorHealth:
        config, detector = self._config.detector, self._sources.detector
        seconds, grown = self._detector_rates.growth()
        images, busy = grown or (0.0, 0.0)
        return DetectorHealth(
            runtime=config.runtime,
            model=config.model,
            image_size=config.image_size,
            images=detector.images,
            busy_seconds=round(detector.busy_seconds, 3),
            ms=round(1000 * busy / images, 2) if images else None,
            load=round(min(busy / seconds, 1.0), 3) if seconds else 0.0,
        )

    # -- the thread ----------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._asked > self._done or self._closing, _REFRESH_SECONDS)
                if self._closing:
                    return
                asked, count_events, self._counts_events = self._asked, self._counts_events, False
            try:
                self._refresh(count_events=count_events)
            except Exception as error:
                # A status that cannot be made must not end the counting.
                if repr(error) != self._logged:
                    self._logged = repr(error)
                    log.exception("the state of the device cannot be read")
            with self._changed:
                self._done = asked
                self._changed.notify_all()

    def _refresh(self, *, count_events: bool) -> None:
        readers = [worker.source.status.reader_pid for worker in self._sources.workers]
        self._machine = read_machine([process for process in readers if process is not None])
        self._check_power(self._machine)
        try:
            with self._sources.database.open_to_read() as store:
                self._stored = read_stored_health(
                    store,
                    self._config.database.path,
                    self._cameras_by_floor,
                    utc_now(),
                    self._sources.blindness.current(),
                    count_events=count_events,
                )
        except (StoreError, OSError) as error:
            # The writer and the check for changes of other processes report the problem.
            log.debug("the database cannot be read for the status: %s", error)
        else:
            self._check_disk(self._stored)

    def _check_power(self, machine: MachineHealth) -> None:
        if machine.throttled:
            what = ", ".join(machine.throttled)
            text = f"the machine is slowed down ({what}): use the power supply of its maker, and cool it"
            self._sources.problems.report(POWER_PROBLEM, text)
        else:
            self._sources.problems.clear(POWER_PROBLEM)

    def _check_disk(self, stored: StoredHealth) -> None:
        known = any(problem.code == DISK_PROBLEM for problem in self._sources.problems.current())
        limit = _ENOUGH_FREE if known else 1.0
        free = stored.disk_free_bytes
        if free < limit * _LEAST_FREE_BYTES and free < limit * _LEAST_FREE_SHARE * stored.disk_bytes:
            text = f"the disk of the database has only {free / 1e6:.0f} MB left; free some room on it"
            self._sources.problems.report(DISK_PROBLEM, text)
        else:
            self._sources.problems.clear(DISK_PROBLEM)
