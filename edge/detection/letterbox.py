"""Fits a frame into what the network takes, and brings its boxes back.

The frame is scaled so that its longer side is ``image_size`` and then padded only up to the next multiple of the
model's stride on either axis, not to a square: a 16:9 frame at 640 becomes 640 x 384, 40 % less work than 640 x 640.
The placement (rounding, grey 114, padding shared between both sides) is that of Ultralytics' inference with
``rect=True``, so that the same weights see the same pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge.core.frames import Image

PADDING_GREY = 114


@dataclass(frozen=True, slots=True)
class Letterbox:
    """How a frame of ``frame_size`` lies in the network's input; sizes are width, height in pixels."""

    frame_size: tuple[int, int]
    scaled_size: tuple[int, int]
    input_size: tuple[int, int]
    left: int
    top: int

    @classmethod
    def fit(cls, frame_size: tuple[int, int], image_size: int, stride: int) -> Letterbox:
        """The letterbox for frames of ``frame_size`` (width, height)."""
        width, height = frame_size
        # The network's own longer side is a multiple of the stride too, as Ultralytics rounds it.
        longer = max(stride, -(-image_size // stride) * stride)
        scale = min(longer / width, longer / height)
        scaled = max(1, round(width * scale)), max(1, round(height * scale))
        return cls._place(frame_size, scaled, [(longer - side) % stride for side in scaled])

    @classmethod
    def into(cls, frame_size: tuple[int, int], input_size: tuple[int, int]) -> Letterbox:
        """The letterbox into an input of fixed width and height, for a model that was exported without a dynamic
        shape."""
        scale = min(input_size[0] / frame_size[0], input_size[1] / frame_size[1])
        scaled = max(1, round(frame_size[0] * scale)), max(1, round(frame_size[1] * scale))
        return cls._place(frame_size, scaled, [input_size[0] - scaled[0], input_size[1] - scaled[1]])

    @classmethod
    def _place(cls, frame_size: tuple[int, int], scaled: tuple[int, int], padding: list[int]) -> Letterbox:
        # An odd pixel of padding goes to the right and to the bottom.
        left, top = (round(pad / 2 - 0.1) for pad in padding)
        return cls(frame_size, scaled, (scaled[0] + padding[0], scaled[1] + padding[1]), left, top)

    @property
    def scale(self) -> NDArray[np.float32]:
        """What the four numbers of a box grow by from frame to input.

        Across and down differ a little, because either scaled side is rounded to whole pixels.
        """
        across, down = (scaled / side for scaled, side in zip(self.scaled_size, self.frame_size, strict=True))
        return np.array([across, down] * 2, dtype=np.float32)

    def apply(self, image: Image) -> NDArray[np.float32]:
        """The network's input: 1 x 3 x height x width, RGB, 0..1, float32, contiguous."""
        if image.shape[1::-1] != self.scaled_size:
            image = np.asarray(cv2.resize(image, self.scaled_size, interpolation=cv2.INTER_LINEAR), dtype=np.uint8)
        if self.scaled_size != self.input_size:
            right = self.input_size[0] - self.scaled_size[0] - self.left
            bottom = self.input_size[1] - self.scaled_size[1] - self.top
            image = np.asarray(
                cv2.copyMakeBorder(
                    image, self.top, bottom, self.left, right, cv2.BORDER_CONSTANT, value=(PADDING_GREY,) * 3
                ),
                dtype=np.uint8,
            )
        blob = cv2.dnn.blobFromImage(image, 1 / 255, swapRB=True)
        return np.ascontiguousarray(blob, dtype=np.float32)

    def to_frame(self, boxes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Boxes (n x 4, corners) of the network's input in pixels of the frame, cut at its edges."""
        moved = (boxes - np.array([self.left, self.top] * 2, dtype=np.float32)) / self.scale
        limit = np.array(self.frame_size * 2, dtype=np.float32)
        clipped: NDArray[np.float32] = np.clip(moved, np.float32(0), limit)
        return clipped
