"""Keeps what the threads of this process know about a connection, for the reports to the daemon."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from edge.capture.reader.messages import Ended, Report

if TYPE_CHECKING:
    from edge.capture.reader.picture_slots import Picture

_COUNTERS = ("pictures", "decoded", "corrupt", "errors", "dropped", "lost_packets")


class Progress:
    """The report, the newest picture and the end of one connection, which begins ``now`` (monotonic). Thread-safe.

    Counters go on from those of the connection ``before``. What the daemon may wait for is signalled on ``wake``, an
    event's file descriptor.
    """

    def __init__(self, wake: int, now: float, before: Progress | None = None) -> None:
        self._wake = wake
        self._lock = threading.Lock()
        counters = {name: getattr(before.report, name) for name in _COUNTERS} if before is not None else {}
        self._report = Report(opened_at=now, **counters)
        self._picture: Picture | None = None
        self._handed_over = -1  # sequence of the newest picture that was handed over
        self._ended: Ended | None = None

    @property
    def report(self) -> Report:
        """What is known now."""
        with self._lock:
            return self._report

    def note(self, **changes: Any) -> None:
        """Change fields of the report."""
        with self._lock:
            self._report = replace(self._report, **changes)

    def count(self, **amounts: int) -> None:
        """Add to counters of the report."""
        with self._lock:
            self._report = replace(
                self._report, **{name: getattr(self._report, name) + amount for name, amount in amounts.items()}
            )

    def put(self, picture: Picture) -> None:
        """A newer picture is there. The newest before it counts as dropped unless it was handed over."""
        with self._lock:
            self._count_unused()
            self._picture = picture
        os.eventfd_write(self._wake, 1)

    def newest(self, after: int) -> Picture | None:
        """The newest picture if its number is above ``after``; it counts as handed over then."""
        with self._lock:
            if self._picture is None or self._picture.sequence <= after:
                return None
            self._handed_over = max(self._handed_over, self._picture.sequence)
            return self._picture

    def end(self, ended: Ended) -> None:
        """The connection is over: what waits is dropped. Only the first reason counts."""
        with self._lock:
            self._count_unused()
            self._picture = None
            self._ended = self._ended or ended
        os.eventfd_write(self._wake, 1)

    def take_end(self) -> Ended | None:
        """Why the connection is over, once; None while it is not."""
        with self._lock:
            ended, self._ended = self._ended, None
            return ended

    def _count_unused(self) -> None:
        if self._picture is not None and self._picture.sequence > self._handed_over:
            self._report = replace(self._report, dropped=self._report.dropped + 1)
