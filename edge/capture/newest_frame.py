"""Holds a live camera's newest frame and its status, for the threads that capture, supervise and read."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from edge.core.pacer import Pacer
from edge.core.source import EndOfSource, SourceState, SourceStatus

if TYPE_CHECKING:
    from edge.config.schema import CameraConfig
    from edge.core.frames import Frame


class NewestFrame:
    """A slot for one frame. A newer frame replaces one that was not taken; the replaced one counts as dropped.

    Only the frames of the current writer are accepted: a reader thread that was given up must not bring an old frame
    when it returns. All methods may be called from any thread.

    The camera's ``fps`` limits how many frames a second are accepted; frames left out by it do not count as dropped.
    """

    def __init__(self, camera: CameraConfig) -> None:
        self._camera = camera
        self._pacer = Pacer(camera.fps)
        self._changed = threading.Condition()
        self._writer: object = None
        self._frame: Frame | None = None
        self._error: Exception | None = None
        self._status = SourceStatus()
        self._sequence = 0  # of the next frame that is grabbed
        self._connections = 0  # how often the camera came up
        self._up_since = 0.0  # monotonic, while the state is UP

    @property
    def status(self) -> SourceStatus:
        """The camera's state and counters. DOWN as soon as no frame has come for ``stale_seconds``."""
        with self._changed:
            status = self._status
        silent = time.monotonic() - (status.last_frame_monotonic or 0.0)
        if status.state is SourceState.UP and silent >= self._camera.stale_seconds:
            return replace(status, state=SourceState.DOWN, problem=f"no frame for {silent:.0f} s")
        return status

    def accept_from(self, writer: object) -> None:
        """Accept frames of ``writer`` only; None: accept none."""
        with self._changed:
            self._writer = writer

    def announce(self, writer: object, at: float, *, fresh: bool) -> int | None:
        """Count a frame that was grabbed at monotonic time ``at``; returns its number if it is wanted, else None.

        Converting an image is expensive, so ask before. A frame that is not ``fresh`` is counted as dropped.
        """
        with self._changed:
            if writer is not self._writer:
                return None
            number, self._sequence = self._sequence, self._sequence + 1
            dropped = self._status.dropped + (not fresh)
            self._status = replace(self._status, last_frame_monotonic=at, dropped=dropped)
            return number if fresh and self._pacer.takes(at) else None

    def put(self, writer: object, frame: Frame) -> bool:
        """Make ``frame`` the newest and wake ``take``; returns whether the camera came up with it."""
        with self._changed:
            if writer is not self._writer or self._status.state is SourceState.ENDED:
                return False
            dropped = self._status.dropped + (self._frame is not None)
            came_up = self._status.state is not SourceState.UP
            if came_up:
                self._up_since = frame.monotonic
                self._connections += 1
            self._frame = frame
            self._status = replace(
                self._status, state=SourceState.UP, dropped=dropped, reconnects=self._connections - 1, problem=""
            )
            self._changed.notify_all()
            return came_up

    def take(self, timeout: float) -> Frame | None:
        """The newest frame that was not taken yet; waits up to ``timeout`` seconds for a frame, else None.

        Raises ``RuntimeError`` from the error that ``fail`` was given, and ``EndOfSource`` after ``end``.
        """
        with self._changed:
            self._changed.wait_for(
                lambda: self._frame or self._error or self._status.state is SourceState.ENDED, timeout
            )
            if self._error is not None:
                raise RuntimeError(f"{self._camera.id}: capture failed") from self._error
            if self._status.state is SourceState.ENDED:
                raise EndOfSource
            frame, self._frame = self._frame, None
            if frame is not None:
                self._status = replace(self._status, frames=self._status.frames + 1)
            return frame

    def go_down(self, problem: str) -> float:
        """Set the state DOWN with its reason; returns how many seconds the camera was up before, 0 if it was not."""
        with self._changed:
            was_up = self._status.state is SourceState.UP
            state = SourceState.ENDED if self._status.state is SourceState.ENDED else SourceState.DOWN
            self._status = replace(self._status, state=state, problem=problem)
            return time.monotonic() - self._up_since if was_up else 0.0

    def fail(self, error: Exception) -> None:
        """Let ``take`` raise an error with this cause from now on."""
        with self._changed:
            self._error = error
            self._changed.notify_all()

    def end(self) -> None:
        """Drop the frame and let ``take`` raise ``EndOfSource`` from now on."""
        with self._changed:
            self._frame = None
            self._status = replace(self._status, state=SourceState.ENDED)
            self._changed.notify_all()
