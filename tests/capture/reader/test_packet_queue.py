"""The packets that wait to be decoded: which are dropped, and which never."""

from __future__ import annotations

import threading
from typing import Any

from edge.capture.reader.packet_queue import PacketQueue, QueuedPacket


def packet(number: int, *, key: bool = False, size: int = 10) -> QueuedPacket:
    """A packet that is only a number."""
    data: Any = number
    return QueuedPacket(data, float(number), key, size)


def numbers(queue: PacketQueue, count: int) -> list[Any]:
    """The next packets' numbers."""
    return [taken.packet for _ in range(count) if (taken := queue.get()) is not None]


def test_packets_come_out_in_their_order():
    """First in, first out, and a reader that waits is woken."""
    queue = PacketQueue()
    threading.Timer(0.02, lambda: [queue.put(packet(number)) for number in range(3)]).start()
    assert numbers(queue, 3) == [0, 1, 2]
    assert not queue.waits()


def test_a_drop_leaves_the_newest_key_frame_and_what_follows_it():
    """The packet that the caller holds counts as dropped too, because it is older."""
    queue = PacketQueue()
    for number in range(10):
        queue.put(packet(number, key=number in (3, 7)))
    assert queue.get() == packet(0)
    assert queue.drop_to_newest_key_frame() == 7
    assert numbers(queue, 3) == [7, 8, 9]


def test_without_a_key_frame_nothing_is_dropped():
    """What waits could not be replaced by anything newer."""
    queue = PacketQueue()
    assert queue.drop_to_newest_key_frame() == 0
    queue.put(packet(1))
    queue.put(packet(2))
    assert queue.drop_to_newest_key_frame() == 0
    assert numbers(queue, 2) == [1, 2]


def test_memory_is_bounded():
    """When packets do not fit, those that wait are dropped and counted once; a single large one is taken."""
    queue = PacketQueue(most_bytes=100)
    for number in range(12):
        queue.put(packet(number))
    assert queue.take_overflow() == 10
    assert queue.take_overflow() == 0
    assert numbers(queue, 2) == [10, 11]
    queue.put(packet(12, size=1000))
    assert numbers(queue, 1) == [12]


def test_after_the_end_nothing_waits():
    """close() drops what waits and ends a get() that waits."""
    queue = PacketQueue()
    threading.Timer(0.02, queue.close).start()
    assert queue.get() is None
    queue.put(packet(1))
    assert queue.get() is None
