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

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge.core.frames import Image
    from edge.tracking.boxes import Floats

    Grey = NDArray[np.uint8]

CELL = 6  # pixels of the small picture
MOST_CORNERS = 420  # searched in one frame
WINDOW, LEVELS, ITERATIONS = (15, 15), 4, 20
COMES_BACK = 1.5  # pixels
CHANGE_LEAST, CHANGE_NOISE = 8.0, 4.0  # grey levels; times the median change, which is noise
CORNER_LEAST, CORNER_SHARE = 2e-5, 0.005  # eigenvalue; share of the strong ones'

SHRUNK = 0.9  # a box's rim shows what is beside the vehicle
FEWEST, MOST_VOTERS = 3, 40  # corners that a box's shift is taken from
AGREE_PIXELS, AGREE_SHARE = 1.0, 0.1  # two shifts agree within so much


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

    def shift(self, box: Floats, hidden: Sequence[Floats] | Floats = (), *, backwards: bool = False) -> Shift | None:
        """How the content of ``box`` (left, top, right, bottom) moved, without what lies in the ``hidden`` boxes.

        ``box`` is where it was in the earlier frame; with ``backwards``, where it is in the later one. None when too
        few corners are left to tell.
        """
        at = self.points + np.nan_to_num(self.moves) if backwards else self.points
        half_width, half_height = (box[2] - box[0]) * SHRUNK / 2, (box[3] - box[1]) * SHRUNK / 2
        within = np.abs(at[:, 0] - (box[0] + box[2]) / 2) <= half_width
        within &= np.abs(at[:, 1] - (box[1] + box[3]) / 2) <= half_height
        for other in hidden:
            inside = (at[:, 0] >= other[0]) & (at[:, 0] <= other[2]) & (at[:, 1] >= other[1]) & (at[:, 1] <= other[3])
            within &= ~inside
        return self._mode(self.moves[within]) if np.count_nonzero(within) >= FEWEST else None

    def _mode(self, moves: Floats) -> Shift | None:
        known = moves[~np.isnan(moves[:, 0])]
        if len(known) < FEWEST:
            return None
        found = len(known) / len(moves)
        if len(known) > MOST_VOTERS:
            known = known[np.linspace(0, len(known) - 1, MOST_VOTERS).astype(int)]
        apart = np.abs(known[:, None] - known[None]).max(axis=2)
        near = apart < (AGREE_PIXELS * self.pixel + AGREE_SHARE * np.abs(known).max(axis=1))[:, None]
        voices = near.sum(axis=1)
        best = int(voices.argmax())
        x, y = np.median(known[near[best]], axis=0)
        return Shift(float(x), float(y), float(voices[best] / len(known) * found))


class OpticalFlow:
    """Follows one camera's pictures. ``step`` is to be called for every processed frame."""

    def __init__(self, width: int) -> None:
        """``width`` is the longer side of the small picture in pixels."""
        self._width = width
        self._before: Grey | None = None

    def step(self, image: Image) -> Displacements:
        """What moved since the frame before; nothing for the first frame, or one of another size."""
        now = self._small(image)
        before, self._before = self._before, now
        if before is None or before.shape != now.shape:
            return Displacements.none()
        pixel = max(image.shape[:2]) / max(now.shape)
        corners, moving = _corners(before, now)
        moves = np.zeros_like(corners)
        if moving:
            moves[:moving] = _search(before, now, corners[:moving])
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
        return np.asarray(cv2.GaussianBlur(grey, (3, 3), 0), dtype=np.uint8)


def _corners(before: Grey, now: Grey) -> tuple[NDArray[np.float32], int]:
    """The best corner of each cell that has one, those of changed cells first; and how many of these there are."""
    down, across = before.shape[0] // CELL, before.shape[1] // CELL
    if not down or not across:
        return np.zeros((0, 2), np.float32), 0
    strength = cv2.cornerMinEigenVal(before, 3)[: down * CELL, : across * CELL]
    cells = strength.reshape(down, CELL, across, CELL).transpose(0, 2, 1, 3).reshape(down * across, CELL * CELL)
    best = cells.argmax(axis=1)
    strong = cells[np.arange(len(best)), best]
    textured = strong > max(CORNER_LEAST, CORNER_SHARE * float(np.percentile(strong, 99)))
    number = np.arange(down * across)
    row, column = np.divmod(number, across)
    points = np.stack([column * CELL + best % CELL, row * CELL + best // CELL], axis=1).astype(np.float32)
    changed = _changed(before, now, down, across)
    moving = np.flatnonzero(textured & changed.ravel())
    if len(moving) > MOST_CORNERS:
        # The inside of what moves has corners enough with every second one.
        inner = cv2.erode(changed.astype(np.uint8), np.ones((3, 3), np.uint8)).ravel() > 0
        moving = moving[~(inner[moving] & ((row + column) % 2 > 0)[moving])]
    if len(moving) > MOST_CORNERS:
        moving = moving[np.linspace(0, len(moving) - 1, MOST_CORNERS).astype(int)]
    resting = np.flatnonzero(textured & ~changed.ravel())
    return np.vstack([points[moving], points[resting]]), len(moving)


def _changed(before: Grey, now: Grey, down: int, across: int) -> NDArray[np.bool_]:
    """Which cells changed by more than noise, and their neighbours; ``down`` x ``across``."""
    change = cv2.absdiff(before, now)[: down * CELL, : across * CELL]
    most = change.reshape(down, CELL, across, CELL).max(axis=(1, 3))
    limit = max(CHANGE_LEAST, CHANGE_NOISE * float(np.median(change)) + CHANGE_NOISE)
    return np.asarray(cv2.dilate((most > limit).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)


def _search(before: Grey, now: Grey, corners: NDArray[np.float32]) -> NDArray[np.float32]:
    """Where each corner went, NaN for a lost one."""
    criteria = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, ITERATIONS, 0.03)
    points = np.ascontiguousarray(corners[:, None])
    there, found, _ = cv2.calcOpticalFlowPyrLK(
        before, now, points, np.empty_like(points), winSize=WINDOW, maxLevel=LEVELS, criteria=criteria
    )
    back, returned, _ = cv2.calcOpticalFlowPyrLK(
        now,
        before,
        there,
        points.copy(),
        winSize=WINDOW,
        maxLevel=LEVELS,
        criteria=criteria,
        flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
    )
    moves = np.asarray(there - points, dtype=np.float32)[:, 0]
    lost = (found.ravel() == 0) | (returned.ravel() == 0) | (np.abs(back - points)[:, 0].sum(axis=1) >= COMES_BACK)
    moves[lost] = np.nan
    return moves
