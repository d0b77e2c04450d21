"""Tests that frames fit into the network's input and that boxes come back into the frame."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.detection.letterbox import Letterbox
from edge.detection.parameters import DEFAULT_DETECTION

GREY = DEFAULT_DETECTION.padding_grey
frame_sizes = st.tuples(st.integers(16, 4000), st.integers(16, 4000))


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
def test_each_side_is_padded_to_the_next_multiple_of_the_stride(
    frame: tuple[int, int], image_size: int, expected: tuple[int, int]
) -> None:
    """The input is as small as the model allows, and not a square."""
    assert Letterbox.fit(frame, image_size, 32).input_size == expected


@given(frame_sizes, st.sampled_from([160, 320, 640, 1280]))
def test_a_box_that_goes_to_the_input_and_back_is_the_same(frame: tuple[int, int], image_size: int) -> None:
    """The two conversions are inverse to within a hundredth of a pixel."""
    letterbox = Letterbox.fit(frame, image_size, 32)
    width, height = frame
    boxes = np.array([[width * 0.25, height * 0.25, width * 0.75, height * 0.75]], dtype=np.float32)
    in_input = boxes * letterbox.scale + np.array([letterbox.left, letterbox.top] * 2, dtype=np.float32)
    assert np.allclose(letterbox.to_frame(in_input), boxes, atol=1e-2)
    assert all(side % 32 == 0 for side in letterbox.input_size)
    assert max(letterbox.scaled_size) == max(letterbox.input_size) == image_size


@given(frame_sizes, st.sampled_from([(640, 640), (320, 192)]))
def test_a_model_of_a_fixed_shape_gets_exactly_that_shape(frame: tuple[int, int], input_size: tuple[int, int]) -> None:
    """The frame is scaled so that neither side is larger than the input's."""
    letterbox = Letterbox.into(frame, input_size)
    assert letterbox.input_size == input_size
    assert all(scaled <= side for scaled, side in zip(letterbox.scaled_size, input_size, strict=True))


@given(frame_sizes, st.integers(64, 2048), st.tuples(st.floats(0.05, 1), st.floats(0.05, 1)))
def test_a_part_of_a_frame_is_scaled_as_the_frame(
    frame: tuple[int, int], image_size: int, shares: tuple[float, float]
) -> None:
    """So that a vehicle is as large for the network; only the rounding to whole pixels differs."""
    part = max(1, round(frame[0] * shares[0])), max(1, round(frame[1] * shares[1]))
    whole = Letterbox.fit(frame, image_size, DEFAULT_DETECTION.stride)
    fitted = Letterbox.fit(part, image_size, DEFAULT_DETECTION.stride, max(part) / max(frame))
    wanted = max(whole.scaled_size) / max(frame)
    for axis in (0, 1):
        assert abs(fitted.scaled_size[axis] - max(1, part[axis] * wanted)) <= 1
        assert fitted.input_size[axis] % DEFAULT_DETECTION.stride == 0
        assert 0 <= fitted.input_size[axis] - fitted.scaled_size[axis] < DEFAULT_DETECTION.stride


def test_an_odd_pixel_of_padding_goes_to_the_right_and_the_bottom() -> None:
    """Ultralytics does the same, so that the same weights get the same pixels."""
    letterbox = Letterbox.into((100, 100), (105, 105))
    assert (letterbox.scaled_size, letterbox.left, letterbox.top) == ((105, 105), 0, 0)
    letterbox = Letterbox.into((100, 100), (100, 105))
    assert (letterbox.left, letterbox.top) == (0, 2)


def test_the_input_is_rgb_planes_from_0_to_1_with_grey_padding() -> None:
    """The planes are red, green, blue; the frame itself is not changed."""
    image = np.zeros((36, 64, 3), np.uint8)
    image[:] = (255, 0, 51)
    before = image.copy()
    blob = Letterbox.fit((64, 36), 64, 32).apply(image, GREY)
    assert blob.shape == (1, 3, 64, 64)
    assert blob[0, :, 32, 32] == pytest.approx([0.2, 0.0, 1.0])
    assert blob[0, :, 0, 0] == pytest.approx([114 / 255] * 3)
    assert np.array_equal(image, before)
