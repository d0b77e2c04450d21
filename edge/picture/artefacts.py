"""Finds the traces in a picture that a decoder leaves which lost a part of the stream.

A decoder that lost packets goes on from wrong pictures, often without an error: blocks stand beside others with sharp
steps between them, at the borders of the codec's grid; what is missing becomes green, or one flat area down to the end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from edge.core.frames import Image
    from edge.picture.thumbnail import Thumbnail

_BLOCK = 8  # pixels; all codecs of cameras have blocks of a multiple of it
_BORDER = 6  # the place in the list of steps of the step from one block to the next, see ``_step_shares``
# A step between two pixels is one of a border when it is so high (grey levels), and so many times as high as those
# beside it: an edge of the scene is spread over several pixels by the lens, and by the codec's own filter.
_LEAST_STEP, _TIMES = 10, 3
# A straight edge of the scene that happens to be on a border counts no more than as this share of its length.
_MOST_OF_A_LINE = 0.15
_TRUE = 255  # what OpenCV writes where a comparison is true
# The green of a decoder that has nothing: all of YUV is 0. BGR (0, 77..154, 0), by the colour matrix.
_DARKEST_GREEN, _BRIGHTEST_GREEN = (0, 70, 0), (40, 255, 40)
# A row whose grey levels differ less is flat. No row of a scene is so, from one side of the picture to the other.
_FLAT_LEVELS = 0.7


@dataclass(frozen=True, slots=True)
class Artefacts:
    """What one picture shows of a decoder's faults; each is a share, 0 to 1.

    ``blocks``: of the borders between blocks, those with a sharp step, less the share of steps that a place within a
    block has. ``green``: of the picture. ``flat``: of the rows.
    """

    blocks: float
    green: float
    flat: float


def find_artefacts(thumbnail: Thumbnail) -> Artefacts:
    """Look for a decoder's faults in a picture at full size: one that was made larger or smaller has lost them."""
    blocks = max(0.0, _excess_at_borders(thumbnail.rows) + _excess_at_borders(thumbnail.columns)) / 2
    green = cv2.inRange(thumbnail.colour, _DARKEST_GREEN, _BRIGHTEST_GREEN)
    flat = thumbnail.grey.astype(np.float32).std(axis=1) < _FLAT_LEVELS
    return Artefacts(blocks, cv2.countNonZero(green) / green.size, float(flat.mean()))


def _excess_at_borders(lines: Image) -> float:
    """How much more often there is a sharp step at the borders of blocks than elsewhere along these lines.

    The share of sharp steps is taken at each of the eight places in a block. Step ``i`` is from pixel ``i + 1`` to
    ``i + 2``, so step 6 is the one from pixel 7 to 8.
    """
    if lines.shape[1] <= 2 * _BLOCK + 2:
        return 0.0
    steps = cv2.absdiff(lines[:, 1:], lines[:, :-1])
    beside = cv2.convertScaleAbs(cv2.max(steps[:, :-2], steps[:, 2:]), alpha=_TIMES)
    sharp = cv2.compare(steps[:, 1:-1], np.maximum(beside, np.uint8(_LEAST_STEP)), cv2.CMP_GT)
    by_place = cv2.reduce(sharp, 0, cv2.REDUCE_AVG, dtype=cv2.CV_32F).ravel() / _TRUE
    by_place = by_place[: len(by_place) // _BLOCK * _BLOCK]
    shares = np.minimum(by_place, _MOST_OF_A_LINE).reshape(-1, _BLOCK).mean(axis=0)
    return float(shares[_BORDER] - np.median(np.delete(shares, _BORDER)))
