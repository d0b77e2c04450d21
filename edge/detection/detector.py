"""Defines the protocol that every detector runtime implements, and chooses the runtime that the configuration names.

A runtime is imported only when it is chosen, so that the small one never costs the memory of the large one.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Protocol

from edge.detection.parameters import DEFAULT_DETECTION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.config.schema import DetectorConfig
    from edge.core.frames import Detection, Image
    from edge.detection.parameters import DetectionParameters


class Detector(Protocol):
    """Finds objects in frames. Only one thread at a time may use it; ``SharedDetector`` serves several cameras."""

    def start(self) -> None:
        """Load the weights. Raises ``ModelError`` with the file's name and the remedy."""

    def detect(self, image: Image) -> Sequence[Detection]:
        """Return the detections in a BGR frame, filtered by class, confidence and overlap as configured.

        Boxes are in pixels of the frame and inside it; the most confident detection comes first.
        """

    def close(self) -> None:
        """Free the weights."""


def make_detector(config: DetectorConfig, parameters: DetectionParameters = DEFAULT_DETECTION) -> Detector:
    """Return the detector that the configuration names; it loads nothing before ``start``."""
    if config.runtime == "ultralytics":
        from edge.detection.ultralytics_runtime import UltralyticsDetector

        return UltralyticsDetector(config, parameters)
    from edge.detection.onnx_runtime import OnnxDetector

    return OnnxDetector(config, parameters)


class SharedDetector:
    """Lets all cameras use one detector in turn, so that memory does not grow with the number of cameras.

    ``images`` is how many it was used for since the start, ``busy_seconds`` how long that took.
    """

    def __init__(self, detector: Detector) -> None:
        self.images = 0
        self.busy_seconds = 0.0
        self._detector = detector
        self._lock = threading.Lock()

    def start(self) -> None:
        """Start the detector; see ``Detector.start``."""
        self._detector.start()

    def detect(self, image: Image) -> Sequence[Detection]:
        """Wait until no other camera's frame is in work, then detect; see ``Detector.detect``."""
        with self._lock:
            started = time.perf_counter()
            try:
                return self._detector.detect(image)
            finally:
                self.images += 1
                self.busy_seconds += time.perf_counter() - started

    def close(self) -> None:
        """Wait until no frame is in work, then free the weights."""
        with self._lock:
            self._detector.close()
