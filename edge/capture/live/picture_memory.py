"""Maps the pictures that a reader hands over in shared memory, and keeps track of which of them are in use."""

from __future__ import annotations

import mmap
import os
import weakref
from typing import TYPE_CHECKING

import numpy as np

from edge.capture.reader.picture_slots import CHANNELS, slot_bytes

if TYPE_CHECKING:
    from edge.capture.reader.messages import NewSlots
    from edge.core.frames import Image


class PictureMemory:
    """The slots for pictures of one size.

    A picture is a read-only view of its slot, without a copy, and the reader writes into the slot again only after the
    last array that looks at it is gone. When no other slot is left for the next picture, the picture is copied. The
    memory lives as long as a picture in it is used, also after the reader has ended. ``image`` and ``free_slot`` are
    called under one lock; a picture may be released by any thread.
    """

    def __init__(self, slots: NewSlots, descriptor: int) -> None:
        """Takes ``descriptor`` over. Raises ``OSError`` and ``ValueError`` when it is not the memory it should be."""
        self._shape = (slots.height, slots.width, CHANNELS)
        self._step = slot_bytes(slots.width, slots.height)
        self._used = [False] * slots.count
        try:
            self._memory = mmap.mmap(descriptor, self._step * slots.count, prot=mmap.PROT_READ)
        finally:
            os.close(descriptor)

    def free_slot(self) -> int | None:
        """A slot that is not in use, the lowest, so that memory is touched only when it is needed."""
        return next((slot for slot, used in enumerate(self._used) if not used), None)

    def image(self, slot: int) -> Image:
        """The picture in a slot, height x width x 3, BGR, read-only. Raises ``IndexError`` for no slot."""
        if not 0 <= slot < len(self._used):
            raise IndexError(slot)
        size = self._shape[0] * self._shape[1] * self._shape[2]
        whole = np.frombuffer(self._memory, np.uint8, size, slot * self._step)
        self._used[slot] = True
        if self.free_slot() is None:
            self._used[slot] = False
            copy = whole.reshape(self._shape).copy()
            copy.flags.writeable = False
            return copy
        # Every view that NumPy makes of an array keeps that array alive.
        weakref.finalize(whole, self._release, slot).atexit = False
        return whole.reshape(self._shape)

    def _release(self, slot: int) -> None:
        self._used[slot] = False
