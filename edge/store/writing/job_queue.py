"""What waits for the writer: bounded, first in first out, filled by any thread and emptied by one."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from edge.store.writing.jobs import Call, Record, Work

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.core.events import Event

# When work has piled up, so many events share one transaction and thereby one wait for the disk. Small enough that
# the write lock is never held for long.
GROUP_EVENTS = 100
# Acknowledgements may come late, nothing but space depends on them; so many share one transaction.
ACKNOWLEDGE_SECONDS = 0.1
ACKNOWLEDGE_AT_ONCE = 100
# How long a caller may be held up when the backlog is full, before its events are dropped.
FULL_WAIT_SECONDS = 0.2


class Backlog:
    """Jobs stay at its head until they are ``done``. Its bound counts events; the newest are turned away."""

    def __init__(self, limit: int) -> None:
        """``limit`` is the number of events that may wait; a first job of more is let in when none waits."""
        self._limit = limit
        self._changed = threading.Condition()
        self._jobs: deque[Record | Call] = deque()
        self._events = 0
        self._added = 0
        self._finished = 0
        self._acknowledged: dict[int, None] = {}
        self._acknowledge_at = 0.0
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
        """Whether nothing new is taken in any more."""
        with self._changed:
            return self._closed

    def add_events(self, events: Sequence[Event]) -> bool:
        """Append them as one job; False if the backlog is closed, or stayed full for a short wait."""
        job = Record(tuple(events))
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._has_room(len(job.events)), FULL_WAIT_SECONDS)
            if self._closed or not self._has_room(len(job.events)):
                return False
            self._events += len(job.events)
            self._append(job)
            return True

    def add_call(self, call: Call) -> bool:
        """Append it; False if the backlog is closed."""
        with self._changed:
            if self._closed:
                return False
            self._append(call)
            return True

    def acknowledge(self, ids: Sequence[int]) -> None:
        """Have these rows of the outbox removed soon. Ignored when the writer has ended."""
        with self._changed:
            if self._ended or not ids:
                return
            if not self._acknowledged:
                self._acknowledge_at = time.monotonic() + ACKNOWLEDGE_SECONDS
            self._acknowledged.update(dict.fromkeys(ids))
            self._changed.notify_all()

    def flush(self, timeout: float) -> bool:
        """Wait until all that was added so far is done; False if that took longer, or the writer ended before."""
        with self._changed:
            target = self._added
            ids = set(self._acknowledged)
            self._flushing += 1
            self._changed.notify_all()
            try:
                self._changed.wait_for(lambda: self._ended or self._reached(target, ids), timeout)
                return self._reached(target, ids)
            finally:
                self._flushing -= 1

    def close(self) -> None:
        """Take nothing new in; what waits stays. Wakes whoever waits."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    # -- for the writer --------------------------------------------------------------------------------------------

    def next(self, timeout: float) -> Work | None:
        """What to do next; empty work when nothing came for ``timeout`` seconds, None when closed and all is done."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while True:
                now = time.monotonic()
                if self._acknowledged and self._acknowledgements_due(now):
                    return Work(acknowledged=list(self._acknowledged))
                if self._jobs:
                    return self._head()
                if self._closed:
                    return None
                if now >= deadline:
                    return Work()
                until = min(deadline, self._acknowledge_at) if self._acknowledged else deadline
                self._changed.wait(max(until - now, 0.0))

    def done(self, work: Work) -> None:
        """Take finished work off the head."""
        with self._changed:
            for _ in range(len(work.records) + (work.call is not None)):
                self._remove_head()
            for row in work.acknowledged:
                self._acknowledged.pop(row, None)
            self._changed.notify_all()

    def pause(self, seconds: float) -> None:
        """Wait so long, shorter when the backlog is closed meanwhile."""
        with self._changed:
            already = self._closed
            self._changed.wait_for(lambda: self._closed and not already, seconds)

    def end(self) -> list[Record | Call]:
        """The writer works no more: close, and take out what was not done."""
        with self._changed:
            self._closed = self._ended = True
            left = list(self._jobs)
            self._jobs.clear()
            self._events = 0
            self._changed.notify_all()
            return left

    # -- with the lock held ----------------------------------------------------------------------------------------

    def _has_room(self, events: int) -> bool:
        return self._events == 0 or self._events + events <= self._limit

    def _append(self, job: Record | Call) -> None:
        self._jobs.append(job)
        self._added += 1
        self._changed.notify_all()

    def _remove_head(self) -> None:
        job = self._jobs.popleft()
        self._finished += 1
        if isinstance(job, Record):
            self._events -= len(job.events)

    def _head(self) -> Work:
        head = self._jobs[0]
        if isinstance(head, Call):
            return Work(call=head)
        work, events = Work(), 0
        for job in self._jobs:
            if not isinstance(job, Record) or (work.records and events + len(job.events) > GROUP_EVENTS):
                break
            work.records.append(job)
            events += len(job.events)
        return work

    def _acknowledgements_due(self, now: float) -> bool:
        hurry = self._closed or self._flushing or len(self._acknowledged) >= ACKNOWLEDGE_AT_ONCE
        return now >= self._acknowledge_at or (bool(hurry) and not self._jobs)

    def _reached(self, target: int, ids: set[int]) -> bool:
        return self._finished >= target and ids.isdisjoint(self._acknowledged)
