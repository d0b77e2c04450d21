"""Keeps what each retained topic should say, and sends the least that makes the broker say it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class RetainedTopics:
    """The wanted payload of each retained topic, and the one that the broker has acknowledged on this connection.

    A topic has at most one message without an acknowledgement; what is set meanwhile waits, and only the last of it is
    sent. So memory and traffic are bounded by the number of topics, however slow the broker is. Thread-safe.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wanted: dict[str, bytes] = {}
        self._acknowledged: dict[str, bytes] = {}
        self._in_flight: dict[int, tuple[str, bytes]] = {}

    def set(self, topic: str, payload: bytes) -> None:
        """Have ``topic`` say ``payload``; empty removes it from the broker. Sent after what was set before."""
        with self._lock:
            self._wanted.pop(topic, None)
            self._wanted[topic] = payload

    @property
    def all_acknowledged(self) -> bool:
        """Whether the broker has acknowledged everything that is wanted."""
        with self._lock:
            return not self._in_flight and all(
                self._acknowledged.get(topic) == payload for topic, payload in self._wanted.items()
            )

    @property
    def in_flight(self) -> bool:
        """Whether a message was sent that has no acknowledgement yet."""
        with self._lock:
            return bool(self._in_flight)

    def connection_changed(self) -> None:
        """A connection began or ended: nothing is in flight, and what the broker holds is not known."""
        with self._lock:
            self._acknowledged.clear()
            self._in_flight.clear()

    def send(self, publish: Callable[[str, bytes], int]) -> None:
        """Send what is due by ``publish``, which returns the packet id."""
        with self._lock:
            busy = {topic for topic, _ in self._in_flight.values()}
            for topic, payload in self._wanted.items():
                if topic not in busy and self._acknowledged.get(topic) != payload:
                    self._in_flight[publish(topic, payload)] = (topic, payload)

    def acknowledge(self, mid: int) -> bool:
        """Note the PUBACK of a packet; False when the packet was not one of these."""
        with self._lock:
            sent = self._in_flight.pop(mid, None)
            if sent is None:
                return False
            topic, payload = sent
            self._acknowledged[topic] = payload
            if not payload and self._wanted.get(topic) == payload:
                del self._wanted[topic]
                del self._acknowledged[topic]
            return True
