"""This module notifies systemd by the ``sd_notify`` protocol, with datagrams to the socket in ``NOTIFY_SOCKET``."""

from __future__ import annotations

import logging
import os
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

log = logging.getLogger(__name__)


class SystemdNotifier:
    """Sends states to systemd. Without ``NOTIFY_SOCKET``, as in a terminal, every call does nothing.

    A failure is logged once and is no error.
    """

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        # An @ stands for the zero byte of an address in Linux's abstract name space.
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._failure_logged = False

    def ready(self, status: str) -> None:
        """Report that the start is complete."""
        self._send(f"READY=1\nSTATUS={status}")

    def status(self, text: str) -> None:
        """Set the line that ``systemctl status`` shows."""
        self._send(f"STATUS={text}")

    def watchdog(self) -> None:
        """Feed the watchdog: work was finished since the last call."""
        self._send("WATCHDOG=1")

    def stopping(self) -> None:
        """Report that the stop has begun."""
        self._send("STOPPING=1\nSTATUS=stopping")

    def _send(self, message: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
                sock.connect(self._address)
                sock.sendall(message.encode())
        except OSError as error:
            if not self._failure_logged:
                self._failure_logged = True
                log.warning("systemd cannot be notified problem=%s", error)
