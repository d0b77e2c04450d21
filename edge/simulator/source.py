"""Reads the simulated garage (``scene.py``) as a source of frames, live or recorded.

sim:ramp?seed=3&fps=10              live: frames in step with the monotonic clock, the newest wins
sim:ramp?seed=3&recorded=1&...      recorded: every frame, as fast as it is read, the same in every run
"""

from __future__ import annotations

import math
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from edge.core.errors import SourceError
from edge.core.frames import Frame
from edge.core.pacer import Pacer
from edge.core.source import EndOfSource, SourceState, SourceStatus
from edge.simulator.scene import Scene, parse_scene

if TYPE_CHECKING:
    from edge.config.schema import CameraConfig
    from edge.simulator.scene import SceneParameters, TrueCrossing

# When second 0 of a recorded simulation is, unless a start is given: fixed, so that runs repeat.
RECORDED_START = datetime(2026, 1, 1, tzinfo=UTC)


def open_simulation(camera: CameraConfig, *, start: datetime | None = None) -> SimulatedSource:
    """The source for a ``sim:`` address. Raises ``SourceError`` for a wrong key or value."""
    address, recorded = split_recorded(camera.source)
    parameters = parse_scene(address)
    return SimulatedSource(parameters, recorded=recorded, fps=camera.fps, start=start)


def split_recorded(address: str) -> tuple[str, bool]:
    """The address without its key ``recorded``, and whether that key is ``1``. Raises ``SourceError`` unless 1 or 0."""
    base, _, query = address.partition("?")
    keys = query.split("&") if query else []
    values = [key.partition("=")[2] for key in keys if key.partition("=")[0] == "recorded"]
    if len(values) > 1 or any(value not in ("0", "1") for value in values):
        raise SourceError("sim: recorded is 1 (every frame, repeatable) or 0 (live), given once")
    rest = "&".join(key for key in keys if key.partition("=")[0] != "recorded")
    return (f"{base}?{rest}" if rest else base), values == ["1"]


class SimulatedSource:
    """A scene drawn in the thread that reads.

    Live: a frame is due every 1/fps seconds from ``start()`` on; a slow caller gets the newest, those it missed
    are never drawn and count as dropped. There is no end; after ``seconds`` the ramp stays empty.
    Recorded: every frame from ``offset`` up to ``seconds``; ``Frame.monotonic`` is the scene's second and
    ``captured_at`` the start plus that, so that a run that begins at a later ``offset`` continues an earlier run.
    """

    def __init__(
        self, parameters: SceneParameters, *, recorded: bool, fps: float | None, start: datetime | None
    ) -> None:
        self.parameters = parameters
        self._recorded = recorded
        self._pacer = Pacer(fps)
        self._given_start = start
        self._scene: Scene | None = None
        self._lock = threading.Lock()  # a scene is not safe to share between threads
        self._closing = threading.Event()
        self._zero = 0.0  # the frames' monotonic time of second 0 of the scene
        self._epoch = RECORDED_START  # the date of second 0 of the scene
        self._index = 0  # of the next frame
        self._second = parameters.offset
        self._status = SourceStatus()

    @property
    def recorded(self) -> bool:
        """Whether the address asks for every frame."""
        return self._recorded

    @property
    def status(self) -> SourceStatus:
        """The source's state and counters; it is never down."""
        return self._status

    @property
    def truth_until(self) -> float:
        """The scene's second that the last frame shows that was read; ``offset`` before the first."""
        return self._second

    @property
    def scene(self) -> Scene:
        """The scene, from ``start()`` on. A thread that does not read frames calls the methods below instead."""
        if self._scene is None:
            raise RuntimeError("start() comes first")
        return self._scene

    def second_of(self, captured_at: datetime) -> float:
        """The scene's second that a frame with that ``captured_at`` (aware) shows."""
        return (captured_at - self._epoch).total_seconds()

    def crossings(self, until: float | None = None) -> list[TrueCrossing]:
        """The true crossings up to a second of the scene, by default up to the last frame that was read."""
        with self._lock:
            return self.scene.crossings(self._second if until is None else until)

    def stop_traffic(self) -> float:
        """Let no vehicle in after the last frame that was read; returns the second at which the picture is empty."""
        with self._lock:
            return self.scene.stop_traffic(self._second)

    def start(self) -> None:
        """Build the scene; a live scene begins to run."""
        self._scene = Scene(self.parameters)
        if self._recorded:
            self._epoch = self._given_start or RECORDED_START
        else:
            offset = self.parameters.offset
            self._zero = time.monotonic() - offset
            self._epoch = datetime.now(UTC) - timedelta(seconds=offset)

    def read(self, timeout: float) -> Frame | None:
        """The next frame (recorded) or the newest (live); None when a live source has none within ``timeout``.

        Raises ``EndOfSource`` after the last frame, and after ``close``.
        """
        deadline = time.monotonic() + timeout
        while not self._closing.is_set():
            due = self._next_recorded() if self._recorded else self._newest()
            if due is not None:
                return self._draw(due)
            now = time.monotonic()
            if now >= deadline:
                return None
            self._closing.wait(min(self._zero + self._at(self._index), deadline) - now)
        raise EndOfSource

    def close(self) -> None:
        """End, and wake a ``read`` that waits."""
        self._closing.set()
        self._status = replace(self._status, state=SourceState.ENDED)

    def _at(self, index: int) -> float:
        return self.parameters.offset + index / self.parameters.fps

    def _next_recorded(self) -> int:
        while True:
            index, self._index = self._index, self._index + 1
            if 0 < self.parameters.seconds <= self._at(index):
                self.close()
                raise EndOfSource
            if self._pacer.takes(self._at(index)):
                return index

    def _newest(self) -> int | None:
        """The index of the newest frame that is due and was not read; older frames are dropped."""
        elapsed = time.monotonic() - self._zero - self.parameters.offset
        newest = math.floor(elapsed * self.parameters.fps)
        due = [index for index in range(self._index, newest + 1) if self._pacer.takes(self._at(index))]
        self._index = max(self._index, newest + 1)
        if not due:
            return None
        self._status = replace(self._status, dropped=self._status.dropped + len(due) - 1)
        return due[-1]

    def _draw(self, index: int) -> Frame:
        second = self._at(index)
        with self._lock:
            image = self.scene.render(second)
            self._second = second
        self._status = replace(
            self._status,
            state=SourceState.UP,
            frames=self._status.frames + 1,
            last_frame_monotonic=self._zero + second,
        )
        return Frame(image, self._epoch + timedelta(seconds=second), self._zero + second, index)
