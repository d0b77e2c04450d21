"""The one thread that writes to the database: it records what cameras count and removes what the broker acknowledged.

Nothing is lost while the disk is slow, full, locked or missing for a while.
"""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeVar

from edge.core.errors import StoreError
from edge.store.counts.validation import event_key
from edge.store.sql.times import utc_now
from edge.store.writing.connection import CHECKPOINT_SECONDS, WritingConnection
from edge.store.writing.job_queue import JobQueue
from edge.store.writing.jobs import Call
from edge.store.writing.latency import LatencyWindow
from edge.store.writing.loop import WritingLoop
from edge.store.writing.status import WriterProgress

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from edge.config.schema import FloorConfig
    from edge.core.events import Event
    from edge.store.counts.stored_event import Recorded
    from edge.store.store import Store
    from edge.store.writing.latency import LatencyStatus
    from edge.store.writing.status import WriterStatus

log = logging.getLogger(__name__)

_Answer = TypeVar("_Answer")

_CALL_SECONDS = 30.0


class Writer:
    """Owns the writing connection and the thread that uses it. ``start``, submit from any thread, ``close``.

    An error that may pass (a lock, a full, failing or missing disk) is logged once, and the work is tried again until
    it succeeds or the time to ``close`` is over, if necessary with the database opened again. An event that cannot be
    recorded is logged and left out. Any other error ends the thread and is passed to ``on_fatal``, which logs it.
    """

    def __init__(
        self,
        open_store: Callable[[], Store],
        on_recorded: Callable[[list[Recorded]], None],
        on_fatal: Callable[[BaseException], None],
        queue_limit: int = 10_000,
        *,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        """``open_store`` opens the file whatever its tables are (``any_version``). ``on_recorded`` is called after
        every commit, ``on_fatal`` at the end, both in the writer's thread: neither may wait for the writer. When
        ``queue_limit`` events wait, new ones are dropped.
        """
        # Must be False while another program counts into the database, which may be an older one. Set before ``start``.
        self.may_migrate = True
        self._on_fatal = on_fatal
        self._clock = clock
        self._queue = JobQueue(queue_limit)
        self._connection = WritingConnection(open_store)
        self._progress = WriterProgress()
        self._latencies = LatencyWindow()
        self._loop = WritingLoop(self._queue, self._connection, self._progress, self._latencies, on_recorded, clock)
        self._thread: threading.Thread | None = None
        self._ready: Future[None] = Future()
        self._deadline: float | None = None

    @property
    def status(self) -> WriterStatus:
        """How the writer is doing."""
        return self._progress.status(self._loop.problem, self._queue.events)

    def latency(self, camera_id: str) -> LatencyStatus | None:
        """How long the last events of a camera took from the capture of a frame to the commit; None before the first.

        Each call sorts the last events, so ask when somebody wants to know.
        """
        return self._latencies.status(camera_id)

    # -- for other threads -----------------------------------------------------------------------------------------

    def start(self) -> None:
        """Open the database, create its tables or migrate them; returns when ready to write.

        Raises what prevents that, most often a StoreError.
        """
        if self._thread is not None:
            raise RuntimeError("a writer is started once")
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()
        self._ready.result()

    def create_missing_floors(self, floors: Sequence[FloorConfig], timeout: float = _CALL_SECONDS) -> list[str]:
        """Create the floors that are missing; the names of those created. Waits for the commit.

        StoreError if the database does not take it in ``timeout`` seconds; RefusedError for an impossible name.
        """
        return self.call(lambda store: store.floors.create_missing(floors, self._clock()), "the floors", timeout)

    def call(self, function: Callable[[Store], _Answer], what: str, timeout: float = _CALL_SECONDS) -> _Answer:
        """Call ``function`` with the writing store, in the writer's thread; what it returns.

        It is called again after an error of the database that may pass, so it does all its changes in one transaction.
        Any other error of ours is raised here; StoreError, with ``what`` it is about, if it takes more than ``timeout``
        seconds: then it may still be done later.
        """
        future: Future[_Answer] = Future()
        if not self._queue.add_call(Call(function, future)):
            raise StoreError(f"{what} were not stored: the database is closed")
        try:
            return future.result(timeout)
        except TimeoutError:
            reason = self._loop.problem or "the database does not answer"
            raise StoreError(f"{what} were not stored in {timeout:g} s: {reason}") from None

    def post(self, function: Callable[[Store], object], what: str) -> bool:
        """Have ``function`` called as by ``call``, behind all that was submitted before. Never waits for the disk.

        An error of ours is logged with ``what`` it is about. False, and logged, when it is dropped: too many wait
        already, or the writer is closed.
        """
        if self._queue.add_call(Call(function, Future(), what, posted=True)):
            return True
        log.error("dropped, not recorded: %s", what)
        return False

    def submit(self, events: Sequence[Event]) -> None:
        """Have the events recorded in one transaction, in the order of the calls. Never waits for the disk.

        When the queue is full the call waits for a fraction of a second, then the events are dropped, counted and
        logged; likewise after ``close``.
        """
        if events and not self._queue.add_events(events):
            reason = "the writer has stopped" if self._queue.closed else "too many wait for the database already"
            self._drop(events, reason)

    def acknowledge(self, ids: Sequence[int]) -> None:
        """Have the events of these ids removed from the outbox soon. Never waits for the disk."""
        self._queue.acknowledge(ids)

    def flush(self, timeout: float) -> bool:
        """Wait until all that was submitted and acknowledged so far is finished and reported; False if it was not."""
        return self._queue.flush(timeout)

    def close(self, timeout: float) -> bool:
        """Accept nothing new, write what waits, close the database; False if an event was not written in time.

        Events that are not written are counted as dropped, and logged. Safe to repeat, and without a start.
        """
        dropped = self._progress.dropped
        if self._deadline is None:
            self._deadline = time.monotonic() + timeout
            self._loop.limit_time(self._deadline)
        self._queue.close()
        if self._thread is None:
            self._abandon("the writer was never started")
        elif self._thread is not threading.current_thread():
            # A little longer than the thread gives itself, for the checkpoint.
            self._thread.join(max(self._deadline - time.monotonic(), 0.0) + 2 * CHECKPOINT_SECONDS)
            if self._thread.is_alive():
                log.error("the database does not answer; %d events may not be written", self._queue.events)
                return False
        return self._progress.dropped == dropped

    # -- the writer's thread ---------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._connection.open(self._clock(), may_migrate=self.may_migrate)
        except BaseException as error:  # every error: the thread in start() waits to raise it
            self._abandon("the database could not be opened")
            self._ready.set_exception(error)
            return
        self._progress.answered()
        self._ready.set_result(None)
        try:
            self._loop.run()
        except BaseException as error:  # the top of the thread: reported, then the process is stopped
            self._abandon("the writer has failed")
            self._on_fatal(error)
        finally:
            self._abandon("the time to close was over")
            self._connection.close()

    def _abandon(self, reason: str) -> None:
        """End the queue, and drop what is in it."""
        for job in self._queue.end():
            if not isinstance(job, Call):
                self._drop(job, reason)
            elif job.posted:
                log.error("dropped, not recorded: %s: %s", job.what, reason)
            elif not job.future.done():
                job.future.set_exception(StoreError(f"not stored: {reason}"))

    def _drop(self, events: Sequence[Event], reason: str) -> None:
        self._progress.add_dropped(len(events))
        for event in events:
            log.error("dropped, not recorded: %s: %s", event_key(event), reason)
