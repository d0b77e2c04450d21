"""Retained messages: what every topic should say, and the least that must be sent to make it so."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from edge.publish import payloads

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edge.publish.topics import Topics
    from edge.records import Occupancy

log = logging.getLogger(__name__)


class RetainedStates:
    """What is wanted of each retained topic, and what the broker has acknowledged on this connection.

    A topic has at most one message on the way; what is wanted meanwhile waits, and only the last of it is sent. So
    memory and traffic are bounded by the number of topics, however slow the broker is. Thread-safe.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wanted: dict[str, bytes] = {}
        self._held: dict[str, bytes] = {}
        self._under_way: dict[int, tuple[str, bytes]] = {}

    def want(self, topic: str, payload: bytes) -> None:
        """Have ``topic`` say ``payload``; empty removes it from the broker. Sent after what was wanted before."""
        with self._lock:
            self._wanted.pop(topic, None)
            self._wanted[topic] = payload

    @property
    def settled(self) -> bool:
        """Whether the broker has acknowledged all that is wanted."""
        with self._lock:
            return not self._under_way and all(self._held.get(t) == p for t, p in self._wanted.items())

    @property
    def waiting(self) -> bool:
        """Whether a message has no acknowledgement yet."""
        with self._lock:
            return bool(self._under_way)

    def restart(self) -> None:
        """A connection began or ended: nothing is under way, and what the broker holds is not known."""
        with self._lock:
            self._held.clear()
            self._under_way.clear()

    def pump(self, publish: Callable[[str, bytes], int]) -> None:
        """Send what is due by ``publish``, which returns the packet id."""
        with self._lock:
            busy = {topic for topic, _ in self._under_way.values()}
            for topic, payload in self._wanted.items():
                if topic not in busy and self._held.get(topic) != payload:
                    self._under_way[publish(topic, payload)] = (topic, payload)

    def acknowledged(self, mid: int) -> bool:
        """Take note of a PUBACK; False when the packet was not one of these."""
        with self._lock:
            sent = self._under_way.pop(mid, None)
            if sent is None:
                return False
            topic, payload = sent
            self._held[topic] = payload
            if not payload and self._wanted.get(topic) == payload:
                del self._wanted[topic]
                del self._held[topic]
            return True


class FloorStates:
    """The floors as they were last reported, kept as retained states. Thread-safe.

    For each floor the highest ``seq`` wins, whatever the order of the reports. A floor that is gone from a complete
    report, or has a new name, has its old topics removed from the broker; it comes back with a complete report only,
    for a floor that was deleted may still be crossed.
    """

    def __init__(self, states: RetainedStates, topics: Topics) -> None:
        self._states = states
        self._topics = topics
        self._lock = threading.Lock()
        self._floors: dict[int, Occupancy] = {}
        self._slugs: dict[int, str] = {}
        self._unfit: set[str] = set()
        self._complete = False

    def report(self, floors: Sequence[Occupancy], *, complete: bool = False) -> bool:
        """Take in what floors look like now; ``complete`` says that the site has no others.

        False when a floor was left out of which the last complete report did not know: read all again.
        """
        with self._lock:
            self._complete |= complete
            strange = self._complete and not complete and any(floor.floor_id not in self._floors for floor in floors)
            if strange:
                floors = [floor for floor in floors if floor.floor_id in self._floors]
            changed = [floor for floor in floors if self._is_news(floor)]
            gone = set(self._floors) - {floor.floor_id for floor in floors} if complete else set()
            if not (changed or gone or (complete and not self._floors)):
                return not strange
            before = set(self._slugs.values())
            for floor_id in gone:
                del self._floors[floor_id]
                self._slugs.pop(floor_id, None)
            for floor in changed:
                self._floors[floor.floor_id] = floor
                self._slugs[floor.floor_id] = floor.slug
            for slug in before - set(self._slugs.values()):
                self._say(slug, b"", b"")
            for floor in changed:
                self._say(
                    floor.slug,
                    payloads.floor_state(floor, device=self._topics.device),
                    payloads.floor_available(floor),
                )
            total = payloads.site_state(list(self._floors.values()), device=self._topics.device)
            self._states.want(self._topics.site_state, total)
            return not strange

    def _is_news(self, floor: Occupancy) -> bool:
        known = self._floors.get(floor.floor_id)
        return known is None or floor.seq > known.seq

    def _say(self, slug: str, state: bytes, available: bytes) -> None:
        try:
            topics = self._topics.floor_state(slug), self._topics.floor_available(slug)
        except ValueError as error:
            if slug not in self._unfit:
                self._unfit.add(slug)
                log.error("a floor's name gives no topic, so no board will show it: %s", error)
            return
        self._states.want(topics[0], state)
        self._states.want(topics[1], available)
