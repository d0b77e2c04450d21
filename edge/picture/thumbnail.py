"""Makes the small picture of a frame that all checks look at, and takes some of its rows at full size."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge.core.frames import Image

    Map = NDArray[np.float32]

WIDTH = 320  # pixels of the small picture; near the least that the network gets
# A large frame is first thinned out to at least this width: to average over each pixel of 1920 x 1080 costs 2 ms, over
# each third in both directions 0.4 ms.
_THINNED_WIDTH = 640
# About so many rows and columns of the frame are kept at full size.
_ROWS = 60
# Cameras write clock and name along the top and the bottom edge, into this share of the height. These letters go on,
# and stay sharp, whatever happens to the picture: the checks look at what is between.
OVERLAY_SHARE = 1 / 8


# A white pixel is at least so bright; a sensor's white is 235 in video whose black is 16.
_WHITE = 234
# The brightest 2 % of a picture say whether it is dark: with a lamp or a headlight in it a picture is not dark.
_NOT_BRIGHT = 0.98


@dataclass(frozen=True)
class Thumbnail:
    """What the checks see of a frame, without the bands in which cameras write.

    ``colour`` is BGR, ``grey`` its brightness, both ``WIDTH`` wide or as wide as a smaller frame. ``rows`` and
    ``columns`` (each line of it is a column of the frame) are the green channel of some lines at full size, and begin
    at a multiple of 16 pixels, as the blocks of a codec do.
    """

    colour: Image
    grey: Image
    rows: Image
    columns: Image

    @property
    def bright_level(self) -> int:
        """The grey level that the brightest 2 % of the picture reach, 0 to 255."""
        counts = np.cumsum(np.bincount(self.grey.ravel(), minlength=256))
        return int(np.searchsorted(counts, _NOT_BRIGHT * self.grey.size))

    @property
    def white_share(self) -> float:
        """The share of the picture that is white."""
        return float(np.count_nonzero(self.grey >= _WHITE)) / self.grey.size

    @cached_property
    def edges(self) -> Map:
        """How strong the edges are at each pixel against those around it: 0 to about 5, the same in any light."""
        values = self.grey.astype(np.float32)
        horizontal, vertical = cv2.Sobel(values, cv2.CV_32F, 1, 0), cv2.Sobel(values, cv2.CV_32F, 0, 1)
        strength = cv2.magnitude(horizontal, vertical) / _SOBEL_WEIGHT
        around = cv2.blur(strength, _AROUND)
        result: Map = strength / (around + _NOISE_LEVELS)
        return result


_SOBEL_WEIGHT = 8  # Sobel's kernel adds up eight differences between neighbours
_AROUND = (31, 31)  # pixels over which edges are compared; about a vehicle at the gate
_NOISE_LEVELS = 3.0  # grey levels a pixel; weaker edges are noise, and must not look like a structure


def make_thumbnail(image: Image) -> Thumbnail:
    """The thumbnail of a BGR image, height x width x 3."""
    height, width = image.shape[:2]
    # Whole blocks of 16 pixels are left out, so that the blocks of what remains begin at 0.
    top = round(height * OVERLAY_SHARE / 16) * 16
    image = image[top : height - top] if height > 4 * top else image
    rows = np.ascontiguousarray(image[:: max(1, image.shape[0] // _ROWS), :, 1])
    columns = np.ascontiguousarray(image[:, :: max(1, width // _ROWS), 1].T)
    colour = _resize(image)
    return Thumbnail(colour, cast("Image", cv2.cvtColor(colour, cv2.COLOR_BGR2GRAY)), rows, columns)


def _resize(image: Image) -> Image:
    height, width = image.shape[:2]
    if width <= WIDTH:
        return np.ascontiguousarray(image)
    thinned = width // _THINNED_WIDTH
    if thinned > 1:
        thin = (width // thinned, height // thinned)
        image = cast("Image", cv2.resize(image, thin, interpolation=cv2.INTER_NEAREST))
    size = (WIDTH, max(1, round(height * WIDTH / width)))
    return cast("Image", cv2.resize(image, size, interpolation=cv2.INTER_AREA))
