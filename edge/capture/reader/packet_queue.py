"""Holds the packets of a stream between the thread that receives them and the thread that decodes them.

Packets are taken from the network as they arrive, so that a backlog stands here, where it is seen and can be dropped,
and not in the buffers of socket and camera.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av import Packet
    from av.video.stream import VideoStream

# Beyond this, packets are dropped up to the next key frame: 16 s of a 4K camera's 8 Mbit/s.
_MOST_BYTES = 16_000_000


@dataclass(frozen=True, slots=True)
class QueuedPacket:
    """A packet, its ``position`` on the stream's clock (seconds), and whether it is a key frame.

    ``after_loss``: data before it is missing, so it and the pictures up to the next key frame may have faults.
    """

    packet: Packet[VideoStream]
    position: float
    key: bool
    size: int
    after_loss: bool = False


class PacketQueue:
    """A queue for one writer and one reader."""

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._packets: deque[QueuedPacket] = deque()
        self._bytes = 0
        self._closed = False
        self._overflowed = 0
        self._changed = threading.Condition()

    def put(self, packet: QueuedPacket) -> None:
        """Add a packet. When it does not fit, all that wait are dropped, and ``take_overflow`` counts them."""
        with self._changed:
            if self._bytes + packet.size > self._most_bytes and self._packets:
                self._overflowed += len(self._packets)
                self._packets.clear()
                self._bytes = 0
            self._packets.append(packet)
            self._bytes += packet.size
            self._changed.notify()

    def get(self) -> QueuedPacket | None:
        """The oldest packet; waits for it. None after ``close``."""
        with self._changed:
            self._changed.wait_for(lambda: self._packets or self._closed)
            if self._closed:
                return None
            packet = self._packets.popleft()
            self._bytes -= packet.size
            return packet

    def waits(self) -> bool:
        """Whether packets wait."""
        return bool(self._packets)

    def take_overflow(self) -> int:
        """How many packets were dropped since the last call because they did not fit."""
        with self._changed:
            overflowed, self._overflowed = self._overflowed, 0
            return overflowed

    def drop_to_newest_key_frame(self) -> int:
        """Drop what waits before the newest key frame that waits; returns how many. 0 when no key frame waits."""
        with self._changed:
            newest = max((index for index, packet in enumerate(self._packets) if packet.key), default=0)
            if not self._packets or not self._packets[newest].key:
                return 0
            for _ in range(newest):
                self._bytes -= self._packets.popleft().size
            return newest + 1  # with the packet that the caller holds, which is older

    def close(self) -> None:
        """Drop what waits, and let ``get`` return None from now on."""
        with self._changed:
            self._closed = True
            self._packets.clear()
            self._bytes = 0
            self._changed.notify_all()
