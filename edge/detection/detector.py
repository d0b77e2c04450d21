"""What finds vehicles in a frame: the protocol that every runtime keeps, and the choice of one.

A runtime is imported only when the configuration names it, so that the lean one never pays for the other.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.config.schema import DetectorConfig
    from edge.core.frames import Detection, Image


class Detector(Protocol):
    """Boxes in one frame. Used by one thread at a time; ``SharedDetector`` lets several cameras take turns."""

    def start(self) -> None:
        """Load the weights. Raises ``ModelError`` that names the file and the remedy."""

    def detect(self, image: Image) -> Sequence[Detection]:
        """The vehicles in a BGR frame: classes, confidence and overlap filtered as the configuration says.

        Boxes are in the frame's pixels and inside it, most confident first.
        """

    def close(self) -> None:
        """Free the weights."""


def make_detector(config: DetectorConfig) -> Detector:
    """The detector that the configuration names; nothing is loaded before ``start``."""
    if config.runtime == "ultralytics":
        from edge.detection.ultralytics_runtime import UltralyticsDetector

        return UltralyticsDetector(config)
    from edge.detection.onnx_runtime import OnnxDetector

    return OnnxDetector(config)


class SharedDetector:
    """One set of weights for all cameras: they take turns, so that memory does not grow with their number."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._turn = threading.Lock()

    def start(self) -> None:
        """As ``Detector.start``."""
        self._detector.start()

    def detect(self, image: Image) -> Sequence[Detection]:
        """As ``Detector.detect``; waits for the other cameras' frames in work."""
        with self._turn:
            return self._detector.detect(image)

    def close(self) -> None:
        """As ``Detector.close``; waits for a frame in work."""
        with self._turn:
            self._detector.close()
