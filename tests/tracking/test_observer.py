"""Tests that an observation holds a frame's detections and displacements, rounded so that it can be recorded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from support.scripted import SIZE

from edge.core.frames import Detection, Frame
from edge.core.shapes import Box
from edge.tracking.observer import Observer

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
NOISE = np.random.default_rng(3).integers(0, 255, (SIZE[1] // 20, SIZE[0] // 20, 3), dtype=np.uint8)
PICTURE = NOISE.repeat(20, axis=0).repeat(20, axis=1)


def observer(*detections: Detection) -> Observer:
    """An observer whose detector always returns these."""

    def detect(image: np.ndarray, share: float) -> tuple[Detection, ...]:
        assert image.shape == (SIZE[1], SIZE[0], 3)
        assert share == 1.0
        return detections

    return Observer(detect, 320)


def frame(at: float, shift: int = 0) -> Frame:
    """A frame whose picture is shifted to the right by ``shift`` pixels."""
    return Frame(np.roll(PICTURE, shift, axis=1), NOON + timedelta(seconds=at), at, 0)


def test_an_observation_holds_detections_and_displacements() -> None:
    """The displacements are those since the frame before; the first frame has none."""
    detection = Detection(Box(1, 2, 30, 40), "car", 0.5)
    looking = observer(detection)
    first, second = looking.observe(frame(0.0)), looking.observe(frame(0.1, 8))
    assert first.size == SIZE
    assert first.detections == (detection,)
    assert len(first.moved.points) == 0
    shift = second.moved.shift_of(np.array([100.0, 100.0, 500.0, 300.0]))
    assert shift is not None
    assert shift.x == pytest.approx(8, abs=0.5)


def test_only_the_view_is_looked_at_and_its_boxes_are_the_frames() -> None:
    """The detector gets the part at the scale of the whole frame, and optical flow finds what moves in it."""
    view = Box(160, 80, 480, 320)
    shown: list[tuple[tuple[int, ...], float]] = []

    def detect(image: np.ndarray, share: float) -> tuple[Detection, ...]:
        shown.append((image.shape, share))
        return (Detection(Box(1.234, 2, 30, 40), "car", 0.5),)

    looking = Observer(detect, 320)
    looking.observe(frame(0.0), view)
    found = looking.observe(frame(0.1, 8), view)
    assert shown == [((240, 320, 3), 0.5)] * 2
    assert (found.size, found.view) == (SIZE, view)
    assert found.detections[0].box == Box(161.23, 82, 190, 120)
    points = found.moved.points
    assert (points >= (160, 80)).all()
    assert (points <= (480, 320)).all()
    shift = found.moved.shift_of(np.array([180.0, 100.0, 460.0, 300.0]))
    assert shift is not None
    assert shift.x == pytest.approx(8, abs=0.5)
    assert found.moved.scale == 2
    assert len(looking.observe(frame(0.2, 16)).moved.points) == 0, "another view begins anew"


def test_pixels_are_rounded_to_hundredths_and_confidences_to_four_decimals() -> None:
    """The digits after those depend on the number of threads that computed them."""
    looking = observer(Detection(Box(1.23456, 2.00001, 30.999, 40.5), "car", 0.123456789))
    looking.observe(frame(0.0))
    found = looking.observe(frame(0.1, 3))
    assert found.detections == (Detection(Box(1.23, 2.0, 31.0, 40.5), "car", 0.1235),)
    for values in (found.moved.points, found.moved.moves):
        known = values[~np.isnan(values)]
        assert np.allclose(known * 100, np.round(known * 100), atol=1e-6)


def test_no_corner_is_searched_over_a_long_gap() -> None:
    """The picture of a minute ago has little in common with the present one."""
    looking = observer()
    looking.observe(frame(0.0))
    assert len(looking.observe(frame(60.0)).moved.points) == 0
    assert len(looking.observe(frame(60.5)).moved.points) > 0
