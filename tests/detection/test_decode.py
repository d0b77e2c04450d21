"""Tests the decoding of a network's raw output on hand-made anchors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from edge.detection.decode import decode
from edge.detection.letterbox import Letterbox

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.core.frames import Detection

NAMES = {0: "person", 1: "car", 2: "truck"}
SQUARE = Letterbox.fit((640, 640), 640, 32)


def detections(anchors: Sequence[tuple[float, ...]], **changes: Any) -> list[Detection]:
    """The detections of anchors: centre x, centre y, width, height, then the scores of person, car and truck."""
    settings: dict[str, Any] = {
        "classes": frozenset({"car", "truck"}),
        "confidence": 0.25,
        "iou": 0.7,
        "most_detections": 300,
    }
    return decode(np.array(anchors, np.float32).T, SQUARE, NAMES, **(settings | changes))


def labels(anchors: Sequence[tuple[float, ...]], **changes: Any) -> list[tuple[str, Any]]:
    """Their labels and confidences."""
    return [(found.label, pytest.approx(found.confidence)) for found in detections(anchors, **changes)]


def test_an_anchor_belongs_to_its_best_class_and_unwanted_classes_are_removed() -> None:
    """An anchor that scores higher as a person than as a car is a person."""
    anchors = [(100, 100, 50, 50, 0.9, 0.8, 0.0), (300, 300, 50, 50, 0.0, 0.1, 0.6)]
    assert labels(anchors) == [("truck", 0.6)]
    assert labels(anchors, classes=None) == [("person", 0.9), ("truck", 0.6)]


def test_of_overlapping_boxes_of_one_class_the_most_confident_is_kept() -> None:
    """Non-maximum suppression goes class by class: the truck in the same place is kept."""
    car, weaker, truck = (100, 100, 50, 50, 0, 0.9, 0), (102, 100, 50, 50, 0, 0.8, 0), (101, 100, 50, 50, 0, 0, 0.7)
    assert labels([weaker, car, truck]) == [("car", 0.9), ("truck", 0.7)]


def test_boxes_below_the_confidence_are_removed() -> None:
    """With a lower threshold the same box is kept."""
    weak = [(100.0, 100.0, 50.0, 50.0, 0.0, 0.2, 0.0)]
    assert labels(weak) == []
    assert labels(weak, confidence=0.1) == [("car", 0.2)]


def test_only_the_most_confident_boxes_are_kept_where_there_are_too_many() -> None:
    """``most_detections`` bounds the result."""
    anchors = [(100.0 * number, 100.0, 50.0, 50.0, 0.0, 0.3 + 0.1 * number, 0.0) for number in range(1, 6)]
    assert labels(anchors, most_detections=2) == [("car", 0.8), ("car", 0.7)]


def test_boxes_are_clipped_to_the_frame() -> None:
    """A box that reaches over the frame's edge ends at the edge."""
    (found,) = detections([(0, 0, 100, 100, 0, 0.9, 0)])
    assert found.box == (0, 0, 50, 50)
