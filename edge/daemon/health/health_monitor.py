"""This module checks the writer and the cameras, reports their problems, and feeds the watchdog while they work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.core.source import SourceState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.core.source import SourceStatus
    from edge.daemon.camera_worker import CameraWorker
    from edge.daemon.health.blindness import Blindness
    from edge.host.problem_list import ProblemList
    from edge.host.systemd import SystemdNotifier
    from edge.store import Writer

# A writer or camera that has finished no work for so long is stuck, and the watchdog is not fed.
STUCK_SECONDS = 30.0

_EVENTS_WAITING = "events that wait in memory until the database can be written: {}"
_EVENTS_LOST = (
    "events lost since the start: {}; the log has the key of each; count the vehicles of the floors and use"
    " `smartpark floors correct`"
)
# Why a camera is blind, as it is recorded: texts that stay the same while it lasts.
GIVES_NO_FRAMES = "the camera gives no frames"
IS_STUCK = "the camera's thread is stuck"
HAS_ENDED = "the camera's file has been played to its end"
_EVENTS_REFUSED = "events refused since the start: {}; the log has the key and the reason of each"


class HealthMonitor:
    """Knows whether the writer and the cameras work. Used in the daemon's main thread."""

    def __init__(
        self,
        problems: ProblemList,
        notifier: SystemdNotifier,
        writer: Writer,
        workers: Sequence[CameraWorker],
        blindness: Blindness | None = None,
    ) -> None:
        """``workers`` is a list to which cameras are still added. ``blindness`` gets what makes live cameras blind."""
        self._problems = problems
        self._notifier = notifier
        self._writer = writer
        self._workers = workers
        self._blindness = blindness
        self._reported_gaps: dict[str, float] = {}  # when the last gap ended that was reported, by camera
        self._status_line: str | None = None

    def update(self, now: float) -> None:
        """Bring the problems up to date with ``now`` (monotonic), notify systemd, and feed its watchdog.

        Only finished work feeds it: every camera has processed a frame or is known to be down, and the writer has
        tried to write. A disk that is full for hours does not stop the feeding, because a restart would lose the
        events that wait in memory; a writer or a camera's thread that is stuck does.
        """
        stuck = self._check_writer(now)
        for worker in self._workers:
            stuck |= self._check_camera(worker, now)
        self._update_status_line()
        if not stuck:
            self._notifier.watchdog()

    def _check_writer(self, now: float) -> bool:
        writer = self._writer.status
        silence = now - writer.last_answer
        stuck = silence > STUCK_SECONDS
        if stuck:
            self._set("database", f"has not answered for {silence:.0f} s; check the disk and the kernel's log")
        else:
            self._set("database", writer.problem)
        waiting = writer.waiting if writer.problem is not None or stuck else 0
        self._set("events_waiting", waiting and _EVENTS_WAITING.format(waiting))
        self._set("events_lost", writer.dropped and _EVENTS_LOST.format(writer.dropped))
        self._set("events_refused", writer.refused and _EVENTS_REFUSED.format(writer.refused))
        return stuck

    def _check_camera(self, worker: CameraWorker, now: float) -> bool:
        stuck = worker.is_stuck(now, STUCK_SECONDS)
        status = worker.source.status
        text: str | None = None
        logged = False
        if worker.problem:
            text = worker.problem
        elif stuck:
            text = f"has finished no frame for {now - worker.last_progress:.0f} s"
        elif status.state is SourceState.DOWN:
            text = status.problem or "gives no frames"
        elif (silent := silent_seconds(worker, now)) > worker.camera.stale_seconds:
            text = status.problem or f"has given no frame for {silent:.0f} s"
        elif not worker.finished and (states := worker.picture_states):
            # The camera's thread has logged each of them with its beginning.
            since = states[0].since.isoformat(sep=" ", timespec="seconds")
            others = f" (also: {', '.join(state.code for state in states[1:])})" if states[1:] else ""
            text, logged = f"{states[0].text}; since {since}{others}", True
        elif status.problem and (status.state is SourceState.UP or _has_ended(worker)):
            text = status.problem
        self._set(f"camera.{worker.camera.id}", text, logged=logged)
        self._update_blindness(worker, status, now, stuck=stuck)
        return stuck

    def _update_blindness(self, worker: CameraWorker, status: SourceStatus, now: float, *, stuck: bool) -> None:
        """Report whether a live camera can be counted. A recording is never blind: it does not show the present."""
        if self._blindness is None or worker.source.recorded:
            return
        camera, last, picture = worker.camera, worker.last_frame_at, worker.blind_picture
        last_usable = worker.started_at if last is None else last
        self._report_gap(worker, now)
        if worker.finished:
            if _has_ended(worker):
                self._blindness.update(camera.id, HAS_ENDED, now, last_usable)
        elif stuck:
            self._blindness.update(camera.id, IS_STUCK, now, last_usable)
        elif status.state is SourceState.DOWN or silent_seconds(worker, now) > camera.stale_seconds:
            self._blindness.update(camera.id, GIVES_NO_FRAMES, now, last_usable)
        elif picture is not None:
            self._blindness.update(camera.id, picture.reason, now, picture.since_monotonic)
        elif worker.is_silent(now):  # nothing is counted from its last frame on
            self._blindness.update(camera.id, GIVES_NO_FRAMES, now, last_usable)
        elif last is not None:
            times = [at for at in (worker.frames_since, worker.usable_since) if at is not None]
            self._blindness.update(camera.id, None, now, max(times, default=now))

    def _report_gap(self, worker: CameraWorker, now: float) -> None:
        """Report a gap between frames that began and ended since the last look."""
        began, ended = worker.gap_began, worker.frames_since
        if self._blindness is None or began is None or ended is None:
            return
        if self._reported_gaps.get(worker.camera.id) != ended:
            self._reported_gaps[worker.camera.id] = ended
            self._blindness.update(worker.camera.id, GIVES_NO_FRAMES, now, began)

    def _set(self, code: str, text: str | int | None, *, logged: bool = False) -> None:
        """Report the problem ``code``, or clear it when there is no text; ``logged``: the log has it already."""
        if text:
            self._problems.report(code, str(text), logged=logged)
        else:
            self._problems.clear(code)

    def _update_status_line(self) -> None:
        """Send the first problem to systemd's status line when it has changed."""
        problems = self._problems.current()
        line = f"{problems[0].code}: {problems[0].text}" if problems else f"counting with {len(self._workers)} cameras"
        if len(problems) > 1:
            line += f" (and {len(problems) - 1} more)"
        if line != self._status_line:
            self._status_line = line
            self._notifier.status(line)


def _has_ended(worker: CameraWorker) -> bool:
    """Whether a camera that counts as live is a video file that has been played to its end."""
    return worker.finished and not worker.source.recorded and worker.source.status.state is SourceState.ENDED


def silent_seconds(worker: CameraWorker, now: float) -> float:
    """For how long a live camera has given no frame that was processed; 0 for a recording."""
    if worker.source.recorded or worker.finished:
        return 0.0
    return now - (worker.started_at if worker.last_frame_at is None else worker.last_frame_at)
