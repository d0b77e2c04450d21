"""This module is the composition root: it builds the parts of the daemon, starts them in order, and stops them.

The start: database, weights, broker, cameras; then systemd is notified. The stop is the other way round, so that each
part still receives the last results of the part that was stopped before it.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from edge.core.device_health import ClockHealth
from edge.core.errors import StoreError
from edge.daemon.cameras import Cameras
from edge.daemon.configured_floors import apply_floors, reload_floors
from edge.daemon.damaged_database import complete_restore, report_uncounted_restore, restore_if_damaged
from edge.daemon.database_access import DatabaseAccess, ExternalChanges
from edge.daemon.health.blindness import Blindness
from edge.daemon.health.clock_watch import ClockWatch, utc_of
from edge.daemon.health.collector import HealthCollector, HealthSources
from edge.daemon.health.health_monitor import HealthMonitor
from edge.daemon.health.requests import DaemonRequests
from edge.daemon.publishing import Publishing
from edge.daemon.signals import Signals
from edge.detection.detector import make_detector
from edge.host.alive_file import AliveFile
from edge.host.clock import WallClock
from edge.host.instance_lock import InstanceLock
from edge.host.kernel_clock import boot_id
from edge.host.problem_file import ProblemFile
from edge.host.problem_list import ProblemList
from edge.host.systemd import SystemdNotifier
from edge.sources import open_source
from edge.store import Writer, is_damage, request_full_check, utc_now

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edge.config.schema import CameraConfig, Config
    from edge.core.source import Source
    from edge.daemon.camera_worker import CameraWorker
    from edge.store import Recorded

log = logging.getLogger(__name__)

# How often the main thread looks at its flags, and at the health of all parts and writes of other processes.
_FLAG_SECONDS = 0.2
_HEALTH_SECONDS = 2.0
_CLOSE_SECONDS = 10.0


class Daemon:
    """The whole product in one process: call ``start``, then ``run`` until it returns, then ``close``."""

    def __init__(
        self,
        config: Config,
        *,
        signals: Signals | None = None,
        sources: Sequence[tuple[CameraConfig, Source]] | None = None,
        shares_database: bool = False,
        on_recorded: Callable[[Sequence[Recorded]], None] | None = None,
        reload: Callable[[], Config] | None = None,
    ) -> None:
        """``sources`` replaces the configured cameras; ``on_recorded`` is called after every commit, in the writer's
        thread; ``reload`` reads the configuration anew at HUP.

        With ``shares_database`` (a replay) another daemon may be counting into the database. This one then only makes
        missing floors and records events, which the other publishes from the outbox.
        """
        self._config = config
        self._signals = signals or Signals()
        self._sources = sources
        self._shares_database = shares_database
        self._on_recorded = on_recorded
        self._reload = reload
        self._fatal = threading.Event()
        self._checked_at = 0.0
        self._notifier = SystemdNotifier()
        self._problems = ProblemList(utc_now)
        self._lock = InstanceLock(config.database.path)
        self._problem_file: ProblemFile | None = None
        self._database = DatabaseAccess(config.database)
        self._external_changes = ExternalChanges(self._database.open_to_read, self._problems)
        self._writer = Writer(
            self._database.open_to_write,
            on_recorded=self._recorded,
            on_fatal=lambda error: self._on_fatal("writer", error),
        )
        self._detector = make_detector(config.detector)
        self._clock = WallClock()
        self._clock_watch: ClockWatch | None = None
        self._blindness = Blindness(self._writer.post, self._clock)
        self._cameras = Cameras(config, self._detector, self._writer.submit, self._on_fatal, self._clock)
        self._health = HealthMonitor(
            self._problems,
            self._notifier,
            self._writer,
            self._cameras.workers,
            None if shares_database else self._blindness,
        )
        self._publishing: Publishing | None = None
        self._collector = HealthCollector(
            config,
            HealthSources(
                problems=self._problems,
                writer=self._writer,
                workers=self._cameras.workers,
                detector=self._cameras.turns,
                blindness=self._blindness,
                clock=self._clock,
                database=self._database,
                read_clock=self._clock_health,
                read_broker=lambda: None if self._publishing is None else self._publishing.broker(),
            ),
        )
        self._requests = DaemonRequests(config, self._collector, self._problems, self._cameras.snapshot)

    @property
    def workers(self) -> Sequence[CameraWorker]:
        """The workers of the cameras that were started."""
        return self._cameras.workers

    @property
    def failed(self) -> bool:
        """Whether an error has ended the process, or a recording broke off."""
        return self._fatal.is_set() or self._cameras.failed

    def start(self) -> None:
        """Start all parts. Raises what makes a start impossible, after the parts that were started are closed."""
        config = self._config
        alone = self._lock.acquire()
        if not alone and not self._shares_database:
            raise StoreError(f"{config.database.path}: another smartpark is counting into it; stop that process first")
        try:
            if alone:
                self._problem_file = ProblemFile(config.database.path)
                self._problem_file.start()
            self._start_database(alone)
            sources = self._sources or [(camera, open_source(camera)) for camera in config.cameras]
            if not self._shares_database:
                self._start_run([camera.id for camera, source in sources if not source.recorded])
            if alone:
                self._collector.start()
                self._requests.start()
            self._detector.start()
            if config.mqtt.enabled and alone:
                self._publishing = Publishing(config, self._database, self._writer, self._blindness, self._clock)
                self._publishing.start(self._collector.current())
            self._cameras.start(sources)
        except BaseException:
            self.close()
            raise
        log.info("started site=%s device=%s cameras=%d", config.site.id, config.device.id, len(self.workers))
        self._notifier.ready(f"counting with {len(self.workers)} cameras")

    def run(self) -> int:
        """Wait until a signal asks for the stop, all recordings have ended, or an error ends it; the exit code."""
        while not self._signals.stop and not self._fatal.is_set():
            if self._cameras.finished:
                log.info("all recordings have ended")
                break
            if self._signals.reload:
                self._signals.reload = False
                if self._reload is not None:
                    self._config = reload_floors(self._writer, self._config, self._reload)
            self.check()
            self._fatal.wait(_FLAG_SECONDS)
        return 1 if self.failed else 0

    def check(self) -> None:
        """Look at the clock, and every two seconds at the health of all parts.

        ``run`` calls it several times a second; a program that does not use ``run`` calls it in its main thread.
        """
        now = time.monotonic()
        if self._clock_watch is not None:
            self._clock_watch.check(now)
        if now - self._checked_at >= _HEALTH_SECONDS:
            self._checked_at = now
            self._check_health(now)

    def close(self) -> None:
        """Stop all parts and lose nothing: cameras, then what they counted, then what was not yet published."""
        self._notifier.stopping()
        self._requests.close()
        self._collector.close()
        now = time.monotonic()
        if self._clock_watch is not None:
            self._clock_watch.check(now)
            self._clock_watch.close()
        self._cameras.close()
        self._blindness.stop(now)
        if self._publishing is not None:
            self._publishing.publish_blindness(now)
        committed = self._writer.flush(timeout=_CLOSE_SECONDS)
        if self._publishing is not None:
            self._publishing.close()
        self._writer.close(timeout=_CLOSE_SECONDS)
        self._external_changes.close()
        self._detector.close()
        if self._problem_file is not None:
            self._problem_file.close()
        self._lock.release()
        log.info("stopped events_committed=%s", "all" if committed else "not all: the database does not answer")

    def _start_database(self, alone: bool) -> None:
        """Restore the database if it is damaged, start the writer, and make the configured floors."""
        self._writer.may_migrate = alone
        restored = restore_if_damaged(self._config) if alone else None
        self._writer.start()
        if self._shares_database:
            self._writer.create_missing_floors(self._config.floors)
        else:
            apply_floors(self._writer, self._config.floors)
        if restored is not None:
            complete_restore(self._writer, self._config, restored)
        if alone:
            report_uncounted_restore(self._database, self._problems)

    def _start_run(self, live_cameras: Sequence[str]) -> None:
        """Record the start of the run: until when the last one ran, and what the clock does."""
        watch = ClockWatch(self._clock, boot_id(), AliveFile(self._config.database.path), self._writer)
        now = time.monotonic()
        lasting = watch.start(live_cameras, now)
        self._clock_watch = watch
        self._blindness.start(live_cameras, lasting, now, utc_of(self._clock.check().offset))

    def _recorded(self, recorded: list[Recorded]) -> None:
        """Called in the writer's thread, after a commit."""
        if self._publishing is not None:
            self._publishing.publish_recorded(recorded)
        if self._on_recorded is not None:
            self._on_recorded(recorded)

    def _check_health(self, now: float) -> None:
        """Bring the health up to date, and publish it and what another process has written."""
        self._health.update(now)
        self._collector.sample(now)
        if self._problem_file is not None:
            self._problem_file.update(self._problems.current(), now)
        if self._publishing is None:
            return
        if self._writer.status.problem is not None:
            # The disk may have to be unmounted, and the file may be another one afterwards.
            self._external_changes.close()
        elif self._external_changes.happened():
            report_uncounted_restore(self._database, self._problems)
            self._publishing.publish_external_changes()
            self._collector.refresh_soon()
        if self._publishing.publish_blindness(now):
            self._collector.refresh_soon()
        self._publishing.publish_health(self._collector.current())

    def _clock_health(self) -> ClockHealth:
        """The state of the clock. A daemon that shares the database does not watch it."""
        return ClockHealth(self._clock.state()) if self._clock_watch is None else self._clock_watch.health()

    def _on_fatal(self, part: str, error: BaseException) -> None:
        log.critical("stopping because of an unexpected error in=%s", part, exc_info=error)
        self._fatal.set()
        if is_damage(error):
            request_full_check(self._config.database.path)
