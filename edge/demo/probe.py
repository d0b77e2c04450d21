"""Whether an MQTT broker answers at an address."""

from __future__ import annotations

import logging
import secrets
import socket

log = logging.getLogger(__name__)


def is_mqtt_broker(host: str, port: int, timeout: float = 1.0) -> bool:
    """Whether a broker at that address lets an anonymous client in, by a real CONNECT that it answers in time.

    False also when nothing listens, when it is no broker, and when it asks for a user name.
    """
    client_id = f"smartpark-probe-{secrets.token_hex(4)}".encode()
    head = b"\x00\x04MQTT\x04\x02\x00\x0a" + len(client_id).to_bytes(2, "big") + client_id
    try:
        with socket.create_connection((host, port), timeout) as connection:
            connection.settimeout(timeout)
            connection.sendall(bytes([0x10, len(head)]) + head)
            answer = b""
            while len(answer) < 4:
                part = connection.recv(4 - len(answer))
                if not part:
                    return False
                answer += part
            accepted = answer[:2] == b"\x20\x02" and answer[3] == 0
            if accepted:
                # Goodbye, so that the broker's log shows no lost client.
                connection.sendall(b"\xe0\x00")
            return accepted
    except OSError as error:
        log.debug("no MQTT broker at %s:%d: %s", host, port, error)
        return False
