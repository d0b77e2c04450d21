"""Defines the messages between the daemon and the process that reads a camera, and the socket that carries them.

Both sides are the same version of this program, so the messages are JSON objects without a version number. The socket
keeps the limits of messages (``SOCK_SEQPACKET``), and a message may carry a file descriptor.
"""

from __future__ import annotations

import json
import os
import socket
from dataclasses import asdict, dataclass
from typing import Any

# Larger than any message: an address has up to 1,000 characters, a problem some hundred.
_MOST_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class ReaderSettings:
    """What the process has to read, and how.

    ``address`` may hold a password and must not be shown. ``ca_file`` is a path, "" for the system's authorities.
    ``trust_times``: False takes the time of arrival for a picture's time whatever the stream says. ``probe``: try
    whether the host answers before the stream is opened. ``io_seconds``: FFmpeg's own limit of one wait for data.
    ``clip``: the address is the path of a video file that is played like a camera, with ``loop`` for ever.
    """

    address: str
    transport: str
    verify: bool
    ca_file: str
    fps: float | None
    max_lag_seconds: float
    trust_times: bool
    probe: bool
    probe_seconds: float
    io_seconds: float
    clip: bool = False
    loop: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """How far a connection has come. Times are monotonic seconds; None: it has not happened.

    ``packet_at``, ``decoded_at`` are the times of the newest packet and picture, ``captured`` the time at which the
    newest picture was taken. ``waiting_for_key_since`` is set while packets are passed over until a key frame comes.
    Counters count since the process began: ``pictures`` that came, decoded or not; ``decoded``; ``corrupt`` of those;
    ``errors`` of the decoder without a picture; ``dropped`` because newer ones came first; ``lost_packets`` of RTP.
    ``effort`` is a name of ``Effort``.
    """

    opened_at: float | None = None
    connected_at: float | None = None
    answered: bool = False
    packet_at: float | None = None
    waiting_for_key_since: float | None = None
    key_frame_at: float | None = None
    decoded_at: float | None = None
    captured: float | None = None
    pictures: int = 0
    decoded: int = 0
    corrupt: int = 0
    errors: int = 0
    dropped: int = 0
    lost_packets: int = 0
    lag: float = 0.0
    effort: str = "full"
    codec: str = ""


@dataclass(frozen=True, slots=True)
class Ended:
    """A connection is over. ``problem`` says why, without secrets; ``late``: its pictures came later and later.

    ``finished``: a video file was played to its end, and no other connection is to follow.

    ``unexpected`` holds the places in the code of an error that nobody expected, without its text.
    """

    problem: str
    late: bool = False
    finished: bool = False
    unexpected: str = ""


@dataclass(frozen=True, slots=True)
class NewSlots:
    """Pictures have a size from now on; their shared memory comes as this message's file descriptor."""

    width: int
    height: int
    count: int


@dataclass(frozen=True, slots=True)
class Filled:
    """The picture that was wanted is in a slot. ``captured`` is monotonic; ``sequence`` counts from 0."""

    slot: int
    sequence: int
    captured: float


@dataclass(frozen=True, slots=True)
class Wanted:
    """The newest picture after picture ``after`` is to be put into ``slot`` as soon as there is one."""

    slot: int
    after: int


_KINDS: dict[str, type] = {kind.__name__: kind for kind in (ReaderSettings, Report, Ended, NewSlots, Filled, Wanted)}


class MessageSocket:
    """One end of the connection between the two processes. ``send`` may be called from any thread."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end

    @staticmethod
    def pair() -> tuple[MessageSocket, socket.socket]:
        """A connection: this process's end, and the end to be passed to the other process."""
        here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        return MessageSocket(here), there

    def fileno(self) -> int:
        """The descriptor, for ``select``."""
        return self._end.fileno()

    def send(self, message: object, descriptor: int | None = None, *, wait: bool = True) -> bool:
        """Send a message; False when the other process is gone, or its queue is full and ``wait`` is False."""
        data = json.dumps([type(message).__name__, asdict(message)]).encode()  # type: ignore[call-overload]
        flags = socket.MSG_NOSIGNAL | (0 if wait else socket.MSG_DONTWAIT)
        try:
            if descriptor is None:
                self._end.send(data, flags)
            else:
                socket.send_fds(self._end, [data], [descriptor], flags)
        except OSError:
            return False
        return True

    def receive(self) -> tuple[Any, int | None] | None:
        """The next message with its file descriptor; waits for it.

        None when the other process is gone, or has sent what is no message.
        """
        try:
            data, descriptors, _, _ = socket.recv_fds(self._end, _MOST_BYTES, 1)
        except OSError:
            return None
        if not data:
            return None
        descriptor = descriptors[0] if descriptors else None
        if descriptor is not None:
            os.set_inheritable(descriptor, False)
        try:
            name, fields = json.loads(data)
            return _KINDS[name](**fields), descriptor
        except (ValueError, KeyError, TypeError):
            if descriptor is not None:
                os.close(descriptor)
            return None

    def close(self) -> None:
        """Close this end; the other process finds that out."""
        self._end.close()
