"""Measures the brightness of a picture: whether it is dark or washed out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from edge.core.frames import Image

# A washed-out pixel is at least so bright; a sensor's white is 235 in video whose black is 16.
_WHITE = 234
# The brightest 2 % of a picture say whether it is dark: with a lamp or a headlight in it a picture is not dark.
_BRIGHT_SHARE = 0.98


def bright_level(grey: Image) -> int:
    """The grey level that the brightest 2 % of the picture reach, 0 to 255."""
    counts = np.cumsum(np.bincount(grey.ravel(), minlength=256))
    return int(np.searchsorted(counts, _BRIGHT_SHARE * grey.size))


def white_share(grey: Image) -> float:
    """The share of the picture that is white."""
    return float(np.count_nonzero(grey >= _WHITE)) / grey.size
