"""The messages between the daemon and a reader, over a real socket."""

from __future__ import annotations

import os

import pytest

from edge.capture.reader.messages import Ended, Filled, MessageSocket, NewSlots, ReaderSettings, Report, Wanted

SETTINGS = ReaderSettings("rtsp://ü:p#w@host/" + "x" * 1000, "udp", False, "/ca.pem", 10.0, 1.0, True, False, 1.0, 1.0)


@pytest.mark.parametrize(
    "message",
    [SETTINGS, Report(opened_at=1.5, codec="h264"), Ended("why", late=True), Filled(1, 7, 2.5), Wanted(2, -1)],
)
def test_messages_arrive_as_they_were(message):
    """Each has its own type on the other side."""
    here, end = MessageSocket.pair()
    there = MessageSocket(end)
    assert here.send(message)
    assert there.receive() == (message, None)
    here.close()
    assert there.receive() is None
    there.close()


def test_a_descriptor_is_passed_with_its_message():
    """It is another number for the same file, and no program that is started inherits it."""
    here, end = MessageSocket.pair()
    there = MessageSocket(end)
    read, write = os.pipe()
    assert here.send(NewSlots(4, 2, 3), write)
    os.close(write)
    received = there.receive()
    assert received is not None
    message, descriptor = received
    assert message == NewSlots(4, 2, 3)
    assert descriptor is not None
    assert not os.get_inheritable(descriptor)
    os.write(descriptor, b"x")
    assert os.read(read, 1) == b"x"
    for each in (read, descriptor):
        os.close(each)
    here.close()
    there.close()


def test_a_message_to_nobody_and_one_that_does_not_fit_are_reported():
    """A process that is gone or does not read is no exception."""
    here, end = MessageSocket.pair()
    while here.send(Report(), wait=False):
        pass
    end.close()
    assert not here.send(Report())
    here.close()
