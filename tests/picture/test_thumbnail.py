"""Tests of the small picture: its size, what is left out of it, and what is measured in it."""

from __future__ import annotations

import numpy as np
import pytest

from edge.picture.artefacts import find_artefacts
from edge.picture.structure import measure_structure
from edge.picture.thumbnail import WIDTH, make_thumbnail

SIZES = [
    (1, 1),
    (2, 3),
    (40, 30),
    (255, 143),
    (320, 240),
    (352, 288),
    (640, 480),
    (1920, 1080),
    (3840, 2160),
    (480, 640),
]


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_any_size_can_be_looked_at(width: int, height: int) -> None:
    """The small picture has the frame's proportions, without the bands at the top and the bottom."""
    image = np.random.default_rng(1).integers(0, 255, (height, width, 3), np.uint8)
    thumbnail = make_thumbnail(image)
    assert thumbnail.grey.shape[1] == min(width, WIDTH)
    assert thumbnail.edges.shape == thumbnail.grey.shape == thumbnail.colour.shape[:2]
    if height >= 240:
        shape = thumbnail.grey.shape
        assert shape[0] / shape[1] == pytest.approx(0.75 * height / width, rel=0.08)
    measure_structure(thumbnail)
    find_artefacts(thumbnail)


def test_the_bands_in_which_cameras_write_are_left_out() -> None:
    """A clock that runs on at the top and a name at the bottom change nothing."""
    image = np.random.default_rng(1).integers(0, 255, (720, 1280, 3), np.uint8)
    lettered = image.copy()
    lettered[:80], lettered[-80:] = 255, 0
    first, second = make_thumbnail(image), make_thumbnail(lettered)
    assert np.array_equal(first.grey, second.grey)
    assert np.array_equal(first.rows, second.rows)


@pytest.mark.parametrize(("lit", "level"), [(0.0, 5), (0.01, 5), (0.03, 200)])
def test_the_bright_level_is_that_of_the_brightest_fiftieth(lit: float, level: int) -> None:
    """A lamp makes a picture bright when it is large enough to light anything."""
    image = np.full((288, 320, 3), 5, np.uint8)
    image[40:248].reshape(-1, 3)[: round(lit * 208 * 320)] = 200
    assert make_thumbnail(image).bright_level == level


def test_the_white_share_is_that_of_what_is_left() -> None:
    """Half of the picture is white."""
    image = np.full((288, 320, 3), 90, np.uint8)
    image[:, :160] = 255
    assert make_thumbnail(image).white_share == pytest.approx(0.5)


def test_steps_at_the_borders_of_blocks_are_artefacts_and_edges_elsewhere_are_not() -> None:
    """Blocks of another brightness are found where the codec has its borders, not where a scene has them."""
    random = np.random.default_rng(1)
    smooth = np.linspace(60, 160, 640, dtype=np.float32)[None, :].repeat(360, 0)
    blocks = np.kron(random.integers(-25, 26, (45, 80)), np.ones((8, 8)))
    damaged = np.clip(smooth + blocks, 0, 255).astype(np.uint8)
    shifted = np.roll(damaged, (3, 3), axis=(0, 1))
    found, beside = (
        find_artefacts(make_thumbnail(np.repeat(each[..., None], 3, axis=2))).blocks for each in (damaged, shifted)
    )
    assert found > 0.1
    assert beside < 0.005


def test_green_and_flat_parts_are_measured() -> None:
    """The green of missing data, and rows that are one colour from side to side."""
    image = np.random.default_rng(1).integers(40, 200, (288, 320, 3), np.uint8)
    image[:, 160:] = (0, 135, 0)
    assert find_artefacts(make_thumbnail(image)).green == pytest.approx(0.5, abs=0.01)
    image = np.random.default_rng(1).integers(40, 200, (288, 320, 3), np.uint8)
    image[144:] = 128
    assert find_artefacts(make_thumbnail(image)).flat == pytest.approx(0.5, abs=0.02)
