"""Where things in the picture went from one processed frame to the next: sparse optical flow on a small grey picture.

The picture is cut into cells; the best corner of each cell is looked for in the next frame (Lucas and Kanade's method
on a pyramid, forwards and back again; what does not come back to where it began is lost). Only cells that changed are
searched: a corner in a cell that did not change has not moved. So a quiet scene costs next to nothing, and the number
of corners is bounded. The result does not depend on boxes or tracks: it can be recorded, and tracking replayed from it.
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


@dataclass(frozen=True, slots=True)
class Shift:
    """What most of a box's corners did: pixels of the frame, and the share of them that agrees (0..1)."""

    x: float
    y: float
    share: float


@dataclass(frozen=True, slots=True)
class Displacements:
    """Corners of one processed frame and where they were found in the next; pixels of the full frame.

    ``points`` and ``moves`` are n x 2; the move of a corner that was lost is NaN. ``pixel`` is how many pixels of the
    full frame one of the small picture is.
    """

    points: Floats
    moves: Floats
    pixel: float

    @classmethod
    def none(cls) -> Displacements:
        """Nothing is known: the first frame, or the first after a gap."""
        return cls(np.zeros((0, 2)), np.zeros((0, 2)), 1.0)

    def shift(
        self,
        box: Floats,
        hidden: Sequence[Floats] | Floats = (),
        *,
        backwards: bool = False,
        parameters: ShiftParameters = DEFAULT_TRACKING.shift,
    ) -> Shift | None:
        """How the content of ``box`` (left, top, right, bottom) moved, without what lies in the ``hidden`` boxes.

        ``box`` is where it was in the earlier frame; with ``backwards``, where it is in the later one. None when too
        few corners are left to tell.
        """
        at = self.points + np.nan_to_num(self.moves) if backwards else self.points
        half_width, half_height = (
            (box[2] - box[0]) * parameters.box_share / 2,
            (box[3] - box[1]) * parameters.box_share / 2,
        )
        within = np.abs(at[:, 0] - (box[0] + box[2]) / 2) <= half_width
        within &= np.abs(at[:, 1] - (box[1] + box[3]) / 2) <= half_height
        for other in hidden:
            inside = (at[:, 0] >= other[0]) & (at[:, 0] <= other[2]) & (at[:, 1] >= other[1]) & (at[:, 1] <= other[3])
            within &= ~inside
        return (
            self._mode(self.moves[within], parameters) if np.count_nonzero(within) >= parameters.least_corners else None
        )

    def _mode(self, moves: Floats, parameters: ShiftParameters) -> Shift | None:
        known = moves[~np.isnan(moves[:, 0])]
        if len(known) < parameters.least_corners:
            return None
        found = len(known) / len(moves)
        if len(known) > parameters.most_corners:
            known = known[np.linspace(0, len(known) - 1, parameters.most_corners).astype(int)]
        apart = np.abs(known[:, None] - known[None]).max(axis=2)
        near = (
            apart
            < (parameters.agreement_pixels * self.pixel + parameters.agreement_share * np.abs(known).max(axis=1))[
                :, None
            ]
        )
        voices = near.sum(axis=1)
        best = int(voices.argmax())
        x, y = np.median(known[near[best]], axis=0)
        return Shift(float(x), float(y), float(voices[best] / len(known) * found))


