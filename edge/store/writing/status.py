"""Describes how the writer is doing, for other threads."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass

from edge.core.backoff import Backoff

log = logging.getLogger(__name__)

_FIRST_RETRY_SECONDS = 0.1
_LONGEST_RETRY_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class WriterStatus:
    """How the writer is doing at one moment. Times are seconds of the monotonic clock.

    ``problem`` is why the database cannot be written now, with the remedy; None if it can. ``last_success`` is the end
    of the last work that succeeded; while idle, a read each second is such work. ``last_answer`` is the end of the last
    attempt, successful or not: it stands still only if the thread is stuck, where ``last_success`` also does while the
    disk is full. It is for a watchdog whose restart would lose the events that wait.

    ``waiting`` events are in the queue or being written; ``dropped`` events are lost: the queue was full or closed, or
    the time to close was over; ``refused`` events could not be recorded because of their values.
    """

    running: bool
    problem: str | None
    last_success: float
    last_answer: float
    waiting: int
    dropped: int
    refused: int

    @property
    def healthy(self) -> bool:
        """Whether the thread runs and its last attempt succeeded."""
        return self.running and self.problem is None


class WriterProgress:
    """Counts what the writer has done. Changed by the writer's thread, and ``add_dropped`` by any; read by any."""

    def __init__(self) -> None:
        self.running = False
        self.refused = 0
        self.last_success = self.last_answer = time.monotonic()
        self._dropped = 0
        self._lock = threading.Lock()

    def status(self, problem: str | None, waiting: int) -> WriterStatus:
        """The status at this moment."""
        return WriterStatus(
            running=self.running,
            problem=problem,
            last_success=self.last_success,
            last_answer=self.last_answer,
            waiting=waiting,
            dropped=self._dropped,
            refused=self.refused,
        )

    @property
    def dropped(self) -> int:
        """How many events were lost."""
        return self._dropped

    def answered(self, *, success: bool) -> None:
        """An attempt has ended."""
        self.last_answer = time.monotonic()
        if success:
            self.last_success = self.last_answer

    def add_dropped(self, events: int) -> None:
        """So many more events are lost."""
        with self._lock:
            self._dropped += events


class RetryState:
    """Why the database cannot be written, if so, and how long to wait before the next attempt.

    Used by the writer's thread; any thread may read ``problem``.
    """

    def __init__(self) -> None:
        self.problem: str | None = None
        self._since = 0.0
        self._backoff = Backoff(_FIRST_RETRY_SECONDS, _LONGEST_RETRY_SECONDS)

    def failed(self, problem: str, waiting: int) -> float:
        """An attempt has failed while so many events wait; the seconds until the next attempt.

        Logs the problem when it begins and when it becomes another one.
        """
        if self.problem is None:
            self._since = time.monotonic()
        if problem != self.problem:
            log.error("cannot write to the database: %s; trying again, %d events wait", problem, waiting)
        self.problem = problem
        return self._backoff.next_wait()

    def succeeded(self, waiting: int) -> None:
        """An attempt has succeeded while so many events wait; logs the end of a problem."""
        if self.problem is not None:
            seconds = time.monotonic() - self._since
            log.warning("the database can be written again after %.1f s, %d events wait", seconds, waiting)
        self.problem = None
        self._backoff.reset()
