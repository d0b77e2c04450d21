"""Makes one connection to a broker: a thin wrapper about a paho client, for one thread.

It uses a new paho client for every connection, and none of paho's threads. A paho client that reconnects sends again
by itself every QoS 1 message that has no PUBACK yet, whatever ``clean_session`` says, all at once whatever its
in-flight limit says, and keeps them in memory without bound meanwhile. The outbox already keeps what must not be
lost, and a second record could disagree with it. So here whatever has no PUBACK when a connection ends is discarded
with the client, and the outbox is read again. And since one thread does everything, no PUBACK can arrive before
``publish`` has returned its packet id, and no message can be written to a socket that is being replaced.
"""

from __future__ import annotations

import logging
import select
import socket
import ssl
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion

if TYPE_CHECKING:
    from collections.abc import Sequence

    from paho.mqtt.properties import Properties
    from paho.mqtt.reasoncodes import ReasonCode

    from edge.config.schema import MqttConfig

log = logging.getLogger(__name__)

_REMEDIES = {
    "Bad user name or password": "check mqtt.username and mqtt.password",
    "Not authorized": "check mqtt.username and mqtt.password, and the broker's access rules",
    "Client identifier not valid": "set mqtt.client_id to what the broker allows",
    "Unsupported protocol version": "the broker must speak MQTT 3.1.1",
    "Server unavailable": "the broker is up but not ready",
}


