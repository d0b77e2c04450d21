"""Lets all cameras use one detector, that first whose frame is needed most.

A camera that waited is told when its frame is the next, while the detector still looks at another one: it can then take
its newest frame, and the detector never waits for it.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Protocol

from edge.scheduling.parameters import DEFAULT_SCHEDULING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from edge.core.frames import Detection, Image
    from edge.scheduling.parameters import TurnParameters


class Need(IntEnum):
    """How much a camera needs the detector; the largest comes first."""

    NOTHING_MOVES = 0
    MOVEMENT = 1
    VEHICLE = 2  # a vehicle that moves is near a gate


class Detects(Protocol):
    """What looks at images: see ``Detector`` in the room of detection."""

    def detect(self, image: Image, share: float = 1.0) -> Sequence[Detection]: ...


@dataclass(slots=True, eq=False)
class _Request:
    """A camera that waits for its turn since a time on the clock."""

    need: Need
    since: float


class DetectorTurns:
    """The cameras' turns at one detector. Thread-safe; each camera's thread uses a ``CameraTurn`` of its own."""

    def __init__(
        self,
        detector: Detects,
        clock: Callable[[], float] = time.monotonic,
        parameters: TurnParameters = DEFAULT_SCHEDULING.turns,
    ) -> None:
        self.images = 0  # that the detector looked at since the start
        self.busy_seconds = 0.0  # in which it was in use
        self._detector = detector
        self._clock = clock
        self._longest_wait = parameters.longest_wait
        self._changed = threading.Condition()
        self._waiting: list[_Request] = []
        self._next: _Request | None = None
        self._running: _Request | None = None

    @property
    def waiting(self) -> int:
        """How many cameras wait for their turn."""
        with self._changed:
            return len(self._waiting)

    def for_camera(self) -> CameraTurn:
        """Return the turns of one camera, which one thread uses."""
        return CameraTurn(self)

    def wait_until_next(self, request: _Request) -> None:
        """Return when no frame is to be looked at before that of ``request``, but one that is looked at now."""
        with self._changed:
            self._waiting.append(request)
            self._changed.wait_for(lambda: self._next is None and self._best() is request)
            self._waiting.remove(request)
            self._next = request

    def begin(self, request: _Request) -> None:
        """Return when the detector is free, and take it."""
        with self._changed:
            self._changed.wait_for(lambda: self._running is None)
            self._running, self._next = request, None
            self._changed.notify_all()

    def run(self, image: Image, share: float) -> Sequence[Detection]:
        """Look at an image in a turn that has begun."""
        started = self._clock()
        try:
            return self._detector.detect(image, share)
        finally:
            self.images += 1
            self.busy_seconds += self._clock() - started

    def end(self, request: _Request) -> None:
        """End a turn, whether it has begun or not."""
        with self._changed:
            if self._next is request:
                self._next = None
            if self._running is request:
                self._running = None
            self._changed.notify_all()

    def now(self) -> float:
        """Return the time on the clock that waiting is measured with."""
        return self._clock()

    def _best(self) -> _Request:
        """Return the request that is first: the oldest that waited too long, else the oldest of the greatest need."""
        now = self._clock()
        overdue = [request for request in self._waiting if now - request.since >= self._longest_wait]
        if overdue:
            return min(overdue, key=lambda request: request.since)
        return min(self._waiting, key=lambda request: (-request.need, request.since))


class CameraTurn:
    """One camera's turns. It is a detector for the camera's pipeline; only the camera's thread may use it."""

    def __init__(self, turns: DetectorTurns) -> None:
        self._turns = turns
        self._request: _Request | None = None
        self._begun = False

    @contextmanager
    def next_turn(self, need: Need) -> Iterator[float]:
        """Wait until the camera is next, and give the seconds that it waited; its turn ends with the block at last.

        In the block ``begin`` waits until the detector is free, and ``detect`` uses it.
        """
        self._request, self._begun = _Request(need, self._turns.now()), False
        try:
            self._turns.wait_until_next(self._request)
            yield self._turns.now() - self._request.since
        finally:
            self._end()

    def begin(self) -> None:
        """Wait until the detector is free. Call it in the block of ``next_turn``."""
        if self._request is None:
            raise RuntimeError("begin() outside of a turn")
        if not self._begun:
            self._turns.begin(self._request)
            self._begun = True

    def detect(self, image: Image, share: float = 1.0) -> Sequence[Detection]:
        """Return the image's detections, and end the turn: tracking needs no detector. Without a turn, wait for one."""
        if self._request is None:
            with self.next_turn(Need.MOVEMENT):
                return self.detect(image, share)
        self.begin()
        try:
            return self._turns.run(image, share)
        finally:
            self._end()

    def _end(self) -> None:
        if self._request is not None:
            self._turns.end(self._request)
            self._request = None
