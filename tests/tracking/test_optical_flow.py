"""Tests of optical flow on a patch of noise that is shifted by known amounts over a ground of noise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.scripted import corner_grid, uniform_displacements

from edge.tracking.boxes import box_array
from edge.tracking.optical_flow import Displacements, OpticalFlow

WIDTH, HEIGHT = 320, 180
PATCH = (80, 50)  # pixels of the patch, the vehicle


def texture(width: int, height: int, seed: int) -> np.ndarray:
    """Noise in grains of 4 x 4 pixels."""
    grain = np.random.default_rng(seed).integers(40, 216, (height // 4 + 1, width // 4 + 1), dtype=np.uint8)
    return np.kron(grain, np.ones((4, 4), np.uint8))[:height, :width]


GROUND, VEHICLE = texture(WIDTH, HEIGHT, 1) // 3, texture(*PATCH, 2)


def picture(x: int | None, y: int = 60, *, light: int = 0) -> np.ndarray:
    """A picture of the ground, with the vehicle's upper left corner at (x, y), brighter by ``light`` grey levels."""
    grey = GROUND.copy()
    if x is not None:
        grey[y : y + PATCH[1], x : x + PATCH[0]] = VEHICLE
    return np.repeat(np.clip(grey.astype(int) + light, 0, 255).astype(np.uint8)[:, :, None], 3, axis=2)


def vehicle_box(x: float, y: float = 60.0) -> np.ndarray:
    """The box of the vehicle whose upper left corner is at (x, y)."""
    return np.array([x, y, x + PATCH[0], y + PATCH[1]], dtype=np.float64)


def displacements(*pictures: np.ndarray, width: int = WIDTH) -> Displacements:
    """What moved between the last two pictures."""
    flow = OpticalFlow(width)
    for image in pictures:
        found = flow.update(image)
    return found


@pytest.mark.parametrize(("dx", "dy"), [(0, 0), (3, 0), (-9, 4), (20, -6), (0, 15)])
def test_the_shift_of_a_box_is_measured(dx: int, dy: int) -> None:
    """To a pixel, by most of its corners; the ground beside the vehicle has not moved."""
    found = displacements(picture(100, 60), picture(100 + dx, 60 + dy))
    shift = found.shift_of(vehicle_box(100))
    assert shift is not None
    assert (shift.x, shift.y) == pytest.approx((dx, dy), abs=1.0)
    assert shift.share > 0.6
    ground = found.shift_of(np.array([220.0, 0.0, 320.0, 180.0]))
    assert ground is not None
    assert (ground.x, ground.y) == pytest.approx((0, 0), abs=0.2)


def test_a_box_is_followed_backwards() -> None:
    """The given box is the vehicle's in the later picture."""
    found = displacements(picture(100), picture(118))
    shift = found.shift_of(vehicle_box(118), backwards=True)
    assert shift is not None
    assert shift.x == pytest.approx(18, abs=1.0)


def test_corners_of_occluders_are_left_out() -> None:
    """A vehicle that drives past in front of a parked one does not move the parked one."""
    found = displacements(picture(100), picture(112))
    parked = np.array([60.0, 40.0, 200.0, 130.0])
    occluders = box_array([tuple(vehicle_box(96)), tuple(vehicle_box(118))])
    with_both, without = found.shift_of(parked), found.shift_of(parked, occluders)
    assert without is not None
    assert without.x == pytest.approx(0, abs=0.3)
    assert with_both is None or with_both.share < without.share


def test_a_box_with_too_few_corners_has_no_shift() -> None:
    """A box outside the picture, and one of a single pixel."""
    found = displacements(picture(100), picture(112))
    assert found.shift_of(np.array([-90.0, -90.0, -10.0, -10.0])) is None
    assert found.shift_of(np.array([100.0, 60.0, 101.0, 61.0])) is None


def test_a_smooth_picture_has_no_corners() -> None:
    """In fog, or with a covered lens, no shift is measured and no error is raised."""
    grey = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    assert displacements(grey, grey + 30).shift_of(vehicle_box(100)) is None


def test_a_change_of_light_is_no_motion() -> None:
    """A cloud moves in front of the sun, or the camera changes its exposure."""
    shift = displacements(picture(100), picture(100, light=12)).shift_of(vehicle_box(100))
    assert shift is None or (shift.x, shift.y) == pytest.approx((0, 0), abs=0.3)


def test_corners_of_a_vehicle_that_disappears_are_lost() -> None:
    """Most of them do not come back to where they began."""
    shift = displacements(picture(100), picture(None)).shift_of(vehicle_box(100))
    assert shift is None or shift.share < 0.5


def test_displacements_are_in_pixels_of_the_full_frame() -> None:
    """A picture of twice the size has twice the shift, and about as many corners."""
    small = displacements(picture(100), picture(112))
    large = displacements(*(image.repeat(2, axis=0).repeat(2, axis=1) for image in (picture(100), picture(112))))
    assert (small.scale, large.scale) == (1.0, 2.0)
    shift = large.shift_of(2 * vehicle_box(100))
    assert shift is not None
    assert shift.x == pytest.approx(24, abs=2.0)
    assert len(large.points) < 1.3 * len(small.points)


def test_a_picture_without_one_before_it_has_no_displacements() -> None:
    """The first one, the first of another size, and the first after a reset."""
    flow = OpticalFlow(WIDTH)
    assert len(flow.update(picture(100)).points) == 0
    assert len(flow.update(picture(104)).points) > 0
    assert len(flow.update(picture(104)[: HEIGHT // 2]).points) == 0
    flow.reset()
    assert len(flow.update(picture(104)[: HEIGHT // 2]).points) == 0
    assert len(displacements(np.zeros((2, 3, 3), np.uint8), np.zeros((2, 3, 3), np.uint8)).points) == 0


def test_the_number_of_corners_is_bounded() -> None:
    """Pure noise has one corner a cell at most."""
    noise = [np.random.default_rng(n).integers(0, 255, (720, 1280, 3), dtype=np.uint8) for n in (1, 2)]
    found = displacements(*noise)
    assert len(found.points) <= (WIDTH // 6) * (180 // 6)


def test_the_same_pictures_give_exactly_the_same_displacements() -> None:
    """So a recording can replace the pictures."""
    first, second = (displacements(picture(100), picture(117, 64)) for _ in range(2))
    assert np.array_equal(first.points, second.points)
    assert np.array_equal(first.moves, second.moves, equal_nan=True)


@given(st.floats(-40, 40), st.floats(-40, 40), st.integers(0, 30))
@settings(max_examples=30)
def test_the_shift_is_that_of_the_largest_group_of_corners(x: float, y: float, wrong: int) -> None:
    """Corners that moved elsewhere, and lost ones, do not change the shift; they lower its share."""
    uniform = uniform_displacements(x, y)
    moves = uniform.moves.copy()
    box = np.array([200.0, 100.0, 320.0, 220.0])
    inside = np.flatnonzero((np.abs(corner_grid()[:, 0] - 260) < 50) & (np.abs(corner_grid()[:, 1] - 160) < 50))
    moves[inside[:wrong]] = [300.0, -300.0]
    moves[inside[-10:]] = np.nan
    shift = Displacements(uniform.points, moves, 2.0).shift_of(box)
    assert shift is not None
    assert (shift.x, shift.y) == pytest.approx((x, y), abs=0.01)
    assert shift.share < 1 - 0.5 * wrong / len(inside)
