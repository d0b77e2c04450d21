"""This module builds a worker with a source and a pipeline for each camera, and starts and stops all of them."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from edge.core.tracks import TrackState
from edge.daemon.camera_worker import CameraWorker
from edge.daemon.health.clock_watch import CameraTimes
from edge.daemon.run_id import run_id
from edge.host.control_socket import ControlAnswer
from edge.picture.reference_file import ReferenceFile
from edge.picture.watch import PictureWatch
from edge.pipeline import LEAST_FRAMES_PER_SECOND, Pipeline
from edge.scheduling.turns import DetectorTurns
from edge.snapshot.snapshot import DaemonPicture, SnapshotBox, region_shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from edge.config.schema import CameraConfig, Config
    from edge.core.events import Event
    from edge.core.source import Source
    from edge.detection.detector import Detector
    from edge.host.clock import WallClock


class Cameras:
    """The camera threads of the daemon, which share one detector and submit their events to the writer."""

    def __init__(
        self,
        config: Config,
        detector: Detector,
        submit: Callable[[Sequence[Event]], None],
        on_fatal: Callable[[str, BaseException], None],
        clock: WallClock,
    ) -> None:
        self.workers: list[CameraWorker] = []
        self._config = config
        self.turns = DetectorTurns(detector)
        self._submit = submit
        self._on_fatal = on_fatal
        self._clock = clock

    def start(self, sources: Sequence[tuple[CameraConfig, Source]]) -> None:
        """Start a thread for each camera. Raises ``SourceError`` for a recording that cannot be opened."""
        for camera, source in sources:
            # The times of a recording are its own; those of a live camera are the times of this machine's clock.
            times = None if source.recorded else CameraTimes(self._clock, self._submit)
            submit = self._submit if times is None else times.submit
            turn, live = self.turns.for_camera(), not source.recorded
            pipeline = Pipeline(camera, self._config, run_id(self._config, camera), turn, submit, live=live)
            watch = self._watch(camera, source)
            worker = CameraWorker(camera, source, pipeline, self._on_fatal, turn, times=times, watch=watch)
            self.workers.append(worker)
            worker.start()

    @property
    def finished(self) -> bool:
        """Whether every camera was a recording that has ended."""
        return bool(self.workers) and all(worker.finished for worker in self.workers)

    @property
    def failed(self) -> bool:
        """Whether a recording broke off."""
        return any(worker.problem for worker in self.workers)

    def snapshot(self, arguments: Mapping[str, Any]) -> ControlAnswer:
        """The answer to a request for the newest picture of the camera ``arguments["camera"]``; called by any thread.

        It holds ``unknown`` for a camera that the daemon has not, and ``missing``, the reason, while there is no
        picture.
        """
        worker = next((worker for worker in self.workers if worker.camera.id == arguments.get("camera")), None)
        if worker is None:
            return ControlAnswer({"unknown": True})
        status, newest = worker.source.status, worker.pipeline.newest
        problem = worker.problem or status.problem
        if newest is None:
            return ControlAnswer({"missing": problem or "it has given no picture yet; try again in some seconds"})
        frame, tracks = newest
        states = worker.picture_states
        picture = DaemonPicture(
            frame=frame,
            age=None if worker.source.recorded else max(time.monotonic() - frame.monotonic, 0.0),
            state=status.state.value,
            problem=problem or (states[0].text if states else ""),
            gates=worker.camera.gates,
            region=region_shown(worker.pipeline.region(frame.size), frame.size),
            boxes=tuple(SnapshotBox.of_track(track) for track in tracks if track.state is not TrackState.ENDED),
        )
        return picture.to_answer()

    def close(self) -> None:
        """Stop all threads at the same time, because each may take seconds to stop."""
        if self.workers:
            with ThreadPoolExecutor(len(self.workers), "close") as pool:
                list(pool.map(CameraWorker.close, self.workers))

    def _watch(self, camera: CameraConfig, source: Source) -> PictureWatch:
        """The checks of a camera's pictures. What a recording shows is not kept: it says nothing of another one."""
        file = None if source.recorded else ReferenceFile(self._config.picture_file(camera.id), camera)
        return PictureWatch(camera, self._config.picture, least_rate=LEAST_FRAMES_PER_SECOND, file=file)
