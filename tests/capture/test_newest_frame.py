"""The slot between the threads of a live camera: one frame, the current writer's, and the camera's status."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime

import numpy as np
import pytest

from edge.capture.newest_frame import NewestFrame
from edge.core.frames import Frame
from edge.core.source import EndOfSource, SourceState

WRITER = object()


def frame(number: int, at: float = 0.0) -> Frame:
    """A frame of one pixel, grabbed at monotonic time ``at`` (0: now)."""
    return Frame(np.zeros((1, 1, 3), np.uint8), datetime.now(UTC), at or time.monotonic(), number)


@pytest.fixture
def slot(camera):
    """A slot of a camera that is stale after an hour, with its writer."""
    frames = NewestFrame(camera("rtsp://host/live", stale_seconds=3600.0))
    frames.accept_from(WRITER)
    return frames


def bring(slot, writer=WRITER):
    """Announce and put one frame; returns whether the camera came up."""
    now = time.monotonic()
    number = slot.announce(writer, now, fresh=True)
    return number is not None and slot.put(writer, frame(number, now))


def test_a_newer_frame_replaces_one_that_was_not_taken(slot):
    """Of three frames the last is handed out, the two before it count as dropped, and then there is none."""
    assert [bring(slot) for _ in range(3)] == [True, False, False]
    assert slot.take(0.0).sequence == 2
    assert slot.take(0.0) is None
    assert (slot.status.frames, slot.status.dropped, slot.status.reconnects) == (1, 2, 0)


def test_an_old_frame_is_counted_and_not_wanted(slot):
    """A frame that is not fresh has a number, counts as dropped, and is not to be converted."""
    assert slot.announce(WRITER, time.monotonic(), fresh=False) is None
    assert slot.announce(WRITER, time.monotonic(), fresh=True) == 1
    assert slot.status.dropped == 1
    assert slot.status.state is SourceState.STARTING


def test_frames_that_the_rate_leaves_out_are_not_dropped(camera):
    """With fps = 10, of frames 0.05 seconds apart every second one is wanted, and none counts as dropped."""
    slot = NewestFrame(camera("rtsp://host/live", fps=10))
    slot.accept_from(WRITER)
    wanted = [slot.announce(WRITER, index * 0.05, fresh=True) for index in range(6)]
    assert wanted == [0, None, 2, None, 4, None]
    assert slot.status.dropped == 0


@pytest.mark.parametrize("current", [object(), None])
def test_only_the_current_writer_is_accepted(slot, current):
    """A reader that was given up brings nothing: its frames are neither counted nor taken, even half-way through."""
    number = slot.announce(WRITER, time.monotonic(), fresh=True)
    slot.accept_from(current)
    before = slot.status
    assert not slot.put(WRITER, frame(number))
    assert not bring(slot)
    assert slot.take(0.0) is None
    assert slot.status == before


def test_it_goes_down_with_a_reason_and_comes_up_again(slot):
    """DOWN has the reason, the next frame ends it, and coming up again counts as a reconnection."""
    assert slot.go_down("refused") == 0.0
    assert (slot.status.state, slot.status.problem) == (SourceState.DOWN, "refused")
    assert bring(slot)
    assert (slot.status.state, slot.status.problem, slot.status.reconnects) == (SourceState.UP, "", 0)
    assert slot.go_down("broken off") > 0.0
    assert bring(slot)
    assert slot.status.reconnects == 1


def test_a_silent_camera_is_down(camera):
    """Without a frame for stale_seconds the status is DOWN, with the seconds of silence; a frame ends it."""
    slot = NewestFrame(camera("rtsp://host/live", stale_seconds=60.0))
    slot.accept_from(WRITER)
    long_ago = time.monotonic() - 61.0
    slot.put(WRITER, frame(slot.announce(WRITER, long_ago, fresh=True), long_ago))
    assert slot.status.state is SourceState.DOWN
    assert slot.status.problem.startswith("no frame for 61 s")
    bring(slot)
    assert slot.status.state is SourceState.UP
    assert slot.status.reconnects == 0, "the connection was the same"


def test_a_waiting_take_gets_the_frame(slot):
    """A take() that waits returns the frame that another thread brings."""
    threading.Timer(0.02, bring, [slot]).start()
    assert slot.take(60.0).sequence == 0


def test_after_the_end_nothing_is_taken_or_handed_out(slot):
    """After end() a frame that is there is gone, take() raises, and the state stays ENDED whatever happens."""
    bring(slot)
    slot.end()
    assert not bring(slot)
    slot.go_down("closed")
    assert slot.status.state is SourceState.ENDED
    with pytest.raises(EndOfSource):
        slot.take(60.0)


def test_a_failure_is_raised_with_its_cause(slot):
    """An unexpected error of a capture thread is raised in the thread that takes frames."""
    slot.fail(ZeroDivisionError("a fault in the code"))
    with pytest.raises(RuntimeError, match="cam: capture failed") as caught:
        slot.take(60.0)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
