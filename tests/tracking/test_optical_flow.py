"""What moved between two pictures: patches of noise on a ground of noise, shifted by known amounts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.scripted import corners, everything_moved

from edge.tracking.boxes import rows
from edge.tracking.optical_flow import Displacements, OpticalFlow

WIDTH, HEIGHT = 320, 180
PATCH = (80, 50)  # pixels: a vehicle


def texture(width: int, height: int, seed: int) -> np.ndarray:
    """Soft noise, as asphalt and bodywork have it."""
    grain = np.random.default_rng(seed).integers(40, 216, (height // 4 + 1, width // 4 + 1), dtype=np.uint8)
    return np.kron(grain, np.ones((4, 4), np.uint8))[:height, :width]


GROUND, VEHICLE = texture(WIDTH, HEIGHT, 1) // 3, texture(*PATCH, 2)


def picture(x: int | None, y: int = 60, *, light: int = 0) -> np.ndarray:
    """The ground with the vehicle's left upper corner at (x, y)."""
    grey = GROUND.copy()
    if x is not None:
        grey[y : y + PATCH[1], x : x + PATCH[0]] = VEHICLE
    return np.repeat(np.clip(grey.astype(int) + light, 0, 255).astype(np.uint8)[:, :, None], 3, axis=2)


def vehicle_box(x: float, y: float = 60.0) -> np.ndarray:
    """Where it is, left, top, right, bottom."""
    return np.array([x, y, x + PATCH[0], y + PATCH[1]], dtype=np.float64)


def moved(*pictures: np.ndarray, width: int = WIDTH) -> Displacements:
    """What moved from the last but one to the last."""
    flow = OpticalFlow(width)
    for one in pictures:
        found = flow.step(one)
    return found


@pytest.mark.parametrize(("dx", "dy"), [(0, 0), (3, 0), (-9, 4), (20, -6), (0, 15)])
def test_the_content_of_a_box_is_followed(dx: int, dy: int) -> None:
    """To a pixel, by most of its corners; the ground beside it stays."""
    found = moved(picture(100, 60), picture(100 + dx, 60 + dy))
    shift = found.shift(vehicle_box(100))
    assert shift is not None
    assert (shift.x, shift.y) == pytest.approx((dx, dy), abs=1.0)
    assert shift.share > 0.6
    still = found.shift(np.array([220.0, 0.0, 320.0, 180.0]))
    assert still is not None
    assert (still.x, still.y) == pytest.approx((0, 0), abs=0.2)


def test_backwards_a_box_is_followed_to_where_it_came_from() -> None:
    """The box is where the vehicle is in the later picture."""
    found = moved(picture(100), picture(118))
    shift = found.shift(vehicle_box(118), backwards=True)
    assert shift is not None
    assert shift.x == pytest.approx(18, abs=1.0)


def test_what_stands_in_front_is_left_out() -> None:
    """A vehicle that drives by in front of a parked one does not carry it along."""
    found = moved(picture(100), picture(112))
    behind = np.array([60.0, 40.0, 200.0, 130.0])
    dragged, alone = found.shift(behind), found.shift(behind, rows([tuple(vehicle_box(96)), tuple(vehicle_box(118))]))
    assert alone is not None
    assert alone.x == pytest.approx(0, abs=0.3)
    assert dragged is None or dragged.share < alone.share


def test_a_box_with_too_few_corners_says_nothing() -> None:
    """A box beside the picture, or one as small as a pixel."""
    found = moved(picture(100), picture(112))
    assert found.shift(np.array([-90.0, -90.0, -10.0, -10.0])) is None
    assert found.shift(np.array([100.0, 60.0, 101.0, 61.0])) is None


def test_a_smooth_picture_has_no_corners() -> None:
    """Fog, a covered lens: nothing to hold on to, and nothing breaks."""
    grey = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    assert moved(grey, grey + 30).shift(vehicle_box(100)) is None


def test_light_that_changes_moves_nothing() -> None:
    """A cloud, an exposure that is set anew."""
    shift = moved(picture(100), picture(100, light=12)).shift(vehicle_box(100))
    assert shift is None or (shift.x, shift.y) == pytest.approx((0, 0), abs=0.3)


def test_what_is_gone_is_lost_and_not_somewhere_else() -> None:
    """The vehicle disappears: most of its corners find nothing that they would come back from."""
    shift = moved(picture(100), picture(None)).shift(vehicle_box(100))
    assert shift is None or shift.share < 0.5


def test_large_pictures_are_made_small_and_told_in_their_own_pixels() -> None:
    """Twice the size gives twice the shift, with corners as many."""
    small = moved(picture(100), picture(112))
    large = moved(*(one.repeat(2, axis=0).repeat(2, axis=1) for one in (picture(100), picture(112))))
    assert (small.pixel, large.pixel) == (1.0, 2.0)
    shift = large.shift(2 * vehicle_box(100))
    assert shift is not None
    assert shift.x == pytest.approx(24, abs=2.0)
    assert len(large.points) < 1.3 * len(small.points)


def test_the_first_picture_and_one_after_a_gap_or_of_another_size_say_nothing() -> None:
    """There is nothing to hold them against."""
    flow = OpticalFlow(WIDTH)
    assert len(flow.step(picture(100)).points) == 0
    assert len(flow.step(picture(104)).points) > 0
    assert len(flow.step(picture(104)[: HEIGHT // 2]).points) == 0
    flow.reset()
    assert len(flow.step(picture(104)[: HEIGHT // 2]).points) == 0
    assert len(moved(np.zeros((2, 3, 3), np.uint8), np.zeros((2, 3, 3), np.uint8)).points) == 0


def test_the_number_of_corners_is_bounded() -> None:
    """Snow on the screen: as many as there are cells at most."""
    snow = [np.random.default_rng(n).integers(0, 255, (720, 1280, 3), dtype=np.uint8) for n in (1, 2)]
    found = moved(*snow)
    assert len(found.points) <= (WIDTH // 6) * (180 // 6)


def test_the_same_pictures_give_the_same_bits() -> None:
    """A recording is worth something only so."""
    one, other = (moved(picture(100), picture(117, 64)) for _ in range(2))
    assert np.array_equal(one.points, other.points)
    assert np.array_equal(one.moves, other.moves, equal_nan=True)


@given(st.floats(-40, 40), st.floats(-40, 40), st.integers(0, 30))
@settings(max_examples=30, deadline=None)
def test_the_shift_is_that_of_most_corners(x: float, y: float, wrong: int) -> None:
    """Some that went elsewhere, and some that were lost, do not change it; the share tells of them."""
    all_of_them = everything_moved(x, y)
    moves = all_of_them.moves.copy()
    box = np.array([200.0, 100.0, 320.0, 220.0])
    inside = np.flatnonzero((np.abs(corners()[:, 0] - 260) < 50) & (np.abs(corners()[:, 1] - 160) < 50))
    moves[inside[:wrong]] = [300.0, -300.0]
    moves[inside[-10:]] = np.nan
    shift = Displacements(all_of_them.points, moves, 2.0).shift(box)
    assert shift is not None
    assert (shift.x, shift.y) == pytest.approx((x, y), abs=0.01)
    assert shift.share < 1 - 0.5 * wrong / len(inside)
