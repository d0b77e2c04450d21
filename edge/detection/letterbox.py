"""Converts frames into the network's input, and the network's boxes back into pixels of the frame.

The frame is scaled so that its longer side is ``image_size``, then each side is padded to the next multiple of the
model's stride and not to a square: a 16:9 frame at 640 becomes 640 x 384, which is 40 % less work than 640 x 640.
Rounding, padding and its grey are those of Ultralytics' inference with ``rect=True``: the same weights get the same
pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge.core.frames import Image

_WHITE = 255  # the largest value of a pixel


@dataclass(frozen=True, slots=True)
class Letterbox:
    """Where a frame lies in the network's input. All sizes are (width, height) in pixels.

    The frame of ``frame_size`` is scaled to ``scaled_size`` and put at ``left``, ``top`` of an input of ``input_size``.
    """

    frame_size: tuple[int, int]
    scaled_size: tuple[int, int]
    input_size: tuple[int, int]
    left: int
    top: int

    @classmethod
    def fit(cls, frame_size: tuple[int, int], image_size: int, stride: int, share: float = 1.0) -> Letterbox:
        """Return the letterbox of a model with a dynamic shape for images of ``frame_size``.

        The image is a part of a frame whose longer side is this ``share`` of the frame's; ``image_size`` is for the
        whole frame.
        """
        width, height = frame_size
        # The longer side must be a multiple of the stride too; like Ultralytics, round it up.
        longer = max(stride, -(-image_size // stride) * stride)
        scale = share * min(longer / width, longer / height)
        scaled = max(1, round(width * scale)), max(1, round(height * scale))
        return cls._place(frame_size, scaled, [(longer - side) % stride for side in scaled])

    @classmethod
    def into(cls, frame_size: tuple[int, int], input_size: tuple[int, int]) -> Letterbox:
        """Return the letterbox of a model that was exported with a fixed width and height, ``input_size``."""
        scale = min(input_size[0] / frame_size[0], input_size[1] / frame_size[1])
        scaled = max(1, round(frame_size[0] * scale)), max(1, round(frame_size[1] * scale))
        return cls._place(frame_size, scaled, [input_size[0] - scaled[0], input_size[1] - scaled[1]])

    @classmethod
    def _place(cls, frame_size: tuple[int, int], scaled: tuple[int, int], padding: list[int]) -> Letterbox:
        # An odd pixel of padding goes to the right and to the bottom, as in Ultralytics.
        left, top = (pixels // 2 for pixels in padding)
        return cls(frame_size, scaled, (scaled[0] + padding[0], scaled[1] + padding[1]), left, top)

    @property
    def scale(self) -> NDArray[np.float32]:
        """The factors from frame to input for left, top, right, bottom of a box.

        Horizontal and vertical factors differ a little, because each scaled side is rounded to whole pixels.
        """
        horizontal, vertical = (scaled / side for scaled, side in zip(self.scaled_size, self.frame_size, strict=True))
        return np.array([horizontal, vertical] * 2, dtype=np.float32)

    def apply(self, image: Image, padding_grey: int) -> NDArray[np.float32]:
        """Return the network's input for a BGR frame: 1 x 3 x height x width, RGB, 0..1, float32, contiguous."""
        if image.shape[1::-1] != self.scaled_size:
            image = np.asarray(cv2.resize(image, self.scaled_size, interpolation=cv2.INTER_LINEAR), dtype=np.uint8)
        if self.scaled_size != self.input_size:
            right = self.input_size[0] - self.scaled_size[0] - self.left
            bottom = self.input_size[1] - self.scaled_size[1] - self.top
            image = np.asarray(
                cv2.copyMakeBorder(
                    image,
                    self.top,
                    bottom,
                    self.left,
                    right,
                    cv2.BORDER_CONSTANT,
                    value=(padding_grey,) * image.shape[2],
                ),
                dtype=np.uint8,
            )
        blob = cv2.dnn.blobFromImage(image, 1 / _WHITE, swapRB=True)
        return np.ascontiguousarray(blob, dtype=np.float32)

    def to_frame(self, boxes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Convert boxes (n x 4: left, top, right, bottom) of the input to the frame's pixels, clipped to the frame."""
        moved = (boxes - np.array([self.left, self.top] * 2, dtype=np.float32)) / self.scale
        limit = np.array(self.frame_size * 2, dtype=np.float32)
        clipped: NDArray[np.float32] = np.clip(moved, np.float32(0), limit)
        return clipped
