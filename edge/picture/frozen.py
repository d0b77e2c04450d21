"""Says since when a camera has shown nothing but pictures that it had shown before, and whether it is frozen.

Nothing moves in an empty car park, but a sensor has noise: two of its pictures differ, unless the camera's encoder
leaves the noise out and repeats blocks of the last picture. Even so its next key frame is coded anew, and differs.
Pictures that are equal to the last pixel, for longer than there is between two key frames, are therefore a fault of
camera, encoder or decoder. Where an encoder goes on behind a sensor that hangs, each key frame changes the picture a
little, and the same few pictures come again and again; a sensor with noise never shows a picture twice.

An encoder that changes its quality all the time (a constant bit rate at its limit) makes each picture of such a sensor
a new one; nothing in it differs from noise, and is not found here.

A camera of which large parts stay exactly equal while something moves has shown that its pictures have no noise; for it
the time is ten times as long.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from edge.core.frames import Image

_TIMES_FOR_NO_NOISE = 10
# A camera has no noise when this share of its rows stays equal while others change, in the mean over the last looks.
_EQUAL_SHARE = 0.5
_LOOKS = 20
# Something moves where a pixel changes by so many grey levels; the steps of an encoder are smaller.
_MOVES_LEVELS = 60
# A picture counts as shown before for so many times the seconds: a dozen of an encoder's key frames.
_TIMES_REMEMBERED = 4


class RepeatedPictures:
    """Compares each picture with those of the last minutes."""

    def __init__(self, seconds: float) -> None:
        """``seconds`` is for how long pictures may be repeated."""
        self._seconds = seconds
        self._last: Image | None = None
        self._equal_share = 0.0  # of the rows, while something moves
        self._seen: dict[int, tuple[float, float]] = {}  # a picture's hash: when it was seen first and last
        self._new_at: float | None = None  # when a picture was seen that had not been seen before
        self.since: float | None = None  # when the pictures were seen first that are repeated now

    def update(self, rows: Image, at: float) -> bool:
        """Look at rows of the picture of time ``at`` (seconds); returns whether it is frozen, since ``since``."""
        last, self._last = self._last, rows
        moves = last is None or last.shape != rows.shape or self._something_moves(last, rows)
        if moves:
            self._seen.clear()
        picture = hash(rows.tobytes())
        remembered = self._seconds * _TIMES_REMEMBERED
        self._seen = {key: times for key, times in self._seen.items() if at - times[1] <= remembered}
        first = self._seen.get(picture)
        self._seen[picture] = (at, at) if first is None else (first[0], at)
        if first is None or self._new_at is None:
            self._new_at = self.since = at
            return False
        self.since = min(self.since or at, first[0])
        return at - self._new_at >= self.limit

    def restart(self) -> None:
        """Forget the pictures, because the camera was away."""
        self._last, self._new_at, self.since = None, None, None
        self._seen.clear()

    @property
    def limit(self) -> float:
        """For how many seconds this camera may repeat pictures."""
        return self._seconds * (_TIMES_FOR_NO_NOISE if self._equal_share >= _EQUAL_SHARE else 1)

    def _something_moves(self, last: Image, rows: Image) -> bool:
        """Whether something moves; then the rows in which nothing changes show whether the camera has noise."""
        change = cv2.absdiff(last, rows)
        largest = cv2.reduce(change, 1, cv2.REDUCE_MAX).ravel()
        if largest.max() < _MOVES_LEVELS:
            return False
        self._equal_share += (float(np.mean(largest == 0)) - self._equal_share) / _LOOKS
        return True
