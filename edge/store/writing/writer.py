"""The one thread that writes: what cameras count and the broker acknowledges ends here, and nothing of it is lost
while the disk is slow, full, locked or away for a while."""

from __future__ import annotations

import logging
import math
import threading
import time
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from edge.core.errors import StoreError
from edge.store.counts.floors import Floors
from edge.store.counts.validation import event_key
from edge.store.sql.errors import OPERATIONAL, is_passing, sentence
from edge.store.writing.connection import CHECKPOINT_SECONDS, AwayError, WritingHandle
from edge.store.writing.job_queue import Backlog
from edge.store.writing.jobs import Call, Record, perform
from edge.store.writing.retry import Retry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from peewee import Database, SqliteDatabase

    from edge.config.schema import FloorConfig
    from edge.core.events import Event
    from edge.store.counts.stored_event import Recorded
    from edge.store.writing.jobs import Outcome, Work

log = logging.getLogger(__name__)

T = TypeVar("T")

HEARTBEAT_SECONDS = 1.0


def utc_now() -> datetime:
    """The wall clock, aware."""
    return datetime.now(UTC)


class Writer:
    """Owns the writing handle and the thread that uses it. ``start``, submit from any thread, ``close``.

    Trouble of the world (a lock, a full or failing disk, one that is gone) is logged once, and the work is tried
    again until it succeeds or ``close`` runs out of time, if need be with the database opened anew. An event that
    cannot be recorded is logged and left out. Anything else ends the thread and goes to ``on_fatal``, which logs it.
    """

    def __init__(
        self,
        open_db: Callable[[], SqliteDatabase],
        on_recorded: Callable[[list[Recorded]], None],
        on_fatal: Callable[[BaseException], None],
        queue_limit: int = 10_000,
        *,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        """``on_recorded`` hears of every commit, ``on_fatal`` of the end, both in the writer's thread: neither may
        wait for the writer. ``queue_limit`` is a safety net: so many events may wait before new ones are dropped.
        """
        self._handle = WritingHandle(open_db)
        self._on_recorded = on_recorded
        self._on_fatal = on_fatal
        self._clock = clock
        # Not while another program counts into the database: it may be an older one. To be set before the start.
        self.may_migrate = True
        self._backlog = Backlog(queue_limit)
        self._thread: threading.Thread | None = None
        self._ready: Future[None] = Future()
        self._deadline: float | None = None
        self._retry = Retry()
        self._working = False
        self._last_success = time.monotonic()
        self._last_answer = self._last_success
        self._counts = threading.Lock()
        self._dropped = 0
        self._refused = 0

    # -- what the daemon looks at ----------------------------------------------------------------------------------

    @property
    def healthy(self) -> bool:
        """Whether the thread runs and its last attempt succeeded."""
        return self._working and self._retry.trouble is None

    @property
    def trouble(self) -> str | None:
        """What keeps the writer from writing just now, with the remedy; None when nothing does."""
        return self._retry.trouble

    @property
    def last_success(self) -> float:
        """Monotonic seconds of the last finished piece of work; while idle, a read each second is one."""
        return self._last_success

    @property
    def last_answer(self) -> float:
        """Monotonic seconds of the last attempt that ended, well or badly: it stands still only if the thread is
        stuck, where ``last_success`` also does while the disk is full. For a watchdog whose restart would throw
        away the events that wait.
        """
        return self._last_answer

    @property
    def dropped(self) -> int:
        """Events lost: turned away by a full or closed backlog, or not written when the time to close was up."""
        return self._dropped

    @property
    def refused(self) -> int:
        """Events that could not be recorded because of what they say."""
        return self._refused

    @property
    def queued(self) -> int:
        """Events that wait, those that are being written included."""
        return self._backlog.events

    # -- what other threads call -----------------------------------------------------------------------------------

    def start(self) -> None:
        """Open the database, create its tables or bring them up to date; returns when ready to write.

        Raises what stands in the way, most often a StoreError.
        """
        if self._thread is not None:
            raise RuntimeError("a writer is started once")
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()
        self._ready.result()

    def ensure_floors(self, floors: Sequence[FloorConfig], timeout: float = 30.0) -> list[str]:
        """Create the floors that are missing; the names created. Waits for the commit.

        StoreError if the database does not take it in ``timeout`` seconds; RefusedError for an impossible name.
        """
        return self.call(lambda db: Floors(db).ensure(floors, self._clock()), "the floors", timeout)

    def call(self, function: Callable[[Database], T], what: str, timeout: float = 30.0) -> T:
        """Have ``function`` do something with the writing handle, in the writer's thread; what it returns.

        It may be called again when the database was in trouble, so it does all that it does in one transaction. An
        error of the product is raised here; StoreError, with ``what`` it is about, if it takes more than ``timeout``
        seconds: it may then still be done later.
        """
        future: Future[T] = Future()
        if not self._backlog.add_call(Call(function, future)):
            raise StoreError(f"{what} were not stored: the database is closed")
        try:
            return future.result(timeout)
        except TimeoutError:
            why = self._retry.trouble or "the database does not answer"
            raise StoreError(f"{what} were not stored in {timeout:g} s: {why}") from None

    def submit(self, events: Sequence[Event]) -> None:
        """Have the events recorded in one transaction, in the order of the calls. Never waits for the disk.

        When the queue is full the call waits for a fraction of a second, then the events are dropped, counted and
        logged; likewise after ``close``.
        """
        if events and not self._backlog.add_events(events):
            why = "the writer has stopped" if self._backlog.closed else "too many wait for the database already"
            self._lose(events, why)

    def acknowledge(self, ids: Sequence[int]) -> None:
        """Have these items removed from the outbox soon. Never waits for the disk."""
        self._backlog.acknowledge(ids)

    def flush(self, timeout: float) -> bool:
        """Wait until all that was submitted and acknowledged so far is dealt with and told; False if it was not."""
        return self._backlog.flush(timeout)

    def close(self, timeout: float) -> bool:
        """Take nothing new, write what waits, close the database; False if something was not written in time.

        What is not written is counted in ``dropped`` and logged. Safe to repeat, and without a start.
        """
        lost = self._dropped
        if self._deadline is None:
            self._deadline = time.monotonic() + timeout
        self._backlog.close()
        if self._thread is None:
            self._abandon("the writer was never started")
        elif self._thread is not threading.current_thread():
            # A little longer than the thread gives itself, for the checkpoint.
            self._thread.join(max(self._deadline - time.monotonic(), 0.0) + 2 * CHECKPOINT_SECONDS)
            if self._thread.is_alive():
                log.error("the database does not answer; %d events may not be written", self._backlog.events)
                return False
        return self._dropped == lost

    # -- the writer's thread ---------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._handle.open(self._clock(), may_migrate=self.may_migrate)
        except BaseException as error:  # whatever it is, the thread in start() waits to raise it
            self._abandon("the database could not be opened")
            self._ready.set_exception(error)
            return
        self._last_success = self._last_answer = time.monotonic()
        self._working = True
        self._ready.set_result(None)
        try:
            self._work()
        except BaseException as error:  # the top of the thread: told, then the process is stopped
            self._working = False
            self._abandon("the writer broke down")
            self._on_fatal(error)
        finally:
            self._working = False
            self._abandon("the time to close was up")
            self._handle.close()

    def _work(self) -> None:
        while (work := self._backlog.next(HEARTBEAT_SECONDS)) is not None:
            outcome = self._attempt(work)
            self._last_answer = time.monotonic()
            if isinstance(outcome, str):
                pause = self._retry.failed(outcome, self.queued)
                if self._seconds_left() <= 0:
                    return
                self._backlog.pause(min(pause, self._seconds_left()))
                continue
            self._retry.succeeded(self.queued)
            self._last_success = self._last_answer
            try:
                self._refused += outcome.tell()
                if outcome.recorded:
                    self._on_recorded(outcome.recorded)
            finally:  # it is committed, whatever becomes of the telling
                self._backlog.done(work)
            if self._seconds_left() <= 0:
                return

    def _attempt(self, work: Work) -> Outcome | str:
        """What came of it, or the trouble because of which nothing did."""
        try:
            outcome = perform(self._handle.use(), work, self._clock())
        except AwayError as error:
            return str(error)
        except OPERATIONAL as error:
            if not is_passing(error):
                raise
            self._handle.failed(error)
            return sentence(error)
        self._handle.succeeded()
        return outcome

    def _seconds_left(self) -> float:
        return math.inf if self._deadline is None else self._deadline - time.monotonic()

    def _abandon(self, why: str) -> None:
        for job in self._backlog.end():
            if isinstance(job, Record):
                self._lose(job.events, why)
            elif not job.future.done():
                job.future.set_exception(StoreError(f"not stored: {why}"))

    def _lose(self, events: Sequence[Event], why: str) -> None:
        with self._counts:
            self._dropped += len(events)
        for event in events:
            log.error("dropped, not recorded: %s: %s", event_key(event), why)
