"""Runs a display board: it subscribes to one site of a broker and keeps what it is sent."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from edge.board.state import BoardState
from edge.mqtt.reconnecting_link import Link

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.board.messages import EventMessage, Recommendation, SiteMessage
    from edge.board.state import ShownFloor
    from edge.config.schema import MqttConfig
    from edge.mqtt.connection import Connection, Timing
    from edge.mqtt.topics import Topics

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BoardSnapshot:
    """What a board shows at one moment. Without a connection no number is known.

    ``problems`` are pairs of a device that is online and a sentence about it. ``messages`` counts all that were
    received, ``invalid_messages`` those of them that were not what their topic promises.
    """

    site_id: str
    connected: bool
    rows: tuple[ShownFloor, ...]
    site: SiteMessage | None
    recommended: Recommendation | None
    devices: dict[str, bool]
    problems: tuple[tuple[str, str], ...]
    events: tuple[EventMessage, ...]
    messages: int
    invalid_messages: int


class Board:
    """Subscribes to what a board needs of ``topics``' site, and keeps a :class:`BoardState` of it.

    ``client_id`` must be this board's own: a broker keeps one connection for each. ``floors`` are names to show
    from the start.
    """

    def __init__(
        self,
        config: MqttConfig,
        client_id: str,
        topics: Topics,
        *,
        floors: Sequence[str] = (),
        timing: Timing | None = None,
    ) -> None:
        self._topics = topics
        self._lock = threading.Lock()
        self._state = BoardState(topics, floors)
        self._subscribed = False
        self._messages = 0
        self._link = Link(config, client_id, self, timing=timing)

    @property
    def connected(self) -> bool:
        """Whether the broker has accepted the connection and the subscription."""
        with self._lock:
            return self._subscribed and self._link.connected

    @property
    def messages(self) -> int:
        """How many messages were received, repetitions included."""
        with self._lock:
            return self._messages

    def start(self) -> None:
        """Begin to connect, and go on trying for ever; returns at once."""
        self._link.start()

    def snapshot(self) -> BoardSnapshot:
        """What to show now. From any thread."""
        with self._lock:
            connected = self._subscribed and self._link.connected
            rows = self._state.rows()
            return BoardSnapshot(
                site_id=self._topics.site,
                connected=connected,
                rows=tuple(rows if connected else map(_without_numbers, rows)),
                site=self._state.site() if connected else None,
                recommended=self._state.recommended() if connected else None,
                devices=self._state.devices() if connected else {},
                problems=self._state.problems() if connected else (),
                events=self._state.events(),
                messages=self._messages,
                invalid_messages=self._state.invalid_messages,
            )

    def close(self) -> None:
        """Leave the broker; the last snapshot shows no number."""
        self._link.close()

    # The methods of a LinkUser, called on the link's thread.

    def link_opened(self, connection: Connection) -> None:
        """Subscribe; the broker then sends everything that is retained, so nothing old is kept."""
        with self._lock:
            self._state.reset()
        connection.subscribe(self._topics.board_filters)

    def link_tick(self, connection: Connection) -> None:
        """Note whether the broker has granted the subscription."""
        with self._lock:
            self._subscribed = connection.subscribed

    def link_acknowledged(self, mid: int) -> None:
        """Do nothing: a board publishes nothing."""

    def link_message(self, topic: str, payload: bytes) -> None:
        """Apply a message to the state."""
        with self._lock:
            self._messages += 1
            before = self._state.invalid_messages
            self._state.apply(topic, payload)
            if self._state.invalid_messages != before:
                log.debug("an invalid message was ignored: %s", self._state.last_error)

    def link_closed(self) -> None:
        """Discard what was known: it may not be true any more."""
        with self._lock:
            self._subscribed = False
            self._state.reset()


def _without_numbers(row: ShownFloor) -> ShownFloor:
    return replace(row, available=None, total=None, vehicles=None, percentage=None, is_full=False)
