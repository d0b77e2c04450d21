"""The publisher: this device's status and health, its floors and its events, told to the broker for as long as the
daemon runs.

Two threads. *mqtt-link* (in :mod:`edge.mqtt.reconnecting_link`) owns the connection and never waits for the database;
*mqtt-store* reads and writes the outbox and never touches the connection. What one has for the other lies in
:class:`~edge.publish.outbox_relay.Relay` and :class:`~edge.publish.retained_topics.RetainedStates`.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.core.backoff import Backoff
from edge.mqtt.connection import Connection, ConnectionEnded, Timing, Will
from edge.mqtt.reconnecting_link import Link
from edge.mqtt.topics import OFFLINE, ONLINE
from edge.publish import payloads
from edge.publish.floor_topics import FloorStates
from edge.publish.health_topic import HealthState
from edge.publish.outbox_relay import Acknowledge, ReadOutbox, Relay
from edge.publish.retained_topics import RetainedStates

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edge.config.schema import MqttConfig
    from edge.core.device_health import DeviceHealth
    from edge.core.events import StoredEvent
    from edge.core.occupancy import Occupancy
    from edge.mqtt.topics import Topics

log = logging.getLogger(__name__)

# The outbox is looked at this often even if nobody says that events wait in it.
_LOOK_SECONDS = 10.0
_FIRST_RETRY_SECONDS = 0.5
_LONGEST_RETRY_SECONDS = 30.0
# What a stop may take beyond its drain, for the last status to be acknowledged.
_FAREWELL_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Statistics:
    """Counts since the start: events sent (repetitions included), events whose PUBACK came, connections after
    the first, and events on the way at this moment."""

    published: int
    acknowledged: int
    reconnects: int
    in_flight: int


class Publisher:
    """Tells the broker of ``config`` what this device knows.

    ``read_outbox(limit)`` returns at most ``limit`` events that wait in the outbox, by rising id; ``acknowledge(ids)``
    removes them from it; ``read_floors()`` returns all floors. All three are called on one thread of the publisher's
    own, may take their time, and may raise: they are then called again later. Ids must grow for ever and never be used
    twice (AUTOINCREMENT).
    """

    def __init__(
        self,
        config: MqttConfig,
        client_id: str,
        topics: Topics,
        read_outbox: ReadOutbox,
        acknowledge: Acknowledge,
        read_floors: Callable[[], Sequence[Occupancy]],
        *,
        window: int = 50,
        timing: Timing | None = None,
    ) -> None:
        self._topics = topics
        self._timing = timing or Timing()
        self._read_floors = read_floors
        self._states = RetainedStates()
        self._floors = FloorStates(self._states, topics)
        self._health = HealthState(self._states, topics)
        self._relay = Relay(read_outbox, acknowledge, window=window)
        will = Will(topics.status, OFFLINE)
        self._link = Link(config, client_id, self, will=will, timing=self._timing)
        self._worker: threading.Thread | None = None
        self._work = threading.Event()
        self._progress = threading.Condition()
        self._floors_due = False
        self._floors_at = 0.0
        self._floors_told = ""
        self._floors_backoff = Backoff(_FIRST_RETRY_SECONDS, _LONGEST_RETRY_SECONDS)
        self._draining = False
        self._leaving = False
        self._done = False
        self._heard_at = 0.0

    @property
    def connected(self) -> bool:
        """Whether the broker has accepted the connection. A refused connection is none."""
        return self._link.connected

    @property
    def statistics(self) -> Statistics:
        """What was done so far."""
        published, acknowledged, in_flight = self._relay.counts
        return Statistics(published, acknowledged, max(self._link.connections - 1, 0), in_flight)

    def start(self) -> None:
        """Begin to connect, and go on trying for ever; returns at once."""
        self._states.want(self._topics.status, ONLINE)
        self._worker = threading.Thread(target=self._run, name="mqtt-store", daemon=True)
        self._worker.start()
        self._link.start()

    def floors_changed(self, floors: Sequence[Occupancy]) -> None:
        """Tell of floors that changed. From any thread; of each floor the highest ``seq`` wins."""
        if self._floors.report(floors):
            self._link.wake()
        else:
            self.read_floors_again()

    def read_floors_again(self) -> None:
        """Say that somebody else changed floors, made or deleted some: all are read. From any thread."""
        self._floors_due = True
        self._work.set()

    def health_changed(self, health: DeviceHealth) -> None:
        """Tell how the device is, if that is news; its time alone is none. From any thread, also before the start."""
        self._health.report(health)
        self._link.wake()

    def events_waiting(self) -> None:
        """Say that the outbox has new rows. From any thread."""
        self._relay.events_waiting()
        self._work.set()

    def close(self, drain_seconds: float) -> bool:
        """Stop in order; True when the outbox was empty at the end.

        Waits up to ``drain_seconds`` for the outbox to empty and for all acknowledgements, then says ``offline``,
        waits for that to be acknowledged, and leaves the broker. Takes about two seconds longer at the most, unless
        a call into the database or the look-up of a name hangs.
        """
        worker = self._worker
        if worker is None or self._done:
            return self._relay.drained
        self._draining = True
        self._relay.retry_now()
        self._work.set()
        self._link.retry_now()
        if not self._wait(lambda: self._relay.drained and self._quiet, drain_seconds):
            log.warning("the stop does not wait longer for the broker; what is left stays in the outbox")
        self._leaving = True
        self._states.want(self._topics.status, OFFLINE)
        self._link.wake()
        self._wait(lambda: self._quiet, _FAREWELL_SECONDS)
        self._link.close(_FAREWELL_SECONDS + 1.0)
        self._done = True
        self._relay.retry_now()
        self._work.set()
        worker.join(_FAREWELL_SECONDS)
        if worker.is_alive():
            log.warning("the outbox did not answer within %.0f s", _FAREWELL_SECONDS)
        return self._relay.drained

    # What the link calls, on its own thread: nothing here waits for anything.

    def link_opened(self, connection: Connection) -> None:
        """All retained states are due again, and the outbox starts from its beginning."""
        self._states.restart()
        self._health.restart()
        self._relay.restart(opened=True)
        self._heard_at = time.monotonic()
        self._floors_due = True
        self._floors_at = 0.0
        self._work.set()

    def link_turn(self, connection: Connection) -> None:
        """Publish what is due: retained states first, then events."""
        self._health.pump()
        self._states.pump(lambda topic, payload: connection.publish(topic, payload, retain=True))
        if not self._leaving:
            self._relay.pump(lambda pending: self._publish_event(connection, pending))
        if not (self._states.waiting or self._relay.waiting):
            self._heard_at = time.monotonic()
        elif time.monotonic() - self._heard_at > self._timing.stall:
            raise ConnectionEnded(f"the broker acknowledged nothing for {self._timing.stall:.0f} s")

    def link_acknowledged(self, mid: int) -> None:
        """A PUBACK: of a retained state, or of an event, which may then leave the outbox."""
        self._heard_at = time.monotonic()
        if not self._states.acknowledged(mid) and self._relay.acknowledged(mid):
            self._work.set()
        self._tell_progress()

    def link_message(self, topic: str, payload: bytes) -> None:
        """Nothing was subscribed to."""
        log.debug("a message on %s that nobody asked for was left aside", topic)

    def link_closed(self) -> None:
        """Nothing is under way any more."""
        self._states.restart()
        self._relay.restart(opened=False)
        self._work.set()
        self._tell_progress()

    def _publish_event(self, connection: Connection, pending: StoredEvent) -> int:
        topic = self._topics.event(pending.camera_id)
        payload = payloads.event(pending, site=self._topics.site, device=self._topics.device)
        return connection.publish(topic, payload, retain=False)

    # The store's thread.

    def _run(self) -> None:
        look_at = time.monotonic() + _LOOK_SECONDS
        while True:
            last = self._done
            waits = [self._refresh_floors(), self._relay.step(look=self._draining)]
            self._link.wake()
            self._tell_progress()
            if last:
                return
            now = time.monotonic()
            if now >= look_at:
                self._relay.events_waiting()
                look_at = now + _LOOK_SECONDS
            else:
                self._work.wait(min(wait for wait in (look_at - now, *waits) if wait is not None))
                self._work.clear()

    def _refresh_floors(self) -> float | None:
        """Publish the floors as the database has them, if that is due; the seconds until it is to be tried again."""
        if not self._floors_due:
            return None
        left = self._floors_at - time.monotonic()
        if left > 0:
            return left
        self._floors_due = False
        try:
            self._floors.report(self._read_floors(), complete=True)
        except Exception as error:
            # Whatever the database raises: the floors known so far are published meanwhile.
            wait = self._floors_backoff.next_wait()
            self._floors_at = time.monotonic() + wait
            self._floors_due = True
            level = logging.DEBUG if repr(error) == self._floors_told else logging.WARNING
            self._floors_told = repr(error)
            log.log(level, "the floors cannot be read (%s: %s); trying again", type(error).__name__, error)
            return wait
        self._floors_told = ""
        self._floors_backoff.reset()
        return None

    @property
    def _quiet(self) -> bool:
        """Whether nothing more can be told: all is acknowledged, or nobody is there to acknowledge."""
        if not self._link.connected:
            return True
        return self._states.settled and not self._relay.waiting

    def _wait(self, condition: Callable[[], bool], seconds: float) -> bool:
        with self._progress:
            return self._progress.wait_for(condition, seconds)

    def _tell_progress(self) -> None:
        with self._progress:
            self._progress.notify_all()
