"""Moves events from the outbox to the broker: an event leaves the outbox when it is acknowledged, and not before.

States of an event: in the outbox alone; *ready* (read, not yet sent); *in flight* (sent, no PUBACK yet); *acknowledged*
(PUBACK came, the outbox was not yet asked to remove it); *being removed* (it was asked to, and may still show the row).
The outbox holds it throughout. When a connection ends, what was ready or in flight counts as never sent. If the process
dies, whatever the outbox still holds is sent by the next one, with the same event ids.

The outbox is always read from its beginning, which is short because acknowledged events leave it, and rows that are
under way are skipped. A cursor behind the last row sent would be a second record of what was sent: it would have to
be put back at every lost connection, and a row that it once passed wrongly would be lost without notice.

Rows are known by the key of the event, which changes when the time of the event is corrected: the acknowledgement of
the wrong time does not remove the corrected event.
"""

from __future__ import annotations

import logging
import math
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from edge.core.events import CORRECTED_KEY
from edge.publish.database_retry import DatabaseRetry

if TYPE_CHECKING:
    from edge.core.events import StoredEvent

log = logging.getLogger(__name__)

ReadOutbox = Callable[[int], Sequence["StoredEvent"]]
AcknowledgeEvents = Callable[[Sequence[int]], object]

# How long not to read an outbox that was asked to remove rows and still shows them.
_REMOVAL_SECONDS = 0.05


class OutboxRelay:
    """Moves events from the outbox to the broker, at most ``window`` of them between the two.

    Two threads use it: the link's calls ``connection_changed``, ``send`` and ``acknowledge``, which never wait; the
    database's calls ``use_outbox``. ``events_added`` may be called from anywhere.
    """

    def __init__(self, read_outbox: ReadOutbox, acknowledge: AcknowledgeEvents, *, window: int = 50) -> None:
        self._read_outbox = read_outbox
        self._remove_from_outbox = acknowledge
        self._window = window
        self._lock = threading.Lock()
        self._open = False
        self._unread = True
        self._empty = False
        self._ready: deque[StoredEvent] = deque()
        self._in_flight: dict[int, int] = {}
        self._acknowledged: set[int] = set()
        self._being_removed: set[int] = set()
        self._unpublishable: set[int] = set()
        self._retry = DatabaseRetry("the outbox cannot be used")
        self._sent_count = 0
        self._acknowledged_count = 0

    @property
    def counts(self) -> tuple[int, int, int]:
        """Events sent (repetitions included), events whose PUBACK came, events in flight now."""
        with self._lock:
            return self._sent_count, self._acknowledged_count, len(self._in_flight)

    @property
    def drained(self) -> bool:
        """Whether the outbox was seen to be empty, and no new events were reported since."""
        with self._lock:
            return self._empty and not (self._unread or self._in_flight or self._acknowledged or self._being_removed)

    @property
    def in_flight(self) -> bool:
        """Whether an event was sent that has no PUBACK yet."""
        with self._lock:
            return bool(self._in_flight)

    def events_added(self) -> None:
        """Note that rows may have been added to the outbox."""
        with self._lock:
            self._unread = True

    def connection_changed(self, *, opened: bool) -> None:
        """A connection began (``opened``) or ended: nothing is ready or in flight, and all is read again."""
        with self._lock:
            self._open = opened
            self._ready.clear()
            self._in_flight.clear()
            self._unpublishable.clear()
            self._unread = True

    def send(self, publish: Callable[[StoredEvent], int]) -> None:
        """Send what is ready by ``publish``, which returns the packet id.

        It may raise ValueError or TypeError for an event that cannot be published at all: such an event stays in the
        outbox and does not hold up the others.
        """
        with self._lock:
            while self._ready:
                event = self._ready.popleft()
                try:
                    mid = publish(event)
                except (ValueError, TypeError) as error:
                    self._unpublishable.add(event.outbox_key)
                    log.error("event %s cannot be published and stays in the outbox: %s", event.event_id, error)
                    continue
                self._in_flight[mid] = event.outbox_key
                self._sent_count += 1

    def acknowledge(self, mid: int) -> bool:
        """Note the PUBACK of a packet; False when the packet was not an event's."""
        with self._lock:
            row = self._in_flight.pop(mid, None)
            if row is None:
                return False
            self._acknowledged.add(row)
            self._acknowledged_count += 1
            return True

    def use_outbox(self, *, look: bool = False) -> float | None:
        """Remove acknowledged events from the outbox, and read the next ones. May take as long as the outbox does.

        With ``look`` the outbox is read even without a connection, so that ``drained`` can become true.
        Returns in how many seconds to call again at the latest; None when only a change calls for it. An outbox
        that raises is logged and tried again.
        """
        left = self._retry.seconds_left
        if left > 0:
            return left
        try:
            self._remove()
            removing = self._read(look=look)
        except Exception as error:
            # Whatever the database raises: it must not end the thread, and nothing is lost by waiting.
            return self._retry.failed(error)
        self._retry.succeeded()
        return _REMOVAL_SECONDS if removing else None

    def retry_now(self) -> None:
        """Do not wait out a failure of the outbox; for the last steps of a stop."""
        self._retry.retry_now()

    def _remove(self) -> None:
        with self._lock:
            rows = sorted(self._acknowledged)
        if rows:
            self._remove_from_outbox(rows)
            with self._lock:
                self._acknowledged.difference_update(rows)
                self._being_removed.update(rows)

    def _read(self, *, look: bool) -> bool:
        """Read the beginning of the outbox; True when rows that were to leave it are still there."""
        with self._lock:
            if not (self._unread or self._being_removed) or not (self._open or look):
                return False
            limit = self._window + len(self._unpublishable)
            # Before the read, so that rows that are added during it are read by the next one.
            self._unread = False
        try:
            page = self._read_outbox(limit)
        except Exception:
            self.events_added()
            raise
        with self._lock:
            self._empty = not page
            shown = {event.outbox_key for event in page}
            # A row that is not shown has left, unless it may lie behind the end of a full page.
            end = max(event.id for event in page) if len(page) >= limit else math.inf
            self._being_removed = {row for row in self._being_removed if row in shown or row % CORRECTED_KEY > end}
            if self._open:
                under_way = {event.outbox_key for event in self._ready} | {*self._in_flight.values()}
                known = under_way | self._acknowledged | self._being_removed | self._unpublishable
                # Rows behind a full page are read when some of it have left: the page is read again until they have.
                unknown = [event for event in page if event.outbox_key not in known]
                # An event of which the time was corrected meanwhile may still be in flight with the wrong time.
                room = max(self._window - len(self._ready) - len(self._in_flight), 0)
                self._ready.extend(unknown[:room])
                self._unread |= len(unknown) > room
            return bool(self._being_removed)
