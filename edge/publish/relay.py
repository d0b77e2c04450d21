"""The relay of the outbox: an event leaves the outbox at its PUBACK, and not before.

Where an event is, at any time: in the outbox alone; *ready* (read, not yet sent); *in flight* (sent, no PUBACK yet);
*told* (PUBACK came, the outbox does not know it yet). The outbox holds it throughout. When a connection ends, what
is ready or in flight is forgotten and the outbox is read again from its beginning; what is told is not sent again.
If the process dies with events told, they are sent again by the next one, with the same event ids.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from edge.records import Event

log = logging.getLogger(__name__)

ReadOutbox = Callable[[int, int], Sequence["PendingEvent"]]
Acknowledge = Callable[[Sequence[int]], None]

_FIRST_RETRY_SECONDS = 0.5
_LONGEST_RETRY_SECONDS = 30.0


class PendingEvent(Protocol):
    """A row of the outbox. ``id`` grows with every row and is never used twice."""

    @property
    def id(self) -> int:
        """The row's number."""

    @property
    def event(self) -> Event:
        """What happened."""

    @property
    def floor_id(self) -> int | None:
        """The floor's number in the database, where it is known."""


class Relay:
    """Moves events from the outbox to the broker, at most ``window`` of them between the two.

    Two threads use it: the link's calls ``restart``, ``pump`` and ``acknowledged``, which never wait; the store's
    calls ``step``, which reads and writes the outbox. ``events_waiting`` may be called from anywhere.
    """

    def __init__(self, read_outbox: ReadOutbox, acknowledge: Acknowledge, *, window: int = 50) -> None:
        self._read_outbox = read_outbox
        self._acknowledge = acknowledge
        self._window = window
        self._lock = threading.Lock()
        self._open = False
        self._connection = 0
        self._cursor = 0
        self._more = True
        self._moved = False
        self._empty = False
        self._ready: deque[PendingEvent] = deque()
        self._in_flight: dict[int, int] = {}
        self._told: set[int] = set()
        self._unfit: set[int] = set()
        self._retry_at = 0.0
        self._retry_wait = _FIRST_RETRY_SECONDS
        self._published = 0
        self._acknowledged = 0

    @property
    def counts(self) -> tuple[int, int, int]:
        """Events sent (repetitions included), events that left the outbox, events in flight now."""
        with self._lock:
            return self._published, self._acknowledged, len(self._in_flight)

    @property
    def drained(self) -> bool:
        """Whether the outbox was seen to be empty, after all that this relay knows of had left it."""
        with self._lock:
            return self._empty and not (self._more or self._ready or self._in_flight or self._told)

    @property
    def waiting(self) -> bool:
        """Whether an event has no PUBACK yet."""
        with self._lock:
            return bool(self._in_flight)

    def events_waiting(self) -> None:
        """Say that rows may have been added to the outbox."""
        with self._lock:
            self._more = True

    def restart(self, *, opened: bool) -> None:
        """A connection began (``opened``) or ended: nothing is in flight, and the outbox is read from its start."""
        with self._lock:
            self._open = opened
            self._connection += 1
            self._ready.clear()
            self._in_flight.clear()
            self._unfit.clear()
            self._cursor = 0
            self._more = True

    def pump(self, publish: Callable[[PendingEvent], int]) -> None:
        """Send what is ready by ``publish``, which returns the packet id, or raises ValueError or TypeError for an
        event that cannot be told at all; such a one stays in the outbox and does not hold up the others."""
        with self._lock:
            while self._ready:
                pending = self._ready.popleft()
                try:
                    mid = publish(pending)
                except (ValueError, TypeError) as error:
                    self._unfit.add(pending.id)
                    log.error("event %s cannot be published and stays behind: %s", pending.event.event_id, error)
                    continue
                self._in_flight[mid] = pending.id
                self._published += 1
                self._moved = True

    def acknowledged(self, mid: int) -> bool:
        """Take note of a PUBACK; False when the packet was not an event's."""
        with self._lock:
            row = self._in_flight.pop(mid, None)
            if row is None:
                return False
            self._told.add(row)
            return True

    def step(self, *, look: bool = False) -> float | None:
        """Save what was told and read what is next. For the store's thread; may take as long as the outbox does.

        With ``look`` the outbox is looked at even without a connection, so that ``drained`` can become true.
        Returns in how many seconds to call again at the latest; None when only a change calls for it. An outbox
        that raises is logged and tried again.
        """
        left = self._retry_at - time.monotonic()
        if left > 0:
            return left
        try:
            self._save()
            while self._read(look=look):
                pass
        except Exception as error:
            # Whatever the database raises: nothing of it may end the thread, and nothing is lost by waiting.
            wait = self._retry_wait
            self._retry_wait = min(wait * 2, _LONGEST_RETRY_SECONDS)
            self._retry_at = time.monotonic() + wait
            log.warning("the outbox cannot be used (%s: %s); trying again", type(error).__name__, error)
            return wait
        self._retry_wait = _FIRST_RETRY_SECONDS
        return None

    def retry_now(self) -> None:
        """Do not wait out a failure of the outbox; for the last steps of a stop."""
        self._retry_at = 0.0

    def _save(self) -> None:
        with self._lock:
            told = sorted(self._told)
        if not told:
            return
        self._acknowledge(told)
        with self._lock:
            self._told.difference_update(told)
            self._acknowledged += len(told)

    def _read(self, *, look: bool) -> bool:
        """Read one page; True when another may be read at once."""
        with self._lock:
            under_way = len(self._ready) + len(self._in_flight) + len(self._told)
            if self._moved and not (self._more or under_way):
                # All that was sent has left the outbox. One look from its start finds what a number that was
                # given twice, or a row that became visible late, would have hidden behind the cursor.
                self._moved = False
                self._cursor = 0
                self._more = True
            room = self._window - under_way
            # Half a window at a time: a row at a time would be a query for every PUBACK.
            if not self._more or not (self._open or look) or (under_way and room < self._window // 2):
                return False
            connection, cursor = self._connection, self._cursor
            # Before the read, so that rows that are added during it are asked for again.
            self._more = False
        try:
            page = self._read_outbox(cursor, room if self._open else 1)
        except Exception:
            self.events_waiting()
            raise
        with self._lock:
            if connection != self._connection:
                self._more = True
                return self._open or look
            if not self._open:
                self._empty = not page
                return False
            self._empty = not page and cursor == 0
            known = {pending.id for pending in self._ready} | {*self._in_flight.values()} | self._told | self._unfit
            self._ready.extend(pending for pending in page if pending.id not in known)
            self._cursor = max((pending.id for pending in page), default=cursor)
            if len(page) >= room and self._cursor > cursor:
                self._more = True
            return self._more and not self._ready
