"""Takes a snapshot from a camera itself, where no daemon runs that could be asked."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from edge.core.errors import ModelError, SourceError
from edge.core.source import EndOfSource, SourceState
from edge.detection.detector import make_detector
from edge.pipeline import region_of_camera
from edge.snapshot.snapshot import Snapshot, SnapshotBox, region_shown
from edge.sources import open_source

if TYPE_CHECKING:
    from edge.config.schema import CameraConfig, Config
    from edge.core.frames import Frame, Image
    from edge.core.source import Source

# How often it is looked whether the camera has refused.
_LOOK_SECONDS = 0.2
# A camera that was just opened adjusts to the light with its first pictures.
_SETTLE_SECONDS = 1.0
_ORIGIN = "the camera's own picture, no daemon was asked"


def look_at_camera(camera: CameraConfig, config: Config, seconds: float) -> Snapshot:
    """Open the camera, take a picture within ``seconds``, and run the detector once.

    Without the detector's weights there are no boxes, and a note. Raises ``SourceError`` when the camera refuses, or
    gives no picture in time.
    """
    frame = _take_frame(camera, seconds)
    boxes, notes = _detect(frame.image, config)
    region = region_shown(region_of_camera(camera, config, frame.size), frame.size)
    return Snapshot(camera.id, frame.image, frame.captured_at, _ORIGIN, "", camera.gates, region, boxes, notes)


def _take_frame(camera: CameraConfig, seconds: float) -> Frame:
    source = open_source(camera)
    try:
        source.start()
        return _first_frame(source, camera, time.monotonic() + seconds, seconds)
    except EndOfSource:
        raise SourceError(f"camera {camera.id}: {camera.public_source} holds no picture; name another file") from None
    finally:
        source.close()


def _first_frame(source: Source, camera: CameraConfig, deadline: float, seconds: float) -> Frame:
    """The first frame of a recording, and of a live camera a frame that is a second younger."""
    frame: Frame | None = None
    while (now := time.monotonic()) < deadline:
        newer = source.read(min(_LOOK_SECONDS, deadline - now))
        if newer is not None and frame is None:
            deadline = now + _SETTLE_SECONDS
        frame = newer or frame
        if frame is not None and source.recorded:
            break
        status = source.status
        # It waits before it tries again: a refusal stays one, and a person is waiting here.
        if frame is None and status.state is SourceState.DOWN and status.stage is None and status.problem:
            raise SourceError(f"camera {camera.id} gives no picture: {status.problem}")
    if frame is None:
        why = source.status.problem or "nothing has come from it"
        raise SourceError(
            f"camera {camera.id} has given no picture within {seconds:g} s: {why}; wait longer with --timeout"
        )
    return frame


def _detect(image: Image, config: Config) -> tuple[tuple[SnapshotBox, ...], tuple[str, ...]]:
    """The boxes of what the detector is sure of, and a note where it cannot run."""
    detector = make_detector(config.detector)
    try:
        detector.start()
        found = detector.detect(image)
    except ModelError as error:
        return (), (f"no boxes, for the detector cannot run: {error}",)
    finally:
        detector.close()
    return (
        tuple(
            SnapshotBox.of_detection(detection)
            for detection in found
            if detection.confidence >= config.tracker.sure_confidence
            and detection.label not in config.tracker.ignored_classes
        ),
        (),
    )