class OpticalFlow:
    """Follows one camera's pictures. ``step`` is to be called for every processed frame."""

    def __init__(self, width: int, parameters: FlowParameters = DEFAULT_TRACKING.flow) -> None:
        """``width`` is the longer side of the small picture in pixels."""
        self._width, self._parameters = width, parameters
        self._before: Grey | None = None

    def step(self, image: Image) -> Displacements:
        """What moved since the frame before; nothing for the first frame, or one of another size."""
        now = self._small(image)
        before, self._before = self._before, now
        if before is None or before.shape != now.shape:
            return Displacements.none()
        pixel = max(image.shape[:2]) / max(now.shape)
        corners, moving = _corners(before, now, self._parameters)
        moves = np.zeros_like(corners)
        if moving:
            moves[:moving] = _search(before, now, corners[:moving], self._parameters)
        return Displacements(corners.astype(np.float64) * pixel, moves.astype(np.float64) * pixel, pixel)

    def reset(self) -> None:
        """Forget the frame before: there was a gap."""
        self._before = None

    def _small(self, image: Image) -> Grey:
        height, width = image.shape[:2]
        scale = min(1.0, self._width / max(width, height))
        grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        if scale < 1:
            size = max(1, round(width * scale)), max(1, round(height * scale))
            grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.GaussianBlur(grey, (self._parameters.blur, self._parameters.blur), 0), dtype=np.uint8)


def _corners(before: Grey, now: Grey, p: FlowParameters) -> tuple[NDArray[np.float32], int]:
    """The best corner of each cell that has one, those of changed cells first; and how many of these there are."""
    cell = p.cell
    down, across = before.shape[0] // cell, before.shape[1] // cell
    if not down or not across:
        return np.zeros((0, 2), np.float32), 0
    strength = cv2.cornerMinEigenVal(before, p.corner_block)[: down * cell, : across * cell]
    cells = strength.reshape(down, cell, across, cell).transpose(0, 2, 1, 3).reshape(down * across, cell * cell)
    best = cells.argmax(axis=1)
    strong = cells[np.arange(len(best)), best]
    textured = strong > max(p.least_corner, p.corner_share * float(np.percentile(strong, p.strong_percentile)))
    number = np.arange(down * across)
    row, column = np.divmod(number, across)
    points = np.stack([column * cell + best % cell, row * cell + best // cell], axis=1).astype(np.float32)
    changed = _changed(before, now, down, across, p)
    moving = np.flatnonzero(textured & changed.ravel())
    if len(moving) > p.most_corners:
        # The inside of what moves has corners enough with every second one.
        inner = cv2.erode(changed.astype(np.uint8), np.ones((3, 3), np.uint8)).ravel() > 0
        moving = moving[~(inner[moving] & ((row + column) % 2 > 0)[moving])]
    if len(moving) > p.most_corners:
        moving = moving[np.linspace(0, len(moving) - 1, p.most_corners).astype(int)]
    resting = np.flatnonzero(textured & ~changed.ravel())
    return np.vstack([points[moving], points[resting]]), len(moving)


def _changed(before: Grey, now: Grey, down: int, across: int, p: FlowParameters) -> NDArray[np.bool_]:
    """Which cells changed by more than noise, and their neighbours; ``down`` x ``across``."""
    cell = p.cell
    change = cv2.absdiff(before, now)[: down * cell, : across * cell]
    most = change.reshape(down, cell, across, cell).max(axis=(1, 3))
    limit = max(p.least_change, p.change_noise * float(np.median(change)) + p.change_noise)
    return np.asarray(cv2.dilate((most > limit).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)


def _search(before: Grey, now: Grey, corners: NDArray[np.float32], p: FlowParameters) -> NDArray[np.float32]:
    """Where each corner went, NaN for a lost one."""
    criteria = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, p.iterations, p.precision)
    points = np.ascontiguousarray(corners[:, None])
    there, found, _ = cv2.calcOpticalFlowPyrLK(
        before,
        now,
        points,
        np.empty_like(points),
        winSize=(p.window, p.window),
        maxLevel=p.pyramid_levels,
        criteria=criteria,
    )
    back, returned, _ = cv2.calcOpticalFlowPyrLK(
        now,
        before,
        there,
        points.copy(),
        winSize=(p.window, p.window),
        maxLevel=p.pyramid_levels,
        criteria=criteria,
        flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
    )
    moves = np.asarray(there - points, dtype=np.float32)[:, 0]
    lost = (found.ravel() == 0) | (returned.ravel() == 0) | (np.abs(back - points)[:, 0].sum(axis=1) >= p.round_trip)
    moves[lost] = np.nan
    return moves
