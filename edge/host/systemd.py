"""Tells systemd how the daemon is: the ``sd_notify`` protocol, a datagram to the socket in ``NOTIFY_SOCKET``."""

from __future__ import annotations

import logging
import os
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

log = logging.getLogger(__name__)


class SystemdNotifier:
    """Sends states to systemd; without a socket, as in a terminal, every call does nothing.

    A failure is logged once and never stops the counting.
    """

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        # An @ stands for the zero byte of Linux's abstract name space.
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._complained = False
        # systemd may say that another process of the unit is to feed the watchdog.
        mine = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self.watchdog_seconds = int(environ.get("WATCHDOG_USEC", "0")) / 1e6 if mine else 0.0

    def ready(self, status: str) -> None:
        """The start is complete."""
        self._send(f"READY=1\nSTATUS={status}")

    def status(self, text: str) -> None:
        """One line for ``systemctl status``."""
        self._send(f"STATUS={text}")

    def watchdog(self) -> None:
        """Work was finished since the last call."""
        self._send("WATCHDOG=1")

    def stopping(self) -> None:
        """The stop has begun."""
        self._send("STOPPING=1\nSTATUS=stopping")

    def _send(self, message: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
                sock.connect(self._address)
                sock.sendall(message.encode())
        except OSError as error:
            if not self._complained:
                self._complained = True
                log.warning("systemd could not be told problem=%s", error)
