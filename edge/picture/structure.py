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
# Grey levels. A cell with less structure is flat: the noise of a dark camera reaches 1.4.
LEAST_STRUCTURE = 1.5
# Fewer cells say nothing of a picture, four of 144 are as much as a car's plate and a lamp.
LEAST_CELLS = 6
# A blur leaves most cells some structure. Where fewer than this share of the cells have it, something hides the scene.
_LEAST_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Structure:
    """The mean structure and fine structure of each cell in grey levels, rows x columns, and how bright it all is."""

    coarse: Map
    fine: Map
    level: float  # mean grey level of the picture

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
    return Structure(coarse.astype(np.float32), fine.astype(np.float32), float(values.mean()))


def relative_sharpness(structure: Structure, usual: Structure, cells: Map) -> float | None:
    """How sharp the picture is, as a share of what is usual: the median of ``cells`` (true where it is taken).

    None when few of the cells have structure, because the scene has little, or because a lorry stands in front of it.
    """
    usable = cells.astype(bool) & (usual.fine > 0)
    taken = usable & (structure.coarse > LEAST_STRUCTURE)
    if np.count_nonzero(taken) < max(LEAST_CELLS, _LEAST_SHARE * np.count_nonzero(usable)):
        return None
    now = structure.fine[taken] / structure.coarse[taken]
    before = usual.fine[taken] / usual.coarse[taken]
    return float(np.median(now / before))


def relative_level(structure: Structure, usual: Structure) -> float:
    """How bright the picture is, as a share of what is usual, at most 1: so much structure is expected in it."""
    return min(1.0, structure.level / max(usual.level, 1.0))


def lost_share(structure: Structure, usual: Structure, cells: Map, least: float) -> float | None:
    """The share of ``cells`` that have less than the share ``least`` of their usual structure; None: too few cells.

    A picture that is darker than usual has less structure everywhere, and less is expected.
    """
    taken = cells.astype(bool)
    if np.count_nonzero(taken) < LEAST_CELLS:
        return None
    expected = least * relative_level(structure, usual) * usual.coarse[taken]
    return float(np.mean(structure.coarse[taken] < np.maximum(expected, LEAST_STRUCTURE)))
