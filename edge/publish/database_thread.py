"""Runs the publisher's thread that uses the database, so that the connection to the broker never waits for a disk."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from edge.publish.database_retry import DatabaseRetry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from edge.core.occupancy import FloorQuality, Occupancy
    from edge.publish.floor_topics import FloorTopics
    from edge.publish.outbox_relay import OutboxRelay

log = logging.getLogger(__name__)

# The outbox is read this often even if no new events are reported.
_LOOK_SECONDS = 10.0


class DatabaseThread:
    """Reads the floors when asked to, and has the relay use the outbox.

    ``read_floors()`` returns all floors, ``read_qualities()`` their quality by name; both may take their time, and may
    raise. ``after_turn()`` is called on the thread whenever it has done what was due.
    """

    def __init__(
        self,
        relay: OutboxRelay,
        floors: FloorTopics,
        read_floors: Callable[[], Sequence[Occupancy]],
        read_qualities: Callable[[], Mapping[str, FloorQuality]],
        after_turn: Callable[[], None],
    ) -> None:
        self._relay = relay
        self._floors = floors
        self._read_floors = read_floors
        self._read_qualities = read_qualities
        self._after_turn = after_turn
        self._floors_due = False
        self._floors_retry = DatabaseRetry("the floors cannot be read")
        self._wake = threading.Event()
        self._draining = False
        self._stopping = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread = threading.Thread(target=self._run, name="mqtt-store", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Have the relay use the outbox soon. From any thread."""
        self._wake.set()

    def read_floors_again(self, *, at_once: bool = False) -> None:
        """Have the floors read and published; ``at_once`` does not wait out an earlier failure. From any thread."""
        if at_once:
            self._floors_retry.retry_now()
        self._floors_due = True
        self._wake.set()

    def drain(self) -> None:
        """From now on look at the outbox without a connection too, to know whether it is empty."""
        self._draining = True
        self._relay.retry_now()
        self._wake.set()

    def close(self, seconds: float) -> None:
        """Use the outbox one last time, and end; waits ``seconds`` at most, for the database may hang."""
        if self._thread is None:
            return
        self._stopping = True
        self._relay.retry_now()
        self._wake.set()
        self._thread.join(seconds)
        if self._thread.is_alive():
            log.warning("the database did not answer within %.0f s", seconds)

    def _run(self) -> None:
        look_at = time.monotonic() + _LOOK_SECONDS
        while True:
            last = self._stopping
            waits = [self._publish_floors(), self._relay.use_outbox(look=self._draining)]
            self._after_turn()
            if last:
                return
            now = time.monotonic()
            if now >= look_at:
                self._relay.events_added()
                look_at = now + _LOOK_SECONDS
            else:
                self._wake.wait(min(wait for wait in (look_at - now, *waits) if wait is not None))
                self._wake.clear()

    def _publish_floors(self) -> float | None:
        """Publish the floors as the database has them, if that is due; the seconds until it is to be tried again."""
        if not self._floors_due:
            return None
        left = self._floors_retry.seconds_left
        if left > 0:
            return left
        self._floors_due = False
        try:
            floors, qualities = self._read_floors(), self._read_qualities()
            self._floors.report(floors, complete=True, qualities=qualities)
        except Exception as error:
            # Whatever the database raises: the floors known so far stay published meanwhile.
            self._floors_due = True
            return self._floors_retry.failed(error)
        self._floors_retry.succeeded()
        return None
