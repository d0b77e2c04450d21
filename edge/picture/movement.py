"""Measures how far the scene in a picture has moved against a reference, from the edges in many small tiles.

Each tile of the reference is looked for in the picture by phase correlation, and one shift, turn and zoom is fitted to
the tiles (RANSAC). What drives or stands in the picture changes some tiles, a light changes how strong edges are, and
letters that a camera writes stay where they are: the other tiles agree all the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge.picture.thumbnail import Map

_TILE = 64  # pixels of the small picture
_FARTHEST = 24  # pixels; two tiles that have less in common are seldom matched right
_STEP = 46  # pixels between two tiles
# A tile of the reference whose edges differ less than so much has nothing to be found by.
_LEAST_CONTRAST = 0.25
# The height of the correlation's peak, 0 to 1. Two tiles without anything in common reach 0.05 to 0.1.
_LEAST_RESPONSE = 0.12
_FIT_PIXELS = 1.5  # a tile agrees with the fit when it is so near to it
# Tiles that must agree: so many, and this share of those that have edges. A quarter is enough, because four tiles agree
# by chance once in (64 * 64 / 7) ** 2 times.
_LEAST_TILES, _LEAST_SHARE = 4, 0.25
# So many tiles that are where they were prove that the camera still looks at the same place, also when a lorry covers
# the rest: a tile is found there by chance once in 4096 / 3 times.
_TILES_IN_PLACE, _IN_PLACE_PIXELS = 2, 1.0
_MOST_ZOOM = 0.3  # a fit that makes the picture larger or smaller by more is none


@dataclass(frozen=True, slots=True)
class SceneShift:
    """Where the scene of a reference is in a picture.

    ``share`` is the way of that corner of the picture that moved farthest, as a share of the picture's width; None when
    the scene was not found. ``checkable`` is False when the reference has too few edges to be found by.
    """

    share: float | None
    checkable: bool = True


def measure_shift(reference: Map, edges: Map) -> SceneShift:
    """Find the reference's scene in a picture's edges; both maps have the same size, see ``Thumbnail.edges``."""
    height, width = reference.shape
    places = [
        (x, y)
        for y in _places(height)
        for x in _places(width)
        if cv2.meanStdDev(reference[y : y + _TILE, x : x + _TILE])[1].item() >= _LEAST_CONTRAST
    ]
    if len(places) < _LEAST_TILES:
        return SceneShift(None, checkable=False)
    found = _shifts_of_tiles(reference, edges, places)
    share = _agreed_share(found, len(places), (width, height))
    if share is None and np.count_nonzero(np.hypot(found[:, 2], found[:, 3]) <= _IN_PLACE_PIXELS) >= _TILES_IN_PLACE:
        share = 0.0
    if share is None:
        share = _share_after_long_way(reference, edges, places)
    return SceneShift(share)


def _places(length: int) -> list[int]:
    """Where the tiles begin along a side of the picture."""
    last = length - _TILE
    return [] if last < 0 else [round(place) for place in np.linspace(0, last, 1 + -(-last // _STEP))]


def _shifts_of_tiles(reference: Map, edges: Map, places: list[tuple[int, int]]) -> NDArray[np.float64]:
    """Rows of x and y of a tile's middle in the reference, and by how many pixels it has moved in x and y."""
    window = cv2.createHanningWindow((_TILE, _TILE), cv2.CV_32F)
    rows = []
    for x, y in places:
        tiles = (part[y : y + _TILE, x : x + _TILE] for part in (reference, edges))
        first, second = (tile - cv2.mean(tile)[0] for tile in tiles)
        (dx, dy), response = cv2.phaseCorrelate(first, second, window)
        if response >= _LEAST_RESPONSE and max(abs(dx), abs(dy)) <= _FARTHEST:
            rows.append((x + _TILE / 2, y + _TILE / 2, dx, dy))
    return np.array(rows, np.float64).reshape(-1, 4)


def _agreed_share(found: NDArray[np.float64], tiles: int, size: tuple[int, int]) -> float | None:
    """The way of the corners, see ``SceneShift``, in the fit on which enough tiles agree."""
    if len(found) < _LEAST_TILES:
        return None
    points, moved = np.ascontiguousarray(found[:, :2]), found[:, :2] + found[:, 2:]
    fit, agree = cv2.estimateAffinePartial2D(points, moved, method=cv2.RANSAC, ransacReprojThreshold=_FIT_PIXELS)
    if fit is None or np.count_nonzero(agree) < max(_LEAST_TILES, _LEAST_SHARE * tiles):
        return None
    if abs(float(np.hypot(fit[0, 0], fit[1, 0])) - 1) > _MOST_ZOOM:
        return None
    width, height = size
    corners = np.array([(0, 0), (width, 0), (0, height), (width, height)], np.float64)
    ways = np.hypot(*(corners @ fit[:, :2].T + fit[:, 2] - corners).T)
    return float(ways.max()) / width


def _share_after_long_way(reference: Map, edges: Map, places: list[tuple[int, int]]) -> float | None:
    """As ``_agreed_share``, for a scene that has moved by more than a tile: the whole picture is shifted back first."""
    height, width = reference.shape
    window = cv2.createHanningWindow((width, height), cv2.CV_32F)
    (dx, dy), _ = cv2.phaseCorrelate(reference - reference.mean(), edges - edges.mean(), window)
    back = np.array([[1, 0, -dx], [0, 1, -dy]], np.float64)
    shifted: Map = cv2.warpAffine(edges, back, (width, height)).astype(np.float32)
    found = _shifts_of_tiles(reference, shifted, places)
    found[:, 2:] += (dx, dy)
    return _agreed_share(found, len(places), (width, height))
