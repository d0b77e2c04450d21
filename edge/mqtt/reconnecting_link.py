"""Keeps a connection to the broker: one thread that connects, retries for ever, and serves one user meanwhile."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from edge.core.backoff import Backoff
from edge.mqtt.connection import Connection, ConnectionEnded, Timing, Will

if TYPE_CHECKING:
    from edge.config.schema import MqttConfig

log = logging.getLogger(__name__)

# How often paho gets to check its keep-alive when nothing else happens.
_TICK_SECONDS = 1.0
_DISCONNECT_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class LinkState:
    """Whether there is a connection, since when (monotonic seconds), and why not: a text without secrets.

    ``connections`` is how many were accepted so far. ``reason`` is empty while there is a connection, and before the
    first attempt has failed.
    """

    connected: bool
    since: float
    reason: str
    connections: int


class LinkUser(Protocol):
    """What a link calls: a publisher or a board. Every method is called on the link's thread, and none may block."""

    def link_opened(self, connection: Connection) -> None:
        """The broker has accepted a connection; nothing of an earlier one is in flight any more."""

    def link_tick(self, connection: Connection) -> None:
        """Publish what is due. Called after everything that happens, and once a second.

        ConnectionEnded, raised here, ends the connection.
        """

    def link_acknowledged(self, mid: int) -> None:
        """The PUBACK of a packet of this connection has come."""

    def link_message(self, topic: str, payload: bytes) -> None:
        """A message of a subscription has come."""

    def link_closed(self) -> None:
        """The accepted connection has ended; what had no PUBACK is not in flight any more."""


class Link:
    """Keeps one connection to the broker of ``config`` for ``user``, for ever.

    A connection that cannot be made, is refused or is lost is tried again with jittered, doubling waits. Each new
    reason is logged once.
    """

    def __init__(
        self,
        config: MqttConfig,
        client_id: str,
        user: LinkUser,
        *,
        will: Will | None = None,
        timing: Timing | None = None,
    ) -> None:
        self._config = config
        self._client_id = client_id
        self._user = user
        self._will = will
        self._timing = timing or Timing()
        self._backoff = Backoff(self._timing.first_retry, self._timing.longest_retry)
        self._stopping = threading.Event()
        self._retry_at_once = threading.Event()
        self._accepted = threading.Event()
        self._thread: threading.Thread | None = None
        self._waker: socket.socket | None = None
        self._waker_lock = threading.Lock()
        self._logged_reason: str | None = None
        self._connections = 0
        # Replaced as a whole: when the connection was made or lost, and why there is none.
        self._since_and_reason = (time.monotonic(), "")

    @property
    def state(self) -> LinkState:
        """The state of the connection at this moment."""
        connected, (since, reason) = self.connected, self._since_and_reason
        return LinkState(connected, since, "" if connected else reason, self._connections)

    @property
    def connected(self) -> bool:
        """Whether the broker has accepted the connection and it has not been seen to end."""
        return self._accepted.is_set()

    @property
    def connections(self) -> int:
        """How many connections were accepted so far."""
        return self._connections

    def start(self) -> None:
        """Begin to connect; returns at once."""
        if self._thread is not None:
            raise RuntimeError("a link is started once")
        wake, self._waker = socket.socketpair()
        wake.setblocking(False)
        self._waker.setblocking(False)
        self._thread = threading.Thread(target=self._run, args=(wake,), name="mqtt-link", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Have ``link_tick`` called soon. From any thread, at any time."""
        with self._waker_lock:
            if self._waker is not None:
                # A full buffer wakes the thread as well.
                with contextlib.suppress(BlockingIOError):
                    self._waker.send(b"\0")

    def retry_now(self) -> None:
        """End a wait between two attempts, and start with small waits again."""
        self._retry_at_once.set()

    def close(self, seconds: float = 5.0) -> bool:
        """Disconnect from the broker and end the thread; False when it did not end within ``seconds``.

        The thread then hangs in the look-up of a name, and ends with that, or with the process.
        """
        self._stopping.set()
        self._retry_at_once.set()
        self.wake()
        if self._thread is not None:
            self._thread.join(seconds)
            if self._thread.is_alive():
                log.warning("the MQTT connection did not end within %.1f s", seconds)
                return False
        return True

    def _run(self, wake: socket.socket) -> None:
        try:
            while not self._stopping.is_set():
                began = time.monotonic()
                self._connect_once(wake)
                if time.monotonic() - began >= self._timing.stable or self._retry_at_once.is_set():
                    self._backoff.reset()
                self._retry_at_once.clear()
                if not self._stopping.is_set():
                    self._retry_at_once.wait(self._backoff.next_wait())
        finally:
            with self._waker_lock:
                if self._waker is not None:
                    self._waker.close()
                    self._waker = None
            wake.close()

    def _connect_once(self, wake: socket.socket) -> None:
        connection = Connection(self._config, self._client_id, self._will, self._timing)
        try:
            self._serve(connection, wake)
        except Exception as error:
            # A fault in paho or in the user's code: the link goes on, and the log has the traceback.
            if self._logged_reason != repr(error):
                log.exception("the MQTT connection failed; trying again")
            self._logged_reason = repr(error)
            self._note_reason("an error in this program; its log says which")
        finally:
            connection.close()
            if self._accepted.is_set():
                self._accepted.clear()
                self._since_and_reason = (time.monotonic(), self._since_and_reason[1])
                self._user.link_closed()

    def _serve(self, connection: Connection, wake: socket.socket) -> None:
        began = time.monotonic()
        try:
            connection.open()
            while not self._stopping.is_set():
                connection.service(wake, _TICK_SECONDS)
                self._tick(connection)
            connection.disconnect(wake, _DISCONNECT_SECONDS)
        except ConnectionEnded as end:
            reason = str(end)
            if connection.accepted and time.monotonic() - began < self._timing.stable:
                reason += f"; if this repeats, another client may be using the client id {self._client_id!r}"
            self._note_reason(reason)
            self._log_reason(reason)
        if self._accepted.is_set():
            # What was received with the last bytes of the connection.
            self._deliver(connection)

    def _tick(self, connection: Connection) -> None:
        if connection.accepted and not self._accepted.is_set():
            self._connections += 1
            self._logged_reason = None
            log.info("connected to the MQTT broker at %s:%d", self._config.host, self._config.port)
            self._user.link_opened(connection)
            self._since_and_reason = (time.monotonic(), "")
            self._accepted.set()
        self._deliver(connection)
        if connection.accepted:
            self._user.link_tick(connection)

    def _deliver(self, connection: Connection) -> None:
        acknowledged, connection.acknowledged = connection.acknowledged, []
        for mid in acknowledged:
            self._user.link_acknowledged(mid)
        messages, connection.messages = connection.messages, []
        for topic, payload in messages:
            self._user.link_message(topic, payload)

    def _note_reason(self, reason: str) -> None:
        self._since_and_reason = (self._since_and_reason[0], reason)

    def _log_reason(self, reason: str) -> None:
        """Log a reason once, until it changes or a connection was accepted; later repetitions only at debug."""
        level = logging.DEBUG if reason == self._logged_reason else logging.WARNING
        self._logged_reason = reason
        log.log(level, "MQTT broker %s:%d: %s; trying again", self._config.host, self._config.port, reason)
