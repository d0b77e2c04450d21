"""One camera's thread: frames from its source through its pipeline."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from edge.core.errors import SourceError
from edge.core.source import EndOfSource, SourceState

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.config.schema import CameraConfig
    from edge.core.source import Source
    from edge.pipeline import Pipeline

log = logging.getLogger(__name__)

READ_SECONDS = 0.5
# Silence after which no frame is waited for to decide what was held back: longer than the gaps of a slow camera.
SILENT_SECONDS = 2.0


class CameraWorker:
    """Reads and processes until it is told to stop or the recording ends.

    ``last_progress`` (monotonic seconds) moves with finished work only: a processed frame, or a look at a camera that
    is known to be down. A trouble that nobody expected goes to ``on_fatal`` and ends the thread.
    """

    def __init__(
        self, camera: CameraConfig, source: Source, pipeline: Pipeline, on_fatal: Callable[[str, BaseException], None]
    ) -> None:
        self.camera = camera
        self.source = source
        self.pipeline = pipeline
        self.last_progress = 0.0
        self.finished = False
        self.problem = ""
        self._on_fatal = on_fatal
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"camera-{camera.id}", daemon=True)

    def start(self) -> None:
        """Open the source and begin. Raises ``SourceError`` for a recording that cannot be opened."""
        self.source.start()
        self.last_progress = time.monotonic()
        self._thread.start()

    def close(self, timeout: float = 10.0) -> None:
        """Stop after the frame in work; returns when the thread has ended or ``timeout`` seconds are over."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout)
            if self._thread.is_alive():
                log.warning("camera thread does not end camera=%s seconds=%.0f", self.camera.id, timeout)
        self.source.close()

    def is_stuck(self, now: float, seconds: float) -> bool:
        """Whether no work was finished for so long, beyond the time in which a camera may be silent."""
        return not self.finished and now - self.last_progress > seconds + self.camera.stale_seconds

    def _count(self) -> None:
        """Until the stop or the end of the source; then what was held back to be decided with later frames is."""
        heard = time.monotonic()
        try:
            while not self._stop.is_set():
                frame = self.source.read(READ_SECONDS)
                if frame is not None:
                    self.pipeline.process(frame)
                    heard = time.monotonic()
                else:
                    if time.monotonic() - heard >= SILENT_SECONDS:
                        self.pipeline.finish()
                    if self.source.status.state is not SourceState.DOWN:
                        continue
                self.last_progress = time.monotonic()
        except (EndOfSource, SourceError):
            self.pipeline.finish()
            raise
        self.pipeline.finish()

    def _run(self) -> None:
        try:
            self._count()
        except EndOfSource:
            frames, problem = self.pipeline.statistics.frames, self.source.status.problem
            log.info("source ended camera=%s frames=%d problem=%s", self.camera.id, frames, problem or "none")
        except SourceError as error:
            self.problem = str(error)
            log.error("recording broke off camera=%s problem=%s", self.camera.id, error)
        except BaseException as error:  # the top of the thread: told once, then the process stops
            self._on_fatal(f"camera {self.camera.id}", error)
        finally:
            self.finished = True
