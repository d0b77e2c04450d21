"""This module describes the state of a camera, of what its worker, its source and its pipeline know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.core.device_health import CameraCondition, CameraHealth, LatencyHealth, PictureHealth
from edge.core.source import SourceState
from edge.daemon.health.health_monitor import STUCK_SECONDS, silent_seconds

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from edge.core.source import SourceStatus
    from edge.daemon.camera_worker import CameraWorker
    from edge.store import LatencyStatus


def condition_of(worker: CameraWorker, now: float) -> tuple[CameraCondition, float | None]:
    """Whether the camera is counted at ``now``, and since when, both monotonic; None where that is not known."""
    status, last = worker.source.status, worker.last_frame_at
    if worker.problem:
        return CameraCondition.FAILED, None
    if worker.finished:
        return CameraCondition.ENDED, None
    if worker.started_at == 0.0:  # its source is being opened
        return CameraCondition.STARTING, None
    if worker.is_stuck(now, STUCK_SECONDS):
        return CameraCondition.STUCK, worker.last_progress
    if status.state is SourceState.DOWN or silent_seconds(worker, now) > worker.camera.stale_seconds:
        return CameraCondition.DOWN, worker.started_at if last is None else last
    if last is not None and worker.is_silent(now):
        return CameraCondition.DOWN, last
    if status.frames == 0 or (last is None and not worker.source.recorded):
        return CameraCondition.STARTING, worker.started_at
    if worker.blind_picture is not None:
        return CameraCondition.BLIND, worker.blind_picture.since_monotonic
    if worker.picture_states:
        return CameraCondition.DEGRADED, min(state.since_monotonic for state in worker.picture_states)
    if status.problem:
        return CameraCondition.DEGRADED, None
    times = [at for at in (worker.started_at, worker.frames_since, worker.usable_since) if at is not None]
    return CameraCondition.COUNTING, max(times)


class CameraReport:
    """Describes a camera, and knows since when it is as it is. Thread-safe."""

    def __init__(self, worker: CameraWorker) -> None:
        self._worker = worker
        # Replaced as a whole: the last condition, and the first time at which it was seen.
        self._seen: tuple[CameraCondition, float] | None = None

    def health(
        self,
        now: float,
        utc: Callable[[float], datetime],
        problem: str,
        rates: tuple[float, ...],
        latency: LatencyStatus | None,
    ) -> CameraHealth:
        """The state at ``now`` (monotonic); ``utc`` dates a monotonic time.

        ``rates`` are frames a second delivered and processed lately, empty where they are not known yet; ``latency`` is
        that of the last events, None before the first.
        """
        worker, status = self._worker, self._worker.source.status
        condition, since = condition_of(worker, now)
        seen = self._seen
        if seen is None or seen[0] is not condition:
            seen = self._seen = (condition, now)
        delivered, processed = rates or (status.delivered_per_second, 0.0)
        milliseconds = worker.pipeline.statistics.milliseconds
        newest = status.last_frame_monotonic
        return CameraHealth(
            id=worker.camera.id,
            condition=condition,
            since=utc(seen[1] if since is None else since),
            problem=problem or worker.problem or ("" if worker.finished else status.problem),
            source=worker.camera.public_source,
            state=status.state,
            stage=status.stage,
            pictures=()
            if worker.finished
            else tuple(
                PictureHealth(state.code.value, state.text, state.since, state.blind) for state in worker.picture_states
            ),
            fps_set=worker.camera.fps,
            fps_camera=_camera_rate(status),
            fps_delivered=round(delivered, 2),
            fps_processed=round(processed, 2),
            # The time of a picture of a recording is of its own clock.
            picture_age_seconds=None if newest is None or worker.source.recorded else round(max(now - newest, 0.0), 3),
            lag_seconds=round(status.lag_seconds, 3),
            frames=worker.pipeline.statistics.frames,
            dropped=status.dropped,
            reconnects=status.reconnects,
            corrupt_share=round(status.corrupt_share, 4),
            skipped=status.skipped,
            codec=status.codec,
            reader_pid=status.reader_pid,
            detect_ms=round(milliseconds["detect"], 2),
            track_ms=round(milliseconds["track"], 2),
            count_ms=round(milliseconds["count"], 2),
            latency=_latency(latency),
        )


def _latency(status: LatencyStatus | None) -> LatencyHealth | None:
    """The latency that is shown; a recording has none, because its frames are captured at no time of this machine."""
    if status is None or status.total is None:
        return None
    total, held = status.total, status.hold
    return LatencyHealth(
        status.events, round(total.p50, 2), round(total.p99, 2), round(held.p50, 2), round(held.p99, 2)
    )


def _camera_rate(status: SourceStatus) -> float | None:
    """The pictures a second that the camera sends; None for what is no camera on a network or a bus."""
    return None if status.stage is None and not status.codec else round(status.pictures_per_second, 2)
