"""Looks at the writer and the cameras: what is wrong becomes the device's health, what works feeds the watchdog."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.core.device_health import DeviceHealth
from edge.core.errors import StoreError
from edge.core.source import SourceState
from edge.pipeline import LEAST_FRAMES_PER_SECOND
from edge.store.sql.data_version import data_version
from edge.store.sql.errors import told

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from peewee import SqliteDatabase

    from edge.daemon.camera_worker import CameraWorker
    from edge.host.problems import Health
    from edge.host.systemd import SystemdNotifier
    from edge.store.writing.writer import Writer

# Work that takes longer than this is stuck, and systemd is not told that all is well.
STUCK_SECONDS = 30.0

WAITING = "events that wait in memory until the database can be written: {}"
LOST = (
    "events lost since the start: {}; the log has the key of each; count the vehicles of the floors and use"
    " `smartpark floors correct`"
)
# A rate that was too low must rise above the limit by so much, or the problem would come and go at the limit.
_CLEARLY_FASTER = 1.2
TOO_SLOW = (
    "{:.1f} frames a second are processed, {:g} are needed for a reliable count; lower detector.image_size or the"
    " number of cameras, or raise the camera's own frame rate"
)
REFUSED = "events refused since the start: {}; the log has the key and the reason of each"


class Watch:
    """One look at a time, in the daemon's own thread."""

    def __init__(
        self, health: Health, notifier: SystemdNotifier, writer: Writer, workers: Sequence[CameraWorker]
    ) -> None:
        """``workers`` may still grow."""
        self._health = health
        self._notifier = notifier
        self._writer = writer
        self._workers = workers
        self._shown: str | None = None
        self._too_slow: set[str] = set()

    def look(self, now: float) -> None:
        """Bring the health up to date with ``now`` (monotonic), tell systemd, and feed its watchdog.

        Only finished work feeds it: every camera has moved or is known to be down, and the writer has tried. A disk
        that is full for hours does not withhold it, for a restart would throw away the events that wait in memory; a
        writer or a camera's thread that is stuck does.
        """
        stuck = self._look_at_writer(now)
        for worker in self._workers:
            stuck |= self._look_at_camera(worker, now)
        self._show()
        if not stuck:
            self._notifier.watchdog()

    def report(self, as_of: datetime) -> DeviceHealth:
        """The health as it was at the last look, with the numbers of this moment."""
        writer = self._writer
        return DeviceHealth(self._health.problems(), writer.queued, writer.dropped, writer.refused, as_of)

    def _look_at_writer(self, now: float) -> bool:
        writer = self._writer
        silent = now - writer.last_answer
        stuck = silent > STUCK_SECONDS
        trouble = writer.trouble
        if stuck:
            self._say("database", f"has not answered for {silent:.0f} s; check the disk and the kernel's log")
        else:
            self._say("database", trouble)
        waiting = writer.queued if trouble is not None or stuck else 0
        self._say("events_waiting", waiting and WAITING.format(waiting))
        self._say("events_lost", writer.dropped and LOST.format(writer.dropped))
        self._say("events_refused", writer.refused and REFUSED.format(writer.refused))
        return stuck

    def _look_at_camera(self, worker: CameraWorker, now: float) -> bool:
        stuck = worker.is_stuck(now, STUCK_SECONDS)
        status = worker.source.status
        text: str | None = None
        if worker.problem:
            text = worker.problem
        elif stuck:
            text = f"has finished no frame for {now - worker.last_progress:.0f} s"
        elif status.state is SourceState.DOWN:
            text = status.problem or "gives no frames"
        elif not worker.finished and self._is_too_slow(worker):
            text = TOO_SLOW.format(worker.pipeline.statistics.frames_per_second, LEAST_FRAMES_PER_SECOND)
        self._say(f"camera.{worker.camera.id}", text)
        return stuck

    def _is_too_slow(self, worker: CameraWorker) -> bool:
        statistics, camera = worker.pipeline.statistics, worker.camera.id
        if statistics.too_slow:
            self._too_slow.add(camera)
        elif statistics.frames_per_second >= _CLEARLY_FASTER * LEAST_FRAMES_PER_SECOND:
            self._too_slow.discard(camera)
        return camera in self._too_slow

    def _say(self, code: str, text: str | int | None) -> None:
        if text:
            self._health.set(code, str(text))
        else:
            self._health.clear(code)

    def _show(self) -> None:
        """The first problem on systemd's status line, when that changes."""
        problems = self._health.problems()
        shown = f"{problems[0].code}: {problems[0].text}" if problems else f"counting with {len(self._workers)} cameras"
        if len(problems) > 1:
            shown += f" (and {len(problems) - 1} more)"
        if shown != self._shown:
            self._shown = shown
            self._notifier.status(shown)


class OtherWriters:
    """Notices that anybody wrote to the database: a replay beside the daemon, a technician's correction. One thread."""

    def __init__(self, open_to_read: Callable[[], SqliteDatabase], health: Health) -> None:
        self._open = open_to_read
        self._health = health
        self._reader: SqliteDatabase | None = None
        self._version: int | None = None

    def changed(self) -> bool:
        """Whether something was committed since the last answer. A database that cannot be read becomes a problem."""
        try:
            if self._reader is None:
                self._reader = self._open()
            with told(self._reader.database):
                version = data_version(self._reader)
        except StoreError as error:
            self.close()
            self._health.set("database_reading", str(error))
            return False
        self._health.clear("database_reading")
        changed = version != self._version
        self._version = version
        return changed

    def close(self) -> None:
        """Let go of the file; the next look opens it anew, and takes it for changed."""
        if self._reader is not None:
            self._reader.close()
        self._reader = self._version = None
