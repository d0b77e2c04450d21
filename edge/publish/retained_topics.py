"""Retained messages: what every topic should say, and the least that must be sent to make it so."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


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
