"""The relay of the outbox: an event leaves the outbox at its PUBACK, and not before.

Where an event is, at any time: in the outbox alone; *ready* (read, not yet sent); *in flight* (sent, no PUBACK yet);
*told* (PUBACK came, the outbox was not yet asked to drop it); *leaving* (it was asked to, and may still show the
row). The outbox holds it throughout. When a connection ends, what was ready or in flight counts as never sent. If
the process dies, whatever the outbox still holds is sent by the next one, with the same event ids.

The outbox is always read from its beginning, which is short because told events leave it, and rows that are under
way are passed over. A cursor behind the last row sent would be a second memory of what was sent: it would have to be
put back at every lost connection, and a row that it once passed wrongly would be lost in silence.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from edge.core.backoff import Backoff

if TYPE_CHECKING:
    from edge.core.events import StoredEvent

log = logging.getLogger(__name__)

ReadOutbox = Callable[[int], Sequence["StoredEvent"]]
Acknowledge = Callable[[Sequence[int]], object]

_FIRST_RETRY_SECONDS = 0.5
_LONGEST_RETRY_SECONDS = 30.0
# How long to leave an outbox alone that was asked to drop rows and still shows them.
_LEAVING_SECONDS = 0.05


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
        self._more = True
        self._empty = False
        self._ready: deque[StoredEvent] = deque()
        self._in_flight: dict[int, int] = {}
        self._told: set[int] = set()
        self._leaving: set[int] = set()
        self._unfit: set[int] = set()
        self._retry_at = 0.0
        self._backoff = Backoff(_FIRST_RETRY_SECONDS, _LONGEST_RETRY_SECONDS)
        self._trouble = ""
        self._published = 0
        self._acknowledged = 0

    @property
    def counts(self) -> tuple[int, int, int]:
        """Events sent (repetitions included), events whose PUBACK came, events in flight now."""
        with self._lock:
            return self._published, self._acknowledged, len(self._in_flight)

    @property
    def drained(self) -> bool:
        """Whether the outbox was seen to be empty, and nobody has spoken of new events since."""
        with self._lock:
            return self._empty and not (self._more or self._in_flight or self._told or self._leaving)

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
        """A connection began (``opened``) or ended: nothing is ready or in flight, and all is read again."""
        with self._lock:
            self._open = opened
            self._ready.clear()
            self._in_flight.clear()
            self._unfit.clear()
            self._more = True

    def pump(self, publish: Callable[[StoredEvent], int]) -> None:
        """Send what is ready by ``publish``, which returns the packet id, or raises ValueError or TypeError for an
        event that cannot be told at all; such a one stays in the outbox and does not hold up the others."""
        with self._lock:
            while self._ready:
                pending = self._ready.popleft()
                try:
                    mid = publish(pending)
                except (ValueError, TypeError) as error:
                    self._unfit.add(pending.id)
                    log.error("event %s cannot be published and stays behind: %s", pending.event_id, error)
                    continue
                self._in_flight[mid] = pending.id
                self._published += 1

    def acknowledged(self, mid: int) -> bool:
        """Take note of a PUBACK; False when the packet was not an event's."""
        with self._lock:
            row = self._in_flight.pop(mid, None)
            if row is None:
                return False
            self._told.add(row)
            self._acknowledged += 1
            return True

    def step(self, *, look: bool = False) -> float | None:
        """Have the outbox drop what was told, and read what is next. For the store's thread; may take as long as
        the outbox does.

        With ``look`` the outbox is looked at even without a connection, so that ``drained`` can become true.
        Returns in how many seconds to call again at the latest; None when only a change calls for it. An outbox
        that raises is logged and tried again.
        """
        left = self._retry_at - time.monotonic()
        if left > 0:
            return left
        try:
            self._drop()
            lingering = self._read(look=look)
        except Exception as error:
            # Whatever the database raises: nothing of it may end the thread, and nothing is lost by waiting.
            wait = self._backoff.next_wait()
            self._retry_at = time.monotonic() + wait
            # A disk may be full for days: each reason is told once.
            level = logging.DEBUG if repr(error) == self._trouble else logging.WARNING
            self._trouble = repr(error)
            log.log(level, "the outbox cannot be used (%s: %s); trying again", type(error).__name__, error)
            return wait
        self._trouble = ""
        self._backoff.reset()
        return _LEAVING_SECONDS if lingering else None

    def retry_now(self) -> None:
        """Do not wait out a failure of the outbox; for the last steps of a stop."""
        self._retry_at = 0.0

    def _drop(self) -> None:
        with self._lock:
            told = sorted(self._told)
        if told:
            self._acknowledge(told)
            with self._lock:
                self._told.difference_update(told)
                self._leaving.update(told)

    def _read(self, *, look: bool) -> bool:
        """Read the beginning of the outbox; True when rows that were to leave it are still there."""
        with self._lock:
            if not (self._more or self._leaving) or not (self._open or look):
                return False
            limit = self._window + len(self._unfit)
            # Before the read, so that rows that are added during it are asked for again.
            self._more = False
        try:
            page = self._read_outbox(limit)
        except Exception:
            self.events_waiting()
            raise
        with self._lock:
            self._empty = not page
            shown = {pending.id for pending in page}
            # A row that is not shown has left, unless it may lie behind the end of a full page.
            end = max(shown) if len(page) >= limit else math.inf
            self._leaving = {row for row in self._leaving if row in shown or row > end}
            if self._open:
                under_way = {pending.id for pending in self._ready} | {*self._in_flight.values()} | self._told
                known = under_way | self._leaving | self._unfit
                # Rows behind a full page are found when some of it have left: each that leaves is looked after.
                self._ready.extend(pending for pending in page if pending.id not in known)
            return bool(self._leaving)
