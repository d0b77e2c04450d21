"""Tests of the shift of a scene against its reference, on drawn scenes with known shifts."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.faulty_pictures import lorry, moved

from edge.picture.movement import measure_shift
from edge.picture.thumbnail import make_thumbnail

WIDTH, HEIGHT = 640, 360


def scene(seed: int = 1) -> np.ndarray:
    """A yard with rectangles and lines at random places, and a little noise."""
    random = np.random.default_rng(seed)
    image = np.full((HEIGHT, WIDTH, 3), 110, np.uint8)
    for _ in range(120):
        x, y = int(random.integers(WIDTH)), int(random.integers(HEIGHT))
        size = (x + int(random.integers(8, 70)), y + int(random.integers(8, 50)))
        cv2.rectangle(image, (x, y), size, tuple(int(value) for value in random.integers(20, 230, 3)), -1)
    return cv2.GaussianBlur(image, (0, 0), 0.8).astype(np.uint8)


SCENE = scene()
REFERENCE = make_thumbnail(SCENE).edges


def share_of(image: np.ndarray) -> float | None:
    """How far the scene in the picture has moved."""
    return measure_shift(REFERENCE, make_thumbnail(image).edges).share


@settings(max_examples=15)
@given(st.floats(-0.12, 0.12), st.floats(-0.12, 0.12))
def test_a_shift_is_measured(x: float, y: float) -> None:
    """It is right to half a percent of the width, in any direction."""
    measured = share_of(moved(SCENE, shift=(x, y)))
    assert measured == pytest.approx(math.hypot(x, y * HEIGHT / WIDTH), abs=0.005)


@settings(max_examples=10)
@given(st.floats(-5.0, 5.0))
def test_a_turn_is_measured_at_the_corners(degrees: float) -> None:
    """The corners of the part without the bands of letters move farthest."""
    radius = math.hypot(0.5, 0.5 * 0.75 * HEIGHT / WIDTH)
    expected = 2 * math.sin(math.radians(abs(degrees)) / 2) * radius
    assert share_of(moved(SCENE, degrees=degrees)) == pytest.approx(expected, abs=0.006)


@settings(max_examples=10)
@given(st.floats(0.15, 1.6), st.floats(0.5, 2.2))
def test_light_moves_nothing(gain: float, gamma: float) -> None:
    """Neither a weaker light nor another contrast is a shift."""
    changed = np.clip(255 * gain * (SCENE / 255.0) ** gamma, 0, 255).astype(np.uint8)
    assert share_of(changed) == pytest.approx(0.0, abs=0.004)


def test_a_shift_is_seen_beside_traffic_and_letters() -> None:
    """A lorry hides most of the picture, or letters of the camera stay where they were."""
    bumped = moved(SCENE, shift=(0.05, 0.0))
    bumped[:, 400:640] = scene(7)[:, 400:640]
    assert share_of(bumped) == pytest.approx(0.05, abs=0.004)
    lettered = moved(SCENE, shift=(0.05, 0.0))
    lettered[150:210, 200:440] = SCENE[150:210, 200:440]
    assert share_of(lettered) == pytest.approx(0.05, abs=0.004)


def test_a_lorry_that_hides_most_of_the_scene_moves_nothing() -> None:
    """What is left of the scene is where it was."""
    assert share_of(lorry(SCENE, 0.0)) == pytest.approx(0.0, abs=0.004)


@pytest.mark.parametrize("seed", range(2, 12))
def test_another_scene_is_not_found(seed: int) -> None:
    """No shift is made up for a camera that looks elsewhere."""
    assert share_of(scene(seed)) is None


def test_a_reference_without_edges_cannot_be_found() -> None:
    """An empty yard says nothing, and a very small picture neither."""
    empty = np.random.default_rng(1).normal(90, 2, (HEIGHT, WIDTH, 3)).clip(0, 255).astype(np.uint8)
    edges = make_thumbnail(empty).edges
    assert not measure_shift(edges, REFERENCE).checkable
    small = make_thumbnail(SCENE[:40, :50]).edges
    assert not measure_shift(small, small).checkable
