"""Measures where parts of the picture moved between two processed frames: sparse optical flow on a small grey picture.

The picture is divided into cells. The best corner of each cell (Shi and Tomasi, 1994) is searched in the next frame
with the pyramidal method of Lucas and Kanade (Bouguet, 2001), forwards and back again; a corner that does not come back
to where it began is lost (the forward-backward error of Kalal et al., 2010). Only cells that changed are searched: a
corner in a cell that did not change has not moved. So a still scene costs almost nothing, and the number of corners is
bounded. The result depends on no box and no track, so it can be recorded and tracking can be replayed from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from edge.tracking.parameters import DEFAULT_TRACKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge.core.frames import Image
    from edge.tracking.boxes import Floats
    from edge.tracking.parameters import FlowParameters, ShiftParameters

    Grey = NDArray[np.uint8]

# A cell and its eight neighbours, as OpenCV's kernel.
_NEIGHBOURHOOD = np.ones((3, 3), np.uint8)


@dataclass(frozen=True, slots=True)
class Shift:
    """How most of a box's corners moved, in pixels of the frame, and the share (0..1) of the corners that did."""

    x: float
    y: float
    share: float


@dataclass(frozen=True, slots=True)
class Displacements:
    """Corners of one processed frame and how far each moved until the next one, in pixels of the full frame.

    ``points`` and ``moves`` are n x 2; the move of a lost corner is NaN. ``scale`` is the number of pixels of the full
    frame for each pixel of the small picture.
    """

    points: Floats
    moves: Floats
    scale: float

    @classmethod
    def none(cls) -> Displacements:
        """Return the displacements of a first frame, or of the first one after a gap: no corner is known."""
        return cls(np.zeros((0, 2)), np.zeros((0, 2)), 1.0)

    def shift_of(
        self,
        box: Floats,
        occluders: Sequence[Floats] | Floats = (),
        *,
        backwards: bool = False,
        parameters: ShiftParameters = DEFAULT_TRACKING.shift,
    ) -> Shift | None:
        """Return how the content of ``box`` (left, top, right, bottom) moved, or None where too few corners are known.

        ``box`` is its place in the earlier frame, or with ``backwards`` in the later one. Corners inside one of the
        ``occluders`` (boxes) are left out.
        """
        at = self.points + np.nan_to_num(self.moves) if backwards else self.points
        half_width = (box[2] - box[0]) * parameters.box_share / 2
        half_height = (box[3] - box[1]) * parameters.box_share / 2
        within = np.abs(at[:, 0] - (box[0] + box[2]) / 2) <= half_width
        within &= np.abs(at[:, 1] - (box[1] + box[3]) / 2) <= half_height
        for left, top, right, bottom in occluders:
            within &= ~((at[:, 0] >= left) & (at[:, 0] <= right) & (at[:, 1] >= top) & (at[:, 1] <= bottom))
        if np.count_nonzero(within) < parameters.least_corners:
            return None
        return self._largest_group(self.moves[within], parameters)

    def _largest_group(self, moves: Floats, parameters: ShiftParameters) -> Shift | None:
        """Return the median of the largest group of moves (n x 2) that agree with one of them; our own method."""
        known = moves[~np.isnan(moves[:, 0])]
        if len(known) < parameters.least_corners:
            return None
        known_share = len(known) / len(moves)
        if len(known) > parameters.most_corners:
            known = known[np.linspace(0, len(known) - 1, parameters.most_corners).astype(int)]
        distances = np.abs(known[:, None] - known[None]).max(axis=2)
        limits = parameters.agreement_pixels * self.scale + parameters.agreement_share * np.abs(known).max(axis=1)
        agrees = distances < limits[:, None]
        counts = agrees.sum(axis=1)
        best = int(counts.argmax())
        x, y = np.median(known[agrees[best]], axis=0)
        return Shift(float(x), float(y), float(counts[best] / len(known) * known_share))


