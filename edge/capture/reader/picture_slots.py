"""Hands pictures to the daemon in shared memory, which has no name and ends with the last process that has it open."""

from __future__ import annotations

import fcntl
import mmap
import os
from typing import TYPE_CHECKING, Protocol

from edge.capture.reader.messages import Filled, NewSlots

if TYPE_CHECKING:
    from edge.capture.reader.messages import MessageSocket

# A picture that is used, a picture that is filled meanwhile, the picture that was processed last, which a snapshot may
# ask for, and a spare for a caller that keeps another. A slot that is never used takes no memory.
SLOTS = 4
CHANNELS = 3
_PAGE = 4096


def slot_bytes(width: int, height: int) -> int:
    """The bytes from a slot's beginning to that of the next."""
    return -(-width * height * CHANNELS // _PAGE) * _PAGE


class Picture(Protocol):
    """A decoded picture of any kind. ``captured`` is monotonic seconds, ``sequence`` counts from 0."""

    @property
    def sequence(self) -> int: ...

    @property
    def captured(self) -> float: ...

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""

    def write(self, target: memoryview) -> None:
        """Write the picture as BGR, rows from top to bottom without padding."""


class PictureSlots:
    """The shared memory of pictures of one size. A picture of another size begins new memory."""

    def __init__(self) -> None:
        self._size = (0, 0)
        self._memory: mmap.mmap | None = None

    def fill(self, slot: int, picture: Picture, messages: MessageSocket) -> None:
        """Write the picture into a slot that the daemon does not use, and tell the daemon of it."""
        width, height = picture.size
        if picture.size != self._size:
            self._begin(width, height, messages)
        assert self._memory is not None
        begin = slot * slot_bytes(width, height)
        with memoryview(self._memory) as whole, whole[begin : begin + width * height * CHANNELS] as target:
            picture.write(target)
        messages.send(Filled(slot, picture.sequence, picture.captured))

    def _begin(self, width: int, height: int, messages: MessageSocket) -> None:
        if self._memory is not None:
            self._memory.close()
        descriptor = os.memfd_create("camera", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            os.ftruncate(descriptor, SLOTS * slot_bytes(width, height))
            # The daemon would die of SIGBUS if the memory became shorter under it.
            fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
            self._memory = mmap.mmap(descriptor, 0)
            messages.send(NewSlots(width, height, SLOTS), descriptor)
        finally:
            os.close(descriptor)
        self._size = (width, height)
