"""Queues the writer's jobs: bounded, first in first out, filled by any thread and emptied by one."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from edge.store.writing.jobs import Call, EventGroup, Work

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.core.events import Event

# When groups wait, up to this many events share one transaction and thereby one wait for the disk. Small enough that
# the write lock is never held for long.
_EVENTS_PER_TRANSACTION = 100
# Acknowledgements may be late, only disk space depends on them; so many share one transaction.
_ACKNOWLEDGE_SECONDS = 0.1
_ACKNOWLEDGE_AT_ONCE = 100
# So many posted calls may wait. They are the changes of blind intervals and of the clock, a few an hour.
_MOST_POSTED = 1000
# How long a caller may be blocked when the queue is full, before its events are dropped.
_FULL_WAIT_SECONDS = 0.2


class JobQueue:
    """Jobs stay at the head of the queue until ``finish``. Its limit counts events; new ones are turned away."""

    def __init__(self, limit: int) -> None:
        """``limit`` is the number of events that may wait; a larger group is accepted when no other waits."""
        self._limit = limit
        self._changed = threading.Condition()
        self._jobs: deque[EventGroup | Call] = deque()
        self._events = 0
        self._posted = 0
        self._added = 0
        self._finished = 0
        self._acknowledged = _Acknowledged()
        self._flushing = 0
        self._closed = False
        self._ended = False

    @property
    def events(self) -> int:
        """How many events wait, those that are being written included."""
        with self._changed:
            return self._events

    @property
    def closed(self) -> bool:
        """Whether no new jobs are accepted."""
        with self._changed:
            return self._closed

    def add_events(self, events: Sequence[Event]) -> bool:
        """Append them as one group; False if the queue is closed, or stayed full for a short wait."""
        group = tuple(events)
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._has_room(len(group)), _FULL_WAIT_SECONDS)
            if self._closed or not self._has_room(len(group)):
                return False
            self._events += len(group)
            self._append(group)
            return True

    def add_call(self, call: Call) -> bool:
        """Append it; False if the queue is closed, or too many posted calls wait."""
        with self._changed:
            if self._closed or (call.posted and self._posted >= _MOST_POSTED):
                return False
            self._posted += call.posted
            self._append(call)
            return True

    def acknowledge(self, ids: Sequence[int]) -> None:
        """Have these events removed from the outbox soon. Ignored after ``end``."""
        with self._changed:
            if not self._ended and ids:
                self._acknowledged.add(ids)
                self._changed.notify_all()

    def flush(self, timeout: float) -> bool:
        """Wait until all that was added so far is finished; False if ``timeout`` seconds or the writer end before."""
        with self._changed:
            target = self._added
            ids = self._acknowledged.ids()
            self._flushing += 1
            self._changed.notify_all()
            try:
                self._changed.wait_for(lambda: self._ended or self._has_finished(target, ids), timeout)
                return self._has_finished(target, ids)
            finally:
                self._flushing -= 1

    def close(self) -> None:
        """Accept no new jobs; those that wait stay. Wakes every thread that waits."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    # -- for the writer's thread -----------------------------------------------------------------------------------

    def next_work(self, timeout: float) -> Work | None:
        """What to do next; empty work if nothing came for ``timeout`` seconds, None when closed and all is finished."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while True:
                now = time.monotonic()
                if self._acknowledgements_due(now):
                    return Work(acknowledged=list(self._acknowledged.ids()))
                if self._jobs:
                    return self._work_at_head()
                if self._closed:
                    return None
                if now >= deadline:
                    return Work()
                until = min(deadline, self._acknowledged.due_at) if self._acknowledged else deadline
                self._changed.wait(max(until - now, 0.0))

    def finish(self, work: Work) -> None:
        """Remove finished work from the head."""
        with self._changed:
            for _ in range(len(work.groups) + (work.call is not None)):
                job = self._jobs.popleft()
                self._finished += 1
                if isinstance(job, Call):
                    self._posted -= job.posted
                else:
                    self._events -= len(job)
            self._acknowledged.remove(work.acknowledged)
            self._changed.notify_all()

    def pause(self, seconds: float) -> None:
        """Wait for so many seconds, less if the queue is closed meanwhile."""
        with self._changed:
            was_closed = self._closed
            self._changed.wait_for(lambda: self._closed and not was_closed, seconds)

    def end(self) -> list[EventGroup | Call]:
        """The writer ends: close the queue, and take out the jobs that were not finished."""
        with self._changed:
            self._closed = self._ended = True
            unfinished = list(self._jobs)
            self._jobs.clear()
            self._events = self._posted = 0
            self._changed.notify_all()
            return unfinished

    # -- with the lock held ----------------------------------------------------------------------------------------

    def _has_room(self, events: int) -> bool:
        return self._events == 0 or self._events + events <= self._limit

    def _append(self, job: EventGroup | Call) -> None:
        self._jobs.append(job)
        self._added += 1
        self._changed.notify_all()

    def _work_at_head(self) -> Work:
        head = self._jobs[0]
        if isinstance(head, Call):
            return Work(call=head)
        groups: list[EventGroup] = []
        events = 0
        for job in self._jobs:
            if isinstance(job, Call) or (groups and events + len(job) > _EVENTS_PER_TRANSACTION):
                break
            groups.append(job)
            events += len(job)
        return Work(groups=groups)

    def _acknowledgements_due(self, now: float) -> bool:
        if not self._acknowledged:
            return False
        at_once = self._closed or self._flushing or len(self._acknowledged) >= _ACKNOWLEDGE_AT_ONCE
        return now >= self._acknowledged.due_at or (bool(at_once) and not self._jobs)

    def _has_finished(self, target: int, ids: set[int]) -> bool:
        return self._finished >= target and ids.isdisjoint(self._acknowledged.ids())


class _Acknowledged:
    """The ids of acknowledged events in their order, and when the first of them is to be removed at the latest."""

    def __init__(self) -> None:
        self._ids: dict[int, None] = {}
        self.due_at = 0.0

    def __len__(self) -> int:
        return len(self._ids)

    def add(self, ids: Sequence[int]) -> None:
        if not self._ids:
            self.due_at = time.monotonic() + _ACKNOWLEDGE_SECONDS
        self._ids.update(dict.fromkeys(ids))

    def remove(self, ids: Sequence[int]) -> None:
        for row_id in ids:
            self._ids.pop(row_id, None)

    def ids(self) -> set[int]:
        return set(self._ids)
