"""Tests the default runtime on the real weights, and on files that hold no usable model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from edge.config.schema import DetectorConfig
from edge.core.errors import ModelError
from edge.detection.detector import make_detector
from edge.detection.onnx_runtime import OnnxDetector
from edge.simulator.scene import Scene, SceneParameters

if TYPE_CHECKING:
    from pathlib import Path

    from edge.core.frames import Detection


def test_the_real_model_finds_the_cars_of_a_street(weights: Path, clips: Path) -> None:
    """At least four cars have a confidence over 0.5; boxes are inside the frame, the most confident first."""
    capture = cv2.VideoCapture(str(clips / "suburb_road.mp4"))
    read, image = capture.read()
    capture.release()
    assert read
    detector = make_detector(DetectorConfig(models_dir=weights, threads=1))
    detector.start()
    found = detector.detect(np.asarray(image, dtype=np.uint8))
    detector.close()
    assert len([detection for detection in found if detection.label == "car" and detection.confidence > 0.5]) >= 4
    confidences = [detection.confidence for detection in found]
    assert confidences == sorted(confidences, reverse=True)
    height, width = image.shape[:2]
    assert all(0 <= d.box.x1 < d.box.x2 <= width and 0 <= d.box.y1 < d.box.y2 <= height for d in found)


def test_only_the_configured_classes_are_found(weights: Path, clips: Path) -> None:
    """Configured classes remove all others, and leave their own detections as they are."""
    capture = cv2.VideoCapture(str(clips / "neg_people_walkway.mp4"))
    image = np.asarray(capture.read()[1], dtype=np.uint8)
    capture.release()
    by_classes: dict[tuple[str, ...], list[Detection]] = {}
    for classes in ((), ("person",), ("car", "bus")):
        detector = OnnxDetector(DetectorConfig(models_dir=weights, confidence=0.01, classes=classes or None, threads=1))
        detector.start()
        by_classes[classes] = detector.detect(image)
        detector.close()
    unfiltered = by_classes.pop(())
    assert len({detection.label for detection in unfiltered}) > 2
    for chosen, filtered in by_classes.items():
        assert filtered == [detection for detection in unfiltered if detection.label in chosen]


def test_the_number_of_threads_does_not_change_a_box(weights: Path) -> None:
    """The same frame gives exactly the same detections with one thread and with two."""
    scene = Scene(SceneParameters(seed=3, vehicles_per_minute=60))
    found = []
    for threads in (1, 2):
        detector = OnnxDetector(DetectorConfig(models_dir=weights, confidence=0.01, threads=threads))
        detector.start()
        found.append([detector.detect(scene.render(second)) for second in (5.0, 10.0, 15.0)])
        detector.close()
    assert all(found[0])
    assert found[0] == found[1]


def test_a_class_that_the_model_does_not_know_is_named(weights: Path) -> None:
    """A wrong name in detector.classes makes the start fail with the names that the model knows."""
    detector = OnnxDetector(DetectorConfig(models_dir=weights, classes=("car", "lorry")))
    with pytest.raises(ModelError, match=r"does not know the class lorry; correct detector\.classes .*truck"):
        detector.start()


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    """Random bytes and a file of another format are refused, and the message names the remedy."""
    (tmp_path / "bad.onnx").write_bytes(b"\x00" * 100)
    with pytest.raises(ModelError, match=r"bad\.onnx: onnxruntime cannot load it"):
        OnnxDetector(DetectorConfig(model=str(tmp_path / "bad.onnx"))).start()
    (tmp_path / "some.pt").touch()
    with pytest.raises(ModelError, match=r'loads \.onnx files; .*detector\.runtime to "ultralytics"'):
        OnnxDetector(DetectorConfig(model=str(tmp_path / "some.pt"))).start()


def test_a_detector_that_was_not_started_raises() -> None:
    """Using it before start() is a programming error."""
    with pytest.raises(RuntimeError, match="before start"):
        OnnxDetector(DetectorConfig()).detect(np.zeros((10, 10, 3), np.uint8))
