"""Fitting frames into the network's input, and bringing boxes back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.detection.decode import decode
from edge.detection.letterbox import Letterbox

sizes = st.tuples(st.integers(16, 4000), st.integers(16, 4000))


@pytest.mark.parametrize(
    ("frame", "image_size", "expected"),
    [
        ((1920, 1080), 640, (640, 384)),
        ((640, 360), 640, (640, 384)),
        ((352, 288), 640, (640, 544)),
        ((360, 640), 640, (384, 640)),
        ((640, 640), 320, (320, 320)),
        ((1280, 720), 600, (608, 352)),
    ],
)
def test_padding_goes_only_to_the_next_multiple_of_the_stride(
    frame: tuple[int, int], image_size: int, expected: tuple[int, int]
) -> None:
    """The input is as small as the model allows, not a square."""
    assert Letterbox.fit(frame, image_size, 32).input_size == expected


@given(sizes, st.sampled_from([160, 320, 640, 1280]))
def test_a_box_comes_back_where_it_was(frame: tuple[int, int], image_size: int) -> None:
    """To the input and back is the same place, within a pixel of the network's input."""
    box = Letterbox.fit(frame, image_size, 32)
    width, height = frame
    corners = np.array([[width * 0.25, height * 0.25, width * 0.75, height * 0.75]], dtype=np.float32)
    there = corners * box.scale + np.array([box.left, box.top] * 2, dtype=np.float32)
    assert np.allclose(box.to_frame(there), corners, atol=1e-2)
    assert all(side % 32 == 0 for side in box.input_size)
    assert max(box.scaled_size) == max(box.input_size) == image_size


@given(sizes, st.sampled_from([(640, 640), (320, 192)]))
def test_a_fixed_input_is_never_exceeded(frame: tuple[int, int], fixed: tuple[int, int]) -> None:
    """A model without a dynamic shape always gets exactly its own size."""
    box = Letterbox.into(frame, fixed)
    assert box.input_size == fixed
    assert all(scaled <= side for scaled, side in zip(box.scaled_size, fixed, strict=True))


def test_the_input_is_rgb_planes_from_0_to_1_on_grey() -> None:
    """Blue comes last, the padding is grey 114, and the frame itself is not written to."""
    image = np.zeros((36, 64, 3), np.uint8)
    image[:] = (255, 0, 51)
    before = image.copy()
    blob = Letterbox.fit((64, 36), 64, 32).apply(image)
    assert blob.shape == (1, 3, 64, 64)
    assert blob[0, :, 32, 32] == pytest.approx([0.2, 0.0, 1.0])
    assert blob[0, :, 0, 0] == pytest.approx([114 / 255] * 3)
    assert np.array_equal(image, before)


NAMES = {0: "person", 1: "car", 2: "truck"}
SQUARE = Letterbox.fit((640, 640), 640, 32)


def decoded(anchors: list[tuple[float, ...]], **changes: object) -> list[tuple[str, float]]:
    """Labels and confidences of hand-made anchors: centre x, centre y, width, height, then a score a class."""
    settings: dict[str, object] = {"classes": frozenset({"car", "truck"}), "confidence": 0.25, "iou": 0.7, **changes}
    found = decode(np.array(anchors, np.float32).T, SQUARE, NAMES, **settings)  # type: ignore[arg-type]
    return [(detection.label, pytest.approx(detection.confidence)) for detection in found]


def test_an_anchor_belongs_to_its_best_class_and_unwanted_classes_go() -> None:
    """A person that might be a car is a person."""
    anchors = [(100, 100, 50, 50, 0.9, 0.8, 0.0), (300, 300, 50, 50, 0.0, 0.1, 0.6)]
    assert decoded(anchors) == [("truck", 0.6)]
    assert decoded(anchors, classes=None) == [("person", 0.9), ("truck", 0.6)]


def test_overlapping_boxes_of_one_class_become_the_surest_one() -> None:
    """NMS goes class by class: the truck on the same place stays."""
    car, weaker, truck = (100, 100, 50, 50, 0, 0.9, 0), (102, 100, 50, 50, 0, 0.8, 0), (101, 100, 50, 50, 0, 0, 0.7)
    assert decoded([weaker, car, truck]) == [("car", 0.9), ("truck", 0.7)]


def test_weak_boxes_and_empty_frames_give_nothing() -> None:
    """Below the confidence there is nothing; at other thresholds there is."""
    weak = [(100.0, 100.0, 50.0, 50.0, 0.0, 0.2, 0.0)]
    assert decoded(weak) == []
    assert decoded(weak, confidence=0.1) == [("car", 0.2)]


def test_boxes_are_cut_at_the_frame() -> None:
    """A box that reaches over the edge ends there."""
    (found,) = decode(
        np.array([[0, 0, 100, 100, 0, 0.9, 0]], np.float32).T,
        *(SQUARE, NAMES),
        classes=frozenset({"car"}),
        confidence=0.25,
        iou=0.7,
    )
    assert found.box == (0, 0, 50, 50)
