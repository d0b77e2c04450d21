"""Composition root: builds the rooms, owns the threads and the signals, shuts down in order.

Start: database, weights, broker, cameras; then systemd is told. Stop: the other way round, so that each room is
still there for what the room before it has left to say.
"""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from edge.core.errors import StoreError
from edge.daemon.camera_worker import CameraWorker
from edge.daemon.configured_floors import apply_floors, reload_floors
from edge.daemon.damaged_database import put_right, settle, tell_of_loss
from edge.daemon.run_id import run_id
from edge.daemon.signals import Signals
from edge.daemon.watchdog import OtherWriters, Watch
from edge.detection.detector import SharedDetector, make_detector
from edge.host.clock import Clock
from edge.host.instance_lock import InstanceLock
from edge.host.problems import Health
from edge.host.systemd import SystemdNotifier
from edge.mqtt.topics import Topics
from edge.pipeline import Pipeline
from edge.publish.publisher import Publisher
from edge.sources import open_source
from edge.store.counts.floors import Floors
from edge.store.counts.outbox import Outbox
from edge.store.schema.connect import open_database
from edge.store.sql.errors import is_damage, told
from edge.store.upkeep.recovery import suspect
from edge.store.writing.writer import Writer, utc_now

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from peewee import SqliteDatabase

    from edge.config.schema import CameraConfig, Config
    from edge.core.events import Event, StoredEvent
    from edge.core.occupancy import Occupancy
    from edge.core.source import Source
    from edge.detection.detector import Detector
    from edge.store.counts.stored_event import Recorded

log = logging.getLogger(__name__)

TICK_SECONDS = 0.2
# How often the rooms are looked at, and the database asked whether a technician's command has changed it.
LOOK_SECONDS = 2.0


