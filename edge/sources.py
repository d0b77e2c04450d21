"""Opens a camera's source of frames: live, recorded or simulated, by the camera's address."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from edge.capture.live.source import LiveSource
from edge.capture.recorded import RecordedSource
from edge.core.errors import SourceError
from edge.core.source import STREAM_SCHEMES

if TYPE_CHECKING:
    from datetime import datetime

    from edge.config.schema import CameraConfig
    from edge.core.source import Source


def open_source(camera: CameraConfig, *, start: datetime | None = None) -> Source:
    """The source for a camera's address; nothing is opened before its ``start()``.

    - ``sim:...`` is drawn by ``simulator``, live, or recorded with ``&recorded=1``;
    - ``rtsp://``, ``rtsps://``, ``http://``, ``https://``, ``/dev/...``, a bare number and ``csi:0`` are
      live cameras;
    - anything else is the path of a video file, also as ``file://...``.

    ``start`` (aware) is when a recorded source begins; without it the source finds out itself. A live source ignores
    it. Raises ``SourceError`` for another kind of address and for a wrong key of a simulation, ``ValueError`` for a
    ``start`` without a UTC offset.
    """
    if start is not None and start.tzinfo is None:
        raise ValueError("start must be aware: give its UTC offset")
    address = camera.source
    scheme = match[1].lower() if (match := re.match(r"([A-Za-z][A-Za-z0-9+.-]*)://", address)) else ""
    if address.startswith("sim:"):
        # Only a daemon with simulated cameras loads what draws them.
        from edge.simulator.source import open_simulation

        return open_simulation(camera, start=start)
    if scheme in STREAM_SCHEMES or address.startswith("/dev/") or re.fullmatch(r"[0-9]{1,3}|csi:[0-9]", address):
        return LiveSource(camera)
    if scheme not in ("", "file"):
        raise SourceError(
            f"{camera.id}: {scheme}:// is not supported; give a video file, "
            f"{', '.join(name + '://' for name in STREAM_SCHEMES)}, /dev/videoN, csi:0 or sim:ramp"
        )
    return RecordedSource(camera, start=start)
