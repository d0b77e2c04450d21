"""Makes the status of a live camera of what its reader reports, and of what became of its connections."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from edge.capture.live.stages import waiting
from edge.capture.reader.effort import Effort
from edge.capture.reader.messages import Report
from edge.core.source import SourceState, SourceStatus

if TYPE_CHECKING:
    from edge.capture.live.handover import Handover
    from edge.capture.live.stages import StageLimits, Waiting

# The seconds over which rates and shares are means.
_LATELY = 10.0
# A new connection that waits for something for so long says so, instead of why the connection before it failed.
_NEW_CONNECTION_SECONDS = 2.0
_COUNTERS = ("pictures", "decoded", "corrupt", "errors", "dropped", "lost_packets")
_SKIPPED = {
    Effort.FULL: "",
    Effort.REFERENCE: "non-reference pictures",
    Effort.KEY_FRAMES: "all but key frames",
}
_LATE = "pictures come {:.1f} s late{}"
_TOO_SLOW = (
    ", {} are not decoded: the machine is too slow for this stream; lower the camera's resolution or frame rate, or use"
    " its second stream"
)


@dataclass(frozen=True, slots=True)
class _Moment:
    """The counters at one time, for means."""

    at: float
    pictures: int
    decoded: int
    faulty: int
    frames: int


class CameraStatus:
    """The state of one camera. Thread-safe. All times are monotonic; ``now`` is passed in.

    A sign of life is a picture handed over, or, while nobody wants a picture, a picture decoded. A camera without one
    for ``stale_seconds`` is down, whatever its connection does.
    """

    def __init__(
        self,
        handover: Handover,
        limits: StageLimits,
        stale_seconds: float,
        max_lag_seconds: float,
        *,
        waits_for: str = "",
    ) -> None:
        """``waits_for`` replaces the sentences that say what a connection waits for; {} stands for the seconds."""
        self._waits_for = waits_for
        self._handover = handover
        self._limits = limits
        self._stale_seconds = stale_seconds
        self._max_lag = max_lag_seconds
        self._lock = threading.Lock()
        self._before = Report()  # counters of readers that have ended
        self._report: Report | None = None  # of the present connection
        self._started_at = 0.0  # of the present connection
        self._connecting = False
        self._pid: int | None = None
        self._alive_at: float | None = None  # last sign of life
        # When the daemon asked for the picture that it waits for, and when the first picture was decoded after that.
        self._unanswered: tuple[float, float] | None = None
        self._silent_since: float | None = None  # when the source began
        self._problem = ""
        self._ups = 0
        self._up = False
        self._up_since = 0.0
        self._ended = False
        self._last_captured: float | None = None
        self._moments: deque[_Moment] = deque()

    def begin(self, now: float, pid: int | None) -> None:
        """A connection is opened by the reader with that process id."""
        with self._lock:
            self._silent_since = now if self._silent_since is None else self._silent_since
            self._started_at, self._connecting, self._pid = now, True, pid

    def report(self, report: Report, now: float) -> None:
        """Take the reader's report in."""
        with self._lock:
            self._report = report
            self._last_captured = report.captured or self._last_captured
            self._note_unanswered(report)
            if report.decoded_at is not None and self._handover.wanted_since is None and self._up:
                self._alive_at = max(self._alive_at or 0.0, report.decoded_at)
            self._note_moment(now)

    def frame(self, captured: float, now: float) -> bool:
        """A picture was handed over; returns whether the camera came up with it."""
        with self._lock:
            came_up = not self._is_up(now)
            if came_up:
                self._ups += 1
                self._up_since = now
            self._up, self._alive_at, self._problem = True, now, ""
            self._last_captured = max(self._last_captured or captured, captured)
            return came_up

    def go_down(self, problem: str, now: float) -> float:
        """The connection is over; returns for how many seconds the camera was up, 0 if it was not."""
        with self._lock:
            was_up = self._up
            self._up = self._connecting = False
            self._problem = problem
            if self._report is not None:
                # The same reader may be used again, and counts on.
                self._report = Report(**{name: getattr(self._report, name) for name in _COUNTERS})
            return now - self._up_since if was_up else 0.0

    def reader_ended(self) -> None:
        """The reader's process is gone: its counters are added to those of the readers before it."""
        with self._lock:
            if self._report is not None:
                self._before = _sum(self._before, self._report)
            self._report, self._pid, self._connecting = None, None, False

    def end(self, problem: str | None = None) -> None:
        """The source is closed, or has ended, about which ``problem`` says what a user should know."""
        with self._lock:
            self._ended = True
            self._problem = self._problem if problem is None else problem

    @property
    def has_reported(self) -> bool:
        """Whether the reader has reported since the connection began."""
        with self._lock:
            return self._report is not None and self._report.opened_at is not None

    def waiting(self, now: float) -> Waiting:
        """What the present connection waits for."""
        with self._lock:
            return self._waiting(now)

    def status(self, now: float) -> SourceStatus:
        """The status at ``now``."""
        handover = self._handover
        with self._lock:
            total = _sum(self._before, self._report or Report())
            report = self._report if self._connecting and self._report is not None else Report()
            state = self._state(now)
            skipped = _SKIPPED[Effort(report.effort)]
            lately = _Moment(now, total.pictures, total.decoded, total.corrupt + total.errors, handover.frames)
            self._forget_moments(now)
            rates = self._moments[0] if self._moments else lately
            seconds = max(lately.at - rates.at, 1e-3)
            sent = lately.pictures - rates.pictures
            return SourceStatus(
                state=state,
                frames=handover.frames,
                dropped=total.dropped + handover.dropped,
                reconnects=max(self._ups - 1, 0),
                last_frame_monotonic=self._last_captured,
                problem=self._describe(state, report, skipped, now),
                stage=self._waiting(now).stage if self._connecting else None,
                connected_since=report.connected_at,
                lag_seconds=report.lag,
                pictures_per_second=sent / seconds,
                delivered_per_second=(lately.frames - rates.frames) / seconds,
                decoded=total.decoded,
                corrupt=total.corrupt,
                decoder_errors=total.errors,
                lost_packets=total.lost_packets,
                corrupt_share=min((lately.faulty - rates.faulty) / sent, 1.0) if sent > 0 else 0.0,
                skipped=skipped,
                codec=report.codec,
                reader_pid=self._pid,
            )

    def _state(self, now: float) -> SourceState:
        if self._ended:
            return SourceState.ENDED
        if self._is_up(now):
            return SourceState.UP
        begun = self._silent_since if self._silent_since is not None else now
        if self._alive_at is None and not self._problem and now - begun < self._stale_seconds:
            return SourceState.STARTING
        return SourceState.DOWN

    def _is_up(self, now: float) -> bool:
        return self._up and now - (self._alive_at or 0.0) < self._stale_seconds

    def _describe(self, state: SourceState, report: Report, skipped: str, now: float) -> str:
        """What is wrong, in a sentence."""
        if state is SourceState.ENDED:
            return self._problem
        if state is SourceState.UP:
            if report.lag <= self._max_lag and not skipped:
                return ""
            return _LATE.format(report.lag, _TOO_SLOW.format(skipped) if skipped else "")
        if self._connecting and (report.connected_at is not None or not self._problem):
            waits = self._waiting(now)
            least = _NEW_CONNECTION_SECONDS if self._problem else 0.0
            if state is SourceState.DOWN and waits.sentence and now - waits.since >= least:
                return waits.problem(now)
        if state is SourceState.DOWN and self._up and not self._problem:
            return f"no frame for {now - (self._alive_at or now):.0f} s"
        return self._problem

    def _waiting(self, now: float) -> Waiting:
        report = self._report if self._report is None or self._report.opened_at is not None else None
        wanted = self._wanted_and_decoded_since(report)
        waits = waiting(report, self._started_at, now, self._limits, self._stale_seconds, wanted)
        return replace(waits, sentence=self._waits_for) if self._waits_for and waits.sentence else waits

    def _note_unanswered(self, report: Report) -> None:
        wanted, decoded = self._handover.wanted_since, report.decoded_at
        if wanted is None or decoded is None or decoded < wanted:
            self._unanswered = None
        elif self._unanswered is None or self._unanswered[0] != wanted:
            self._unanswered = (wanted, decoded)

    def _wanted_and_decoded_since(self, report: Report | None) -> float | None:
        """Since when there has been a picture to hand over that is wanted; None while none is wanted.

        A picture may have been wanted for long when the first one comes: it is handed over only then.
        """
        wanted = self._handover.wanted_since
        if wanted is None or report is None or report.decoded_at is None:
            return wanted
        if self._unanswered is not None and self._unanswered[0] == wanted:
            return self._unanswered[1]
        return max(wanted, report.decoded_at)

    def _note_moment(self, now: float) -> None:
        """Keep the counters of the last seconds."""
        total = _sum(self._before, self._report or Report())
        self._moments.append(
            _Moment(now, total.pictures, total.decoded, total.corrupt + total.errors, self._handover.frames)
        )
        self._forget_moments(now)

    def _forget_moments(self, now: float) -> None:
        while self._moments and now - self._moments[0].at > _LATELY:
            self._moments.popleft()


def _sum(a: Report, b: Report) -> Report:
    return Report(**{name: getattr(a, name) + getattr(b, name) for name in _COUNTERS})
