"""The real model, run once for each image of a test run."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from edge.detection.onnx_runtime import OnnxDetector

if TYPE_CHECKING:
    from edge.core.frames import Detection, Image


@pytest.fixture(scope="session")
def detections_by_image() -> dict[tuple[str, str], list[Detection]]:
    """What the model found, by its configuration and the digest of the image."""
    return {}


@pytest.fixture
def remembered_detections(
    detections_by_image: dict[tuple[str, str], list[Detection]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Let detectors in this process answer for an image that was seen before without running the model again.

    For tests that count the same frames twice, where the tracking, the counting and the database are the point.
    """
    run_model = OnnxDetector.detect

    def detect(self: OnnxDetector, image: Image, share: float = 1.0) -> list[Detection]:
        key = f"{self._config.model_dump_json()} {share}", hashlib.blake2b(image.tobytes(), digest_size=16).hexdigest()
        if key not in detections_by_image:
            detections_by_image[key] = run_model(self, image, share)
        return list(detections_by_image[key])

    monkeypatch.setattr(OnnxDetector, "detect", detect)
