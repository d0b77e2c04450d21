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
    """How the writer is doing at one moment.

    ``problem`` is why the database cannot be written now, with the remedy; None if it can. ``last_answer`` is the end
    of the last attempt, successful or not, in seconds of the monotonic clock; while idle, a read each second is an
    attempt. It stands still only if the thread is stuck, and not while the disk is full: a restart by the watchdog
    would lose the events that wait.

    ``waiting`` events are in the queue or being written; ``dropped`` events are lost: the queue was full or closed, or
    the time to close was over; ``refused`` events could not be recorded because of their values.
    """

    problem: str | None
    last_answer: float
    waiting: int
    dropped: int
    refused: int


class WriterProgress:
    """Counts what the writer has done. Changed by the writer's thread, and ``add_dropped`` by any; read by any."""

    def __init__(self) -> None:
        self.refused = 0
        self._last_answer = time.monotonic()
        self._dropped = 0
        self._lock = threading.Lock()

    def status(self, problem: str | None, waiting: int) -> WriterStatus:
        """The status at this moment."""
        return WriterStatus(
            problem=problem,
            last_answer=self._last_answer,
            waiting=waiting,
            dropped=self._dropped,
            refused=self.refused,
        )

    @property
    def dropped(self) -> int:
        """How many events were lost."""
        return self._dropped

    def answered(self) -> None:
        """An attempt has ended."""
        self._last_answer = time.monotonic()

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
