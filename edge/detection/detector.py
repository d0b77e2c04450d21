"""Defines the protocol that every detector runtime implements, and chooses the runtime that the configuration names.

A runtime is imported only when it is chosen, so that the small one never costs the memory of the large one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from edge.detection.parameters import DEFAULT_DETECTION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.config.schema import DetectorConfig
    from edge.core.frames import Detection, Image
    from edge.detection.parameters import DetectionParameters


class Detector(Protocol):
    """Finds objects in frames. Only one thread at a time may use it: several cameras take turns (``DetectorTurns``)."""

    def start(self) -> None:
        """Load the weights. Raises ``ModelError`` with the file's name and the remedy."""

    def detect(self, image: Image, share: float = 1.0) -> Sequence[Detection]:
        """Return the detections in a BGR image, filtered by class, confidence and overlap as configured.

        The image is a frame or a part of a frame; its longer side is this ``share`` of the frame's, so that the network
        sees a part as large as it would see it in the frame. Boxes are in pixels of the image and inside it; the most
        confident detection comes first.
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