class Daemon:
    """The whole product in one process. ``start``, then ``run`` until it returns, then ``close``."""

    def __init__(
        self,
        config: Config,
        *,
        signals: Signals | None = None,
        sources: Sequence[tuple[CameraConfig, Source]] | None = None,
        beside_another: bool = False,
        on_recorded: Callable[[Sequence[Recorded]], None] | None = None,
        reload: Callable[[], Config] | None = None,
    ) -> None:
        """``sources`` replaces the configured cameras; ``on_recorded`` hears of every commit, in the writer's thread;
        ``reload`` reads the configuration anew when HUP asks for it.

        With ``beside_another`` (a replay) a daemon may already be counting into the database. Then this one only
        records, and creates floors that are missing: the other publishes what it finds in the outbox.
        """
        self.config = config
        self.signals = signals or Signals()
        self.workers: list[CameraWorker] = []
        self.publisher: Publisher | None = None
        self._sources = sources
        self._beside_another = beside_another
        self._on_recorded = on_recorded
        self._reload = reload
        self._clock = Clock()
        self._notifier = SystemdNotifier()
        self._lock = InstanceLock(config.database.path)
        self._detector: Detector = SharedDetector(make_detector(config.detector))
        self._fatal = threading.Event()
        self.health = Health(utc_now)
        self.writer = Writer(
            self._open_to_write, on_recorded=self._recorded, on_fatal=lambda error: self._on_fatal("writer", error)
        )
        self._watch = Watch(self.health, self._notifier, self.writer, self.workers)
        self._others = OtherWriters(self._open_to_read, self.health)

    # -- start and stop ------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Build everything up. Raises what makes a start impossible; what was begun is then closed again."""
        alone = self._lock.acquire()
        if not alone and not self._beside_another:
            raise StoreError(f"{self.config.database.path}: another smartpark is counting into it; stop that one first")
        try:
            self.writer.may_migrate = alone
            replaced = put_right(self.config) if alone else None
            self.writer.start()
            if self._beside_another:
                self.writer.ensure_floors(self.config.floors)
            else:
                apply_floors(self.writer, self.config.floors)
            if replaced is not None:
                settle(self.writer, self.config, replaced)
            if alone:
                self._tell_of_loss()
            self._detector.start()
            if self.config.mqtt.enabled and alone:
                self.publisher = self._make_publisher()
                self.publisher.health_changed(self._watch.report(utc_now()))
                self.publisher.start()
            for camera, source in self._sources or [(camera, open_source(camera)) for camera in self.config.cameras]:
                submit = self.writer.submit if source.recorded else self._submit_live
                pipeline = Pipeline(camera, self.config, run_id(self.config, camera), self._detector, submit)
                worker = CameraWorker(camera, source, pipeline, self._on_fatal)
                self.workers.append(worker)
                worker.start()
        except BaseException:
            self.close()
            raise
        log.info("started site=%s device=%s cameras=%d", self.config.site.id, self.config.device.id, len(self.workers))
        self._notifier.ready(f"counting with {len(self.workers)} cameras")

    def run(self) -> int:
        """Wait until a signal asks for the stop, all recordings have ended, or something broke; the exit code."""
        looked = 0.0
        while not self.signals.stop and not self._fatal.is_set():
            if self.workers and all(worker.finished for worker in self.workers):
                log.info("all recordings have ended")
                break
            if self.signals.reload:
                self.signals.reload = False
                if self._reload is not None:
                    self.config = reload_floors(self.writer, self.config, self._reload)
            now = time.monotonic()
            if now - looked >= LOOK_SECONDS:
                looked = now
                self._look(now)
            self._fatal.wait(TICK_SECONDS)
        return 1 if self.failed else 0

    @property
    def failed(self) -> bool:
        """Whether something broke that ends the process, or a recording broke off."""
        return self._fatal.is_set() or any(worker.problem for worker in self.workers)

    def close(self) -> None:
        """Stop in order and lose nothing: cameras, then what they counted, then what was not yet published."""
        self._notifier.stopping()
        if self.workers:
            # At once: a silent camera takes seconds to close, and there may be many.
            with ThreadPoolExecutor(len(self.workers), "close") as pool:
                list(pool.map(CameraWorker.close, self.workers))
        committed = self.writer.flush(timeout=10.0)
        if self.publisher is not None:
            self.publisher.close(self.config.mqtt.drain_seconds)
        self.writer.close(timeout=10.0)
        self._others.close()
        self._detector.close()
        self._lock.release()
        log.info("stopped events_committed=%s", "all" if committed else "not all: the database does not answer")

    # -- what the rooms tell each other ----------------------------------------------------------------------------

    def _submit_live(self, events: Sequence[Event]) -> None:
        """In a camera's thread. A recording's times are the recording's; a live camera's are this machine's."""
        state = self._clock.state()
        self.writer.submit([replace(event, clock_state=state) for event in events])

    def _open_to_write(self) -> SqliteDatabase:
        database = self.config.database
        return open_database(database.path, busy_timeout=database.busy_timeout_seconds)

    def _open_to_read(self) -> SqliteDatabase:
        database = self.config.database
        return open_database(database.path, busy_timeout=database.busy_timeout_seconds, read_only=True)

    def _make_publisher(self) -> Publisher:
        config = self.config
        return Publisher(
            config.mqtt,
            client_id=config.client_id,
            topics=Topics(config.mqtt.topic_prefix, config.site.id, config.device.id),
            read_outbox=self._read_outbox,
            acknowledge=self.writer.acknowledge,
            read_floors=self._read_floors,
        )

    def _read_outbox(self, limit: int) -> list[StoredEvent]:
        """In the publisher's thread: with a handle of its own, open no longer than needed."""
        with self._reading() as database:
            return Outbox(database).pending(limit)

    def _read_floors(self) -> list[Occupancy]:
        with self._reading() as database:
            return Floors(database).all()

    def _tell_of_loss(self) -> None:
        try:
            with self._reading() as database, told(database.database):
                tell_of_loss(database, self.health)
        except StoreError as error:
            log.warning("the audit log cannot be read: %s", error)

    @contextmanager
    def _reading(self) -> Iterator[SqliteDatabase]:
        database = self._open_to_read()
        try:
            yield database
        finally:
            database.close()

    def _recorded(self, recorded: list[Recorded]) -> None:
        """In the writer's thread, after a commit."""
        if self.publisher is not None and any(item.inserted for item in recorded):
            self.publisher.floors_changed([item.occupancy for item in recorded])
            self.publisher.events_added()
        if self._on_recorded is not None:
            self._on_recorded(recorded)

    def _look(self, now: float) -> None:
        """See how all fares, and publish that and what another program wrote."""
        self._watch.look(now)
        if self.publisher is None:
            return
        if self.writer.trouble is not None:
            # The disk may have to be unmounted, and the file may be another one afterwards.
            self._others.close()
        elif self._others.changed():
            self._tell_of_loss()
            self.publisher.read_floors_again()
            self.publisher.events_added()
        self.publisher.health_changed(self._watch.report(utc_now()))

    def _on_fatal(self, where: str, error: BaseException) -> None:
        log.critical("stopping because of an unexpected error in=%s", where, exc_info=error)
        self._fatal.set()
        if is_damage(error):
            suspect(self.config.database.path)