@dataclass(frozen=True, slots=True)
class Timing:
    """The waits and time limits of a connection, in seconds of the monotonic clock.

    A retry waits ``first_retry`` at first and twice as long after each failure up to ``longest_retry``, less a
    random share of up to half. ``answer`` is how long a broker may take to accept a connection, ``stable`` how long
    a connection must have lasted for the waits to start small again, ``stall`` how long messages may be in flight
    with no acknowledgement at all.
    """

    first_retry: float = 0.5
    longest_retry: float = 30.0
    answer: float = 10.0
    stable: float = 10.0
    stall: float = 60.0


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker publishes, retained and at QoS 1, when the connection ends without a DISCONNECT."""

    topic: str
    payload: bytes


class ConnectionEnded(Exception):  # noqa: N818 - an end is not always an error; the text says which
    """The connection has ended, or could not be made; the text is for the log and holds no secret."""


class Connection:
    """One connection from its CONNECT to its end. For one thread only; only :meth:`open` blocks."""

    def __init__(self, config: MqttConfig, client_id: str, will: Will | None, timing: Timing) -> None:
        self._config = config
        self._timing = timing
        # No limit on messages in flight here: the caller has one, and paho's own would queue without its knowledge.
        self._client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            clean_session=True,
            protocol=MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
        )
        self._client.max_inflight_messages_set(0)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_publish = self._on_publish
        self._client.on_message = self._on_message
        self._client.on_subscribe = self._on_subscribe
        if will is not None:
            self._client.will_set(will.topic, will.payload, qos=1, retain=True)
        if config.username is not None or config.password is not None:
            secret = config.password.get_secret_value() if config.password is not None else None
            # MQTT 3.1.1 has no password without a user name.
            self._client.username_pw_set(config.username or "", secret)
        self._opened_at = 0.0
        self._end: str | None = None
        self.accepted = False
        self.subscribed = False
        self.acknowledged: list[int] = []
        self.messages: list[tuple[str, bytes]] = []

    def open(self) -> None:
        """Connect and send CONNECT. Blocks while the name is looked up and the socket and TLS are set up.

        Raises ConnectionEnded. ``accepted`` becomes true in a later :meth:`service`, with the broker's CONNACK.
        """
        try:
            if self._config.tls:
                ca_file = str(self._config.ca_file) if self._config.ca_file is not None else None
                self._client.tls_set_context(ssl.create_default_context(cafile=ca_file))
            self._client.connect_timeout = self._timing.answer
            self._client.connect(self._config.host, self._config.port, self._config.keepalive_seconds)
        except (OSError, ValueError) as error:
            raise ConnectionEnded(_reason(error, self._config)) from error
        self._opened_at = time.monotonic()

    def service(self, wake: socket.socket, timeout: float) -> None:
        """Wait for the network or a byte on ``wake``, at most ``timeout`` seconds, then read and write what is due.

        Fills ``acknowledged`` and ``messages``, which the caller empties. Raises ConnectionEnded.
        """
        sock = self._client.socket()
        if sock is None:
            raise ConnectionEnded(self._end or "the connection was lost")
        # TLS may hold decrypted bytes that poll() does not see.
        pending: Any = getattr(sock, "pending", None)
        if pending is not None and pending() > 0:
            timeout = 0.0
        poll = select.poll()
        poll.register(sock.fileno(), select.POLLIN | (select.POLLOUT if self._client.want_write() else 0))
        poll.register(wake.fileno(), select.POLLIN)
        ready = dict(poll.poll(timeout * 1000))
        if ready.pop(wake.fileno(), 0):
            wake.recv(4096)
        events = sum(ready.values())
        if events & ~select.POLLOUT or timeout == 0.0:
            self._client.loop_read()
        if self._client.want_write():
            self._client.loop_write()
        self._client.loop_misc()
        if self._client.socket() is None:
            raise ConnectionEnded(self._end or "the connection was lost")
        if not self.accepted and time.monotonic() - self._opened_at > self._timing.answer:
            raise ConnectionEnded("the server there does not answer as an MQTT broker; check mqtt.port")

    def publish(self, topic: str, payload: bytes, *, retain: bool) -> int:
        """Send a message at QoS 1 and return its packet id, which is added to ``acknowledged`` at its PUBACK.

        Before that it may not have been sent. Raises ConnectionEnded when the connection is lost.
        """
        info = self._client.publish(topic, payload, qos=1, retain=retain)
        if info.rc == MQTTErrorCode.MQTT_ERR_QUEUE_SIZE:
            # All 65 535 packet ids were used, and the message that has the next one never had its PUBACK.
            raise ConnectionEnded("the broker left a message without an acknowledgement")
        if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise ConnectionEnded(self._end or "the connection was lost")
        return info.mid

    def subscribe(self, filters: Sequence[str]) -> None:
        """Subscribe at QoS 1. ``subscribed`` becomes true when the broker has granted all of the filters."""
        self._client.subscribe([(topic_filter, 1) for topic_filter in filters])

    def disconnect(self, wake: socket.socket, seconds: float) -> None:
        """Send DISCONNECT, so that the broker does not publish the will; waits ``seconds`` at most."""
        if self._client.socket() is None:
            return
        self._client.disconnect()
        limit = time.monotonic() + seconds
        try:
            while (left := limit - time.monotonic()) > 0:
                self.service(wake, left)
        except ConnectionEnded:
            return
        log.warning("the broker did not read the DISCONNECT within %.1f s", seconds)

    def close(self) -> None:
        """Close the socket as it is, without a DISCONNECT. Safe at any time, and more than once."""
        # The only public call of paho that does this: it "terminates any connection immediately".
        self._client.connect_async(self._config.host, self._config.port)

    # The callbacks of paho, called from within open, service, publish or disconnect. They only note what happened.

    def _on_connect(
        self, client: Client, userdata: object, flags: ConnectFlags, reason: ReasonCode, properties: Properties | None
    ) -> None:
        if reason.is_failure:
            name = str(reason)
            self._end = f"the broker refused: {name}; {_REMEDIES.get(name, 'see the log of the broker')}"
        else:
            self.accepted = True

    def _on_disconnect(
        self,
        client: Client,
        userdata: object,
        flags: DisconnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if self._end is not None:
            return
        if self.accepted:
            self._end = f"the connection was lost ({reason})"
        else:
            self._end = (
                "the broker closed the connection without an answer; check mqtt.port, "
                f"and mqtt.tls, which is {str(self._config.tls).lower()}"
            )

    def _on_publish(
        self, client: Client, userdata: object, mid: int, reason: ReasonCode, properties: Properties
    ) -> None:
        self.acknowledged.append(mid)

    def _on_message(self, client: Client, userdata: object, message: MQTTMessage) -> None:
        try:
            self.messages.append((message.topic, bytes(message.payload)))
        except UnicodeDecodeError:
            log.debug("a message was ignored: its topic is not UTF-8")

    def _on_subscribe(
        self, client: Client, userdata: object, mid: int, reasons: list[ReasonCode], properties: Properties
    ) -> None:
        refused = [str(reason) for reason in reasons if reason.is_failure]
        if refused:
            log.error("the broker refused a subscription: %s; check its access rules", ", ".join(refused))
        else:
            self.subscribed = True


def _reason(error: Exception, config: MqttConfig) -> str:
    """Why a connection failed, with the key of the configuration to check."""
    if isinstance(error, socket.gaierror):
        return f"the name {config.host} cannot be resolved ({error.strerror}); check mqtt.host and the network"
    if isinstance(error, ConnectionRefusedError):
        return "nothing listens there; check that the broker runs, and mqtt.port"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the broker's certificate is not trusted ({error.verify_message}); check mqtt.host and mqtt.ca_file"
    if isinstance(error, FileNotFoundError | PermissionError) and config.ca_file is not None:
        return f"{config.ca_file} cannot be read ({error.strerror}); check mqtt.ca_file"
    if isinstance(error, TimeoutError):
        return "no answer; check mqtt.host, mqtt.port, mqtt.tls and the network"
    if isinstance(error, ssl.SSLError):
        return (
            f"TLS failed ({error.reason}); check that mqtt.port is the broker's TLS port, and mqtt.ca_file a PEM file"
        )
    if isinstance(error, ConnectionResetError) and config.tls:
        return "the connection was closed while TLS was set up; check that mqtt.port is the broker's TLS port"
    return f"{error.strerror or error if isinstance(error, OSError) else error}; check mqtt.host and the network"