class OpticalFlow:
    """Compares each picture of one camera with the one before. ``update`` must be called for each processed frame."""

    def __init__(self, width: int, parameters: FlowParameters = DEFAULT_TRACKING.flow) -> None:
        """``width`` is the longer side of a small whole frame in pixels."""
        self._width, self._parameters = width, parameters
        self._previous: Grey | None = None

    def update(self, image: Image, share: float = 1.0) -> Displacements:
        """Return what moved since the frame before; nothing for the first frame, and for one of another size.

        The longer side of ``image`` is this ``share`` of the whole frame's.
        """
        now = self._shrink(image, share)
        before, self._previous = self._previous, now
        if before is None or before.shape != now.shape:
            return Displacements.none()
        scale = max(image.shape[:2]) / max(now.shape)
        corners, searched = _find_corners(before, now, self._parameters)
        moves = np.zeros_like(corners)
        if searched:
            moves[:searched] = _search(before, now, corners[:searched], self._parameters)
        return Displacements(corners.astype(np.float64) * scale, moves.astype(np.float64) * scale, scale)

    def reset(self) -> None:
        """Forget the frame before, after a gap."""
        self._previous = None

    def _shrink(self, image: Image, share: float) -> Grey:
        height, width = image.shape[:2]
        scale = min(1.0, self._width * share / max(width, height))
        grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        if scale < 1:
            size = max(1, round(width * scale)), max(1, round(height * scale))
            grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
        blur = (self._parameters.blur, self._parameters.blur)
        return np.asarray(cv2.GaussianBlur(grey, blur, 0), dtype=np.uint8)


def _find_corners(before: Grey, now: Grey, parameters: FlowParameters) -> tuple[NDArray[np.float32], int]:
    """Return the corners (n x 2) in ``before``, one a cell at most, and how many must be searched.

    Those come first.
    """
    cell = parameters.cell
    rows, columns = before.shape[0] // cell, before.shape[1] // cell
    if not rows or not columns:
        return np.zeros((0, 2), np.float32), 0
    strength = cv2.cornerMinEigenVal(before, parameters.corner_block)[: rows * cell, : columns * cell]
    cells = strength.reshape(rows, cell, columns, cell).transpose(0, 2, 1, 3).reshape(rows * columns, cell * cell)
    best = cells.argmax(axis=1)
    strongest = cells[np.arange(len(best)), best]
    least = max(
        parameters.least_corner, parameters.corner_share * float(np.percentile(strongest, parameters.strong_percentile))
    )
    has_corner = strongest > least
    row, column = np.divmod(np.arange(rows * columns), columns)
    points = np.stack([column * cell + best % cell, row * cell + best // cell], axis=1).astype(np.float32)
    changed = _changed_cells(before, now, rows, columns, parameters)
    moving = np.flatnonzero(has_corner & changed.ravel())
    if len(moving) > parameters.most_corners:
        # Every second corner is enough inside of what moves.
        inner = cv2.erode(changed.astype(np.uint8), _NEIGHBOURHOOD).ravel() > 0
        moving = moving[~(inner[moving] & ((row + column) % 2 > 0)[moving])]
    if len(moving) > parameters.most_corners:
        moving = moving[np.linspace(0, len(moving) - 1, parameters.most_corners).astype(int)]
    still = np.flatnonzero(has_corner & ~changed.ravel())
    return np.vstack([points[moving], points[still]]), len(moving)


def _changed_cells(before: Grey, now: Grey, rows: int, columns: int, parameters: FlowParameters) -> NDArray[np.bool_]:
    """Return which cells (rows x columns) changed by more than noise, and their neighbours."""
    change = cv2.absdiff(before, now)[: rows * parameters.cell, : columns * parameters.cell]
    largest = change.reshape(rows, parameters.cell, columns, parameters.cell).max(axis=(1, 3))
    limit = max(parameters.least_change, parameters.change_noise * float(np.median(change)) + parameters.change_noise)
    return np.asarray(cv2.dilate((largest > limit).astype(np.uint8), _NEIGHBOURHOOD) > 0)


def _search(before: Grey, now: Grey, corners: NDArray[np.float32], parameters: FlowParameters) -> NDArray[np.float32]:
    """Return how far each corner moved (n x 2), NaN for a lost one."""
    criteria = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, parameters.iterations, parameters.precision)
    window, levels = (parameters.window, parameters.window), parameters.pyramid_levels
    start = np.ascontiguousarray(corners[:, None])
    end, found, _ = cv2.calcOpticalFlowPyrLK(
        before, now, start, np.empty_like(start), winSize=window, maxLevel=levels, criteria=criteria
    )
    back, returned, _ = cv2.calcOpticalFlowPyrLK(
        now,
        before,
        end,
        start.copy(),
        winSize=window,
        maxLevel=levels,
        criteria=criteria,
        flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
    )
    moves = np.asarray(end - start, dtype=np.float32)[:, 0]
    error = np.abs(back - start)[:, 0].sum(axis=1)
    moves[(found.ravel() == 0) | (returned.ravel() == 0) | (error >= parameters.round_trip)] = np.nan
    return moves
