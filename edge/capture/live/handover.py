"""Hands the newest picture of a reader to the thread that processes frames.

The reader converts and hands over a picture only when one is wanted: what nobody takes costs only its decoding.
"""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from edge.capture.live.picture_memory import PictureMemory
from edge.capture.reader.messages import Wanted
from edge.core.frames import Frame
from edge.core.source import EndOfSource

if TYPE_CHECKING:
    from edge.capture.reader.messages import Filled, MessageSocket, NewSlots

# The least difference between the times of two frames.
_SMALLEST_STEP = 1e-3


class Handover:
    """Between the thread that takes frames (``take``) and the thread that receives them from a reader. Thread-safe.

    Frames are numbered through all readers, and their times grow strictly: a time that would go back, because a
    stream's clock was found to be wrong, is replaced by a millisecond after that of the frame before it.
    """

    def __init__(self, camera_id: str) -> None:
        self._camera_id = camera_id
        self._changed = threading.Condition()
        self._messages: MessageSocket | None = None  # to the reader that gives pictures now
        self._memory: PictureMemory | None = None
        self._first = 0  # number of the current reader's first picture
        self._after = -1  # number that the reader gave to the last picture that it handed over
        self._next = 0  # number that the next frame must have at least
        self._latest = 0.0  # monotonic time of the last frame
        self._frame: Frame | None = None
        self._asked_at: float | None = None  # when the picture was asked for that has not come
        self._taking = False
        self._error: BaseException | None = None
        self._ended = False
        self.frames = 0  # that were taken
        self.dropped = 0  # that were handed over and not taken

    @property
    def wanted_since(self) -> float | None:
        """Since when ``take`` has waited for the picture that it waits for; None while it waits for none."""
        with self._changed:
            return self._asked_at if self._taking else None

    def take(self, timeout: float) -> Frame | None:
        """The newest frame that was not taken yet; waits up to ``timeout`` seconds for a frame, else None.

        Raises ``RuntimeError`` from the error that ``fail`` was given, and ``EndOfSource`` after ``end``.
        """
        with self._changed:
            self._drop()  # it came after the last call had given up, and may be old by now
            self._taking = True
            if self._asked_at is None:
                self._ask()
            self._changed.wait_for(lambda: self._frame or self._error or self._ended, timeout)
            self._taking = self._asked_at is not None and self._frame is None
            if self._error is not None:
                raise RuntimeError(f"{self._camera_id}: capture failed") from self._error
            if self._ended:
                raise EndOfSource
            frame, self._frame = self._frame, None
            self.frames += frame is not None
            return frame

    def attach(self, messages: MessageSocket) -> None:
        """Take pictures from a new reader, whose numbers begin at 0."""
        with self._changed:
            self.detach()
            self._messages = messages
            self._first, self._after = self._next, -1
            if self._taking:
                self._ask()

    def detach(self) -> None:
        """Take no more pictures from the reader; a frame that was not taken is dropped."""
        with self._changed:
            self._messages, self._memory, self._asked_at = None, None, None
            self._drop()

    def drop(self) -> None:
        """Drop a frame that was not taken, because its connection is over."""
        with self._changed:
            self._drop()

    def use_slots(self, slots: NewSlots, descriptor: int) -> None:
        """The reader's pictures come in other memory from now on."""
        memory = PictureMemory(slots, descriptor)
        with self._changed:
            self._memory = memory

    def put(self, filled: Filled) -> Frame | None:
        """Make the frame of a picture that was handed over, for ``take``. None when it is of no use any more."""
        with self._changed:
            if self._memory is None or self._ended:
                return None
            now, utc = time.monotonic(), datetime.now(UTC)
            captured = max(min(filled.captured, now), self._latest + _SMALLEST_STEP)
            frame = Frame(
                self._memory.image(filled.slot),
                utc - timedelta(seconds=now - captured),
                captured,
                self._first + filled.sequence,
            )
            self._drop()
            self._frame, self._latest = frame, captured
            self._after, self._next = filled.sequence, frame.sequence + 1
            self._asked_at = None
            self._changed.notify_all()
            return frame

    def numbers_used(self, pictures: int) -> None:
        """The reader has had so many pictures: a later reader's numbers come after them."""
        with self._changed:
            self._next = max(self._next, self._first + pictures)

    def fail(self, error: BaseException) -> None:
        """Let ``take`` raise an error with this cause from now on."""
        with self._changed:
            self._error = error
            self._changed.notify_all()

    def end(self) -> None:
        """Drop the frame and let ``take`` raise ``EndOfSource`` from now on."""
        with self._changed:
            self._ended = True
            self._drop()
            self._changed.notify_all()

    def _ask(self) -> None:
        if self._messages is None:
            return
        slot = 0 if self._memory is None else self._memory.free_slot()
        if slot is not None and self._messages.send(Wanted(slot, self._after), wait=False):
            self._asked_at = time.monotonic()

    def _drop(self) -> None:
        if self._frame is not None:
            self._frame = None
            self.dropped += 1
