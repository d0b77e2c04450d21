"""Measures how much structure a picture has in each of its cells, and how sharp that structure is.

Structure is what differs between two averages over 3 x 3 and 9 x 9 pixels; fine structure is what the first average
takes away. Out of focus the fine structure is lost first, and the quotient of both falls; brightness and contrast
change both alike. After Crete et al., The blur effect (2007), who compare a picture with its blurred self.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from edge.picture.thumbnail import Map, Thumbnail

CELLS = (16, 9)  # columns and rows of cells in a picture
_FINE, _COARSE = (3, 3), (9, 9)  # pixels of the small picture over which it is averaged
# Grey levels. A cell with less structure is flat: the noise of a dark camera reaches 1.
LEAST_STRUCTURE = 1.5
# Fewer cells say nothing of a picture, four of 144 are as much as a car's plate and a lamp.
LEAST_CELLS = 6


@dataclass(frozen=True, slots=True)
class Structure:
    """The mean structure and fine structure of each cell, in grey levels, rows x columns."""

    coarse: Map
    fine: Map

    @property
    def present(self) -> Map:
        """1 for each cell that has structure, else 0."""
        return (self.coarse > LEAST_STRUCTURE).astype(np.float32)

    @property
    def strongest(self) -> float:
        """The structure, in grey levels, that only 2 % of the cells exceed."""
        return float(np.percentile(self.coarse, 98))


def measure_structure(thumbnail: Thumbnail) -> Structure:
    """The structure of a picture."""
    values = thumbnail.grey.astype(np.float32)
    fine_mean, coarse_mean = cv2.blur(values, _FINE), cv2.blur(values, _COARSE)
    coarse = cv2.resize(cv2.absdiff(fine_mean, coarse_mean), CELLS, interpolation=cv2.INTER_AREA)
    fine = cv2.resize(cv2.absdiff(values, fine_mean), CELLS, interpolation=cv2.INTER_AREA)
    return Structure(coarse.astype(np.float32), fine.astype(np.float32))


def relative_sharpness(structure: Structure, usual: Structure, cells: Map) -> float | None:
    """How sharp the picture is, as a share of what is usual: the median of ``cells`` (true where it is taken).

    None when too few of the cells have structure.
    """
    taken = cells.astype(bool) & (structure.coarse > LEAST_STRUCTURE) & (usual.coarse > 0) & (usual.fine > 0)
    if np.count_nonzero(taken) < LEAST_CELLS:
        return None
    now = structure.fine[taken] / structure.coarse[taken]
    before = usual.fine[taken] / usual.coarse[taken]
    return float(np.median(now / before))


def lost_share(structure: Structure, usual: Structure, cells: Map, least: float) -> float | None:
    """The share of ``cells`` that have less than the share ``least`` of their usual structure; None: too few cells."""
    taken = cells.astype(bool)
    if np.count_nonzero(taken) < LEAST_CELLS:
        return None
    return float(np.mean(structure.coarse[taken] < least * usual.coarse[taken]))
