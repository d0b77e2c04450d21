"""Does the work of the queue in the writer's thread, and tries again while the database cannot be written."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from edge.store.sql.errors import AccessError, description, is_passing
from edge.store.writing.connection import UnavailableError
from edge.store.writing.jobs import do_work, log_result
from edge.store.writing.status import RetryState

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from edge.store.counts.stored_event import Recorded
    from edge.store.writing.connection import WritingConnection
    from edge.store.writing.job_queue import JobQueue
    from edge.store.writing.jobs import Work, WorkResult
    from edge.store.writing.latency import LatencyWindow
    from edge.store.writing.status import WriterProgress

# While idle, the database is read this often, to notice when it does not answer any more.
_HEARTBEAT_SECONDS = 1.0


class WritingLoop:
    """The work of the writer's thread. ``limit_time`` may be called by any thread."""

    def __init__(
        self,
        queue: JobQueue,
        connection: WritingConnection,
        progress: WriterProgress,
        latencies: LatencyWindow,
        on_recorded: Callable[[list[Recorded]], None],
        clock: Callable[[], datetime],
    ) -> None:
        self._queue = queue
        self._connection = connection
        self._progress = progress
        self._latencies = latencies
        self._on_recorded = on_recorded
        self._clock = clock
        self._retry = RetryState()
        self._deadline = math.inf

    @property
    def problem(self) -> str | None:
        """Why the database cannot be written now, with the remedy; None if it can."""
        return self._retry.problem

    def limit_time(self, deadline: float) -> None:
        """From the deadline (monotonic seconds) on, begin nothing new."""
        self._deadline = deadline

    def run(self) -> None:
        """Work until the queue is closed and empty, or the deadline. Raises every error that does not pass."""
        while (work := self._queue.next_work(_HEARTBEAT_SECONDS)) is not None:
            result = self._attempt(work)
            ended_at = time.monotonic()
            self._progress.answered()
            if isinstance(result, str):
                wait = self._retry.failed(result, self._queue.events)
                if self._seconds_left() <= 0:
                    return
                self._queue.pause(min(wait, self._seconds_left()))
                continue
            self._retry.succeeded(self._queue.events)
            try:
                self._progress.refused += result.refused_events
                log_result(result)
                self._latencies.add(result.committed_of(work), ended_at)
                if result.recorded:
                    self._on_recorded(result.recorded)
            finally:  # it is committed, also if reporting it fails
                self._queue.finish(work)
            if self._seconds_left() <= 0:
                return

    def _attempt(self, work: Work) -> WorkResult | str:
        """The result of the work, or the problem because of which nothing was done."""
        try:
            result = do_work(self._connection.use(), work, self._clock())
        except UnavailableError as error:
            return str(error)
        except AccessError as error:
            if not is_passing(error):
                raise
            self._connection.failed(error)
            return description(error)
        self._connection.succeeded()
        return result

    def _seconds_left(self) -> float:
        return self._deadline - time.monotonic()
