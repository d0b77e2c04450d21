"""Measures how long events take from the frame with which they were decided to the commit, for each camera."""

from __future__ import annotations

import logging
import math
import threading
from collections import deque
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from edge.store.writing.jobs import EventGroup

log = logging.getLogger(__name__)

# So many of a camera's last events the numbers are of: hours of a quiet gate, minutes of a busy gate.
_WINDOW = 500
_MS_A_SECOND = 1000


class Percentiles(NamedTuple):
    """Milliseconds: the median, and what 99 of 100 events do not exceed."""

    p50: float
    p99: float


@dataclass(frozen=True, slots=True)
class LatencyStatus:
    """The latency of a camera's last ``events``, each the events of one crossing, in milliseconds.

    ``total`` is from the capture of the frame with which the crossing was decided to the commit, and ``overhead`` the
    same without ``detect``. The parts are those of ``EventTiming``; ``commit`` is from the submission to the commit.
    The ``hold`` is before the capture, and not in the total. Total, overhead and queue of a recording are None: its
    frames are captured at no time of this machine's.
    """

    events: int
    hold: Percentiles
    detect: Percentiles
    count: Percentiles
    commit: Percentiles
    queue: Percentiles | None = None
    overhead: Percentiles | None = None
    total: Percentiles | None = None


class LatencyWindow:
    """The latencies of the last committed events of each camera. Filled by the writer's thread, read by any."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cameras: dict[str, deque[_Latency]] = {}

    def add(self, groups: Iterable[EventGroup], committed_at: float) -> None:
        """Add the events that were committed at ``committed_at`` (monotonic), and log each at debug."""
        for group in groups:
            timing = group[0].timing
            if timing is None:
                continue
            latency = _Latency(
                timing.hold, timing.queue, timing.detect, timing.count, committed_at - timing.submitted_at
            )
            with self._lock:
                self._cameras.setdefault(group[0].camera_id, deque(maxlen=_WINDOW)).append(latency)
            if log.isEnabledFor(logging.DEBUG):
                parts = (f"{name}={_in_ms(seconds)}" for name, seconds in latency.parts().items())
                log.debug("latency event=%s camera=%s ms %s", group[0].event_id, group[0].camera_id, " ".join(parts))

    def status(self, camera_id: str) -> LatencyStatus | None:
        """The latency of a camera's last events; None before the first."""
        with self._lock:
            latencies = list(self._cameras.get(camera_id, ()))
        if not latencies:
            return None
        return LatencyStatus(
            len(latencies),
            hold=percentiles([latency.hold for latency in latencies]),
            detect=percentiles([latency.detect for latency in latencies]),
            count=percentiles([latency.count for latency in latencies]),
            commit=percentiles([latency.commit for latency in latencies]),
            queue=_percentiles_of([latency.queue for latency in latencies]),
            overhead=_percentiles_of([latency.overhead for latency in latencies]),
            total=_percentiles_of([latency.total for latency in latencies]),
        )


def percentiles(seconds: Sequence[float]) -> Percentiles:
    """The percentiles of one or more times, by the nearest rank."""
    ordered = sorted(seconds)
    p50, p99 = (ordered[math.ceil(percent * len(ordered) / 100) - 1] for percent in (50, 99))
    return Percentiles(round(_MS_A_SECOND * p50, 3), round(_MS_A_SECOND * p99, 3))


@dataclass(frozen=True, slots=True)
class _Latency:
    """Seconds of each part of one event's way, as in ``LatencyStatus``."""

    hold: float
    queue: float | None
    detect: float
    count: float
    commit: float

    @property
    def overhead(self) -> float | None:
        return None if self.queue is None else self.queue + self.count + self.commit

    @property
    def total(self) -> float | None:
        return None if self.overhead is None else self.overhead + self.detect

    def parts(self) -> dict[str, float | None]:
        return {**asdict(self), "total": self.total}


def _percentiles_of(seconds: Sequence[float | None]) -> Percentiles | None:
    known = [value for value in seconds if value is not None]
    return percentiles(known) if known else None


def _in_ms(seconds: float | None) -> str:
    return "-" if seconds is None else f"{_MS_A_SECOND * seconds:.1f}"
