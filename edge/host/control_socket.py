"""This module defines the Unix socket of a running daemon: its file, and the lines that are exchanged over it.

A connection carries one request and one answer. The request is one line of JSON, ``{"request": NAME, "arguments":
{...}}``. The answer is one line of JSON, ``{"fields": {...}, "body_bytes": N}`` with N bytes of a body behind it, or
``{"error": TEXT}``.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

# The requests of `smartpark status`, answered with the fields of a ``DeviceHealth``, and of `smartpark snapshot`, whose
# answer ``Cameras.snapshot`` describes.
STATUS_REQUEST = "status"
SNAPSHOT_REQUEST = "snapshot"
# Linux: the path of a socket has 108 bytes, and a zero byte at its end.
_LONGEST_PATH = 107
# Leaves room for "/proc/self/fd/NNNNNNN/" before it.
_LONGEST_NAME = 85
_CHUNK = 65_536


@dataclass(frozen=True, slots=True)
class ControlAnswer:
    """The answer to a request: ``fields`` can be written as JSON, ``body`` is anything else, as a picture."""

    fields: Mapping[str, Any] = field(default_factory=dict)
    body: bytes = b""


class ControlProtocolError(Exception):
    """What came over the socket is no request, or no answer; the text says what is wrong with it."""


def control_socket_path(database: Path) -> Path:
    """The socket of the daemon that counts into ``database``: ``<database>.socket`` beside it."""
    path = database.absolute()
    name = path.name + ".socket"
    if len(os.fsencode(name)) > _LONGEST_NAME:
        name = f"smartpark-{hashlib.sha256(os.fsencode(path.name)).hexdigest()[:16]}.socket"
    return path.with_name(name)


@contextmanager
def socket_address(path: Path) -> Iterator[bytes]:
    """An address of the socket ``path`` that fits into the kernel's 108 bytes, however long the path is.

    A path that does not fit is reached through a file descriptor of its folder. Raises ``OSError`` for a folder that
    cannot be opened.
    """
    address = os.fsencode(path)
    if len(address) <= _LONGEST_PATH:
        yield address
        return
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield b"/proc/self/fd/%d/%s" % (folder, os.fsencode(path.name))
    finally:
        os.close(folder)


class ControlStream:
    """Lines and bytes over a connected socket, until a deadline of the monotonic clock.

    Every method raises ``TimeoutError`` after the deadline, and ``OSError`` when the connection is lost.
    """

    def __init__(self, connection: socket.socket, deadline: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.deadline = deadline
        self._connection = connection
        self._clock = clock
        self._received = bytearray()

    def send(self, data: bytes) -> None:
        """Send all of it."""
        view = memoryview(data)
        while view:
            self._set_timeout()
            view = view[self._connection.send(view[:_CHUNK]) :]

    def read_message(self, most_bytes: int) -> dict[str, Any]:
        """The object of the next line. ``ControlProtocolError`` for a line that is too long, or no JSON object."""
        while (end := self._received.find(b"\n")) < 0:
            if len(self._received) > most_bytes:
                raise ControlProtocolError(f"the line is longer than {most_bytes} bytes")
            self._receive("its line ended")
        line = bytes(self._received[:end])
        del self._received[: end + 1]
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            message = None
        if not isinstance(message, dict):
            raise ControlProtocolError("the line is no JSON object")
        return message

    def read_body(self, size: int) -> bytes:
        """The next ``size`` bytes."""
        while len(self._received) < size:
            self._receive("all bytes of the body had come")
        body = bytes(self._received[:size])
        del self._received[:size]
        return body

    def _receive(self, before: str) -> None:
        self._set_timeout()
        data = self._connection.recv(_CHUNK)
        if not data:
            raise ControlProtocolError(f"the connection was closed before {before}")
        self._received += data

    def _set_timeout(self) -> None:
        left = self.deadline - self._clock()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(left)


def control_line(message: Mapping[str, Any]) -> bytes:
    """A message as one line. Raises ``TypeError`` or ``ValueError`` for what JSON does not have.

    All but ASCII is escaped, so that a path with bytes that are not UTF-8 arrives as it was sent.
    """
    return json.dumps(message, allow_nan=False, separators=(",", ":")).encode() + b"\n"
