"""From a picture to what it shows: boxes and motion, rounded so that it can be recorded."""

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


class Finder:
    """A detector that finds what it is told to."""

    def __init__(self, *found: Detection) -> None:
        self.found = list(found)

    def start(self) -> None:
        """As a detector's."""

    def detect(self, image: np.ndarray) -> list[Detection]:
        """Always the same."""
        assert image.shape == (SIZE[1], SIZE[0], 3)
        return self.found

    def close(self) -> None:
        """As a detector's."""


def frame(at: float, shift: int = 0) -> Frame:
    """A frame whose picture has gone to the right by ``shift`` pixels."""
    return Frame(np.roll(PICTURE, shift, axis=1), NOON + timedelta(seconds=at), at, 0)


def test_an_observation_has_boxes_and_motion() -> None:
    """Of the frame's size, with what moved since the frame before; nothing for the first."""
    observer = Observer(Finder(Detection(Box(1, 2, 30, 40), "car", 0.5)).detect, 320)
    first, second = observer.observe(frame(0.0)), observer.observe(frame(0.1, 8))
    assert first.size == SIZE
    assert first.detections == (Detection(Box(1, 2, 30, 40), "car", 0.5),)
    assert len(first.moved.points) == 0
    shift = second.moved.shift(np.array([100.0, 100.0, 500.0, 300.0]))
    assert shift is not None
    assert shift.x == pytest.approx(8, abs=0.5)


def test_the_last_digits_are_dropped() -> None:
    """They depend on the number of threads: hundredths of a pixel, and four digits of confidence, stay."""
    observer = Observer(Finder(Detection(Box(1.23456, 2.00001, 30.999, 40.5), "car", 0.123456789)).detect, 320)
    observer.observe(frame(0.0))
    seen = observer.observe(frame(0.1, 3))
    assert seen.detections == (Detection(Box(1.23, 2.0, 31.0, 40.5), "car", 0.1235),)
    for values in (seen.moved.points, seen.moved.moves):
        known = values[~np.isnan(values)]
        assert np.allclose(known * 100, np.round(known * 100), atol=1e-6)


def test_nothing_is_followed_over_a_long_gap() -> None:
    """What was in a picture of a minute ago is not what is there now."""
    observer = Observer(Finder().detect, 320)
    observer.observe(frame(0.0))
    assert len(observer.observe(frame(60.0)).moved.points) == 0
    assert len(observer.observe(frame(60.5)).moved.points) > 0
