"""This module turns what is wrong with cameras into blind intervals: recorded in the database, and known at once."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.daemon.health.clock_watch import utc_of
from edge.store import NOT_RUNNING, BlindInterval

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from edge.host.clock import WallClock
    from edge.store import Store

# A shorter time without a usable frame is no interval: single frames that come late are no blindness.
LEAST_BLIND_SECONDS = 2.0
# A camera must be usable for so long before its interval ends, or it would come and go.
STEADY_SECONDS = 2.0
# A reason that lasts for so long begins an interval of its own.
NEW_REASON_SECONDS = 10.0
NO_FRAME_YET = "no frame since the start"


@dataclass(slots=True)
class _Open:
    """An interval that lasts. ``began`` is monotonic; ``began_at`` is set instead where it began in an earlier boot."""

    reason: str
    began: float
    began_at: datetime | None = None


@dataclass(slots=True)
class _Camera:
    """What is known of a camera; all times are monotonic seconds."""

    started: float
    was_usable: bool = False
    interval: _Open | None = None
    usable_since: float | None = None
    # A reason that is not recorded yet, and since when it is given.
    reason: str | None = None
    reason_since: float = 0.0


class Blindness:
    """The blind intervals of the live cameras, from the reports about each to ``update``. Thread-safe.

    ``post`` has a function called with the writing store, later and in the order of the calls. The times of intervals
    are those of usable frames, whatever the time at which they are noticed.
    """

    def __init__(self, post: Callable[[Callable[[Store], object], str], bool], clock: WallClock) -> None:
        self._post = post
        self._clock = clock
        self._lock = threading.Lock()
        self._cameras: dict[str, _Camera] = {}

    def start(self, cameras: Iterable[str], lasting: Iterable[BlindInterval], now: float, boot: datetime) -> None:
        """Begin with the cameras of a run, of which no frame was seen yet, and the stored intervals that last.

        ``boot`` is when the monotonic clock was 0: an interval that began before it is from an earlier boot.
        """
        with self._lock:
            self._cameras = {camera: _Camera(started=now) for camera in cameras}
            for interval in lasting:
                if interval.camera_id in self._cameras:
                    began = (interval.began_at - boot).total_seconds()
                    opened = _Open(interval.reason, began, interval.began_at if began < 0 else None)
                    self._cameras[interval.camera_id].interval = opened

    def update(self, camera_id: str, reason: str | None, now: float, at: float | None = None) -> None:
        """Report whether a camera can be counted: the reason why not, a stable text, or None if it can.

        ``now`` and ``at`` are monotonic seconds. With a reason ``at`` is the time of the last usable frame, without one
        that of the first usable frame after the camera was blind; by default ``now``. Call it every few seconds.
        """
        at = now if at is None else min(at, now)
        with self._lock:
            camera = self._cameras.setdefault(camera_id, _Camera(started=now))
            if reason is None:
                self._usable(camera_id, camera, now, at)
            elif camera.interval is None:
                self._blind(camera_id, camera, reason, now, at)
            else:
                self._still_blind(camera_id, camera, reason, now)

    def stop(self, now: float) -> None:
        """The daemon stops: every camera is blind from ``now`` on. The next start records it."""
        with self._lock:
            for camera in self._cameras.values():
                camera.interval = camera.interval or _Open(NOT_RUNNING, now)

    def current(self) -> tuple[BlindInterval, ...]:
        """The cameras that are blind now, also those of which no frame has come yet since the start."""
        with self._lock:
            lasting = []
            for camera_id, camera in self._cameras.items():
                if camera.interval is not None:
                    began_at, reason = self._began_at(camera.interval), camera.interval.reason
                elif not camera.was_usable:
                    began_at, reason = self._utc(camera.started), NO_FRAME_YET
                else:
                    continue
                lasting.append(BlindInterval(0, camera_id, began_at, None, reason))
            return tuple(lasting)

    # -- with the lock held ----------------------------------------------------------------------------------------

    def _usable(self, camera_id: str, camera: _Camera, now: float, at: float) -> None:
        camera.was_usable, camera.reason = True, None
        if camera.interval is None:
            return
        if camera.usable_since is None:
            # A time before the interval is no time of a frame after it.
            camera.usable_since = at if at > camera.interval.began else now
        if now - camera.usable_since >= STEADY_SECONDS:
            self._end(camera_id, camera, camera.usable_since)
            camera.usable_since = None

    def _blind(self, camera_id: str, camera: _Camera, reason: str, now: float, at: float) -> None:
        if not camera.was_usable:
            at = camera.started
        if camera.reason is None:
            camera.reason_since = at
        camera.reason = reason
        if now - min(at, camera.reason_since) >= LEAST_BLIND_SECONDS:
            self._begin(camera_id, camera, reason, min(at, camera.reason_since))

    def _still_blind(self, camera_id: str, camera: _Camera, reason: str, now: float) -> None:
        camera.usable_since = None
        if camera.interval is None or reason == camera.interval.reason:
            camera.reason = None
            return
        if reason != camera.reason:
            camera.reason, camera.reason_since = reason, now
        elif now - camera.reason_since >= NEW_REASON_SECONDS:
            # The table's beginning of an interval is the end of the one before it.
            self._begin(camera_id, camera, reason, camera.reason_since)

    def _begin(self, camera_id: str, camera: _Camera, reason: str, at: float) -> None:
        camera.interval, camera.reason, camera.usable_since = _Open(reason, at), None, None
        began_at = self._utc(at)
        what = f"the blindness of camera {camera_id}: {reason}"
        self._post(lambda store: store.blind.begin(camera_id, began_at, reason), what)

    def _end(self, camera_id: str, camera: _Camera, at: float) -> None:
        interval, camera.interval = camera.interval, None
        if interval is None:
            return
        began_at, ended_at, reason = self._began_at(interval), self._utc(at), interval.reason
        self._post(
            lambda store: store.blind.end(camera_id, began_at, ended_at, reason),
            f"the end of the blindness of camera {camera_id}: {reason}",
        )

    def _began_at(self, interval: _Open) -> datetime:
        return self._utc(interval.began) if interval.began_at is None else interval.began_at

    def _utc(self, monotonic: float) -> datetime:
        return utc_of(self._clock.check().at(monotonic))
