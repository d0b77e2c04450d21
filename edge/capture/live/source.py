"""Reads a camera on a network, on USB or on the Pi's own connector: the newest frame wins, and it is opened for ever.

A process of its own reads the camera (``edge/capture/reader``), a thread here supervises it (``supervisor.py``), and
``read`` takes the newest frame (``handover.py``). A video file that is to be played in real time is such a camera too.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from edge.capture.live.camera_status import CameraStatus
from edge.capture.live.handover import Handover
from edge.capture.live.stages import StageLimits
from edge.capture.live.supervisor import ConnectionSupervisor
from edge.capture.reader.messages import ReaderSettings
from edge.core.backoff import OutageBackoff

if TYPE_CHECKING:
    from edge.config.schema import CameraConfig
    from edge.core.frames import Frame
    from edge.core.source import SourceStatus

# Seconds that a stop waits for the reader's process; it is killed after less.
_CLOSE_SECONDS = 5.0
# A host that is tried again while it is known to be down.
_PROBE_SECONDS = 4.0
# A video file gives no picture for some seconds between two rounds (``playback.py``); then it is not down yet.
_LEAST_STALE_SECONDS_OF_CLIP = 5.0
_CLIP_WAITS = "its file has given no picture for {}: can its disk be read?"


class LiveSource:
    """A camera. ``Frame.monotonic`` and ``captured_at`` are when the picture was taken, as well as that can be known.

    A camera that gives no frame for ``stale_seconds`` is down. It is opened again after waits that ``backoff`` gives;
    ``limits`` are the seconds that each stage of a connection may take. A video file is played (``?realtime=1``), and
    ends unless it is to begin again (``loop=1``).
    """

    recorded = False

    def __init__(
        self, camera: CameraConfig, *, limits: StageLimits | None = None, backoff: OutageBackoff | None = None
    ) -> None:
        limits = limits or StageLimits()
        stale_seconds = camera.stale_seconds
        if camera.fps is not None:  # a rate below one picture in `stale_seconds` is no fault of the camera
            stale_seconds = max(stale_seconds, 2 / camera.fps)
            limits = replace(limits, hand_over=max(limits.hand_over, 2 / camera.fps))
        if camera.address.realtime:
            stale_seconds = max(stale_seconds, _LEAST_STALE_SECONDS_OF_CLIP)
        self._camera = camera
        self._limits = limits
        self._handover = Handover(camera.id)
        self._status = CameraStatus(
            *(self._handover, limits, stale_seconds, camera.max_lag_seconds),
            waits_for=_CLIP_WAITS if camera.address.realtime else "",
        )
        self._supervisor = ConnectionSupervisor(
            camera.id,
            camera.public_source,
            self._settings,
            self._handover,
            self._status,
            limits,
            backoff or OutageBackoff(),
        )

    @property
    def status(self) -> SourceStatus:
        """The camera's state and counters. DOWN as soon as no frame has come for ``stale_seconds``."""
        return self._status.status(time.monotonic())

    def start(self) -> None:
        """Begin to open the camera; returns at once."""
        self._supervisor.start()

    def read(self, timeout: float) -> Frame | None:
        """The newest frame that was not read yet; waits up to ``timeout`` seconds for a frame, else None.

        Raises ``EndOfSource`` after ``close`` and at the end of a video file, and ``RuntimeError`` after an unexpected
        error in the capture thread.
        """
        return self._handover.take(timeout)

    def close(self) -> None:
        """End the reader's process and wake a ``read`` that waits."""
        self._status.end()
        self._handover.end()
        self._supervisor.close(_CLOSE_SECONDS)

    def _settings(self, trust_times: bool, probe: bool) -> ReaderSettings:
        camera, address = self._camera, self._camera.address
        return ReaderSettings(
            address=str(address.file.absolute()) if address.realtime else address.url,
            transport=camera.transport,
            verify=camera.verify,
            ca_file=str(camera.ca_file or ""),
            fps=camera.fps,
            max_lag_seconds=camera.max_lag_seconds,
            trust_times=trust_times,
            probe=probe,
            probe_seconds=min(_PROBE_SECONDS, self._limits.connect),
            # Longer than any stage may take: the supervisor knows better what is waited for.
            io_seconds=2 * max(self._limits.first_packet, camera.stale_seconds),
            clip=address.realtime,
            loop=address.loop,
        )
