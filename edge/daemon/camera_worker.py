"""This module runs the thread of a camera, which takes frames from its source through its pipeline."""

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
    from edge.core.frames import Frame
    from edge.core.source import Source
    from edge.daemon.health.clock_watch import CameraTimes
    from edge.picture.states import PictureState
    from edge.picture.watch import PictureWatch
    from edge.pipeline import Pipeline
    from edge.scheduling.turns import CameraTurn

log = logging.getLogger(__name__)

_READ_SECONDS = 0.5
# While nothing moves a camera without `fps` gives a frame so often: each costs its conversion and a comparison.
_STILL_SECONDS = 0.1
# A frame that waited so long for the detector is replaced by a newer frame if the camera has one at hand: at 10 frames
# a second it has.
_OLD_SECONDS = 0.1
_NEWER_SECONDS = 0.05
# After so long without a frame the pipeline decides open crossings without it. It is longer than the gaps of a slow
# camera.
SILENT_SECONDS = 2.0


class CameraWorker:
    """Reads and processes frames until it is closed or the recording ends.

    ``last_progress`` (monotonic seconds, as all times here) is the time of the last finished work: a processed frame,
    or a read from a camera that is known to give no frames. ``started_at`` is when it was started, ``last_frame_at``
    the time of the last processed frame, ``frames_since`` that of the first one after the last gap and ``gap_began``
    that of the last one before it; these are None before the first frame or gap, and for a recording. A gap is
    ``gap_seconds`` without a frame, in which a vehicle may have crossed unseen. ``problem`` says why a recording
    failed. An unexpected error goes to ``on_fatal`` and ends the thread.

    ``times`` dates the frames of a live camera; None: they keep the dates of their source.
    """

    def __init__(
        self,
        camera: CameraConfig,
        source: Source,
        pipeline: Pipeline,
        on_fatal: Callable[[str, BaseException], None],
        turn: CameraTurn,
        clock: Callable[[], float] = time.monotonic,
        *,
        times: CameraTimes | None = None,
        watch: PictureWatch | None = None,
    ) -> None:
        """``turn`` is the pipeline's detector. ``watch`` checks the pictures; without it they are not checked."""
        self.camera = camera
        self.source = source
        self.pipeline = pipeline
        self._turn = turn
        self.last_progress = 0.0
        self.started_at = 0.0
        self.last_frame_at: float | None = None
        self.frames_since: float | None = None
        self.gap_began: float | None = None
        # A camera that is set to a low rate is not silent between two frames.
        self.gap_seconds = max(SILENT_SECONDS, 2 / camera.fps if camera.fps else 0.0)
        self.finished = False
        self.problem = ""
        self._on_fatal = on_fatal
        self._clock = clock
        self._times = times
        self._watch = watch
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"camera-{camera.id}", daemon=True)

    def start(self) -> None:
        """Open the source and start the thread. Raises ``SourceError`` for a recording that cannot be opened."""
        if self._watch is not None:
            self._watch.start()
        self.source.start()
        self.last_progress = self.started_at = self._clock()
        self._thread.start()

    def close(self, timeout: float = 10.0) -> None:
        """Stop after the current frame; returns when the thread has ended, or after ``timeout`` seconds."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout)
            if self._thread.is_alive():
                log.warning("camera thread does not end camera=%s seconds=%.0f", self.camera.id, timeout)
        self.source.close()

    @property
    def picture_states(self) -> tuple[PictureState, ...]:
        """What is wrong with the pictures now, the gravest first."""
        return () if self._watch is None else self._watch.states

    @property
    def blind_picture(self) -> PictureState | None:
        """The state of the pictures in which the camera cannot be counted, with its reason and beginning; else None."""
        return next((state for state in self.picture_states if state.blind), None)

    @property
    def blind_reason(self) -> str | None:
        """Why the camera's pictures cannot be counted, a text that stays the same while it is so; None if they can."""
        return None if self.blind_picture is None else self.blind_picture.reason

    @property
    def usable_since(self) -> float | None:
        """The time of the first usable frame after the last blind one, as ``Frame.monotonic``; None before."""
        return None if self._watch is None else self._watch.usable_since

    def is_silent(self, now: float) -> bool:
        """Whether a live camera that is still up has given no frame for ``gap_seconds``."""
        up = not self.finished and not self.source.recorded and self.source.status.state is SourceState.UP
        return up and now - self.last_progress >= self.gap_seconds

    def is_stuck(self, now: float, seconds: float) -> bool:
        """Whether no work was finished for ``seconds`` and the time for which the camera may be silent."""
        return not self.finished and now - self.last_progress > seconds + self.camera.stale_seconds

    def _process_frames(self) -> None:
        """Process frames until the stop or the end of the source, and then decide the crossings that are open."""
        frame_at = self._clock()
        try:
            while not self._stop.is_set():
                if self._process_next():
                    frame_at = self._clock()
                else:
                    self._check_silence()
                    if self._clock() - frame_at >= SILENT_SECONDS:
                        self.pipeline.finish()
                    # A source is up for at most `stale_seconds` without a frame, and then says that it is down.
                    if self.source.status.state is SourceState.UP:
                        continue
                self.last_progress = self._clock()
        except (EndOfSource, SourceError):
            self.pipeline.finish()
            raise
        self.pipeline.finish()

    def _process_next(self) -> bool:
        """Process the next frame, or a newer one if the detector was in use for long; False when none has come.

        A frame is let go when this returns, because its memory is that of the camera's reader.
        """
        frame = self.source.read(_READ_SECONDS)
        if frame is None:
            return False
        read_at = self._clock()
        frame = self._take(frame)
        if not self.pipeline.wants(frame):
            self.pipeline.leave(frame)
            self._rest(read_at)
            return True
        with self._turn.next_turn(self.pipeline.need) as waited:
            if waited >= _OLD_SECONDS and not self.source.recorded:
                newer = self.source.read(_NEWER_SECONDS)
                if newer is not None:
                    frame = self._take(newer)
                    self.pipeline.wants(frame)  # it has a turn, whatever moves in it; movement is seen in every frame
            self._turn.begin()
            self.pipeline.look(frame)
        return True

    def _rest(self, read_at: float) -> None:
        """Wait before the next frame of a still scene, unless the configuration says how many frames are taken."""
        if self.camera.fps is None and not self.source.recorded:
            self._stop.wait(max(0.0, read_at + _STILL_SECONDS - self._clock()))

    def _take(self, frame: Frame) -> Frame:
        """Check a frame's picture, note that it came, and return it with the date of this machine's clock."""
        self._check_picture(frame)
        if self._times is None:
            return frame
        self._note_frame(frame.monotonic)
        return self._times.dated(frame)

    def _note_frame(self, at: float) -> None:
        if self.last_frame_at is None or at - self.last_frame_at >= self.gap_seconds:
            self.gap_began, self.frames_since = self.last_frame_at, at
        self.last_frame_at = at

    def _check_picture(self, frame: Frame) -> None:
        if self._watch is not None:
            now = None if self.source.recorded else self._clock()
            self._watch.add(frame, now, self.source.status.corrupt_share)

    def _check_silence(self) -> None:
        """Note that no frame came. A recording is never silent, so the time is that of a live camera's frames."""
        if self._watch is None:
            return
        if self.source.status.state is SourceState.DOWN:
            self._watch.away()
        else:
            self._watch.silence(self._clock())

    def _run(self) -> None:
        try:
            self._process_frames()
        except EndOfSource:
            frames, problem = self.pipeline.statistics.frames, self.source.status.problem
            log.info("source ended camera=%s frames=%d problem=%s", self.camera.id, frames, problem or "none")
        except SourceError as error:
            self.problem = str(error)
            log.error("recording failed camera=%s problem=%s", self.camera.id, error)
        except BaseException as error:  # the top of the thread, which ends the process
            self._on_fatal(f"camera {self.camera.id}", error)
        finally:
            if self._watch is not None:
                self._watch.close()
            self.finished = True
