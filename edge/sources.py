"""Opens a camera's source of frames: live, recorded or simulated, by the camera's address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.capture.clips.recorded import RecordedSource
from edge.capture.live.source import LiveSource
from edge.config.camera_address import SourceKind

if TYPE_CHECKING:
    from datetime import datetime

    from edge.config.schema import CameraConfig
    from edge.core.source import Source


def open_source(camera: CameraConfig, *, start: datetime | None = None) -> Source:
    """The source for a camera's address; nothing is opened before its ``start()``.

    - ``sim:...`` is drawn by ``simulator``, live, or recorded with ``&recorded=1``;
    - ``rtsp://``, ``rtsps://``, ``http://``, ``https://``, ``/dev/...``, a bare number and ``csi:0`` are
      live cameras;
    - anything else is the path of a video file, also as ``file://...``; with ``?realtime=1`` it is played like a live
      camera.

    ``start`` (aware) is when a recorded source begins; without it the source finds out itself. A live source ignores
    it. Raises ``SourceError`` for a wrong key of a simulation, ``ValueError`` for a ``start`` without a UTC offset.
    """
    if start is not None and start.tzinfo is None:
        raise ValueError("start must be aware: give its UTC offset")
    match camera.address.kind:
        case SourceKind.SIMULATION:
            # Only a daemon with simulated cameras loads what draws them.
            from edge.simulator.source import open_simulation

            return open_simulation(camera, start=start)
        case SourceKind.FILE if not camera.address.realtime:
            return RecordedSource(camera, start=start)
        case SourceKind.FILE | SourceKind.STREAM | SourceKind.DEVICE:
            return LiveSource(camera)
