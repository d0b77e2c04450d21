"""Between a reader and the thread that takes frames: what is asked for, numbered, stamped, dropped."""

from __future__ import annotations

import os
import threading
import time
from itertools import pairwise

import pytest

from edge.capture.live.handover import Handover
from edge.capture.reader.messages import Filled, MessageSocket, NewSlots, Wanted
from edge.capture.reader.picture_slots import SLOTS, slot_bytes
from edge.core.source import EndOfSource

SIZE = (16, 8)


class Reader:
    """The reader's end of the socket, with the memory of its pictures."""

    def __init__(self, handover: Handover) -> None:
        self.handover = handover
        self.messages, end = MessageSocket.pair()
        self._there = MessageSocket(end)
        descriptor = os.memfd_create("test")
        os.ftruncate(descriptor, SLOTS * slot_bytes(*SIZE))
        self._memory = os.dup(descriptor)
        handover.attach(self.messages)
        handover.use_slots(NewSlots(*SIZE, SLOTS), descriptor)

    def asked(self) -> Wanted:
        """What the daemon asks for; waits for it."""
        received = self._there.receive()
        assert received is not None
        assert isinstance(received[0], Wanted)
        return received[0]

    def fill(self, wanted: Wanted, sequence: int, captured: float | None = None) -> None:
        """Hand over a picture whose bytes are all its number."""
        os.pwrite(self._memory, bytes([sequence % 256]) * (SIZE[0] * SIZE[1] * 3), wanted.slot * slot_bytes(*SIZE))
        self.handover.put(Filled(wanted.slot, sequence, time.monotonic() if captured is None else captured))

    def close(self) -> None:
        """Leave."""
        os.close(self._memory)
        self.messages.close()
        self._there.close()


@pytest.fixture
def handover():
    """A handover that is ended after the test."""
    made = Handover("cam")
    yield made
    made.end()


@pytest.fixture
def reader(handover):
    """Its reader."""
    made = Reader(handover)
    yield made
    made.close()


def take(handover, reader, sequence, captured=None):
    """The frame of a picture that is handed over while take() waits."""
    frames = []
    thread = threading.Thread(target=lambda: frames.append(handover.take(60.0)))
    thread.start()
    wanted = reader.asked()
    reader.fill(wanted, sequence, captured)
    thread.join()
    return frames[0], wanted


def test_a_picture_is_asked_for_when_it_is_wanted(handover, reader):
    """A newer one than the last, for a slot that is not in use; nothing is asked for before."""
    first, wanted = take(handover, reader, 5)
    assert wanted.after == -1
    assert (first.sequence, first.size) == (5, SIZE)
    second, wanted = take(handover, reader, 9)
    assert wanted.after == 5
    assert [int(frame.image[0, 0, 0]) for frame in (first, second)] == [5, 9]
    assert handover.frames == 2


def test_a_frame_that_came_too_late_is_replaced_by_a_newer(handover, reader):
    """A caller that gave up and comes back later gets the picture of that time."""
    assert handover.take(0.0) is None
    assert handover.wanted_since is not None
    reader.fill(reader.asked(), 1)
    assert handover.wanted_since is None
    frame, wanted = take(handover, reader, 30)
    assert (wanted.after, frame.sequence) == (1, 30)
    assert handover.dropped == 1


def test_pictures_in_use_are_never_written_to(handover, reader):
    """Frames that are kept hold their slots, and when no slot would be left the picture is a copy."""
    frames = [take(handover, reader, number)[0] for number in range(8)]
    assert [int(frame.image[3, 3, 1]) for frame in frames] == list(range(8))
    assert all(not frame.image.flags.writeable for frame in frames)
    assert sum(frame.image.base is None for frame in frames) == 8 - (SLOTS - 1)
    view = frames[0].image[2:4]
    frames.clear()
    for number in range(20, 30):
        take(handover, reader, number)
    assert int(view[0, 0, 0]) == 0


def test_memory_outlives_its_reader(handover, reader):
    """A frame that is still used when the reader has gone is readable."""
    frame, _ = take(handover, reader, 7)
    handover.detach()
    assert int(frame.image.sum()) == 7 * frame.image.size


def test_times_and_numbers_grow_through_all_readers(handover):
    """Whatever the readers say: each counts from 0, and a stream's clock may turn out to be wrong."""
    frames, now = [], time.monotonic()
    for first in (100.0, 50.0):
        reader = Reader(handover)
        frames += [take(handover, reader, number, now - first + number)[0] for number in range(3)]
        handover.numbers_used(10)
        reader.close()
    assert [frame.sequence for frame in frames] == [0, 1, 2, 10, 11, 12]
    late = Reader(handover)
    frames += [take(handover, late, number, now - 200.0)[0] for number in range(2)]
    late.close()
    for earlier, later in pairwise(frames):
        assert later.monotonic > earlier.monotonic
        assert later.captured_at > earlier.captured_at
    assert frames[-1].monotonic == pytest.approx(frames[5].monotonic, abs=0.01)


def test_a_new_reader_is_asked_at_once(handover):
    """A caller that waits gets the first picture of the reader that is started meanwhile."""
    frames = []
    thread = threading.Thread(target=lambda: frames.append(handover.take(60.0)))
    thread.start()
    reader = Reader(handover)
    reader.fill(reader.asked(), 0)
    thread.join()
    assert frames[0].sequence == 0
    reader.close()


def test_when_a_connection_is_over_what_waits_is_dropped(handover, reader):
    """A frame that nobody took before is not handed out after."""
    assert handover.take(0.0) is None
    reader.fill(reader.asked(), 1)
    handover.drop()
    assert handover.take(0.0) is None
    assert handover.dropped == 1


def test_a_failure_is_raised_with_its_cause_and_the_end_ends(handover):
    """An unexpected error of the capture thread is raised in the thread that takes frames."""
    handover.fail(ZeroDivisionError("a fault in the code"))
    with pytest.raises(RuntimeError, match="cam: capture failed") as caught:
        handover.take(60.0)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    ended = Handover("cam")
    threading.Timer(0.02, ended.end).start()
    with pytest.raises(EndOfSource):
        ended.take(60.0)
